package virtual

import (
	"slices"

	"taolab/sim/host"
)

var crashSettings = []FaultSetting{
	{"every_s", 0, 0, 1e9, "mean time between two crashes of a node; 0: one, at the begin"},
	{"down_s", 0, 0, 1e9, "time until the node starts again; 0: at the end"},
}

var crashKind = FaultKind{
	Name: "crash", Doc: "the target's nodes stop: jobs, timers, calls and queues are lost; they start from the last saved state",
	Settings: crashSettings, restores: true, fresh: true,
	effect: func(f *injection) effect { return &crash{injection: f} },
}

type crash struct {
	*injection
	forgets bool
}

func (*crash) attach(*World) {}
func (*crash) detach(*World) {}

func (f *crash) begin(w *World) {
	f.members.each(func(i int32) {
		if n := &w.nodes[i]; f.number("every_s") > 0 {
			w.tick(f.injection, n, w.now+f.tail(f.draw, f.span("every_s")))
		} else {
			f.tick(w, n)
		}
	})
}

// tick stops a node.
func (f *crash) tick(w *World, n *node) {
	if every := f.span("every_s"); every > 0 {
		w.tick(f.injection, n, w.now+f.span("down_s")+f.tail(f.draw, every)+1)
	}
	if n.down > 0 {
		return
	}
	w.fault(n.index, "crash", "the node stopped")
	w.stop(n)
	n.forgets = n.forgets || f.forgets
	back := f.To
	if down := f.span("down_s"); down > 0 {
		back = w.now + down
	}
	if back < maxTime {
		w.alarm(back, alarmStart, n.index, 0)
	}
}

// cutShort starts the nodes again that would start at the end.
func (f *crash) cutShort(w *World) {
	for i := range w.alarms {
		if a := &w.alarms[i]; a.kind == alarmStart && a.at == f.To && f.members.has(a.node) {
			a.at = w.now
		}
	}
	alarms := w.alarms
	w.alarms = nil
	for _, a := range alarms {
		w.alarms.push(a)
	}
}

// stop ends a node's process: its job, timers, calls and queue are lost, transactions that it sent and
// requests at other nodes are not. Only a bookkeeper will hear what became of the former.
func (w *World) stop(n *node) {
	n.down++
	if n.job.task != nil {
		w.pool.drop(n.job.task)
		n.job = job{}
		w.stale++
	}
	w.stale += n.timers.clear() + n.calls.clear() + n.served.clear()
	if _, keeps := n.agent.(host.Bookkeeper); !keeps {
		w.stale += w.producer.ledger.Forget(n.index)
	}
	n.admission.Clear()
	n.held = slices.DeleteFunc(n.held, w.hopeless)
}
