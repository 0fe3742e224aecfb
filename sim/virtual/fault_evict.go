package virtual

var evictKind = FaultKind{
	Name: "evict", Doc: "memory is short: states of the target's agents are written out and read in again; nothing else changes",
	Settings: []FaultSetting{{"bytes", 0, 0, 1e12, "states up to this size stay"}, {"every_s", 60, 1, 1e9, "time between two evictions"}},
	fresh:    true,
	effect:   func(f *injection) effect { return evict{f} },
}

type evict struct{ *injection }

func (evict) attach(*World) {}
func (evict) detach(*World) {}

func (f evict) begin(w *World) {
	f.members.each(func(i int32) { w.tick(f.injection, &w.nodes[i], w.now) })
}

func (f evict) tick(w *World, n *node) {
	w.tick(f.injection, n, w.now+f.span("every_s"))
	if n.down > 0 {
		return
	}
	state := w.state(n, nil)
	if len(state) <= int(f.number("bytes")) {
		return
	}
	if err := w.replace(n, state); err != nil {
		w.fail(err)
	}
	w.fault(n.index, "evict", "the agent's state was written out and read in again")
}
