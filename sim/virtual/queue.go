package virtual

import (
	"cmp"
	"math/bits"
	"slices"

	"taolab/sim/host"
)

// kind says what an event is. The numbers are part of the run digest.
type kind uint8

// The kinds. id is the record that the event is about.
const (
	evStart   kind = iota + 1 // the agent's life begins
	evTimer                   // id: timer of the node
	evDone                    // id: job of the node
	evArrive                  // id: message whose first bit has reached the node's downlink
	evDeliver                 // id: message that the node has in full
	evRefuse                  // id: call of the node that its host refused
	evTimeout                 // id: call of the node
	evOverdue                 // id: request at the node whose caller gives up, or whose service was long enough
	evTx                      // id: transaction that has reached the block producer
	evOutcome                 // id: submission of the node whose fate the node learns
	evExpire                  // id: submission of the node
)

// event is one thing that will happen: plain data, 32 bytes.
type event struct {
	at   host.Time
	seq  uint64
	id   uint64
	node int32
	kind kind
}

// before is the order of events. No two have the same sequence number. It is one subtraction of 128
// bits, because a branch that cannot be foretold costs more.
func (e *event) before(f *event) bool {
	_, borrow := bits.Sub64(e.seq, f.seq, 0)
	_, borrow = bits.Sub64(uint64(e.at), uint64(f.at), borrow)
	return borrow != 0
}

// queue holds events; the earliest leaves first. Those before a horizon stand in a heap small enough
// for the nearest caches. Those after it lie unsorted in buckets of equal width, each of which
// becomes the heap when its turn comes, and those beyond the last bucket in an overflow list that is
// spread over the buckets when they are empty. Times are not negative.
type queue struct {
	near     heap
	buckets  [farBuckets][]event
	overflow []event // at limit or later
	size     int

	horizon host.Time // all of near is before it
	start   host.Time // of the first bucket
	width   host.Time
	limit   host.Time // end of the last bucket
	next    int       // bucket that becomes the heap when it is empty
}

const (
	farBuckets = 512
	// fewEvents make a heap so shallow that they are not worth spreading.
	fewEvents = 256
	// A bucket that had a crowd gives its memory back: what all keep is bounded by idleEvents for
	// each, and eight times the pending events together.
	idleEvents = 1024
	idleShare  = farBuckets / 8
)

// all are the events in order.
func (q *queue) all() []event {
	events := make([]event, 0, q.len())
	events = append(append(events, q.near...), q.overflow...)
	for i := range q.buckets {
		events = append(events, q.buckets[i]...)
	}
	slices.SortFunc(events, func(a, b event) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.seq, b.seq)) })
	return events
}

// len is the number of events.
func (q *queue) len() int { return q.size }

// push adds an event.
func (q *queue) push(e event) {
	q.size++
	switch {
	case e.at < q.horizon:
		q.near.push(e)
	case e.at < q.limit:
		b := &q.buckets[(e.at-q.start)/q.width]
		*b = append(*b, e)
	default:
		q.overflow = append(q.overflow, e)
	}
}

// first is the earliest event of a queue that is not empty.
func (q *queue) first() event {
	if len(q.near) == 0 {
		q.refill()
	}
	return q.near[0]
}

// pop takes the earliest event off a queue that is not empty.
func (q *queue) pop() event {
	if len(q.near) == 0 {
		q.refill()
	}
	q.size--
	return q.near.pop()
}

// refill makes the earliest bucket with events the heap.
func (q *queue) refill() {
	for {
		for q.next < farBuckets && q.width > 0 {
			b := &q.buckets[q.next]
			q.next++
			q.horizon = q.start + host.Time(q.next)*q.width
			if len(*b) > 0 {
				q.near, *b = append(q.near, *b...), (*b)[:0]
				if cap(*b) > idleEvents+q.size/idleShare {
					*b = nil
				}
				q.near.order()
				return
			}
		}
		if len(q.overflow) <= fewEvents {
			q.near, q.overflow = append(q.near, q.overflow...), q.overflow[:0]
			q.near.order()
			for i := range q.near {
				q.horizon = max(q.horizon, q.near[i].at+1)
			}
			q.start, q.limit, q.width, q.next = q.horizon, q.horizon, 0, 0
			return
		}
		q.spread()
	}
}

// spread lays the buckets over the nearer part of the overflow: to where a sample says that three
// quarters of it end, so that a few events in the far future do not make the buckets wide.
func (q *queue) spread() {
	const samples = 64
	var sample [samples]host.Time
	earliest := q.overflow[0].at
	for _, e := range q.overflow {
		earliest = min(earliest, e.at)
	}
	for i := range sample {
		sample[i] = q.overflow[i*len(q.overflow)/samples].at
	}
	slices.Sort(sample[:])
	q.start, q.next = earliest, 0
	q.width = (sample[samples*3/4]-earliest)/farBuckets + 1
	q.limit = q.start + farBuckets*q.width
	q.horizon = q.start
	kept := q.overflow[:0]
	for _, e := range q.overflow {
		if e.at < q.limit {
			b := &q.buckets[(e.at-q.start)/q.width]
			*b = append(*b, e)
		} else {
			kept = append(kept, e)
		}
	}
	q.overflow = kept
}

// retain keeps the events for which keep says so.
func (q *queue) retain(keep func(event) bool) {
	drop := func(e event) bool { return !keep(e) }
	q.near = slices.DeleteFunc(q.near, drop)
	q.near.order()
	q.overflow = slices.DeleteFunc(q.overflow, drop)
	q.size = len(q.near) + len(q.overflow)
	for i := range q.buckets {
		q.buckets[i] = slices.DeleteFunc(q.buckets[i], drop)
		q.size += len(q.buckets[i])
	}
}

// heap is a 4-ary heap of events; the earliest stands first. It is shallower than a binary heap
// and the four children of a node share two cache lines.
type heap []event

func (q *heap) push(e event) {
	h := append(*q, event{})
	*q = h
	hole := len(h) - 1
	for hole > 0 {
		parent := (hole - 1) / 4
		if !e.before(&h[parent]) {
			break
		}
		h[hole] = h[parent]
		hole = parent
	}
	h[hole] = e
}

func (q *heap) pop() event {
	h := *q
	first, last := h[0], h[len(h)-1]
	h = h[:len(h)-1]
	*q = h
	if len(h) > 0 {
		h.sink(0, last)
	}
	return first
}

// sink puts e into the hole or below it, where it belongs.
func (q heap) sink(hole int, e event) {
	for {
		child := 4*hole + 1
		if child >= len(q) {
			break
		}
		least := child
		if child+4 <= len(q) {
			least += leastOf4(q[child : child+4 : child+4])
		} else {
			for c := child + 1; c < len(q); c++ {
				if q[c].before(&q[least]) {
					least = c
				}
			}
		}
		if !q[least].before(&e) {
			break
		}
		q[hole] = q[least]
		hole = least
	}
	q[hole] = e
}

// leastOf4 is the place of the earliest of four events, two of which are compared at a time.
func leastOf4(q []event) int {
	left, right := 0, 2
	if q[1].before(&q[0]) {
		left = 1
	}
	if q[3].before(&q[2]) {
		right = 3
	}
	if q[right&3].before(&q[left&3]) {
		left = right
	}
	return left
}

// order makes a heap of events in any order.
func (q heap) order() {
	for i := (len(q) - 2) / 4; i >= 0 && i < len(q); i-- {
		q.sink(i, q[i])
	}
}
