package chain

import (
	"cmp"
	"fmt"
)

var seatInvariants = []Invariant{
	{Name: "unbonding-adds-up",
		Doc: "the stake on its way to all coldkeys is the total of unbonding money",
		state: func(s *State) error {
			return s.accounts.adds("unbonding money in rao", s.money.Unbonding, func(a *account) (rao uint64) {
				for _, u := range a.unbonding {
					rao += u.rao
				}
				return rao
			})
		}},
	{Name: "unbonding-ordered",
		Doc: "what is on its way began in the past, the oldest first, is more than nothing, and takes time only " +
			"where leaving does",
		state: func(s *State) error {
			return s.accounts.each(func(a *account) error {
				if len(a.unbonding) > 0 && s.params.Hard.UnbondEpochs == 0 {
					return fmt.Errorf("%d amounts wait", len(a.unbonding))
				}
				last := uint64(0)
				for _, u := range a.unbonding {
					if u.rao == 0 || u.hotkey == (Key{}) || u.begun < last {
						return fmt.Errorf("%d rao since block %d: %w", u.rao, u.begun, errOrder)
					}
					last = u.begun
				}
				return atMost("block of the newest", last, s.height+1)
			})
		}},
	{Name: "operators-ordered",
		Doc: "each operator is somebody's hotkey, once, with a bit for each block of the window",
		state: func(s *State) error {
			for i, o := range s.operators {
				if i > 0 && compareKeys(s.operators[i-1].hotkey, o.hotkey) >= 0 {
					return fmt.Errorf("operator %d: %w", i, errOrder)
				}
				if s.accounts.get(o.hotkey).owner == (Key{}) {
					return fmt.Errorf("operator %d is nobody's", i)
				}
				if err := is("bytes of missed blocks", uint64(len(o.missed)), uint64(s.windowBytes())); err != nil {
					return fmt.Errorf("operator %d: %w", i, err)
				}
				if most := uint64(s.params.Hard.JailWindow); uint64(o.misses()) > most {
					return atMost("missed blocks", uint64(o.misses()), most)
				}
			}
			return nil
		}},
	{Name: "operators-limited",
		Doc: "at most four for each seat have neither power nor anything to answer for",
		state: func(s *State) error {
			waiting, _, _ := s.waiters(s.epochs + 1)
			return atMost("operators that wait", uint64(waiting), uint64(s.params.Hard.mostWaiters()))
		}},
	{Name: "operator-keys-unique",
		Doc: "a consensus key is one operator's, once, in force, coming or past",
		state: func(s *State) error {
			seen := map[Key]bool{{}: false}
			for i, o := range s.operators {
				keys := []Key{o.key, o.next}
				for _, p := range o.past {
					keys = append(keys, p.key)
				}
				for _, k := range keys {
					if k != (Key{}) && seen[k] {
						return fmt.Errorf("operator %d: key %s: %w", i, k, errOrder)
					}
					seen[k] = true
				}
			}
			return nil
		}},
	{Name: "power-has-a-key",
		Doc: "who has power has a consensus key",
		state: ofOperators(func(_ *State, o *operator) error {
			if o.power > 0 && o.key == (Key{}) {
				return fmt.Errorf("power %d", o.power)
			}
			return nil
		})},
	{Name: "jailed-have-no-power",
		Doc: "who is jailed for being away has no power, unless nobody else were left",
		state: ofOperators(func(_ *State, o *operator) error {
			if o.jailed && o.power > 0 {
				return fmt.Errorf("power %d", o.power)
			}
			return nil
		})},
	{Name: "barred-bring-no-key",
		Doc: "who is barred for signing twice has no consensus key to come",
		state: ofOperators(func(s *State, o *operator) error {
			if s.epochs < o.barredUntil && o.next != (Key{}) { // it may withdraw
				return fmt.Errorf("it brings %s", o.next)
			}
			return nil
		})},
	{Name: "dead-keys-serve-not",
		Doc: "consensus keys that signed twice are listed once, as many as are remembered, and none is to come",
		state: func(s *State) error {
			dead := make(map[Key]bool, len(s.tombs))
			for _, k := range s.tombs {
				dead[k] = true
			}
			if len(dead) != len(s.tombs) || len(dead) > maxTombs {
				return fmt.Errorf("%d dead keys, %d of them different, at most %d", len(s.tombs), len(dead), maxTombs)
			}
			for i, o := range s.operators {
				if dead[o.next] {
					return fmt.Errorf("operator %d brings %s", i, o.next)
				}
			}
			return nil
		}},
	{Name: "stretches-in-the-past",
		Doc: "power was above stake from a height on up to another, both of the past",
		state: ofOperators(func(s *State, o *operator) error {
			return cmp.Or(atMost("end", o.over, s.height), atMost("begin", o.overFrom, o.over),
				atMost("block of the first vote, or the last", o.since, s.height+seatDelay))
		})},
	{Name: "proposer-serves",
		Doc: "the open block is some operator's, if it has begun",
		state: func(s *State) error {
			if s.proposer == (Key{}) {
				return nil
			}
			if _, ok := s.findOperator(s.proposer); !ok || !s.begun {
				return fmt.Errorf("%s proposed it, begun %v", s.proposer, s.begun)
			}
			return nil
		}},
}

// ofOperators checks each operator for itself.
func ofOperators(check func(*State, *operator) error) func(*State) error {
	return func(s *State) error {
		for i := range s.operators {
			if err := check(s, &s.operators[i]); err != nil {
				return fmt.Errorf("operator %d: %w", i, err)
			}
		}
		return nil
	}
}
