package chain

import (
	"crypto/sha256"
	"slices"
)

// Address names a consensus key in votes: the first 20 bytes of its SHA-256.
type Address [20]byte

// AddressOf is the address of a consensus key.
func AddressOf(consensusKey Key) Address {
	d := sha256.Sum256(consensusKey[:])
	return Address(d[:20])
}

// Begin is what a host tells the ledger about a block before its transactions. A ledger without seats
// reads only the hash, and that only if its settings say so.
type Begin struct {
	Hash        Digest  // of the block before
	TimeNs      int64   // of this block, since the Unix epoch
	Proposer    Address // gets the tips; zero: nobody is known
	Votes       []Vote  // of the seats on the block before
	Misbehavior []Misbehavior
}

// Vote reports whether a seat voted on the block before. A nil vote counts: its voter was there.
type Vote struct {
	Address Address
	Missed  bool
}

// Misbehavior is evidence that a consensus key signed two blocks of one height.
type Misbehavior struct {
	Address Address
	Height  uint64
}

// seating is what the ledger keeps about the network's own validators besides their records.
type seating struct {
	begun    bool  // the open block: BeginBlock was called
	proposer Key   // its hotkey; zero: nobody is known
	tombs    []Key // oldest first: consensus keys that signed twice and serve no more
}

func (g *seating) layout(c *coder) {
	c.flag(&g.begun)
	c.bytes(g.proposer[:])
	list(c, &g.tombs, len(Key{}), func(k *Key) { c.bytes(k[:]) })
}

// BeginBlock begins the block after Height: it notes the proposer, the seats that missed the block
// before, and the evidence of misbehavior. Hosts that replicate the ledger call it once for every block.
func (s *State) BeginBlock(b Begin) {
	s.markHash(b.Hash)
	s.migrate()
	if s.params.Hard.Seats == 0 || s.begun {
		return
	}
	s.begun = true
	if i, ok := s.operatorAt(b.Proposer, s.height); ok {
		s.proposer = s.operators[i].hotkey
	}
	s.countVotes(b.Votes)
	s.punish(b.Misbehavior)
	s.mustConserve()
}

// operatorAt returns the place of the operator whose consensus key has the address and was, or may have
// been, in force at the height.
func (s *State) operatorAt(a Address, height uint64) (place int, ok bool) {
	place = slices.IndexFunc(s.operators, func(o operator) bool {
		return o.key != (Key{}) && AddressOf(o.key) == a ||
			slices.ContainsFunc(o.past, func(p pastKey) bool { return height <= p.until && AddressOf(p.key) == a })
	})
	return place, place >= 0
}

// tipTo is the coldkey that gets the tips of the open block; zero where the proposer is unknown.
func (s *State) tipTo() Key {
	if s.proposer == (Key{}) {
		return Key{}
	}
	return s.accounts.get(s.proposer).owner
}
