package virtual

import "taolab/sim/host"

var cutKind = FaultKind{
	Name: "cut", Doc: "nothing passes between the target and its peers, one way where a direction is set; who hears nothing of the block producer keeps its view of the chain",
	Messages: true,
	effect:   func(f *injection) effect { return cut{barrier{onLinks{f}}} },
}

type cut struct{ barrier }

func (f cut) cuts(from, to int32) bool { return true }

func (f cut) begin(w *World) { f.fall(w, f.cuts) }
func (f cut) end(w *World)   { f.lift(w, f.cuts) }

// barrier is the part of an effect that stands between nodes and the block producer.
type barrier struct{ onLinks }

// stands reports whether the fault stands on the way from one node to another.
func (f barrier) stands(from, to int32, cuts func(from, to int32) bool) bool {
	return (f.onSending(from, to) || f.onReceiving(from, to)) && cuts(from, to)
}

// fall lets the nodes that are cut off from the block producer keep the view that they have, and loses
// what is on its way.
func (f barrier) fall(w *World, cuts func(from, to int32) bool) {
	for i := range w.nodes {
		if f.stands(theNetwork, int32(i), cuts) {
			w.freeze(&w.nodes[i], f.To)
		}
	}
	w.messages.each(func(m *message) { m.cut = m.cut || f.stands(m.from.node, m.to.node, cuts) })
	w.producer.txs.each(func(t *travelling) { t.cut = t.cut || !t.queued && f.stands(t.from, theNetwork, cuts) })
}

func (f barrier) lift(w *World, cuts func(from, to int32) bool) {
	for i := range w.nodes {
		if f.stands(theNetwork, int32(i), cuts) {
			w.nodes[i].cutOff--
		}
	}
}

// freeze keeps a node's view until a time at least.
func (w *World) freeze(n *node, until host.Time) {
	w.holdView(n)
	n.cutOff++
	n.frozenUntil = max(n.frozenUntil, until)
}

// holdView keeps the view that a node has, but for a block that it would see at this moment. From now
// on it sees no older one.
func (w *World) holdView(n *node) {
	if n.cutOff == 0 {
		height := max(w.producer.heightAt(w.now-1-n.blockDelay()), n.floor)
		if height > n.floor || n.frozen.IsZero() {
			n.frozen, n.floor = w.producer.ledger.View(height), height
		}
	}
}
