package host

import (
	"taolab/sim/chain"
	"taolab/sim/chain/consensus"
	"taolab/sim/trace"
)

// books make the rows of a chain's blocks, for who makes the blocks and for who is shown them.
type books struct {
	recording Recording
	to        trace.Recorder
	seats     seats
	ownerRao  uint64 // the owner's cut of all epochs
	feesRao   uint64 // paid by all transactions, tips not included
}

// Assign lets rows name a node as the one behind a hotkey, in the seat too that it holds already.
func (b *books) Assign(hotkey chain.Key, node int32) {
	named := trace.Some(uint32(node))
	b.seats.nodes[hotkey] = named
	for uid := range b.seats.held {
		if h := &b.seats.held[uid]; h.hotkey == hotkey {
			h.node = named
		}
	}
}

// enter books the events of a block and finds the epoch that ran with it.
func (b *books) enter(events []chain.Event) (ran *chain.EpochRan) {
	for _, e := range events {
		switch e := e.(type) {
		case chain.Registered:
			if life, replaced := b.seats.take(e); replaced && b.recording.Seats {
				b.to.Record(life)
			}
		case chain.EpochRan:
			ran = &e
			b.ownerRao += e.OwnerRao
		}
	}
	return ran
}

// settleBlock records a block, and the epoch that ran with it, as far as they are asked for. The digest is that
// of the state behind it, where there is one.
func (b *books) settleBlock(row trace.Block, v chain.View, mintedBefore uint64, turns bool, ran *chain.EpochRan, digest func() *chain.Digest) {
	r := &b.recording
	turns = r.Turns && (turns || ran != nil && r.kept(ran.Epoch))
	if due(row.Height, r.Blocks) || turns {
		if d := digest(); d != nil {
			row.Digest = trace.Some(d.String())
		}
		b.to.Record(closedRow(row, v, mintedBefore))
	}
	if due(row.Height, r.Ledger) || turns {
		b.to.Record(totalsRow(row.Height, v.Totals(), b.ownerRao, b.feesRao))
	}
	if ran != nil {
		b.recordEpoch(v, *ran)
	}
}

// recordSeats records the seats that are still held.
func (b *books) recordSeats() {
	if b.recording.Seats {
		for uid := range b.seats.held {
			b.to.Record(b.seats.row(chain.UID(uid)))
		}
	}
}

// closedRow is the row of a block with what its end made of supply and prices.
func closedRow(row trace.Block, v chain.View, mintedBefore uint64) trace.Block {
	totals := v.Totals()
	row.EmissionRao, row.IssuanceRao = totals.Minted-mintedBefore, totals.Issuance
	row.BurnRao, row.Difficulty = v.BurnRao(), v.Difficulty()
	return row
}

func totalsRow(height uint64, t chain.Totals, ownerRao, feesRao uint64) trace.Totals {
	return trace.Totals{
		Block: height, MintedRao: t.Minted, FreeRao: t.Free, StakedRao: t.Staked, UnbondingRao: t.Unbonding,
		PendingRao: t.Pending, BurnedRao: t.Burned, DustRao: t.Dust, UnallocatedRao: t.Unallocated,
		RecycledRao: t.Recycled, OwnerRao: ownerRao, FeesRao: feesRao,
	}
}

// recordEpoch records the neurons, weights and bonds of an epoch, as far as they are asked for.
func (b *books) recordEpoch(view chain.View, ran chain.EpochRan) {
	r, to, seats := &b.recording, b.to, &b.seats
	if !r.kept(ran.Epoch) {
		return
	}
	neurons, weights, bonds := due(ran.Epoch, r.Epochs), due(ran.Epoch, r.Weights), due(ran.Epoch, r.Bonds)
	if !neurons && !weights && !bonds {
		return
	}
	ranked := consensus.Name(view.Params().Rule).StoresRank()
	epoch, block := uint32(ran.Epoch), ran.Block
	for i := range view.N() {
		uid := chain.UID(i)
		if neurons {
			row := epochRow(view.Neuron(uid), ranked)
			if rao := view.NominatorsRao(uid); rao > 0 {
				row.NominatorsRao = trace.Some(rao)
			}
			row.Epoch, row.Block, row.UID, row.Node = epoch, block, uint16(uid), seats.node(uid)
			to.Record(row)
		}
		if weights {
			for _, x := range view.Weights(uid) {
				to.Record(trace.Weight{Epoch: epoch, Block: block, From: uint16(uid), To: uint16(x.UID),
					FromNode: seats.node(uid), ToNode: seats.node(x.UID), Weight: x.Weight})
			}
		}
		if bonds {
			for _, x := range view.Bonds(uid) {
				to.Record(trace.Bond{Epoch: epoch, Block: block, From: uint16(uid), To: uint16(x.UID),
					FromNode: seats.node(uid), ToNode: seats.node(x.UID), Bond: x.Bond})
			}
		}
	}
}
