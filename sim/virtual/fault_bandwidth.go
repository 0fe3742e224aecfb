package virtual

var bandwidthKind = FaultKind{
	Name: "bandwidth", Doc: "the target's links slow down; links without a limit stay so",
	Settings: []FaultSetting{{"factor", 0.1, 1e-6, 1, "what is left of the speed"}},
	Modes:    []string{"both", "up", "down"},
	effect:   func(f *injection) effect { return bandwidth{onBandwidths(f)} },
}

type bandwidth struct{ onNodes }

func onBandwidths(f *injection) onNodes {
	return onNodes{f, func(n *nodeFaults) *[]*injection { return &n.bandwidths }}
}

func (f bandwidth) attach(w *World) {
	f.onNodes.attach(w)
	f.members.each(func(i int32) { w.nodes[i].setSpeeds() })
}

func (f bandwidth) detach(w *World) {
	f.onNodes.detach(w)
	f.members.each(func(i int32) { w.nodes[i].setSpeeds() })
}

// setSpeeds computes the speeds of a node's links under the active faults; a link with a limit keeps
// at least one bit a second.
func (n *node) setSpeeds() {
	n.upBps, n.downBps = n.cfg.UpBps, n.cfg.DownBps
	for _, f := range n.faults.bandwidths {
		if f.mode() != "down" && n.upBps > 0 {
			n.upBps = max(int64(float64(float64(n.upBps)*f.number("factor"))), 1)
		}
		if f.mode() != "up" && n.downBps > 0 {
			n.downBps = max(int64(float64(float64(n.downBps)*f.number("factor"))), 1)
		}
	}
}
