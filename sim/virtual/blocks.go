package virtual

import (
	"fmt"
	"slices"

	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// travelling is a transaction on its way to the block producer.
type travelling struct {
	submit uint64
	bytes  []byte
}

// candidate is a transaction that waits for a block.
type candidate struct {
	node   int32
	submit uint64
	tx     chain.Tx
	bytes  []byte
}

// submission is a transaction whose fate its node does not know yet.
type submission struct {
	height   uint64 // of the block that decided
	rejected bool
	reason   string
}

// decided says whether the node is only waiting to see the block that decided.
func (s *submission) decided() bool { return s.rejected || s.height > 0 }

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
	return w.viewAt(heightAt(w.now-n.cfg.BlockDelay, w.cfg.BlockNs))
}

// viewAt is the view of one of the newest blocks; there are as many as the slowest node needs.
func (w *World) viewAt(height uint64) chain.View { return w.views[height%uint64(len(w.views))] }

func (w *World) keepView() {
	v := w.state.View()
	w.views[v.Height()%uint64(len(w.views))] = v
}

// Submit is documented at host.Env.
func (e *env) Submit(role host.KeyRole, msg chain.Msg) host.SubmitID {
	w, n := e.use()
	id := n.newID()
	from := &n.hotkey
	if role == host.Coldkey {
		from = &n.coldkey
	}
	s := n.submits.add(id, submission{})
	if n.submits.live > maxSubmits {
		s.rejected, s.reason = true, fmt.Sprintf("%d transactions of this node are undecided: wait", maxSubmits)
		w.push(w.now, evOutcome, n.index, id)
		return host.SubmitID(id)
	}
	expiry := w.viewOf(n).Height() + w.cfg.Chain.ExpiryBlocks
	tx := chain.Sign(w.cfg.Genesis.ChainID, from.private, w.nonces[from.index], expiry, msg)
	bytes, err := tx.AppendBinary(nil)
	if err != nil {
		s.rejected, s.reason = true, err.Error()
		w.push(w.now, evOutcome, n.index, id)
		return host.SubmitID(id)
	}
	w.nonces[from.index]++
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
	w.log.bytes(t.bytes)
	tx, err := chain.DecodeTx(t.bytes)
	if err == nil && len(w.mempool) >= w.cfg.Chain.MaxWaiting {
		err = fmt.Errorf("%d transactions wait for a block already: submit again later", len(w.mempool))
	}
	if err == nil {
		w.mempool = append(w.mempool, candidate{n.index, t.submit, tx, t.bytes})
		return
	}
	if s := n.submits.get(t.submit); s != nil {
		*s = submission{height: w.state.Height(), rejected: true, reason: err.Error()}
		back := w.now + w.cfg.Links.Latency[w.cfg.Chain.Region][n.cfg.Region]
		w.push(w.joined(n, back), evOutcome, n.index, t.submit)
	}
}

// deliverOutcome tells an agent what became of its transaction.
func (w *World) deliverOutcome(n *node, id uint64) {
	s, _ := n.submits.take(id)
	w.stale++
	if s.rejected {
		w.log.bytes([]byte(s.reason))
		w.handle(n, host.Rejected{ID: host.SubmitID(id), Height: s.height, Reason: s.reason})
		return
	}
	w.handle(n, host.Included{ID: host.SubmitID(id), Height: s.height})
}

// makeBlocks makes the next block. When no transaction waits it first goes through the empty
// blocks in one step up to where something is to be done or seen.
func (w *World) makeBlocks() {
	height := w.state.Height()
	if n := w.idleBlocks(height); n > 0 {
		if events := w.state.Advance(n); len(events) > 0 {
			w.fail(fmt.Errorf("chain: %d events in the %d blocks after %d, where it announced none",
				len(events), n, height))
		}
		height += n
		w.keepView()
	}
	w.now = host.Time(height+1) * w.cfg.BlockNs
	w.makeBlock(height + 1)
}

// idleBlocks is how many blocks after height may be ended at once: the one after them is the next
// to matter to the ledger, the log, the recorder or a node that sees blocks late.
func (w *World) idleBlocks(height uint64) uint64 {
	if len(w.mempool) > 0 || w.cfg.Paranoid {
		return 0
	}
	until := w.cfg.Blocks
	if w.queue.len() > 0 {
		until = min(until, heightAt(w.queue.first().at, w.cfg.BlockNs))
	}
	if behind := uint64(len(w.views)); until > behind {
		until -= behind
	} else {
		return 0
	}
	if next := w.state.NextEvent(); next > height {
		until = min(until, next)
	}
	for _, every := range []uint64{w.cfg.DigestEvery, w.records.Blocks, w.records.Ledger} {
		if every > 0 {
			until = min(until, (height/every+1)*every)
		}
	}
	if until <= height+1 {
		return 0
	}
	return until - 1 - height
}

// makeBlock ends the block at height with the transactions that wait, in order of arrival.
func (w *World) makeBlock(height uint64) {
	minted := uint64(0)
	if w.records.Blocks > 0 {
		minted = w.state.Totals().Minted
	}
	row := trace.Block{Height: height, TimeNs: int64(w.now)}
	w.include(height, &row)
	events := w.state.EndBlock()
	w.distrust(height, "the end of the block")
	w.keepView()
	var epoch *chain.EpochRan
	for _, e := range events {
		if ran, ok := e.(chain.EpochRan); ok {
			epoch = &ran
		}
	}
	if epoch != nil || w.cfg.DigestEvery > 0 && height%w.cfg.DigestEvery == 0 {
		d := w.state.Seal()
		w.log.ledger(height, d)
		row.Digest = trace.Some(d.String())
	}
	if w.cfg.Recorder != nil {
		w.recordBlock(row, minted, epoch)
	}
}

// include applies transactions up to the block's limit. What has expired is dropped: its node
// finds out by itself.
func (w *World) include(height uint64, row *trace.Block) {
	if len(w.mempool) == 0 {
		return
	}
	n := min(len(w.mempool), w.cfg.Chain.MaxTxs)
	w.log.mark(markBlock, height)
	w.log.number(uint64(n))
	for _, c := range w.mempool[:n] {
		if c.tx.Expiry < height {
			w.log.bytes([]byte("expired"))
			continue
		}
		s := submission{height: height}
		if err := w.state.Apply(c.tx); err != nil {
			s.rejected, s.reason = true, err.Error()
			row.Rejected++
		} else {
			row.Included++
			w.distrust(height, "a transaction of node "+w.nodes[c.node].cfg.Name)
		}
		w.log.bytes([]byte(s.reason))
		node := &w.nodes[c.node]
		if open := node.submits.get(c.submit); open != nil {
			*open = s
			w.push(w.seen(node, height), evOutcome, c.node, c.submit)
		}
	}
	w.mempool = slices.Delete(w.mempool, 0, n)
}

// distrust ends the run when an invariant of the ledger is broken, where the config asks for it.
func (w *World) distrust(height uint64, after string) {
	if w.invariants == nil {
		return
	}
	if err := w.invariants(); err != nil {
		w.fail(fmt.Errorf("block %d, after %s: %w", height, after, err))
	}
}

// suspicion checks the invariants of the state as it is, and as it follows the one before.
func suspicion(s *chain.State) func() error {
	watch := s.Watch()
	return func() error {
		if err := s.CheckInvariants(); err != nil {
			return err
		}
		return watch.Check(s)
	}
}

// recordBlock records what the recording asks for of a block and of its epoch.
func (w *World) recordBlock(row trace.Block, minted uint64, epoch *chain.EpochRan) {
	due := func(number, every uint64) bool { return every > 0 && number%every == 0 }
	t := w.state.Totals()
	if due(row.Height, w.records.Blocks) {
		row.EmissionRao, row.IssuanceRao = t.Minted-minted, t.Issuance
		w.record(row)
	}
	if due(row.Height, w.records.Ledger) {
		w.record(trace.Totals{
			Block: row.Height, MintedRao: t.Minted, FreeRao: t.Free, StakedRao: t.Staked,
			PendingRao: t.Pending, BurnedRao: t.Burned, DustRao: t.Dust,
			UnallocatedRao: t.Unallocated, RecycledRao: t.Recycled,
		})
	}
	if epoch == nil {
		return
	}
	view := w.viewAt(row.Height)
	for i := range view.N() {
		uid := chain.UID(i)
		if due(epoch.Epoch, w.records.Epochs) {
			w.recordNeuron(view.Neuron(uid), uid, epoch)
		}
		if due(epoch.Epoch, w.records.Weights) {
			for _, x := range view.Weights(uid) {
				w.record(trace.Weight{Epoch: uint32(epoch.Epoch), Block: epoch.Block,
					From: uint16(uid), To: uint16(x.UID), Weight: x.Weight})
			}
		}
		if due(epoch.Epoch, w.records.Bonds) {
			for _, x := range view.Bonds(uid) {
				w.record(trace.Bond{Epoch: uint32(epoch.Epoch), Block: epoch.Block,
					From: uint16(uid), To: uint16(x.UID), Bond: x.Bond})
			}
		}
	}
}

func (w *World) recordNeuron(n chain.Neuron, uid chain.UID, epoch *chain.EpochRan) {
	w.record(trace.Epoch{
		Epoch: uint32(epoch.Epoch), Block: epoch.Block, UID: uint16(uid), StakeRao: n.StakeRao,
		Consensus: n.Consensus, Incentive: n.Incentive, Dividends: n.Dividends,
		ValidatorTrust: n.ValidatorTrust, EmissionRao: n.EmissionRao, Active: n.Active, Permit: n.Permit,
	})
}
