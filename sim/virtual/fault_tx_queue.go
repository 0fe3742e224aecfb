package virtual

import "taolab/sim/host"

var txQueueKind = FaultKind{
	Name: "tx_queue", Doc: "the target's transactions are dropped, delayed or put in another order at the block producer",
	Settings: []FaultSetting{share("the transactions"), {"blocks", 2, 0, 1e6, "how long, or within which time in random order"}},
	Modes:    []string{"drop", "delay", "reorder"},
	effect:   func(f *injection) effect { return onTxs(f) },
}

// onTxs stands where a node's transactions reach the block producer.
func onTxs(f *injection) onNodes {
	return onNodes{f, func(n *nodeFaults) *[]*injection { return &n.txs }}
}

// queueing lets faults act on a transaction that has reached the block producer: how long it waits
// before it is in the queue, and whether it is dropped.
func (w *World) queueing(n *node) (wait host.Time, dropped bool) {
	for _, f := range n.faults.txs {
		if !f.happens() {
			continue
		}
		longest := min(float64(f.number("blocks")*float64(w.cfg.BlockNs)), float64(maxDuration))
		switch f.mode() {
		case "drop":
			dropped = true
		case "delay":
			wait += host.Time(longest)
		case "reorder":
			wait += host.Time(float64(longest * f.draw.Float64()))
		}
	}
	return wait, dropped
}
