package virtual

import (
	"slices"

	"taolab/sim/host"
)

// linkFaults are the active faults of what passes one end of a link, in the order in which they began.
type linkFaults struct{ sent, received []*injection }

// nodeFaults are the active faults that a node's doings meet. A message looks at the faults of its two
// ends only, however many are active elsewhere.
type nodeFaults struct {
	linkFaults
	jobs, clocks, disks, txs, bandwidths, lags []*injection
}

// onNodes is the part of an effect that stands in a list of each of its targets.
type onNodes struct {
	*injection
	list func(*nodeFaults) *[]*injection
}

func (f onNodes) attach(w *World) {
	f.members.each(func(i int32) {
		l := f.list(&w.nodes[i].faults)
		*l = append(*l, f.injection)
	})
}

func (f onNodes) detach(w *World) {
	f.members.each(func(i int32) {
		l := f.list(&w.nodes[i].faults)
		*l = f.without(*l)
	})
}

// flight is a message, or a transaction, that is about to leave.
type flight struct {
	from, to int32
	message  *message    // nil for a transaction
	tx       *travelling // nil for a message
	leaves   host.Time
	arrival  host.Time
	until    host.Time // later nobody waits for it
	lost     string    // why it never arrives
	follows  []follower
}

// follower is a copy of a message that arrives after it.
type follower struct {
	after host.Time
	parts uint32 // of a stream that goes on, beyond the original's
}

// meddler is an effect on what leaves.
type meddler interface{ meddle(w *World, fl *flight) }

// cutter is an effect that lets nothing through between two nodes.
type cutter interface{ cuts(from, to int32) bool }

// onLinks is the part of an effect that stands at the ends of links.
type onLinks struct{ *injection }

func (f onLinks) attach(w *World) {
	f.atEnds(w, func(l []*injection) []*injection { return append(l, f.injection) })
}
func (f onLinks) detach(w *World) { f.atEnds(w, f.without) }

func (f onLinks) atEnds(w *World, change func([]*injection) []*injection) {
	at := func(l *linkFaults) {
		if f.Direction != "in" {
			l.sent = change(l.sent)
		}
		if f.Direction != "out" {
			l.received = change(l.received)
		}
	}
	f.members.each(func(i int32) { at(&w.nodes[i].faults.linkFaults) })
	if f.members.has(theNetwork) {
		at(&w.producer.links)
	}
}

// without is a list without the fault.
func (f *injection) without(l []*injection) []*injection {
	if i := slices.Index(l, f); i >= 0 {
		l = slices.Delete(l, i, i+1)
	}
	if len(l) == 0 {
		return nil
	}
	return l
}

// onSending reports whether the fault stands at what from sends to to.
func (f *injection) onSending(from, to int32) bool {
	return f.Direction != "in" && f.members.has(from) && f.peers.has(to)
}

// onReceiving reports whether the fault stands at what to gets from from, and not where from sends it.
func (f *injection) onReceiving(from, to int32) bool {
	return f.Direction != "out" && f.members.has(to) && f.peers.has(from) && !f.onSending(from, to)
}

func (w *World) linkOf(node int32) *linkFaults {
	if node == theNetwork {
		return &w.producer.links
	}
	return &w.nodes[node].faults.linkFaults
}

// faulty reports whether a fault may stand at either end of a link.
func (w *World) faulty(from, to int32) bool {
	return len(w.linkOf(from).sent) > 0 || len(w.linkOf(to).received) > 0
}

// meet calls do for the faults that stand on a link.
func (w *World) meet(from, to int32, do func(f *injection)) {
	for _, f := range w.linkOf(from).sent {
		if f.onSending(from, to) {
			do(f)
		}
	}
	for _, f := range w.linkOf(to).received {
		if f.onReceiving(from, to) {
			do(f)
		}
	}
}

// severed reports whether a fault lets nothing through between two nodes.
func (w *World) severed(from, to int32) (cut bool) {
	if w.faulty(from, to) {
		w.meet(from, to, func(f *injection) {
			if c, cuts := f.effect.(cutter); cuts && c.cuts(from, to) {
				cut = true
			}
		})
	}
	return cut
}

// disturb lets the faults of a link act on what leaves, and reports whether it is on its way after that.
func (w *World) disturb(fl *flight) bool {
	if w.severed(fl.from, fl.to) {
		fl.lost = "cut"
	}
	w.meet(fl.from, fl.to, func(f *injection) {
		if m, acts := f.effect.(meddler); acts && fl.lost == "" {
			m.meddle(w, fl)
		}
	})
	if fl.lost == "" && fl.arrival > fl.until {
		fl.lost = "late: nobody waits for it any more"
	}
	if fl.lost != "" {
		w.lose(fl.from, fl.lost)
	}
	return fl.lost == ""
}

const cutOnItsWay = "cut while it was on its way"

// lose records that something never arrives.
func (w *World) lose(from int32, why string) {
	if w.records.Faults {
		w.fault(from, "loss", "a message was lost: "+why)
	}
}
