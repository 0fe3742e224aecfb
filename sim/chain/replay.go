package chain

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
)

// Block is one block as replicas decide it: all that the state after it follows from.
type Block struct {
	Height uint64
	Begin  Begin
	Txs    [][]byte // encoded transactions
}

// maxVotes bounds the votes and the evidence of a block, maxBlockTxs its transactions.
const (
	maxVotes    = 1 << 16
	maxBlockTxs = 1 << 20
)

// Its bytes are its fields in order, each transaction with its length before it.
func (b *Block) layout(c *coder) {
	c.u64(&b.Height)
	c.bytes(b.Begin.Hash[:])
	time := uint64(b.Begin.TimeNs)
	c.u64(&time)
	b.Begin.TimeNs = int64(time)
	c.bytes(b.Begin.Proposer[:])
	list(c, &b.Begin.Votes, len(Address{})+1, func(v *Vote) {
		c.bytes(v.Address[:])
		c.flag(&v.Missed)
	})
	list(c, &b.Begin.Misbehavior, len(Address{})+8, func(m *Misbehavior) {
		c.bytes(m.Address[:])
		c.u64(&m.Height)
	})
	list(c, &b.Txs, 4, func(tx *[]byte) {
		n := c.count(len(*tx), 1)
		if c.reading {
			*tx = make([]byte, n)
		}
		c.bytes(*tx)
	})
}

// Equal reports whether the same follows from both blocks.
func (b Block) Equal(o Block) bool {
	x, y := &b.Begin, &o.Begin
	return b.Height == o.Height && x.Hash == y.Hash && x.TimeNs == y.TimeNs && x.Proposer == y.Proposer &&
		slices.Equal(x.Votes, y.Votes) && slices.Equal(x.Misbehavior, y.Misbehavior) && slices.EqualFunc(b.Txs, o.Txs, bytes.Equal)
}

// AppendBinary appends the canonical bytes of the block.
func (b Block) AppendBinary(to []byte) ([]byte, error) {
	if len(b.Begin.Votes) > maxVotes || len(b.Begin.Misbehavior) > maxVotes || len(b.Txs) > maxBlockTxs {
		return to, fmt.Errorf("block %d: %d votes, %d pieces of evidence, %d transactions: want at most %d, %d and %d",
			b.Height, len(b.Begin.Votes), len(b.Begin.Misbehavior), len(b.Txs), maxVotes, maxVotes, maxBlockTxs)
	}
	size := usualTxBytes + len(b.Begin.Votes)*(len(Address{})+1)
	for _, tx := range b.Txs {
		size += 4 + len(tx)
	}
	c := coder{buf: slices.Grow(to, size)}
	b.layout(&c)
	return c.buf, nil
}

// DecodeBlock reads what AppendBinary writes and nothing else.
func DecodeBlock(data []byte) (Block, error) {
	c := coder{buf: data, reading: true}
	var b Block
	b.layout(&c)
	if err := c.end(); err != nil {
		return Block{}, fmt.Errorf("block of %d bytes %w", len(data), err)
	}
	if _, err := b.AppendBinary(nil); err != nil {
		return Block{}, err
	}
	return b, nil
}

// Delivered says what came of one transaction of a block.
type Delivered struct {
	Receipt
	Err error // it does not belong in a block: it does not decode, or an *Error; it did and paid nothing
}

// Outcome is what a block brought about.
type Outcome struct {
	Delivered []Delivered // of each transaction
	Events    []Event
	Digest    Digest // of the state
}

// Run begins the block, delivers its transactions and ends it. Replicas and those who replay what they
// recorded do the same thing by it. good judges the signature of a transaction, which it may know by the hash
// of its bytes, and is asked at most once for each; nil: Tx.Verify does.
func (s *State) Run(b Block, good func(tx Tx, hash [32]byte) bool) (Outcome, error) {
	o, err := s.Execute(b, good)
	if err == nil {
		o.Digest = s.Seal()
	}
	return o, err
}

// Execute is Run but for the digest, which takes Seal.
func (s *State) Execute(b Block, good func(tx Tx, hash [32]byte) bool) (Outcome, error) {
	if b.Height != s.height+1 {
		return Outcome{}, fmt.Errorf("block %d: the state is that after block %d, want block %d", b.Height, s.height,
			s.height+1)
	}
	if err := s.Outdated(); err != nil {
		return Outcome{}, err
	}
	s.BeginBlock(b.Begin)
	o := Outcome{Delivered: make([]Delivered, len(b.Txs))}
	for i, data := range b.Txs {
		tx, err := DecodeTx(data)
		if err != nil {
			o.Delivered[i].Err = err
			continue
		}
		signed := func() bool { return tx.Verify(s.chainID) }
		if good != nil {
			signed = func() bool { return good(tx, sha256.Sum256(data)) }
		}
		o.Delivered[i].Receipt, o.Delivered[i].Err = s.DeliverIf(tx, signed)
	}
	o.Events = s.EndBlock()
	return o, nil
}
