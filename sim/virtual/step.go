package virtual

import (
	"context"

	"taolab/sim/host"
)

// step processes the earliest event. Waiting for a job comes before the event leaves the queue,
// so that a context that ends meanwhile leaves nothing half done.
func (w *World) step(ctx context.Context) error {
	e := w.queue.first()
	n := &w.nodes[e.node]
	switch {
	case !w.alive(e):
		w.queue.pop()
		w.stale = max(w.stale-1, 0)
	case n.holds(e.kind):
		w.queue.pop()
		w.pass(e.at)
		w.hold(n, e)
	default:
		if e.kind == evDone {
			if err := w.settle(ctx, n); err != nil {
				return err
			}
		}
		w.queue.pop()
		w.pass(e.at)
		w.events++
		w.log.event(e)
		w.dispatch(e)
	}
	if w.stale > 1024 && w.stale > w.queue.len()/2 {
		w.queue.retain(w.alive)
		w.stale = 0
	}
	return nil
}

// alive reports whether the record that an event is about is still there.
func (w *World) alive(e event) bool {
	n := &w.nodes[e.node]
	switch e.kind {
	case evStart:
		return n.down == 0 // a fault stopped the node first, and starts it again
	case evTimer:
		return n.timers.get(e.id) != nil
	case evDone:
		return n.job.id == e.id
	case evTimeout, evRefuse:
		return n.calls.get(e.id) != nil
	case evOverdue:
		return n.served.get(e.id) != nil
	case evOutcome:
		return w.producer.ledger.Untold(n.index, host.SubmitID(e.id))
	case evExpire:
		return w.producer.ledger.Undecided(n.index, host.SubmitID(e.id))
	}
	return true
}

// dispatch processes an event that is alive.
func (w *World) dispatch(e event) {
	n := &w.nodes[e.node]
	switch e.kind {
	case evStart:
		w.handle(n, host.Start{})
	case evTimer:
		w.ring(n, e.id)
	case evDone:
		if late := n.job.late(); late > 0 {
			w.push(w.now+late, evDone, n.index, e.id)
		} else {
			w.deliverResult(n)
		}
	case evArrive:
		w.arrive(e, w.messages.get(e.id))
	case evDeliver:
		w.deliver(n, e.id)
	case evRefuse, evTimeout:
		w.giveUp(n, e.id)
	case evOverdue:
		w.endService(n, e.id)
	case evTx:
		w.receiveTx(n, e.id)
	case evOutcome:
		if at := w.joined(n, w.now); at > w.now {
			w.push(at, evOutcome, n.index, e.id)
		} else {
			w.deliverOutcome(n, e.id)
		}
	case evExpire:
		if at := w.seen(n, w.producer.ledger.Expiry(n.index, host.SubmitID(e.id))+1); at > w.now {
			w.push(at, evExpire, n.index, e.id)
		} else {
			w.handle(n, w.producer.ledger.Tell(n.index, host.SubmitID(e.id)))
		}
	}
	w.serve(n)
}

// handle hands an event to the node's agent.
func (w *World) handle(n *node, e host.Event) {
	w.active, w.handled = n, e
	n.agent.Handle(&n.ids[0].env, e)
	w.active = nil
	if n.savesUntil > 0 {
		if b, keeps := n.agent.(host.Bookkeeper); keeps && b.Unsaved() {
			w.saveState(n)
		}
	}
}

// deliver hands over a message that has arrived in full.
func (w *World) deliver(n *node, id uint64) {
	m, _ := w.messages.take(id)
	if m.cut {
		w.lose(m.from.node, cutOnItsWay)
		return
	}
	w.log.message(&m)
	if m.reply {
		w.deliverReply(n, &m)
	} else {
		w.deliverRequest(n, &m)
	}
}

// ring lets a timer ring, unless a fault that began since it was set keeps the node from seeing the
// block that it waits for.
func (w *World) ring(n *node, id uint64) {
	if t := n.timers.get(id); t.block {
		if at := w.seen(n, t.height); at > w.now {
			w.push(at, evTimer, n.index, id)
			return
		}
	}
	t, _ := n.timers.take(id)
	if t.block {
		w.handle(n, host.Block{ID: host.TimerID(id), Tag: t.tag, Height: t.height})
		return
	}
	w.handle(n, host.Timer{ID: host.TimerID(id), Tag: t.tag})
}

func (w *World) deliverResult(n *node) {
	id, t := n.job.id, n.job.task
	n.job = job{}
	w.flop += t.work
	w.tokens += t.tokens
	w.log.bytes(t.result)
	w.handle(n, host.Done{ID: host.JobID(id), Result: t.result})
}
