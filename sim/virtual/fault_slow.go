package virtual

import "taolab/sim/host"

var slowKind = FaultKind{
	Name: "slow", Doc: "jobs of the target's compute units take longer",
	Settings: []FaultSetting{share("the jobs"), {"factor", 10, 1, 1000, "times as long"}},
	effect:   func(f *injection) effect { return slowness{onJobs{f}} },
}

type slowness struct{ onJobs }

func (f slowness) compute(_ *World, _ *node, t *task) {
	if f.happens() {
		t.due = f.due(t, host.Time(min(float64(float64(t.takes)*f.number("factor")), float64(maxDuration))))
	}
}

// onJobs is the part of an effect that stands where jobs begin.
type onJobs struct{ *injection }

// laborer is an effect on a job that begins.
type laborer interface{ compute(*World, *node, *task) }

func (f onJobs) attach(w *World) {
	f.members.each(func(i int32) {
		n := &w.nodes[i]
		n.faults.jobs = append(n.faults.jobs, f.injection)
	})
}

func (f onJobs) detach(w *World) {
	f.members.each(func(i int32) {
		n := &w.nodes[i]
		n.faults.jobs = f.without(n.faults.jobs)
	})
}

// due changes how long a job takes.
func (onJobs) due(t *task, takes host.Time) host.Time {
	began := t.due - t.takes
	t.takes = takes
	return began + takes
}
