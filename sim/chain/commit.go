package chain

import "crypto/sha256"

// CommitmentOf is what a hotkey commits to before it reveals r.
func CommitmentOf(hotkey Key, r RevealWeights) Digest {
	c := coder{buf: []byte("taolab weights\x00")}
	c.bytes(hotkey[:])
	r.layout(&c)
	return sha256.Sum256(c.buf)
}

func (s *State) commitWeights(hotkey Key, m CommitWeights) error {
	return refuse(NotYet, 0, 0)
}

func (s *State) revealWeights(hotkey Key, m RevealWeights) error {
	return refuse(NotYet, 0, 0)
}

// commitMask is the block of each neuron's earliest unexpired commit for an epoch at the end of
// block height, appended to dst; nil without commit-reveal.
func (s *State) commitMask(dst []uint64) []uint64 { return nil }
