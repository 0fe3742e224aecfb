package virtual

import "taolab/sim/host"

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
	evOverdue                 // id: request at the node whose caller gives up
	evTx                      // id: transaction that has reached the block producer
	evOutcome                 // id: submission of the node whose fate the node learns
	evExpire                  // id: submission of the node
	evCrash                   // id: index of the crash
	evRestart                 // id: index of the crash
	evSave                    // the node's state is saved
	evCut                     // id: index of the partition; node: none
	evHeal                    // id: index of the partition; node: none
)

// event is one thing that will happen: plain data, 32 bytes.
type event struct {
	at   host.Time
	seq  uint64
	id   uint64
	node int32
	kind kind
}

// before is the order of events. No two have the same sequence number.
func (e *event) before(f *event) bool {
	return e.at < f.at || e.at == f.at && e.seq < f.seq
}

// queue is a 4-ary heap of events; the earliest stands first. It is shallower than a binary heap
// and the four children of a node share two cache lines.
type queue []event

// push adds an event.
func (q *queue) push(e event) {
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

// pop takes the earliest event off a queue that is not empty.
func (q *queue) pop() event {
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
func (q queue) sink(hole int, e event) {
	for {
		child := 4*hole + 1
		if child >= len(q) {
			break
		}
		least := child
		for c := child + 1; c < min(child+4, len(q)); c++ {
			if q[c].before(&q[least]) {
				least = c
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

// retain keeps the events for which keep says so.
func (q *queue) retain(keep func(event) bool) {
	h := (*q)[:0]
	for _, e := range *q {
		if keep(e) {
			h = append(h, e)
		}
	}
	*q = h
	for i := (len(h) - 2) / 4; i >= 0; i-- {
		if i < len(h) {
			h.sink(i, h[i])
		}
	}
}
