package virtual

import "taolab/sim/host"

var blockDelayKind = FaultKind{
	Name: "block_delay", Doc: "the target sees blocks later, each node by a random time of its own",
	Settings: []FaultSetting{{"mean_ms", 12000, 0, 1e7, "mean of the time, ten times which is the longest"}},
	Modes:    tailModes,
	maxLag:   func(f *injection, _ host.Time) host.Time { return 10 * f.span("mean_ms") },
	effect:   func(f *injection) effect { return blockDelay{lagging{f}} },
}

type blockDelay struct{ lagging }

func (f blockDelay) attach(w *World) {
	own := f.stream(w.cfg.Seed, "nodes")
	f.lag(w, func(n *node) host.Time {
		mean := f.span("mean_ms")
		return min(f.tail(own.Sub(n.cfg.Name), mean), 10*mean)
	})
}

// lagging is the part of an effect that lets nodes see blocks later. Of several the longest counts.
type lagging struct{ *injection }

func (f lagging) lag(w *World, by func(*node) host.Time) {
	f.members.each(func(i int32) {
		n := &w.nodes[i]
		w.holdView(n)
		n.faults.lags = append(n.faults.lags, f.injection)
		n.lags = append(n.lags, by(n))
	})
}

func (f lagging) detach(w *World) {
	f.members.each(func(i int32) {
		n := &w.nodes[i]
		for at, other := range n.faults.lags {
			if other == f.injection {
				n.lags = append(n.lags[:at:at], n.lags[at+1:]...)
				break
			}
		}
		n.faults.lags = f.without(n.faults.lags)
	})
}

// blockDelay is the time after which a node sees a block.
func (n *node) blockDelay() host.Time {
	t := host.Time(0)
	for _, lag := range n.lags {
		t = max(t, lag)
	}
	return n.cfg.BlockDelay + t
}
