package virtual

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"taolab/sim/host"
	"taolab/sim/snapshot"
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
	w.injections = make([]injection, len(w.cfg.Faults))
	for i := range w.cfg.Faults {
		f := &w.cfg.Faults[i]
		w.injections[i] = injection{Fault: f, index: uint64(i), kind: kindOf(f.Kind)}
		if f.From < f.To {
			w.alarm(f.From, alarmBegin, theNetwork, uint64(i))
		}
	}
	for i := range w.injections {
		f := &w.injections[i]
		if f.From == f.To {
			continue
		}
		w.alarm(f.To, alarmEnd, theNetwork, f.index)
		if f.kind.restores || f.kind.renames {
			f.choose(w)
			f.members.each(func(i int32) { w.expect(f, &w.nodes[i]) })
			f.members, f.peers = nil, nil
		}
	}
	for i := range w.nodes {
		if n := &w.nodes[i]; n.savesUntil > 0 {
			w.saveState(n)
			w.alarm(w.cfg.SaveEvery, alarmSave, n.index, 0)
		}
	}
}

// expect readies a node for a fault after which it comes back.
func (w *World) expect(f *injection, n *node) {
	if f.kind.restores {
		n.savesUntil = max(n.savesUntil, f.To)
	}
	if f.kind.renames {
		hotkey := w.open(nextName(w.cfg.Seed, n))
		n.names = append(n.names, hotkey)
		w.places[hotkey.Key] = n.index
		w.producer.ledger.Assign(hotkey.Key, n.index)
	}
}

// choose draws whom the fault befalls.
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
		w.begin(&w.injections[a.id])
	case alarmEnd:
		w.conclude(&w.injections[a.id])
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

// activate chooses whom an active fault befalls and enters it where the world looks for it.
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
	f.effect, f.draw, f.members, f.peers = nil, nil, nil, nil
}

// layoutFaults codes the schedule, and the streams of the active faults in the order in which they began:
// the rest of what they are follows from the config. Where a fork has other faults, they differ only in the future.
func (w *World) layoutFaults(c *snapshot.Coder) {
	nodes := int32(len(w.nodes))
	snapshot.Number(c, &w.alarmSeq)
	alarms := []event(w.alarms)
	snapshot.List(c, &alarms, func(a *event) {
		snapshot.Number(c, &a.at)
		snapshot.Number(c, &a.seq)
		snapshot.Number(c, &a.id)
		layoutNode(c, &a.node, nodes, true)
		snapshot.Number(c, &a.kind)
		w.checkAlarm(c, a)
	})
	w.alarms = heap(alarms)
	w.producer.layout(c)
	var active []uint64
	if !c.Reading() {
		active = w.activeFaults()
	}
	snapshot.List(c, &active, func(i *uint64) {
		if snapshot.Number(c, i); *i >= uint64(len(w.injections)) {
			c.Fail(errNoFault)
			return
		}
		f := &w.injections[*i]
		if c.Reading() {
			w.activate(f)
		}
		c.Part(f.draw)
	})
}

var errNoFault = errors.New("it holds a fault that the scenario has not")

// activeFaults are the active faults in the order in which they began.
func (w *World) activeFaults() []uint64 {
	var list []uint64
	for i := range w.injections {
		if w.injections[i].effect != nil {
			list = append(list, uint64(i))
		}
	}
	slices.SortStableFunc(list, func(a, b uint64) int {
		return cmp.Compare(w.injections[a].From, w.injections[b].From)
	})
	return list
}

// checkAlarm refuses an alarm about nothing.
func (w *World) checkAlarm(c *snapshot.Coder, a *event) {
	ofFault := a.kind == alarmBegin || a.kind == alarmEnd || a.kind == alarmTick
	ofNode := a.kind == alarmTick || a.kind == alarmSave || a.kind == alarmStart
	if !ofFault && !ofNode || ofFault && a.id >= uint64(len(w.injections)) || ofNode && a.node < 0 || a.at < w.now {
		c.Fail(errNoFault)
		*a = event{kind: alarmBegin}
	}
}
