package virtual

import (
	"slices"

	"taolab/sim/chain"
	"taolab/sim/host"
)

// travelling is a transaction on its way to the block producer.
type travelling struct {
	submit uint64
	bytes  []byte
}

// heightAt is the height of the chain at a time; 0 before the first block.
func heightAt(t, blockNs host.Time) uint64 {
	if t < 0 {
		return 0
	}
	return uint64(t / blockNs)
}

func sortedPartitions(ps []Partition) []Partition {
	ps = slices.Clone(ps)
	slices.SortStableFunc(ps, func(a, b Partition) int {
		switch {
		case a.From < b.From:
			return -1
		case a.From > b.From:
			return 1
		}
		return 0
	})
	return ps
}

// seen is the time at which a node sees a block: the genesis from the start, another its own delay
// after the block and after the partitions that stand between the node and the producer then.
func (w *World) seen(n *node, height uint64) host.Time {
	if height == 0 {
		return 0
	}
	t := maxTime
	if height <= uint64((maxTime-n.cfg.BlockDelay)/w.cfg.BlockNs) {
		t = host.Time(height)*w.cfg.BlockNs + n.cfg.BlockDelay
	}
	return w.joined(n, t)
}

// joined is the first time from t on at which no partition lies between a node and the producer.
// Partitions ascend by beginning, so one pass finds where a chain of overlapping ones ends.
func (w *World) joined(n *node, t host.Time) host.Time {
	for _, p := range w.cfg.Partitions {
		if p.cuts(n.cfg.Region, w.cfg.Chain.Region) && p.holds(t) {
			t = p.To
		}
	}
	return t
}

// viewOf is the newest block that a node has seen.
func (w *World) viewOf(n *node) chain.View {
	if n.cutOff > 0 {
		return n.frozen
	}
	return w.ledger.View(heightAt(w.now-n.cfg.BlockDelay, w.cfg.BlockNs))
}

// Submit is documented at host.Env.
func (e *env) Submit(role host.KeyRole, msg chain.Msg) host.SubmitID {
	w, n := e.use()
	id := n.newID()
	from := n.hotkey
	if role == host.Coldkey {
		from = n.coldkey
	}
	expiry := w.viewOf(n).Height() + w.cfg.Chain.ExpiryBlocks
	bytes, sent := w.ledger.Submit(n.index, host.SubmitID(id), from.account, expiry, msg)
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
	if !w.lost(n, n.cfg.Region, w.cfg.Chain.Region, arrival) {
		w.nextTx++
		w.txs.add(w.nextTx, travelling{id, bytes})
		w.push(arrival, evTx, n.index, w.nextTx)
	}
	return host.SubmitID(id)
}

// receiveTx puts a transaction among those that wait for a block.
func (w *World) receiveTx(n *node, id uint64) {
	t, _ := w.txs.take(id)
	w.log.transaction(t.bytes)
	if w.ledger.Receive(n.index, host.SubmitID(t.submit), t.bytes, w.now) {
		back := w.now + w.cfg.Links.Latency[w.cfg.Chain.Region][n.cfg.Region]
		w.push(w.joined(n, back), evOutcome, n.index, t.submit)
	}
}

// deliverOutcome tells an agent what became of its transaction.
func (w *World) deliverOutcome(n *node, id uint64) {
	told := w.ledger.Tell(n.index, host.SubmitID(id))
	w.stale++
	if r, refused := told.(host.Rejected); refused {
		w.log.bytes([]byte(r.Reason))
	}
	w.handle(n, told)
}

// makeBlocks makes the next block. When no transaction waits it first goes through the empty
// blocks in one step up to where something is to be done or seen.
func (w *World) makeBlocks() {
	if err := w.ledger.Skip(w.idleUntil()); err != nil {
		w.fail(err)
	}
	height := w.ledger.Height() + 1
	w.pass(host.Time(height) * w.cfg.BlockNs)
	ended, err := w.ledger.End(w.now)
	if err != nil {
		w.fail(err)
	}
	if len(ended.Receipts) > 0 {
		w.log.block(height, ended.Receipts)
	}
	for _, r := range ended.Receipts {
		if r.Known {
			w.push(w.seen(&w.nodes[r.From], height), evOutcome, r.From, uint64(r.Submit))
		}
	}
	if ended.Digest != nil {
		w.log.ledger(height, *ended.Digest)
	}
}

// idleUntil is the height up to which blocks may be ended at once: the one after it is the next
// to matter to the ledger, the log, the recorder, a node that sees blocks late, or whoever wants the
// run to stop there.
func (w *World) idleUntil() uint64 {
	limit := w.cfg.Blocks
	if w.queue.len() > 0 {
		limit = min(limit, heightAt(w.queue.first().at, w.cfg.BlockNs))
	}
	limit -= min(limit, w.late)
	for _, stop := range []uint64{w.cfg.Until.Height, w.pause} {
		if stop > w.ledger.Height() {
			limit = min(limit, stop)
		}
	}
	return w.ledger.Quiet(limit)
}
