package virtual

import "taolab/sim/host"

var slowKind = FaultKind{
	Name: "slow", Doc: "jobs of the target's compute units take longer",
	Settings: []FaultSetting{share("the jobs"), {"factor", 10, 1, 1000, "times as long"}},
	effect:   func(f *injection) effect { return slowness{onJobs(f)} },
}

type slowness struct{ onNodes }

func (f slowness) compute(_ *World, _ *node, t *task) {
	if f.happens() {
		t.last(host.Time(min(float64(float64(t.takes)*f.number("factor")), float64(maxDuration))))
	}
}

// onJobs stands where jobs begin.
func onJobs(f *injection) onNodes {
	return onNodes{f, func(n *nodeFaults) *[]*injection { return &n.jobs }}
}

// laborer is an effect on a job that begins.
type laborer interface{ compute(*World, *node, *task) }

// last changes how long a job takes.
func (t *task) last(takes host.Time) {
	t.due += takes - t.takes
	t.takes = takes
}
