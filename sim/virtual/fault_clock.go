package virtual

import "taolab/sim/host"

var clockKind = FaultKind{
	Name: "clock", Doc: "the target's clocks jump by an offset and run too fast or slow; at the end they jump back",
	Settings: []FaultSetting{{"offset_ms", 0, -3.6e6, 3.6e6, "what the clocks show more"},
		{"drift_ppm", 0, -1e5, 1e5, "millionths by which they run faster"}},
	effect: func(f *injection) effect { return onClocks(f) },
}

// onClocks stands at a node's clock.
func onClocks(f *injection) onNodes {
	return onNodes{f, func(n *nodeFaults) *[]*injection { return &n.clocks }}
}

// skew is what a node's clock shows more than the virtual time.
func (w *World) skew(n *node) host.Time {
	t := n.cfg.Skew
	for _, f := range n.faults.clocks {
		t += f.span("offset_ms") + host.Time(float64(float64(f.number("drift_ppm")*1e-6)*float64(w.now-f.From)))
	}
	return t
}

// span is the virtual time that passes while a node's clock passes d.
func (n *node) span(d host.Time) host.Time {
	for _, f := range n.faults.clocks {
		d = host.Time(float64(float64(d) / (1 + float64(f.number("drift_ppm")*1e-6))))
	}
	return bounded(d)
}
