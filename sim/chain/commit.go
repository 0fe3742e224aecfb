package chain

import (
	"crypto/sha256"
	"slices"

	"taolab/sim/chain/consensus"
)

// maxCommits bounds the commits of a hotkey that wait for their reveal.
const maxCommits = 10

// CommitmentOf is what a hotkey commits to before it reveals r: SHA-256 over a domain, the hotkey
// and the fields of r.
func CommitmentOf(hotkey Key, r RevealWeights) Digest {
	c := coder{buf: []byte("taolab weights\x00")}
	c.bytes(hotkey[:])
	r.layout(&c)
	return sha256.Sum256(c.buf)
}

// commitWeights remembers what a hotkey will reveal. It counts as an update of its weights.
func (s *State) commitWeights(hotkey Key, m CommitWeights) error {
	if !s.params.CommitReveal {
		return refuse(CommitRevealOff, 0, 0)
	}
	uid, ok := s.neurons.uidOf(hotkey)
	if !ok {
		return refuse(NotRegistered, 0, 0)
	}
	n := s.neurons.get(uid)
	if err := s.inTime(n); err != nil {
		return err
	}
	open := waiting(n.commits, s.epochs, &s.params)
	if len(open) >= maxCommits {
		return refuse(TooManyCommits, uint64(len(open)), maxCommits)
	}
	fresh := s.neuron(uid)
	fresh.commits = append(slices.Clone(open), commit{m.Commit, s.height + 1, s.epochs})
	fresh.lastUpdate = s.height + 1
	return nil
}

// revealWeights replaces the weights of a hotkey by those that it committed to, one reveal period
// ago. It drops that commit and the earlier ones; the update counts from the commit on.
func (s *State) revealWeights(hotkey Key, m RevealWeights) error {
	if !s.params.CommitReveal {
		return refuse(CommitRevealOff, 0, 0)
	}
	uid, ok := s.neurons.uidOf(hotkey)
	if !ok {
		return refuse(NotRegistered, 0, 0)
	}
	n, digest := s.neurons.get(uid), CommitmentOf(hotkey, m)
	fits := func(c commit) bool { return c.digest == digest }
	open := waiting(n.commits, s.epochs, &s.params)
	place := slices.IndexFunc(open, fits)
	if place < 0 {
		if i := slices.IndexFunc(n.commits, fits); i >= 0 {
			return refuse(RevealTooLate, s.epochs, s.params.revealEpoch(n.commits[i]))
		}
		return refuse(UnknownCommit, 0, 0)
	}
	if due := s.params.revealEpoch(open[place]); s.epochs < due {
		return refuse(RevealTooEarly, s.epochs, due)
	}
	_, row, err := s.weigh(hotkey, SetWeights{m.Version, m.UIDs, m.Values})
	if err != nil {
		return err
	}
	s.setWeights(uid, row)
	s.neuron(uid).commits = slices.Clone(open[place+1:])
	return nil
}

// revealEpoch is the epoch in which a commit is to be revealed.
func (p *Params) revealEpoch(c commit) uint64 { return c.epoch + uint64(p.RevealPeriodEpochs) }

// waiting returns the commits that may still be revealed, in that epoch or later. Commits expire in the
// order in which they were made; expired ones go when their hotkey commits or reveals again.
func waiting(commits []commit, epoch uint64, p *Params) []commit {
	for i, c := range commits {
		if p.revealEpoch(c) >= epoch {
			return commits[i:]
		}
	}
	return nil
}

// commitMask appends for each neuron the block of its earliest commit that has not expired; nil
// without commit-reveal.
func (s *State) commitMask(dst []uint64) []uint64 {
	if !s.params.CommitReveal {
		return nil
	}
	for i := range s.neurons.n {
		block := uint64(consensus.NoCommit)
		if w := waiting(s.neurons.get(UID(i)).commits, s.epochs, &s.params); len(w) > 0 {
			block = w[0].block
		}
		dst = append(dst, block)
	}
	return dst
}
