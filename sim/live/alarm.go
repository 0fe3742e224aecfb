package live

import (
	"container/heap"

	"taolab/sim/host"
)

// alarm is something that is due at a time or at a height.
type alarm struct {
	due   int64 // host.Time or height
	id    uint64
	ring  func()
	place int // in its heap
}

// alarms is a heap by due and id.
type alarms []*alarm

func (a alarms) Len() int { return len(a) }
func (a alarms) Less(i, j int) bool {
	return a[i].due < a[j].due || a[i].due == a[j].due && a[i].id < a[j].id
}
func (a alarms) Swap(i, j int) {
	a[i], a[j] = a[j], a[i]
	a[i].place, a[j].place = i, j
}

// Push is documented at heap.Interface.
func (a *alarms) Push(x any) {
	x.(*alarm).place = len(*a)
	*a = append(*a, x.(*alarm))
}

// Pop is documented at heap.Interface.
func (a *alarms) Pop() any {
	old := *a
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*a = old[:len(old)-1]
	last.place = -1
	return last
}

// set adds an alarm.
func (a *alarms) set(due int64, id uint64, ring func()) *alarm {
	x := &alarm{due: due, id: id, ring: ring}
	heap.Push(a, x)
	return x
}

// drop removes an alarm that may have rung.
func (a *alarms) drop(x *alarm) {
	if x != nil && x.place >= 0 {
		heap.Remove(a, x.place)
	}
}

// next takes an alarm that is due by now, the earliest first.
func (a *alarms) next(now int64) (*alarm, bool) {
	if len(*a) == 0 || (*a)[0].due > now {
		return nil, false
	}
	return heap.Pop(a).(*alarm), true
}

// timer is what After and AtBlock wait for.
type timer struct {
	*alarm
	of *alarms
}

// After is documented at host.Env.
func (e *env) After(d host.Time, tag host.Tag) host.TimerID {
	n := e.use()
	id := host.TimerID(n.newID())
	due := int64(n.now + min(max(d, 0), maxTime))
	n.addTimer(id, &n.times, due, host.Timer{ID: id, Tag: tag})
	return id
}

// AtBlock is documented at host.Env. A block that the node has seen counts as seen now.
func (e *env) AtBlock(height uint64, tag host.Tag) host.TimerID {
	n := e.use()
	id := host.TimerID(n.newID())
	event := host.Block{ID: id, Tag: tag, Height: height}
	if height <= n.sight.view.Height() {
		n.addTimer(id, &n.times, int64(n.now), event)
	} else {
		n.addTimer(id, &n.heights, int64(min(height, 1<<62)), event)
	}
	return id
}

func (n *node) addTimer(id host.TimerID, of *alarms, due int64, event host.Event) {
	if len(n.timers) >= maxTimers {
		panic("one more timer than the limit for an agent")
	}
	n.timers[id] = timer{of.set(due, uint64(id), func() {
		delete(n.timers, id)
		n.handle(event)
	}), of}
}

// Stop is documented at host.Env.
func (e *env) Stop(id host.TimerID) {
	n := e.use()
	if t, open := n.timers[id]; open {
		t.of.drop(t.alarm)
		delete(n.timers, id)
	}
}
