package virtual

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"taolab/model/num"
	"taolab/sim/host"
	"taolab/sim/snapshot"
)

// former are the faults of a snapshot that is being read: those that the config has too, as its own, and
// those that a fork has left out.
type former struct {
	faults []Fault
	of     []*injection // for each of them
	kept   []bool       // of those of the config: the snapshot has it too
}

// layoutFaultList codes the faults themselves. A fork may have others: one that has begun ends with it
// where the config leaves it out, a future one never begins, and new ones lie in the future.
func (w *World) layoutFaultList(c *snapshot.Coder) {
	var list []Fault
	if !c.Reading() {
		for _, f := range w.injections {
			list = append(list, *f.Fault)
		}
	}
	snapshot.List(c, &list, func(f *Fault) { f.layout(c) })
	if !c.Reading() || c.Err() != nil {
		return
	}
	if len(list) > maxInjections {
		c.Fail(fmt.Errorf("it has %d faults, at most %d are possible", len(list), maxInjections))
		return
	}
	own := len(w.injections)
	w.former = &former{faults: list, of: make([]*injection, len(list)), kept: make([]bool, own)}
	for i := range list {
		f := w.matching(&list[i])
		if f == nil {
			if err := list[i].validateKind(&w.cfg); err != nil {
				c.Fail(fmt.Errorf("its fault %d: %w", i, err))
				return
			}
			f = &injection{Fault: &list[i], index: uint64(own + i), kind: kindOf(list[i].Kind)}
			if f.kind.renames && f.From < f.To {
				w.expectEnd(f)
			}
		}
		w.former.of[i] = f
	}
}

// matching is the first fault of the config that is the same and has not been met before.
func (w *World) matching(f *Fault) *injection {
	for i, met := range w.former.kept {
		if own := w.injections[i]; !met && own.same(f) {
			w.former.kept[i] = true
			return own
		}
	}
	return nil
}

func (f *Fault) same(o *Fault) bool {
	return f.Kind == o.Kind && f.From == o.From && f.To == o.To && f.Target == o.Target && f.Peer == o.Peer &&
		f.Direction == o.Direction && f.Mode == o.Mode && f.Seed == o.Seed && maps.Equal(f.Numbers, o.Numbers)
}

func (f *Fault) layout(c *snapshot.Coder) {
	for _, s := range []*string{
		&f.Kind, &f.Target.Node, &f.Target.Group, &f.Target.Region, &f.Peer.Node, &f.Peer.Group, &f.Peer.Region, &f.Direction, &f.Mode,
	} {
		snapshot.Text(c, s)
	}
	snapshot.Number(c, &f.From)
	snapshot.Number(c, &f.To)
	snapshot.Number(c, &f.Seed)
	snapshot.Real(c, &f.Target.Some)
	snapshot.Real(c, &f.Peer.Some)
	names := slices.Sorted(maps.Keys(f.Numbers))
	snapshot.List(c, &names, func(name *string) {
		snapshot.Text(c, name)
		x := f.Numbers[*name]
		snapshot.Real(c, &x)
		if c.Reading() {
			if f.Numbers == nil {
				f.Numbers = map[string]float64{}
			}
			f.Numbers[*name] = x
		}
	})
}

// layoutFaults codes the schedule, and the streams of the active faults in the order in which they began:
// the rest of what they are follows from their settings.
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
	w.producer.layout(c)
	active := w.activeFaults()
	snapshot.List(c, &active, func(a *activeFault) {
		snapshot.Number(c, &a.index)
		if c.Reading() {
			a.draw = new(num.Stream)
		}
		c.Part(a.draw)
	})
	if c.Reading() && c.Err() == nil {
		w.resumeFaults(c, alarms, active)
	}
}

// activeFault is one whose begin lies in the past, with its stream.
type activeFault struct {
	index uint64
	draw  *num.Stream
}

// activeFaults are the active faults in the order in which they began.
func (w *World) activeFaults() []activeFault {
	var list []activeFault
	for i, f := range w.injections {
		if f.effect != nil {
			list = append(list, activeFault{uint64(i), f.draw})
		}
	}
	slices.SortStableFunc(list, func(a, b activeFault) int {
		return cmp.Compare(w.injections[a.index].From, w.injections[b.index].From)
	})
	return list
}

// resumeFaults takes up the schedule of a snapshot and its active faults.
func (w *World) resumeFaults(c *snapshot.Coder, alarms []event, active []activeFault) {
	was := w.former
	var begun []*injection
	for _, a := range active {
		if a.index >= uint64(len(was.of)) || was.of[a.index].effect != nil || slices.Contains(begun, was.of[a.index]) {
			c.Fail(errNoFault)
			return
		}
		f := was.of[a.index]
		f.draw = a.draw
		begun = append(begun, f)
	}
	slices.SortStableFunc(begun, func(a, b *injection) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.index, b.index)) })
	for _, f := range begun {
		draw := f.draw
		w.activate(f)
		f.draw = draw
	}
	w.alarms = w.alarms[:0]
	for _, a := range alarms {
		if !a.ofFault() {
			w.alarms.push(a)
			continue
		}
		f := was.of[a.id]
		switch {
		case f.index >= uint64(len(was.kept)): // a fork left it out
			continue
		case a.kind != alarmTick:
			a.seq = f.place(a.kind)
		case f.effect == nil:
			c.Fail(errNoFault)
			return
		}
		a.id = f.index
		w.alarms.push(a)
	}
	w.retire(begun)
	w.addFaults(c)
}

// retire ends the active faults that a fork left out, first of all that happens from now on.
func (w *World) retire(begun []*injection) {
	for _, f := range begun {
		if f.index < uint64(len(w.former.kept)) {
			continue
		}
		f.index = uint64(len(w.injections))
		w.injections = append(w.injections, f)
		w.alarms.push(event{at: w.now, seq: f.place(alarmEnd), id: f.index, node: theNetwork, kind: alarmEnd})
	}
}

// addFaults schedules the faults that only the config has.
func (w *World) addFaults(c *snapshot.Coder) {
	for i, met := range w.former.kept {
		f := w.injections[i]
		switch {
		case met:
		case f.From < w.now:
			c.Fail(fmt.Errorf("fault %d (%v) would begin at %s, before this moment, %s; expected one that begins later", i, f.Fault, clock(f.From), clock(w.now)))
			return
		case f.From < f.To:
			w.schedule(f)
		}
	}
}

// saveForFaults lets the nodes save that only a fault of the fork stops, as they would have done before.
func (w *World) saveForFaults() {
	saves := newSet(len(w.nodes))
	for _, a := range w.alarms {
		if a.kind == alarmSave {
			saves.add(a.node)
		}
	}
	for i, met := range w.former.kept {
		f := w.injections[i]
		if met || !f.kind.restores || f.From == f.To {
			continue
		}
		f.Target.resolve(&w.cfg, f.stream(w.cfg.Seed, "target")).each(func(i int32) {
			n := &w.nodes[i]
			if saves.has(i) {
				return
			}
			saves.add(i)
			if n.down == 0 {
				w.saveState(n)
			}
			if next := (w.now/w.cfg.SaveEvery + 1) * w.cfg.SaveEvery; next < n.savesUntil {
				w.alarm(next, alarmSave, i, 0)
			}
		})
	}
	w.former = nil
}

var errNoFault = errors.New("it holds a fault that the scenario has not")

func (e *event) ofFault() bool {
	return e.kind == alarmBegin || e.kind == alarmEnd || e.kind == alarmTick
}

// checkAlarm refuses an alarm about nothing.
func (w *World) checkAlarm(c *snapshot.Coder, a *event) {
	ofNode := a.kind == alarmTick || a.kind == alarmSave || a.kind == alarmStart
	faults := len(w.injections)
	if c.Reading() {
		faults = len(w.former.of)
	}
	if !a.ofFault() && !ofNode || a.ofFault() && a.id >= uint64(faults) || ofNode && a.node < 0 || a.at < w.now {
		c.Fail(errNoFault)
		*a = event{kind: alarmBegin}
	}
}

// shortened is an effect that has put something off to its end, and does it now that it ends before.
type shortened interface{ cutShort(w *World) }

// cutShort takes up what waits for the end of a fault, which comes before its time: outcomes, blocks and
// expiries are seen when they would be without the fault from now on.
func (w *World) cutShort(f *injection) {
	if s, acts := f.effect.(shortened); acts {
		s.cutShort(w)
	}
	for _, e := range w.queue.all() {
		if !w.alive(e) {
			continue
		}
		n, at := &w.nodes[e.node], e.at
		switch e.kind {
		case evOutcome:
			if at == f.To {
				at = w.joined(n, w.now)
			}
		case evTimer:
			if t := n.timers.get(e.id); t.block {
				at = max(w.seen(n, t.height), w.now)
			}
		case evExpire:
			at = max(w.seen(n, w.producer.ledger.Expiry(n.index, host.SubmitID(e.id))+1), w.now)
		}
		if at < e.at {
			w.push(at, e.kind, e.node, e.id)
			w.stale++
		}
	}
}
