package virtual

import (
	"slices"

	"taolab/sim/host"
	"taolab/sim/snapshot"
)

var pauseKind = FaultKind{
	Name: "pause", Doc: "the target's processes stand still: nothing is lost and nothing done, and deadlines pass",
	effect: func(f *injection) effect { return pause{f} },
}

type pause struct{ *injection }

func (pause) attach(*World) {}
func (pause) detach(*World) {}

func (f pause) begin(w *World) { f.members.each(func(i int32) { w.pause(&w.nodes[i]) }) }
func (f pause) end(w *World)   { f.members.each(func(i int32) { w.resume(&w.nodes[i]) }) }

func (w *World) pause(n *node) {
	if n.paused++; n.paused == 1 {
		n.pausedAt = w.now
	}
}

// holds reports whether an event waits for a node: its process would have to act, and is paused; or it is down,
// and will look up what became of its transactions.
func (n *node) holds(k kind) bool {
	if n.paused > 0 {
		return k != evArrive && k != evTx
	}
	return n.down > 0 && (k == evOutcome || k == evExpire)
}

// hold keeps an event for a node that cannot act. Events that nobody waits for any more are left out whenever the list
// has doubled, so that it does not grow with the length of the pause.
func (w *World) hold(n *node, e event) {
	n.held = append(n.held, e)
	if len(n.held) > 256 && len(n.held) > 2*n.keptHeld {
		n.held = slices.DeleteFunc(n.held, w.hopeless)
		n.keptHeld = len(n.held)
	}
}

// hopeless reports whether nothing would come of an event, and drops the message that it is about.
func (w *World) hopeless(e event) bool {
	if e.kind == evDeliver {
		if m := w.messages.get(e.id); m.deadline <= w.now {
			w.messages.take(e.id)
			return true
		}
	}
	return !w.alive(e)
}

// resume lets a node act on what has happened, in the order in which it did.
func (w *World) resume(n *node) {
	if n.paused--; n.paused > 0 {
		return
	}
	w.release(n, w.now-max(n.pausedAt, n.job.began))
	n.pausedAt = 0
}

// release lets a node that stood for a time act on the events that it holds.
func (w *World) release(n *node, stood host.Time) {
	n.job.owed += stood
	for _, e := range n.held {
		switch {
		case w.hopeless(e):
		case e.kind == evDone:
			w.push(e.at+stood, evDone, e.node, e.id)
			n.job.owed -= stood
		default:
			w.push(w.now, e.kind, e.node, e.id)
		}
	}
	n.held, n.keptHeld = nil, 0
}

func (n *node) layoutPause(c *snapshot.Coder, w *World) {
	snapshot.Number(c, &n.paused)
	snapshot.Number(c, &n.pausedAt)
	snapshot.Number(c, &n.keptHeld)
	snapshot.List(c, &n.held, func(e *event) { e.layout(c, int32(len(w.nodes))) })
}

// late is the time that a job still needs because its node was paused.
func (j *job) late() host.Time {
	owed := j.owed
	j.owed = 0
	return owed
}
