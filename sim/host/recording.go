package host

import (
	"reflect"

	"taolab/sim/chain"
	"taolab/sim/trace"
)

// Recording says which of the host's rows are recorded. Agents' rows are always handed on.
type Recording struct {
	Blocks       uint64 // every n-th block; 0: off
	Ledger       uint64 // every n-th block; 0: off
	Digests      uint64 // every n-th block's row shows the digest of the ledger; 0: those the run takes anyway
	Epochs       uint64 // every n-th epoch; 0: off
	Weights      uint64 // every n-th epoch; 0: off
	Bonds        uint64 // every n-th epoch; 0: off
	Seats        bool
	Transactions bool
	Faults       bool

	// Turns records the blocks and totals at the end of each epoch and of each stretch of equal emission,
	// besides those that Blocks and Ledger ask for.
	Turns bool
	// Thin, above 1, leaves only what falls into every so many-th epoch of the tables that grow with the
	// run: blocks and totals of Turns, transactions, epochs, weights, bonds, and what agents record.
	Thin uint64
}

// kept reports whether what falls into an epoch is left when rows are thinned.
func (r *Recording) kept(epoch uint64) bool { return r.Thin <= 1 || epoch%r.Thin == 0 }

// due reports whether the n-th of something is recorded, every so many of which are.
func due(n, every uint64) bool { return every > 0 && n%every == 0 }

// seats knows who holds which uid, and records the lives that end.
type seats struct {
	nodes map[chain.Key]*uint32 // by hotkey; a hotkey of no node is absent
	held  []heldSeat            // by uid
}

// heldSeat is the life of a uid that lasts.
type heldSeat struct {
	hotkey chain.Key
	node   *uint32
	from   uint64 // block
}

func newSeats(genesis chain.View, nodes map[chain.Key]*uint32) seats {
	s := seats{nodes: nodes}
	for i := range genesis.N() {
		hotkey := genesis.Neuron(chain.UID(i)).Hotkey
		s.held = append(s.held, heldSeat{hotkey: hotkey, node: nodes[hotkey]})
	}
	return s
}

// node is who holds a uid; nil for a hotkey of no node.
func (s *seats) node(uid chain.UID) *uint32 { return s.held[uid].node }

// take gives a seat to a newcomer and returns the life that ended for it, if one did.
func (s *seats) take(r chain.Registered) (ended trace.Seat, replaced bool) {
	fresh := heldSeat{hotkey: r.Hotkey, node: s.nodes[r.Hotkey], from: r.Block}
	if int(r.UID) == len(s.held) {
		s.held = append(s.held, fresh)
		return trace.Seat{}, false
	}
	ended = s.row(r.UID)
	ended.UntilBlock, ended.End, ended.SuccessorNode = trace.Some(r.Block), trace.Pruned, fresh.node
	s.held[r.UID] = fresh
	return ended, true
}

// row is the life of a uid that lasts.
func (s *seats) row(uid chain.UID) trace.Seat {
	h := &s.held[uid]
	return trace.Seat{UID: uint16(uid), Node: h.node, Hotkey: h.hotkey.String(), FromBlock: h.from, End: trace.Held}
}

// epochRow is what an epoch left of a neuron.
func epochRow(n chain.Neuron, ranked bool) trace.Epoch {
	row := trace.Epoch{
		StakeRao: n.StakeRao, Consensus: n.Consensus, Incentive: n.Incentive, Dividends: n.Dividends,
		ValidatorTrust: n.ValidatorTrust, EmissionRao: n.EmissionRao, Active: n.Active, Permit: n.Permit,
	}
	if ranked {
		row.Rank, row.Trust = trace.Some(n.Rank), trace.Some(n.Trust)
	}
	return row
}

// transactionRow is a transaction without what became of it.
func transactionRow(tx chain.Tx, bytes int, node *uint32) trace.Transaction {
	return trace.Transaction{
		Node: node, Signer: tx.Signer.String(), Nonce: tx.Nonce,
		Kind: reflect.TypeOf(tx.Msg).Name(), Bytes: uint32(bytes),
	}
}

// nodeOf is the node of a sender; nil for somebody else.
func nodeOf(from int32) *uint32 {
	if from < 0 {
		return nil
	}
	return trace.Some(uint32(from))
}

// receiptRow is what a block made of the transaction in a place.
func receiptRow(r Receipt, node *uint32, place int, block *trace.Block) trace.Transaction {
	row := transactionRow(r.Tx, r.Bytes, node)
	row.Block, row.TimeNs, row.Place = block.Height, block.TimeNs, trace.Some(uint32(place))
	row.Outcome = r.Fate
	if r.FeeRao > 0 {
		row.FeeRao = trace.Some(r.FeeRao)
	}
	if r.Fate == trace.Rejected {
		row.Reason = trace.Some(r.Reason)
	}
	return row
}

// recordTransaction records what a block made of the transaction in a place.
func (l *Ledger) recordTransaction(r Receipt, place int, block *trace.Block) {
	if l.recording.Transactions && l.Kept() {
		l.to.Record(receiptRow(r, nodeOf(r.From), place, block))
	}
}

// recordRefused records a transaction that the producer did not let wait.
func (l *Ledger) recordRefused(tx chain.Tx, from int32, bytes int, now Time, why error) {
	if !l.recording.Transactions || !l.Kept() {
		return
	}
	row := transactionRow(tx, bytes, nodeOf(from))
	row.Block, row.TimeNs = l.state.Height(), int64(now)
	row.Outcome, row.Reason = trace.Refused, trace.Some(why.Error())
	l.to.Record(row)
}

// Kept reports whether rows of the epoch that goes on are left when they are thinned.
func (l *Ledger) Kept() bool { return l.recording.kept(l.state.Epochs()) }

// settle takes the block's digest where one is due and records what the recording asks for.
func (l *Ledger) settle(ended *Ended, row trace.Block, mintedBefore uint64, turns bool) {
	ran := l.enter(ended.Events)
	if ran != nil && due(ran.Epoch, l.cfg.DigestEpochs) {
		ended.Digest = trace.Some(l.state.Seal())
	}
	l.settleBlock(row, l.View(row.Height), mintedBefore, turns, ran, func() *chain.Digest {
		if ended.Digest == nil && due(row.Height, l.recording.Digests) {
			return trace.Some(l.state.Seal())
		}
		return ended.Digest
	})
}

// Close records what only the end of a run shows: the seats that are still held. It may be called
// again and does nothing then.
func (l *Ledger) Close() {
	if !l.closed {
		l.recordSeats()
	}
	l.closed = true
}
