package chain

import (
	"math/bits"
	"slices"
)

// windowBytes is the size of the bitmap of missed blocks.
func (s *State) windowBytes() int { return (int(s.params.Hard.JailWindow) + 7) / 8 }

// misses is the number of remembered blocks that an operator missed.
func (o *operator) misses() (n int) {
	for _, b := range o.missed {
		n += bits.OnesCount8(b)
	}
	return n
}

// countVotes notes the seats that missed the block before, and skips seats that are gone.
func (s *State) countVotes(votes []Vote) {
	window := uint64(s.params.Hard.JailWindow)
	if window == 0 || len(votes) == 0 {
		return
	}
	missed := make(map[Address]bool, len(votes))
	for _, v := range votes {
		missed[v.Address] = v.Missed
	}
	at := (s.height + 1) % window
	for i := range s.operators {
		o := &s.operators[i]
		if o.power == 0 || s.height < o.since {
			continue
		}
		away, voted := missed[AddressOf(o.key)]
		if was := o.missed[at/8]>>(at%8)&1 == 1; !voted || was == away {
			continue
		}
		o = &s.ownOperators()[i]
		o.missed = slices.Clone(o.missed)
		o.missed[at/8] ^= 1 << (at % 8)
	}
}

// wasAway reports whether an operator missed too many of a whole window of blocks.
func (s *State) wasAway(o *operator) bool {
	h := &s.params.Hard
	window := uint64(h.JailWindow)
	if window == 0 || s.height < o.since+window {
		return false
	}
	signed := window - uint64(o.misses())
	return signed*65535 < window*uint64(h.JailSigned)
}

// unjail lets an operator that was away have a seat again from the next epoch's end on.
func (s *State) unjail(coldkey Key, m Unjail) error {
	i, ok := s.findOperator(m.Hotkey)
	switch {
	case s.accounts.get(m.Hotkey).owner != coldkey:
		return refuse(NotOwner, 0, 0)
	case !ok || !s.operators[i].jailed:
		return refuse(NotJailed, 0, 0)
	case s.epochs < s.operators[i].jailedUntil:
		return refuse(JailedStill, s.epochs, s.operators[i].jailedUntil)
	}
	s.ownOperators()[i].jailed = false // what it missed goes when it gets a seat
	return nil
}
