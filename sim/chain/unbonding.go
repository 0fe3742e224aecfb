package chain

import "slices"

// unbonding is stake on its way out of a hotkey to the coldkey in whose account it stands. It earns
// and counts nothing, and pays for what the hotkey is slashed for meanwhile.
type unbonding struct {
	hotkey Key
	rao    uint64
	begun  uint64 // block
}

const (
	unbondingBytes = 32 + 2*8
	maxUnbonding   = 16 // of a coldkey by its own will
)

func unbondingLayout(c *coder) func(*unbonding) {
	return func(u *unbonding) {
		c.bytes(u.hotkey[:])
		c.u64(&u.rao)
		c.u64(&u.begun)
	}
}

// unbondBlocks is how long stake takes to leave a hotkey.
func (s *State) unbondBlocks() uint64 {
	return uint64(s.params.Hard.UnbondEpochs) * s.params.TempoBlocks
}

// due is the block from which on unbonding stake is free. While its hotkey's power is above the stake
// behind it, the stake that left answers for it.
func (s *State) due(u unbonding) uint64 {
	due := u.begun + s.unbondBlocks()
	if i, ok := s.findOperator(u.hotkey); ok {
		if o := &s.operators[i]; o.over > u.begun && o.overFrom <= due {
			return o.over + s.unbondBlocks()
		}
	}
	return due
}

// mayUnbond checks that a coldkey has room for one more amount that leaves a hotkey.
func (s *State) mayUnbond(coldkey, hotkey Key) error {
	list := s.accounts.get(coldkey).unbonding
	if len(list) < maxUnbonding || s.params.Hard.UnbondEpochs == 0 ||
		slices.ContainsFunc(list, func(u unbonding) bool { return u.hotkey == hotkey }) {
		return nil
	}
	return refuse(TooManyUnbonding, uint64(len(list)), maxUnbonding)
}

// release gives a coldkey stake that was taken off a hotkey: at once, or after its time. One amount more
// than fit joins the newest of the same hotkey, whose time begins again; what is due is free before that, or
// others could hold it back for another time by crowding out a nomination.
func (s *State) release(coldkey, hotkey Key, rao uint64) {
	s.money.Staked -= rao
	if rao > 0 && len(s.accounts.get(coldkey).unbonding) >= maxUnbonding {
		s.collectDue(coldkey)
	}
	a := s.account(coldkey)
	if s.params.Hard.UnbondEpochs == 0 {
		a.freeRao += rao
		s.money.Free += rao
		return
	}
	if rao == 0 {
		return
	}
	s.money.Unbonding += rao
	list := slices.Clone(a.unbonding)
	if len(list) >= maxUnbonding {
		for i := len(list) - 1; i >= 0; i-- {
			if list[i].hotkey == hotkey {
				rao += list[i].rao
				list = slices.Delete(list, i, i+1)
				break
			}
		}
	}
	a.unbonding = append(list, unbonding{hotkey, rao, s.height + 1})
}

// dueOf is what of a coldkey's unbonding stake is free in the next block.
func (s *State) dueOf(a *account) (rao uint64) {
	for _, u := range a.unbonding {
		if s.due(u) <= s.height+1 {
			rao += u.rao
		}
	}
	return rao
}

// collectDue makes a coldkey's stake free that is due. It happens when the coldkey next signs or pays:
// nobody else asks for that money.
func (s *State) collectDue(coldkey Key) {
	known := s.accounts.get(coldkey)
	rao := s.dueOf(&known)
	if rao == 0 {
		return
	}
	a := s.account(coldkey)
	a.unbonding = slices.DeleteFunc(slices.Clone(a.unbonding), func(u unbonding) bool {
		return s.due(u) <= s.height+1
	})
	if len(a.unbonding) == 0 {
		a.unbonding = nil
	}
	a.freeRao += rao
	s.money.Unbonding -= rao
	s.money.Free += rao
}

// Unbonding is stake of a coldkey on its way out of a hotkey.
type Unbonding struct {
	Hotkey Key
	Rao    uint64
	Begun  uint64 // block
}

// UnbondingOf lists a coldkey's, in the order in which it began.
func (v View) UnbondingOf(coldkey Key) []Unbonding {
	return converted(v.accounts.get(coldkey).unbonding, func(u unbonding) Unbonding {
		return Unbonding{u.hotkey, u.rao, u.begun}
	})
}
