package host

import (
	"taolab/sim/chain"
	"taolab/sim/trace"
)

// Chronicle makes the rows of a chain for a world that is shown blocks and does not make them. Its rows are
// those of a [Ledger] that ends the same blocks, but that a seat which was held before the chronicle began
// shows the block of its registration, and that Recording.Turns adds the ends of epochs only.
type Chronicle struct {
	books             // since it began
	before chain.View // the newest block
}

// Shown is a block as a chronicle needs it.
type Shown struct {
	TimeNs   Time // since genesis
	Digest   chain.Digest
	View     chain.View // after it
	Receipts []Receipt  // of what decodes, in order
	Events   []chain.Event
}

// NewChronicle begins after a block. The hotkeys are those of this world's nodes, in the order of their table.
func NewChronicle(r Recording, to trace.Recorder, hotkeys []chain.Key, first chain.View) *Chronicle {
	nodes := make(map[chain.Key]*uint32, len(hotkeys))
	for i, key := range hotkeys {
		nodes[key] = trace.Some(uint32(i))
	}
	c := &Chronicle{books{recording: r, to: to, seats: newSeats(first, nodes)}, first}
	for uid := range c.seats.held {
		c.seats.held[uid].from = first.Neuron(chain.UID(uid)).RegisteredAt
	}
	return c
}

// Block records the next block.
func (c *Chronicle) Block(b Shown) {
	r := &c.recording
	row := trace.Block{Height: b.View.Height(), TimeNs: int64(b.TimeNs)}
	for place, x := range b.Receipts {
		c.feesRao += x.FeeRao
		if x.Fate == trace.Rejected {
			row.Rejected++
		} else {
			row.Included++
		}
		if r.Transactions && r.kept(c.before.Epochs()) {
			c.to.Record(receiptRow(x, nodeOf(x.From), place, &row))
		}
	}
	ran := c.enter(b.Events)
	c.settleBlock(row, b.View, c.before.Totals().Minted, false, ran, func() *chain.Digest {
		if ran != nil || due(row.Height, r.Digests) {
			return &b.Digest
		}
		return nil
	})
	c.before = b.View
}

// Close records the seats that are still held.
func (c *Chronicle) Close() { c.recordSeats() }
