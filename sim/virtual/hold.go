package virtual

import (
	"taolab/model/num"
	"taolab/sim/host"
)

// Hold is the hold model, by which event queues are compared (Jones, 1986): so many events are pending;
// an operation takes the earliest off the queue of a [World] and puts one in an exponential time
// later. It is for measurements.
type Hold struct {
	queue queue
	gaps  []host.Time // drawn beforehand, so that the queue is measured and not the drawing
	next  uint64
}

// NewHold makes a queue with so many events pending, at times as they are after long operation.
func NewHold(pending int) *Hold {
	h := &Hold{gaps: make([]host.Time, 1<<12)}
	s := num.NewStream(1, "hold")
	for i := range h.gaps {
		h.gaps[i] = host.Time(float64(s.Exponential() * float64(host.Second)))
	}
	for range pending {
		h.push(event{})
	}
	h.Run(4 * pending)
	return h
}

// push puts e in again, later than it was.
func (h *Hold) push(e event) {
	e.at += h.gaps[h.next%uint64(len(h.gaps))]
	e.seq = h.next
	h.next++
	h.queue.push(e)
}

// Run makes so many operations and returns the time of the last event taken. It allocates nothing
// once the queue has grown.
func (h *Hold) Run(operations int) host.Time {
	var e event
	for range operations {
		e = h.queue.pop()
		h.push(e)
	}
	return e.at
}
