package chain

import (
	"crypto/sha256"
	"slices"
)

// stir mixes an applied transaction into the block, whatever the order of its transactions. The
// signature stays out, so that a host need not sign what it makes itself.
func (s *State) stir(tx Tx) {
	c := &s.hashing.c
	c.buf = append(c.buf[:0], "taolab transaction in block\x00"...)
	tx.body(c)
	for i, b := range sha256.Sum256(c.buf) {
		s.mix[i] ^= b
	}
}

// marked is the entropy at the end of the newest block.
func (h *header) marked() (entropy Digest) {
	if n := len(h.marks); n > 0 {
		entropy = h.marks[n-1].entropy
	}
	return entropy
}

// markEntropy makes the entropy of a block that had transactions, and forgets what no proof of
// work can refer to any more.
func (s *State) markEntropy() {
	if s.mix == (Digest{}) {
		return
	}
	last := s.marked()
	c := &s.hashing.c
	c.buf = append(c.buf[:0], "taolab entropy\x00"...)
	c.bytes(last[:])
	c.bytes(s.mix[:])
	entropy := sha256.Sum256(c.buf)
	s.mix = Digest{}
	oldest := s.height - min(uint64(s.params.WorkValidBlocks), s.height)
	first := 0
	for i, m := range s.marks {
		if m.height <= oldest {
			first = i
		}
	}
	kept := s.marks[first:]
	// Views share the list.
	s.marks = append(slices.Clip(slices.Clone(kept)), mark{s.height, entropy})
}

// blockHash is the hash of a block that has ended, for the seals of proofs of work. It is known
// for the newest blocks only.
func blockHash(chainID string, p *Params, newest uint64, marks []mark, height uint64) (Digest, bool) {
	if height > newest || newest-height > uint64(p.WorkValidBlocks) {
		return Digest{}, false
	}
	var entropy Digest
	for _, m := range marks {
		if m.height <= height {
			entropy = m.entropy
		}
	}
	c := coder{buf: []byte("taolab block\x00")}
	text(&c, &chainID)
	c.u64(&height)
	c.bytes(entropy[:])
	return sha256.Sum256(c.buf), true
}
