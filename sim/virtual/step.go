package virtual

import (
	"context"

	"taolab/sim/host"
)

// step processes the earliest event. Waiting for a job comes before the event leaves the queue,
// so that a context that ends meanwhile leaves nothing half done.
func (w *World) step(ctx context.Context) error {
	e := w.queue.first()
	if w.alive(e) {
		switch e.kind {
		case evDone:
			if err := w.settle(ctx, &w.nodes[e.node]); err != nil {
				return err
			}
		case evSave:
			if err := w.save(ctx, &w.nodes[e.node]); err != nil {
				return err
			}
		}
		w.queue.pop()
		w.pass(e.at)
		w.events++
		w.log.event(e)
		w.dispatch(e)
	} else {
		w.queue.pop()
		w.stale = max(w.stale-1, 0)
	}
	if w.stale > 1024 && w.stale > w.queue.len()/2 {
		w.queue.retain(w.alive)
		w.stale = 0
	}
	return nil
}

// alive says whether the record that an event is about is still there.
func (w *World) alive(e event) bool {
	if e.node < 0 {
		return true
	}
	n := &w.nodes[e.node]
	switch e.kind {
	case evTimer:
		return n.timers.get(e.id) != nil
	case evDone:
		return n.job.id == e.id
	case evTimeout, evRefuse:
		return n.calls.get(e.id) != nil
	case evOverdue:
		return n.served.get(e.id) != nil
	case evOutcome:
		return w.ledger.Untold(n.index, host.SubmitID(e.id))
	case evExpire:
		return w.ledger.Undecided(n.index, host.SubmitID(e.id))
	}
	return true
}

// dispatch processes an event that is alive.
func (w *World) dispatch(e event) {
	switch e.kind {
	case evCut:
		w.cut(w.cfg.Partitions[e.id])
		return
	case evHeal:
		w.heal(w.cfg.Partitions[e.id])
		return
	}
	n := &w.nodes[e.node]
	switch e.kind {
	case evStart:
		w.handle(n, host.Start{})
	case evTimer:
		w.ring(n, e.id)
	case evDone:
		w.deliverResult(n)
	case evArrive:
		w.arrive(e, w.messages.get(e.id))
	case evDeliver:
		m, _ := w.messages.take(e.id)
		w.log.message(&m)
		if m.reply {
			w.deliverReply(n, &m)
		} else {
			w.deliverRequest(n, &m)
		}
	case evRefuse, evTimeout:
		w.giveUp(n, e.id)
	case evOverdue:
		w.endService(n, e.id)
	case evTx:
		w.receiveTx(n, e.id)
	case evOutcome:
		w.deliverOutcome(n, e.id)
	case evExpire:
		w.handle(n, w.ledger.Tell(n.index, host.SubmitID(e.id)))
	case evCrash:
		w.crash(n, e.id)
	case evRestart:
		w.restart(n)
	case evSave:
		if last := n.cfg.Crashes[len(n.cfg.Crashes)-1]; w.now < last.At {
			w.push(w.now+w.cfg.SaveEvery, evSave, n.index, 0)
		}
	}
	w.serve(n)
}

// handle hands an event to the node's agent.
func (w *World) handle(n *node, e host.Event) {
	w.active, w.handled = n, e
	n.agent.Handle(&n.env, e)
	w.active = nil
}

func (w *World) ring(n *node, id uint64) {
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
