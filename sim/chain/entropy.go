package chain

import (
	"crypto/sha256"
	"slices"
)

// mixIn adds an applied transaction to the block's entropy, independent of the order of transactions.
// Signatures stay out, so that a host need not sign its own transactions.
func (s *State) mixIn(tx Tx) {
	if s.params.Hard.HashEntropy {
		return
	}
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

// markEntropy makes the entropy of a block that had transactions.
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
	s.mark(entropy)
}

// mark keeps the entropy of the newest block, and forgets what no proof of work can refer to any more.
func (s *State) mark(entropy Digest) {
	oldest := s.height - min(uint64(s.params.WorkValidBlocks), s.height)
	first := 0
	for i, m := range s.marks {
		if m.height <= oldest {
			first = i
		}
	}
	// Views share the list.
	s.marks = append(slices.Clip(s.marks[first:]), mark{s.height, entropy})
}

// markHash makes the hash of the newest block its entropy, where the settings say so. A proposer can
// choose among the hashes that it can make: fine for seals, not for lotteries.
func (s *State) markHash(hash Digest) {
	n := len(s.marks)
	if s.params.Hard.HashEntropy && (n == 0 || s.marks[n-1].height < s.height) {
		s.mark(hash)
	}
}

// blockHash is the hash of a block that has ended, for the seals of proofs of work. It is known
// for the newest blocks only.
func blockHash(chainID string, p *Params, newest uint64, marks []mark, height uint64) (Digest, bool) {
	if height > newest || newest-height > uint64(p.WorkValidBlocks) {
		return Digest{}, false
	}
	var entropy Digest
	known := !p.Hard.HashEntropy
	for _, m := range marks {
		if m.height <= height {
			entropy, known = m.entropy, known || m.height == height
		}
	}
	if !known { // the host tells it with the next block
		return Digest{}, false
	}
	c := coder{buf: []byte("taolab block\x00")}
	text(&c, &chainID)
	c.u64(&height)
	c.bytes(entropy[:])
	return sha256.Sum256(c.buf), true
}
