package chain

import (
	"slices"

	"taolab/sim/chain/registration"
)

// registerWork gives the signing hotkey a slot for a proof of work.
func (s *State) registerWork(hotkey Key, m RegisterWork) error {
	if !s.params.AllowWork {
		return refuse(WorkNotAllowed, 0, 0)
	}
	if m.Coldkey == (Key{}) {
		return refuse(ZeroKey, 0, 0)
	}
	if err := s.mayJoin(m.Coldkey, hotkey); err != nil {
		return err
	}
	if err := s.checkWork(hotkey, m); err != nil {
		return err
	}
	uid, err := s.findSlot()
	if err != nil {
		return err
	}
	s.works = append(slices.Clip(s.works), usedWork{m.Block, m.Work})
	s.join(m.Coldkey, hotkey, uid, 0)
	if s.params.BurnRule == BurnByInterval {
		s.worksInterval++
	}
	return nil
}

// checkWork checks a proof of work, what costs most last.
func (s *State) checkWork(hotkey Key, m RegisterWork) error {
	if m.Block > s.height {
		return refuse(WorkFromFuture, m.Block, s.height)
	}
	if oldest := s.oldestWork(); m.Block < oldest {
		return refuse(WorkStale, m.Block, oldest)
	}
	if slices.ContainsFunc(s.works, func(w usedWork) bool { return w.work == m.Work }) {
		return refuse(WorkUsed, 0, 0)
	}
	seal := registration.Seal(s.params.Seal)
	if !seal.MeetsDifficulty(m.Work, s.difficulty) {
		return refuse(WorkTooEasy, uint64(seal.ZeroBits(m.Work)), s.difficulty)
	}
	hash, ok := blockHash(s.chainID, &s.params, s.height, s.marks, m.Block)
	if !ok || Digest(seal.Work(m.Nonce, hash, hotkey)) != m.Work {
		return refuse(WorkMismatch, 0, 0)
	}
	return nil
}

// oldestWork is the oldest block that a proof of work in the next block may seal: that one is
// less than WorkValidBlocks younger.
func (s *State) oldestWork() uint64 {
	next, valid := s.height+1, uint64(s.params.WorkValidBlocks)
	return next + 1 - min(valid, next+1)
}

// forgetWorks drops the works that are too old for the next block anyway.
func (s *State) forgetWorks() {
	oldest := s.oldestWork()
	if slices.ContainsFunc(s.works, func(w usedWork) bool { return w.block < oldest }) {
		s.works = slices.DeleteFunc(slices.Clone(s.works), func(w usedWork) bool { return w.block < oldest })
	}
	if len(s.works) == 0 {
		s.works = nil
	}
}
