package virtual

import (
	"math/bits"

	"taolab/sim/host"
)

// message is a request or a reply on its way.
type message struct {
	from, to party
	reply    bool
	more     bool
	synapse  host.Synapse
	dir      host.Dir
	code     host.Code
	replies  uint32      // parts that the request allows
	part     uint32      // place in a streamed reply
	copy     bool        // the same message has arrived before
	cut      bool        // a fault lies on its way
	call     host.CallID // the caller's
	deadline host.Time   // when the caller gives up
	sentAt   host.Time
	size     int64 // bytes on the link
	body     []byte
}

// send puts a message on the link from one node to another. Not before earliest does its first
// bit arrive, so that the parts of one reply keep their order; the time of arrival is returned.
//
// The link is fluid: bits arrive at the receiver while later ones still leave the sender. A
// message holds the uplink for size/up and the downlink for size/down; its last bit arrives one
// latency after it left, or when the downlink is done with it, whichever is later. With the
// slower end at 10 Mbit/s, 1 MB takes 0.8 s and the latency, whatever the other end's speed.
//
// What is still on a link at the deadline is given up there: no link is ever busy with messages
// for which nobody waits, and none is booked beyond the latest deadline.
func (w *World) send(m message, earliest host.Time) host.Time {
	from, to := &w.nodes[m.from.node], &w.nodes[m.to.node]
	m.size = int64(len(m.body)) + int64(w.cfg.Links.HeaderBytes)
	left, done := from.leave(w.now, m.deadline, m.size)
	if !done {
		return m.deadline
	}
	first := left - min(left-w.now, duration(8*m.size, to.downBps))
	arrival := max(first+w.latency(from, from.cfg.Region, to.cfg.Region), earliest)
	if w.lost(from) {
		return arrival
	}
	m.sentAt = w.now
	if w.faulty(m.from.node, m.to.node) {
		return w.sendFaulty(m, arrival)
	}
	w.post(m, arrival)
	return arrival
}

// sendFaulty is the end of send where faults stand at the link.
func (w *World) sendFaulty(m message, arrival host.Time) host.Time {
	fl := flight{from: m.from.node, to: m.to.node, message: &m, leaves: w.now, arrival: arrival, until: m.deadline}
	if !w.disturb(&fl) {
		return arrival
	}
	w.post(m, fl.arrival)
	for _, c := range fl.follows {
		next := m
		next.part, next.copy = m.part+c.parts, c.parts == 0
		if fl.arrival+c.after <= m.deadline {
			w.post(next, fl.arrival+c.after)
		}
	}
	return fl.arrival
}

// post puts a message on its way.
func (w *World) post(m message, arrival host.Time) {
	w.nextMessage++
	w.messages.add(w.nextMessage, m)
	kind := evArrive
	if w.nodes[m.to.node].cfg.DownBps == 0 {
		kind = evDeliver
	}
	w.push(arrival, kind, m.to.node, w.nextMessage)
}

// leave holds the uplink for a message and returns when its last bit has left, unless that is
// after the deadline.
func (n *node) leave(now, deadline host.Time, size int64) (left host.Time, done bool) {
	return book(&n.upFree, now, deadline, duration(8*size, n.upBps))
}

// book holds a link that is free from a time on, for as long as a message takes or until its
// deadline. It returns when the message is through, and whether it is by then.
func book(free *host.Time, now, deadline, takes host.Time) (through host.Time, done bool) {
	begin := max(*free, now)
	through = begin + takes
	*free = max(begin, min(through, deadline))
	return through, through <= deadline
}

// latency is the time of one message between regions. Its jitter comes from the sender's stream.
func (w *World) latency(from *node, a, b int) host.Time {
	t := w.cfg.Links.Latency[a][b]
	if w.cfg.Links.Jitter > 0 {
		t += host.Time(float64(from.link.Exponential() * float64(w.cfg.Links.Jitter)))
	}
	return t
}

// lost reports whether the links lose what a node sends.
func (w *World) lost(from *node) bool {
	chance := w.cfg.Links.Loss + from.cfg.Loss
	chance -= float64(w.cfg.Links.Loss * from.cfg.Loss)
	if chance > 0 && from.link.Float64() < chance {
		w.fault(from.index, "loss", "a message was lost by chance")
		return true
	}
	return false
}

// arrive puts a message through the receiver's downlink.
func (w *World) arrive(e event, m *message) {
	n := &w.nodes[m.to.node]
	if m.cut {
		w.lose(m.from.node, cutOnItsWay)
		w.messages.take(e.id)
		return
	}
	through, done := book(&n.downFree, w.now, m.deadline, duration(8*m.size, n.downBps))
	if !done {
		w.messages.take(e.id)
		return
	}
	w.push(through, evDeliver, m.to.node, e.id)
}

// duration is the time that amount units of work take at a speed per second, rounded up, in
// nanoseconds; no time when the speed is 0, which stands for unlimited.
func duration(amount, speed int64) host.Time {
	if speed == 0 || amount <= 0 {
		return 0
	}
	return ceilDiv(uint64(amount), uint64(host.Second), uint64(speed))
}

// ceilDiv is a*b/c, rounded up; at most maxDuration.
func ceilDiv(a, b, c uint64) host.Time {
	high, low := bits.Mul64(a, b)
	low, carry := bits.Add64(low, c-1, 0)
	high += carry
	if high >= c {
		return maxDuration
	}
	q, _ := bits.Div64(high, low, c)
	return host.Time(min(q, uint64(maxDuration)))
}
