package virtual

import (
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// travelling is a transaction on its way to the block producer.
type travelling struct {
	from    int32
	submit  uint64
	bytes   []byte
	copy    bool // the sender waits for another one
	damaged bool // its signature does not verify
	cut     bool // a fault lies on its way
	queued  bool // the block producer has it, though not in its queue
}

// seen is the time at which a node sees a block, as far as it is known now: the genesis from the start,
// another its own delay after the block and when no fault stands between.
func (w *World) seen(n *node, height uint64) host.Time {
	if height <= w.producer.genesis {
		return 0
	}
	t := maxTime
	if height-w.producer.genesis <= uint64((maxTime-n.blockDelay())/w.cfg.BlockNs) {
		t = min(w.producer.blockTime(height)+n.blockDelay(), maxTime)
	}
	if next := w.producer.ledger.Height() + 1; height >= next {
		t = min(t+w.producer.nextBlock()-w.producer.blockTime(next), maxTime)
	}
	return w.joined(n, t)
}

// joined is the first time from t on at which a node hears of the block producer.
func (w *World) joined(n *node, t host.Time) host.Time {
	if n.cutOff > 0 {
		t = max(t, n.frozenUntil)
	}
	return t
}

// viewOf is the newest block that a node has seen; it never sees an older one again.
func (w *World) viewOf(n *node) chain.View {
	if n.cutOff > 0 {
		return n.frozen
	}
	height := w.producer.heightAt(w.now - n.blockDelay())
	if height < n.floor {
		return n.frozen
	}
	return w.producer.ledger.View(height)
}

// Submit is documented at host.Env.
func (e *env) Submit(role host.KeyRole, msg chain.Msg) host.SubmitID {
	w, n := e.use()
	id := n.newID()
	from := n.ids[e.id].hotkey
	if role == host.Coldkey {
		from = n.coldkey
	}
	expiry := w.viewOf(n).Height() + w.cfg.Chain.ExpiryBlocks
	bytes, sent := w.producer.ledger.Submit(n.index, host.SubmitID(id), from.account, expiry, msg)
	if !sent {
		w.push(w.now, evOutcome, n.index, id)
		return host.SubmitID(id)
	}
	expired := w.seen(n, expiry+1)
	w.push(expired, evExpire, n.index, id)
	left, done := n.leave(w.now, expired, int64(len(bytes)+w.cfg.Links.HeaderBytes))
	if !done {
		return host.SubmitID(id)
	}
	arrival := max(left+w.latency(n, n.cfg.Region, w.cfg.Chain.Region), n.txArrival)
	n.txArrival = arrival
	if !w.lost(n) {
		w.sendTx(n, travelling{from: n.index, submit: id, bytes: bytes}, arrival, expired)
	}
	return host.SubmitID(id)
}

// sendTx puts a transaction on its way to the block producer.
func (w *World) sendTx(n *node, t travelling, arrival, expires host.Time) {
	var follows []follower
	if w.faulty(n.index, theNetwork) {
		fl := flight{from: n.index, to: theNetwork, tx: &t, leaves: w.now, arrival: arrival, until: expires}
		if !w.disturb(&fl) {
			return
		}
		arrival, follows = max(fl.arrival, n.txArrival), fl.follows
		n.txArrival = arrival
	}
	w.postTx(n, t, arrival)
	for _, c := range follows {
		w.postTx(n, travelling{from: n.index, copy: true, bytes: t.bytes, damaged: t.damaged}, arrival+c.after)
	}
}

func (w *World) postTx(n *node, t travelling, arrival host.Time) {
	w.producer.nextTx++
	w.producer.txs.add(w.producer.nextTx, t)
	w.push(arrival, evTx, n.index, w.producer.nextTx)
}

// receiveTx puts a transaction among those that wait for a block.
func (w *World) receiveTx(n *node, id uint64) {
	t, _ := w.producer.txs.take(id)
	if t.cut {
		w.lose(n.index, cutOnItsWay)
		return
	}
	if len(n.faults.txs) > 0 && !t.queued {
		t.queued = true
		wait, dropped := w.queueing(n)
		if dropped {
			w.fault(n.index, "tx_queue", "a transaction was dropped from the queue")
			return
		}
		if wait > 0 {
			w.postTx(n, t, w.now+wait)
			return
		}
	}
	w.log.transaction(t.bytes)
	switch {
	case t.damaged: // whose it is cannot be known, so nobody is told
		w.fault(n.index, "corrupt", "a transaction's signature did not verify: it was dropped")
		return
	case t.copy:
		w.fault(n.index, "duplicate", "a copy of a transaction arrived")
		w.producer.ledger.Receive(theNetwork, 0, t.bytes, w.now)
		return
	}
	if w.producer.ledger.Receive(n.index, host.SubmitID(t.submit), t.bytes, w.now) {
		back := w.now + w.cfg.Links.Latency[w.cfg.Chain.Region][n.cfg.Region]
		w.push(w.joined(n, back), evOutcome, n.index, t.submit)
	}
}

// deliverOutcome tells an agent what became of its transaction.
func (w *World) deliverOutcome(n *node, id uint64) {
	told := w.producer.ledger.Tell(n.index, host.SubmitID(id))
	w.stale++
	if r, refused := told.(host.Rejected); refused {
		w.log.bytes([]byte(r.Reason))
	}
	w.handle(n, told)
}

// makeBlocks makes the next block. When no transaction waits it first goes through the empty
// blocks in one step up to where something is to be done or seen.
func (w *World) makeBlocks() {
	if !w.cfg.EveryBlock {
		if err := w.producer.ledger.Skip(w.idleUntil()); err != nil {
			w.fail(err)
		}
	}
	height := w.producer.ledger.Height() + 1
	w.pass(w.producer.nextBlock())
	if err := w.producer.ledger.Begin(w.ballot()); err != nil {
		w.fail(err)
		return
	}
	ended, err := w.producer.ledger.End(w.now)
	if err != nil {
		w.fail(err)
	}
	if len(ended.Receipts) > 0 {
		w.log.block(height, ended.Receipts)
	}
	w.life.counting = w.life.counting || w.now >= w.tailBegins()
	for _, r := range ended.Receipts {
		if r.Fate == trace.Included {
			w.life.see().included++
		}
		if r.Known {
			w.push(w.seen(&w.nodes[r.From], height), evOutcome, r.From, uint64(r.Submit))
		}
	}
	if ended.Digest != nil {
		w.log.ledger(height, *ended.Digest)
	}
}

// idleUntil is the height up to which blocks may be ended at once: the one after it is the next
// to matter to the ledger, the log, the recorder, a node that sees blocks late, or a caller that wants the
// run to stop there.
func (w *World) idleUntil() uint64 {
	limit := w.cfg.Blocks
	if w.queue.len() > 0 {
		limit = min(limit, w.producer.heightAt(w.queue.first().at))
	}
	if len(w.alarms) > 0 {
		limit = min(limit, w.producer.heightAt(w.alarms[0].at))
	}
	limit -= min(limit, w.producer.late)
	for _, stop := range []uint64{w.cfg.Until.Height, w.halt} {
		if stop > w.producer.ledger.Height() {
			limit = min(limit, stop)
		}
	}
	return w.producer.ledger.Quiet(limit)
}
