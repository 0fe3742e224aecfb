package virtual

import "testing"

func TestTheHoldModelKeepsItsEventsAndGoesOn(t *testing.T) {
	for _, pending := range []int{1, 1000, 5000} {
		h := NewHold(pending)
		before := h.Run(1)
		after := h.Run(200 * pending)
		if h.queue.len() != pending || after <= before {
			t.Errorf("%d of %d events pending, from %v to %v", h.queue.len(), pending, before, after)
		}
		if n := testing.AllocsPerRun(10, func() { h.Run(100) }); n > 0 {
			t.Errorf("%v allocations with %d pending", n, pending)
		}
	}
}
