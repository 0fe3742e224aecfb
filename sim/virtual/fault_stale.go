package virtual

import "taolab/sim/host"

var staleKind = FaultKind{
	Name: "stale", Doc: "the target's view of the chain is some blocks behind, or stands still",
	Settings: []FaultSetting{{"blocks", 0, 0, 200, "blocks behind; 0: it stands still"}},
	maxLag: func(f *injection, blockNs host.Time) host.Time {
		return host.Time(f.number("blocks")) * blockNs
	},
	effect: func(f *injection) effect { return stale{lagging{f}} },
}

type stale struct{ lagging }

func (f stale) attach(w *World) {
	blocks := host.Time(f.number("blocks"))
	f.lag(w, func(*node) host.Time { return blocks * w.cfg.BlockNs })
}

func (f stale) begin(w *World) {
	if f.number("blocks") == 0 {
		f.members.each(func(i int32) { w.freeze(&w.nodes[i], f.To) })
	}
}

func (f stale) end(w *World) {
	if f.number("blocks") == 0 {
		f.members.each(func(i int32) { w.nodes[i].cutOff-- })
	}
}
