package virtual

import (
	"context"

	"taolab/sim/host"
)

// alarm kinds: what the schedule of faults holds. An alarm is an event that is not in the event log and
// takes no sequence number of it, so that a fault without effect leaves no mark. Alarms come before
// the events and the block of their time.
const (
	alarmBegin kind = iota + 1 // id: fault
	alarmEnd                   // id: fault
	alarmTick                  // id: fault, node: whose turn it is
	alarmSave                  // node: whose state is saved
	alarmStart                 // node: who starts again
)

// openFaults readies the faults of the config. All begins are scheduled before all ends, so that nobody
// is well for an instant between two faults.
func (w *World) openFaults() {
	w.alarmSeq = firstAlarm
	for i := range w.cfg.Faults {
		f := w.inject(&w.cfg.Faults[i])
		if f.From < f.To {
			w.schedule(f)
			w.expectEnd(f)
		}
	}
	for i := range w.nodes {
		if n := &w.nodes[i]; n.savesUntil > 0 {
			w.saveState(n)
			w.alarm(w.cfg.SaveEvery, alarmSave, n.index, 0)
		}
	}
}

// inject enters a fault behind all others.
func (w *World) inject(fault *Fault) *injection {
	f := &injection{Fault: fault, index: uint64(len(w.injections)), kind: kindOf(fault.Kind)}
	w.injections = append(w.injections, f)
	return f
}

// schedule schedules the begin and the end of a fault.
func (w *World) schedule(f *injection) {
	w.alarms.push(event{at: f.From, seq: f.place(alarmBegin), id: f.index, node: theNetwork, kind: alarmBegin})
	w.alarms.push(event{at: f.To, seq: f.place(alarmEnd), id: f.index, node: theNetwork, kind: alarmEnd})
}

// place is that of the fault's begin or end among the alarms of one time: begins, then ends, each in the
// order of the faults, then all other alarms.
func (f *injection) place(k kind) uint64 {
	if k == alarmBegin {
		return f.index
	}
	return maxInjections + f.index
}

const (
	maxInjections = 2 * maxFaults // those of the config, and those that a fork ends
	firstAlarm    = 2 * maxInjections
)

// expectEnd prepares the nodes that the fault hits for coming back after it.
func (w *World) expectEnd(f *injection) {
	if f.kind.restores || f.kind.renames {
		f.choose(w)
		f.members.each(func(i int32) { w.expect(f, &w.nodes[i]) })
		f.members, f.peers = nil, nil
	}
}

// expect readies a node for a fault after which it comes back.
func (w *World) expect(f *injection, n *node) {
	if f.kind.restores {
		n.savesUntil = max(n.savesUntil, f.To)
	}
	if f.kind.renames {
		w.addName(n)
	}
}

// addName opens the next hotkeys that a node will have.
func (w *World) addName(n *node) {
	for i := range n.ids {
		hotkey := w.open(nextName(w.cfg.Seed, n, i))
		n.ids[i].names = append(n.ids[i].names, hotkey)
		w.places[hotkey.Key] = n.index
		w.producer.ledger.Assign(hotkey.Key, n.index)
	}
	n.names++
}

// choose draws the nodes that the fault hits.
func (f *injection) choose(w *World) {
	f.members = f.Target.resolve(&w.cfg, f.stream(w.cfg.Seed, "target"))
	f.peers = f.Peer.resolve(&w.cfg, f.stream(w.cfg.Seed, "peer"))
}

// alarm schedules an alarm behind all others of its time.
func (w *World) alarm(at host.Time, k kind, node int32, id uint64) {
	w.alarmSeq++
	w.alarms.push(event{at: at, seq: w.alarmSeq, id: id, node: node, kind: k})
}

// tick lets the fault act for a node at a time before its end.
func (w *World) tick(f *injection, n *node, at host.Time) {
	if at < f.To {
		w.alarm(at, alarmTick, n.index, f.index)
	}
}

// soundAlarm processes the earliest alarm. The running job of a node whose state is read ends first, while
// the alarm still stands there, so that a context that ends meanwhile leaves nothing half done.
func (w *World) soundAlarm(ctx context.Context) error {
	a := w.alarms[0]
	if a.kind == alarmTick || a.kind == alarmSave {
		if err := w.settle(ctx, &w.nodes[a.node]); err != nil {
			return err
		}
	}
	w.alarms.pop()
	w.pass(a.at)
	w.events++
	switch a.kind {
	case alarmBegin:
		w.begin(w.injections[a.id])
	case alarmEnd:
		w.conclude(w.injections[a.id])
	case alarmTick:
		w.injections[a.id].effect.(ticker).tick(w, &w.nodes[a.node])
	case alarmSave:
		n := &w.nodes[a.node]
		if n.down == 0 {
			w.saveState(n)
		}
		if next := w.now + w.cfg.SaveEvery; next < n.savesUntil {
			w.alarm(next, alarmSave, a.node, 0)
		}
	case alarmStart:
		w.restart(&w.nodes[a.node])
	}
	return nil
}

// activate chooses the targets of an active fault and registers it where the world looks for it.
func (w *World) activate(f *injection) {
	f.choose(w)
	f.draw = f.stream(w.cfg.Seed, "effect")
	f.effect = f.kind.effect(f)
	f.effect.attach(w)
}

// begin makes a fault active.
func (w *World) begin(f *injection) {
	if w.records.Faults {
		w.fault(theNetwork, "begin", f.String())
	}
	w.activate(f)
	if b, acts := f.effect.(beginner); acts {
		b.begin(w)
	}
}

// conclude ends a fault.
func (w *World) conclude(f *injection) {
	if w.records.Faults {
		w.fault(theNetwork, "end", f.String())
	}
	f.effect.detach(w)
	if e, acts := f.effect.(ender); acts {
		e.end(w)
	}
	if w.now < f.To {
		w.cutShort(f)
	}
	f.effect, f.draw, f.members, f.peers = nil, nil, nil, nil
}
