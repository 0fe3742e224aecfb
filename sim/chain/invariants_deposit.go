package chain

import (
	"fmt"
	"slices"
)

var depositInvariants = []Invariant{
	{Name: "references-counted",
		Doc: "where accounts take a deposit, each counts the hotkeys that it owns and its nominations, " +
			"elsewhere nothing",
		state: checkReferences},
	{Name: "idle-accounts-go",
		Doc: "an account without its deposit, which nothing else needs, waits for the end of the block",
		state: func(s *State) error {
			if s.params.Hard.ExistentialRao == 0 {
				return is("touched accounts", uint64(len(s.touched)), 0)
			}
			waits := make(map[Key]bool, len(s.touched))
			for _, k := range s.touched {
				waits[k] = true
			}
			return s.accounts.each(func(a *account) error {
				if s.idle(a) && !waits[a.key] {
					return fmt.Errorf("it has %d rao and does not", a.freeRao)
				}
				return nil
			})
		}},
	{Name: "limits-of-the-past",
		Doc: "what is limited in time happened in the past, and is remembered only where it is limited",
		state: func(s *State) error {
			h := &s.params.Hard
			return s.accounts.each(func(a *account) error {
				for _, l := range []struct {
					what         string
					last, blocks uint64
				}{
					{"block of the last endpoint", a.last.serve, h.ServeBlocks},
					{"block of the last reset", a.last.reset, h.ResetBlocks},
					{"block of the last raise", a.last.take, h.TakeBlocks},
					{"block of the last swap", a.last.swap, h.HotSwapBlocks},
				} {
					if err := atMost(l.what, l.last, min(l.blocks, 1)*(s.height+1)); err != nil {
						return err
					}
				}
				return nil
			})
		}},
	{Name: "marks-in-order",
		Doc: "the entropy of each block is marked once, the oldest first, for as long as works may seal it",
		state: func(s *State) error {
			for i, m := range s.marks {
				if i > 0 && s.marks[i-1].height >= m.height || m.height > s.height {
					return fmt.Errorf("mark %d of block %d: %w", i, m.height, errOrder)
				}
			}
			return nil
		}},
	{Name: "hashes-told",
		Doc: "where works seal the hashes of blocks, transactions leave no entropy of their own",
		state: func(s *State) error {
			if s.params.Hard.HashEntropy && s.mix != (Digest{}) {
				return fmt.Errorf("it is %s", s.mix)
			}
			return nil
		}},
	{Name: "consensus-keys-sound",
		Doc: "no consensus key is one for which everybody, or nobody, could sign",
		state: func(s *State) error {
			if !s.params.Hard.SoundKeys {
				return nil
			}
			return s.neurons.each(func(_ UID, n *neuron) error {
				if n.consensusKey != (Key{}) && !n.consensusKey.sound() {
					return fmt.Errorf("consensus key %s", n.consensusKey)
				}
				return nil
			})
		}},
}

func checkReferences(s *State) error {
	counted := map[Key]uint64{}
	on := min(s.params.Hard.ExistentialRao, 1)
	_ = s.accounts.each(func(a *account) error {
		counted[a.owner] += on
		for _, n := range a.nominations {
			counted[n.coldkey] += on
		}
		return nil
	})
	delete(counted, Key{})
	err := s.accounts.each(func(a *account) error {
		want := counted[a.key]
		delete(counted, a.key)
		return is("number of references", uint64(a.refs), want)
	})
	if err == nil && on > 0 && len(counted) > 0 {
		err = fmt.Errorf("%d coldkeys are named and have no account", len(counted))
	}
	return err
}

var depositSteps = []Invariant{
	{Name: "keys-enter-sound",
		Doc: "an account is made only of a key that somebody, and not everybody, may sign for",
		step: func(a, b observation) error {
			if !b.params.Hard.SoundKeys {
				return nil
			}
			return b.accounts.each(func(now *account) error {
				if a.accounts.has(now.key) || now.key.sound() {
					return nil
				}
				return fmt.Errorf("nobody could sign for it, or everybody")
			})
		}},
	{Name: "raises-apart",
		Doc: "a take rises again only after TakeBlocks blocks",
		step: func(a, b observation) error {
			blocks := b.params.Hard.TakeBlocks
			if blocks == 0 {
				return nil
			}
			return b.accounts.each(func(now *account) error {
				old := a.accounts.get(now.key)
				if now.take <= old.take || now.last.swap != old.last.swap {
					return nil
				}
				return apart(old.last.take, now.last.take, blocks)
			})
		}},
	{Name: "endpoints-apart",
		Doc: "a hotkey's endpoint changes again only after ServeBlocks blocks",
		step: func(a, b observation) error {
			blocks := b.params.Hard.ServeBlocks
			if blocks == 0 {
				return nil
			}
			return a.neurons.each(func(uid UID, old *neuron) error {
				now := b.neurons.get(uid)
				if old.hotkey != now.hotkey || old.registeredAt != now.registeredAt ||
					old.axon == now.axon && old.ip == now.ip && old.port == now.port {
					return nil
				}
				before, last := a.accounts.get(old.hotkey), b.accounts.get(old.hotkey)
				return apart(before.last.serve, last.last.serve, blocks)
			})
		}},
	{Name: "accounts-leave-at-the-end",
		Doc: "an account goes only at the end of a block, and only where accounts take a deposit",
		step: func(a, b observation) error {
			return a.accounts.each(func(old *account) error {
				if b.accounts.has(old.key) {
					return nil
				}
				if a.height == b.height || b.params.Hard.ExistentialRao == 0 {
					return fmt.Errorf("it went, with %d rao", old.freeRao)
				}
				return nil
			})
		}},
}

// apart objects unless something that happened last at old, 0 for never, has happened since, blocks later.
func apart(old, now, blocks uint64) error {
	if now == old {
		return fmt.Errorf("it was last allowed in block %d, and happened since", old)
	}
	return within("block of the next", now, old+min(old, 1)*blocks, maxU64)
}

// has reports whether a key has an account.
func (t accounts) has(k Key) bool {
	p := pathOf(k)
	return t.find(&k, &p) != nil
}

// hashMarked reports whether the host told b a hash that a did not know.
func hashMarked(a, b observation) bool {
	return b.params.Hard.HashEntropy && !slices.Equal(a.marks, b.marks)
}

// gaveUp reports whether a key is no longer a hotkey: a swap gives all to a new one.
func (m observation) gaveUp(a *account) bool { return m.params.Hard.HotSwapBlocks != 0 && a.blank() }

// swapped reports whether one hotkey took the place of another of the same owner.
func (m observation) swapped(old, now *neuron) bool {
	before, after := m.accounts.get(old.hotkey), m.accounts.get(now.hotkey)
	return m.gaveUp(&before) && after.last.swap != 0
}
