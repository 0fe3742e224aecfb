package chain

import "slices"

// punish slashes a double signer: a share of all stake on the hotkey and of all stake being unbonded from
// it. Nominators chose the hotkey, so they pay too. The key never serves again; the hotkey may once that
// stake is out. Evidence about nobody, or about somebody who has paid, is noted and changes nothing.
func (s *State) punish(evidence []Misbehavior) {
	var guilty []Key
	for _, m := range evidence {
		accused := Accused{Block: s.height + 1, Address: m.Address}
		if i, ok := s.operatorAt(m.Address, m.Height); ok {
			accused.Hotkey = s.operators[i].hotkey
			if key, fresh := s.bar(i, m.Address); fresh {
				s.bury(key)
				accused.SlashedRao = s.slashStake(accused.Hotkey)
				guilty = append(guilty, accused.Hotkey)
			}
		}
		s.events = append(s.events, accused)
	}
	if len(guilty) > 0 {
		s.slashUnbonding(guilty)
	}
}

// bar stops an operator from serving, unless it is barred already, and returns the guilty key.
func (s *State) bar(i int, a Address) (key Key, fresh bool) {
	o := &s.operators[i]
	if s.epochs < o.barredUntil {
		return Key{}, false
	}
	key = o.key
	for _, p := range o.past {
		if AddressOf(p.key) == a {
			key = p.key
		}
	}
	if slices.Contains(s.tombs, key) {
		return Key{}, false
	}
	o = &s.ownOperators()[i]
	o.next, o.pending = Key{}, false
	o.barredUntil = s.epochs + 2 + uint64(s.params.Hard.UnbondEpochs) // beyond the end of this epoch
	return key, true
}

// maxTombs bounds the dead keys that are remembered. Somebody who wants one forgotten pays for as many slashes
// of a seat's stake, and may then serve again with a key of theirs that the network has punished already.
const maxTombs = 4096

// bury remembers a consensus key that never serves again, and forgets the oldest of too many.
func (s *State) bury(key Key) {
	rest := s.tombs[max(0, len(s.tombs)-maxTombs+1):]
	s.tombs = append(slices.Clone(rest), key)
}

// cut is what a slash takes of an amount.
func (h *Hard) cut(rao uint64) uint64 { return part(rao, uint64(h.SlashEquivocation), 65535) }

// slashStake burns a share of what everybody has on a hotkey.
func (s *State) slashStake(hotkey Key) (rao uint64) {
	a, h := s.hotkey(hotkey), &s.params.Hard
	rao = h.cut(a.ownStake())
	var kept []nomination
	for _, n := range a.nominations {
		cut := h.cut(n.stakeRao)
		rao += cut
		if n.stakeRao -= cut; n.stakeRao > 0 {
			kept = append(kept, n)
		} else {
			s.unrefer(n.coldkey)
		}
	}
	a.setNominations(kept)
	a.stakeRao -= rao
	s.money.Staked -= rao
	s.money.Burned += rao
	return rao
}

// slashUnbonding burns the same share of what left the guilty and is not due yet. It walks all accounts,
// once in a block; those who cause it pay for that with their stake.
func (s *State) slashUnbonding(guilty []Key) {
	hit := func(u unbonding) bool {
		return slices.Contains(guilty, u.hotkey) && s.due(u) > s.height+1
	}
	var holders []Key
	_ = s.accounts.each(func(a *account) error {
		if slices.ContainsFunc(a.unbonding, hit) {
			holders = append(holders, a.key)
		}
		return nil
	})
	for _, k := range holders {
		a := s.account(k)
		var kept []unbonding
		for _, u := range a.unbonding {
			if hit(u) {
				cut := s.params.Hard.cut(u.rao)
				s.money.Unbonding -= cut
				s.money.Burned += cut
				u.rao -= cut
			}
			if u.rao > 0 {
				kept = append(kept, u)
			}
		}
		a.unbonding = kept
	}
}
