package virtual

var stallKind = FaultKind{
	Name: "stall", Doc: "jobs hang for a time; those that would hang beyond the end are dropped there by a watchdog, which starts the node from its saved state",
	Settings: []FaultSetting{share("the jobs"), {"hold_s", 0, 0, 1e7, "how long a job hangs; 0: to the end"}},
	restores: true, fresh: true,
	effect: func(f *injection) effect { return stall{onJobs(f)} },
}

type stall struct{ onNodes }

func (f stall) compute(w *World, n *node, t *task) {
	if !f.happens() {
		return
	}
	hold := f.span("hold_s")
	if hold == 0 {
		hold = f.To - w.now
	}
	t.last(t.takes + hold)
	w.fault(n.index, "stall", "a job hangs")
	t.hangs = t.hangs || t.due >= f.To && f.number("hold_s") == 0
}

// end lets the watchdog drop what hangs.
func (f stall) end(w *World) {
	f.members.each(func(i int32) {
		if n := &w.nodes[i]; n.job.task != nil && n.job.task.hangs && n.down == 0 {
			w.fault(i, "watchdog", "a job that hung was dropped and the node started again")
			w.stop(n)
			w.start(n)
		}
	})
}
