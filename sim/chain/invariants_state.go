package chain

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"taolab/sim/chain/consensus"
	"taolab/sim/chain/registration"
)

// each calls f with every neuron in order until it objects.
func (t *neurons) each(f func(UID, *neuron) error) error {
	for uid := range t.n {
		if err := f(UID(uid), t.get(UID(uid))); err != nil {
			return fmt.Errorf("neuron %d: %w", uid, err)
		}
	}
	return nil
}

// is objects unless two numbers are equal.
func is(what string, have, want uint64) error {
	if have != want {
		return fmt.Errorf("%s is %d, want %d", what, have, want)
	}
	return nil
}

// atMost objects to a number above its limit.
func atMost(what string, have, limit uint64) error {
	if have > limit {
		return fmt.Errorf("%s is %d, at most %d is possible", what, have, limit)
	}
	return nil
}

// within objects to a number outside its bounds.
func within(what string, have, lo, hi uint64) error {
	if have < lo || have > hi {
		return fmt.Errorf("%s is %d, want %d to %d", what, have, lo, hi)
	}
	return nil
}

var errOrder = errors.New("out of order or twice")

// total adds up numbers and objects if they pass 2^64.
type total struct{ sum uint64 }

func (t *total) add(v uint64) error {
	if t.sum+v < t.sum {
		return fmt.Errorf("the sum passes 2^64")
	}
	t.sum += v
	return nil
}

// adds objects unless an amount of all accounts adds up to want.
func (t accounts) adds(what string, want uint64, of func(*account) uint64) error {
	var sum total
	if err := t.each(func(a *account) error { return sum.add(of(a)) }); err != nil {
		return err
	}
	return is(what, sum.sum, want)
}

var moneyInvariants = []Invariant{
	{Name: "money-conserved",
		Doc: "minted money is free, staked, unbonding, pending, burned, dust or unallocated",
		state: func(s *State) error {
			m, sum := &s.money, total{}
			for _, v := range []uint64{m.Free, m.Staked, m.Unbonding, m.Pending, m.Burned, m.Dust, m.Unallocated} {
				if err := sum.add(v); err != nil {
					return err
				}
			}
			return is("money found in rao", sum.sum, m.Minted)
		}},
	{Name: "free-adds-up",
		Doc: "the free money of all coldkeys is the total of free money",
		state: func(s *State) error {
			return s.accounts.adds("free money in rao", s.money.Free,
				func(a *account) uint64 { return a.freeRao })
		}},
	{Name: "staked-adds-up",
		Doc: "the stake on all hotkeys is the total of staked money",
		state: func(s *State) error {
			return s.accounts.adds("stake in rao", s.money.Staked,
				func(a *account) uint64 { return a.stakeRao })
		}},
	{Name: "recycled-was-burned",
		Doc: "what was recycled is a part of what was burned",
		state: func(s *State) error {
			return atMost("recycled money in rao", s.money.Recycled, s.money.Burned)
		}},
	{Name: "supply-capped",
		Doc: "the issuance never passes the cap",
		state: func(s *State) error {
			if s.issuanceOffset+s.money.Minted < s.money.Minted {
				return fmt.Errorf("the issuance passes 2^64")
			}
			return atMost("issuance in rao", s.issuance(), s.params.CapRao)
		}},
}

var registryInvariants = []Invariant{
	{Name: "parameters-valid",
		Doc:   "the parameters are possible ones, and what is derived from them is up to date",
		state: checkParams},
	{Name: "accounts-ordered",
		Doc: "each account stands where its key is looked up, in a trie of the shape that its accounts give",
		state: func(s *State) error {
			if !noHotkey.blank() {
				return fmt.Errorf("what no hotkey has is %+v", *noHotkey)
			}
			if n := s.accounts.root; n != nil && n.count > 0 {
				return n.check(nil)
			}
			return nil
		}},
	{Name: "nonces-of-their-time",
		Doc: "where nonces are strict, none is of a block to come",
		state: func(s *State) error {
			if !s.params.Hard.StrictNonce {
				return nil
			}
			return s.accounts.each(func(a *account) error {
				return atMost("nonce", a.nonce, s.params.firstNonce(s.height)+1<<nonceBits-1)
			})
		}},
	{Name: "fees-bounded",
		Doc: "work has a price within its bounds where it costs anything, and a block within its limits",
		state: func(s *State) error {
			h := &s.params.Hard
			seen := map[UID]bool{}
			for _, uid := range s.resets {
				if int(uid) >= s.neurons.n || seen[uid] {
					return fmt.Errorf("reset of neuron %d: %w", uid, errOrder)
				}
				seen[uid] = true
			}
			if h.FeeRao == 0 {
				return is("price of work in rao", s.priceRao, 0)
			}
			err := within("price of work in rao", s.priceRao, h.FeeRao, dearest*h.FeeRao)
			return cmp.Or(err, atMost("work in the block", s.workUsed, h.MaxBlockWork),
				atMost("bytes in the block", uint64(s.bytesUsed), uint64(h.MaxBlockBytes)))
		}},
	{Name: "budgets-kept",
		Doc: "no hotkey spends more of its owner's than it may in an epoch, nor in one to come",
		state: func(s *State) error {
			return s.accounts.each(func(a *account) error {
				return cmp.Or(atMost("epoch of the last work", a.spentIn, s.epochs+1),
					atMost("work in an epoch", a.spent, min(a.spentIn, 1)*hotkeyWork))
			})
		}},
	{Name: "zero-key-empty",
		Doc: "the zero key, for which nobody can sign, has no account",
		state: func(s *State) error {
			p := pathOf(Key{})
			if s.accounts.find(&Key{}, &p) != nil {
				return fmt.Errorf("it has one")
			}
			return nil
		}},
	{Name: "stake-owned",
		Doc: "a hotkey with stake, or open to nominators, belongs to a coldkey",
		state: func(s *State) error {
			return s.accounts.each(func(a *account) error {
				if a.owner == (Key{}) && (a.stakeRao > 0 || a.delegate) {
					return fmt.Errorf("%d rao of stake, delegate %v, no owner", a.stakeRao, a.delegate)
				}
				return nil
			})
		}},
	{Name: "nominations-covered",
		Doc: "the nominations on a hotkey are a part of its stake",
		state: func(s *State) error {
			return s.accounts.each(func(a *account) error {
				var sum total
				for _, n := range a.nominations {
					if err := sum.add(n.stakeRao); err != nil {
						return err
					}
				}
				return atMost("sum of nominations in rao", sum.sum, a.stakeRao)
			})
		}},
	{Name: "stake-settled-before",
		Doc: "no hotkey's stake changed in an epoch to come, and where it never did, nothing is remembered",
		state: func(s *State) error {
			return s.accounts.each(func(a *account) error {
				if a.changedIn > 0 {
					return atMost("epoch of the last change of stake", a.changedIn, s.epochs+1)
				}
				settled := a.settledRao
				for _, n := range a.nominations {
					settled |= n.settledRao
				}
				return is("remembered stake in rao", settled, 0)
			})
		}},
	{Name: "nominations-ordered",
		Doc: "a hotkey has at most one nomination per coldkey and 1,024 in all, by key, none of " +
			"nothing and none of its owner's",
		state: func(s *State) error { return s.accounts.each(checkNominations) }},
	{Name: "nominations-on-delegates",
		Doc: "only hotkeys that are open to nominators have nominations, and only they a take",
		state: func(s *State) error {
			return s.accounts.each(func(a *account) error {
				if !a.delegate && (len(a.nominations) > 0 || a.take > 0) {
					return fmt.Errorf("%d nominations, take %d, no delegate", len(a.nominations), a.take)
				}
				return nil
			})
		}},
	{Name: "slots-limited",
		Doc: "there are at most MaxUIDs neurons, in as many pages as they need",
		state: func(s *State) error {
			t := s.neurons
			if err := is("pages", uint64(len(t.pages)), uint64(t.n+pageNeurons-1)/pageNeurons); err != nil {
				return err
			}
			return atMost("number of neurons", uint64(t.n), uint64(s.params.MaxUIDs))
		}},
	{Name: "index-names-slots",
		Doc:   "the index lists each neuron's hotkey once, in order, with its slot",
		state: checkIndex},
	{Name: "neurons-owned",
		Doc: "each neuron's hotkey belongs to a coldkey",
		state: func(s *State) error {
			return s.neurons.each(func(_ UID, n *neuron) error {
				if s.accounts.get(n.hotkey).owner == (Key{}) {
					return fmt.Errorf("hotkey %s belongs to nobody", n.hotkey)
				}
				return nil
			})
		}},
	{Name: "neurons-of-the-past",
		Doc: "a neuron registered, then set weights, no later than in the open block",
		state: func(s *State) error {
			return s.neurons.each(func(_ UID, n *neuron) error {
				if err := atMost("block of the last update", n.lastUpdate, s.height+1); err != nil {
					return err
				}
				return atMost("block of registration", n.registeredAt, n.lastUpdate)
			})
		}},
	{Name: "consensus-keys-unique",
		Doc:   "no two neurons have the same consensus key",
		state: checkConsensusKeys},
	{Name: "price-bounded",
		Doc: "the price of a registration is within its bounds",
		state: func(s *State) error {
			return within("price in rao", s.burnPriceRao, s.params.MinBurnRao, s.params.MaxBurnRao)
		}},
	{Name: "difficulty-bounded",
		Doc: "the difficulty of a registration is within its bounds",
		state: func(s *State) error {
			return within("difficulty", s.difficulty, s.params.MinDifficulty, s.params.MaxDifficulty)
		}},
	{Name: "events-of-the-open-block",
		Doc:   "the waiting events are of the open block, and one registration was counted for each",
		state: checkEvents},
	{Name: "works-remembered",
		Doc:   "the works that made neurons are remembered once each, for as long as they are valid",
		state: checkWorks},
	{Name: "commits-ordered",
		Doc:   "a neuron has at most 10 commits, oldest first, each of the neuron's own time",
		state: checkCommits},
}

func checkParams(s *State) error {
	if err := s.params.Validate(); err != nil {
		return err
	}
	if *s.constants != s.params {
		return fmt.Errorf("views would show others: %+v", *s.constants)
	}
	factor := registration.DecayFactor(s.params.BurnHalfLifeBlocks)
	return is("factor of the price's decay", s.decayQ32, factor)
}

const maxNominations = 1024

// check verifies the shape of a subtree to which steps lead.
func (n *trieNode) check(steps []int) error {
	below, last := len(n.accounts), path{}
	for i, a := range n.accounts {
		p := pathOf(a.key)
		if i > 0 && bytes.Compare(last[:], p[:]) >= 0 {
			return fmt.Errorf("account %s: %w", a.key, errOrder)
		}
		for depth, step := range steps {
			if p.step(depth) != step {
				return fmt.Errorf("account %s: %w", a.key, errOrder)
			}
		}
		last = p
	}
	at := 0
	for step := range 16 {
		if n.bitmap>>step&1 == 0 {
			continue
		}
		c := n.children[at]
		if err := c.check(append(slices.Clip(steps), step)); err != nil {
			return err
		}
		at, below = at+1, below+c.count
	}
	if below != n.count || n.count == 0 || at != len(n.children) || n.leaf() != (n.count <= leafAccounts) {
		return fmt.Errorf("%d accounts counted as %d in a node with %d children, leaf %v", below, n.count,
			len(n.children), n.leaf())
	}
	return nil
}

func checkNominations(a *account) error {
	if err := atMost("number of nominations", uint64(len(a.nominations)), maxNominations); err != nil {
		return err
	}
	for i, n := range a.nominations {
		switch {
		case i > 0 && bytes.Compare(a.nominations[i-1].coldkey[:], n.coldkey[:]) >= 0:
			return errOrder
		case n.stakeRao == 0 || n.coldkey == a.owner || n.coldkey == Key{}:
			return fmt.Errorf("nomination of %d rao by %s", n.stakeRao, n.coldkey)
		}
	}
	return nil
}

func checkIndex(s *State) error {
	t := s.neurons
	if err := is("length of the index", uint64(len(t.index)), uint64(t.n)); err != nil {
		return err
	}
	for i, slot := range t.index {
		if i > 0 && bytes.Compare(t.index[i-1].hotkey[:], slot.hotkey[:]) >= 0 {
			return fmt.Errorf("place %d: %w", i, errOrder)
		}
		if int(slot.uid) >= t.n || t.get(slot.uid).hotkey != slot.hotkey {
			return fmt.Errorf("place %d: hotkey %s is not in slot %d", i, slot.hotkey, slot.uid)
		}
		if t.get(slot.uid).path != pathOf(slot.hotkey) {
			return fmt.Errorf("slot %d: another path than that of hotkey %s", slot.uid, slot.hotkey)
		}
	}
	return nil
}

func checkConsensusKeys(s *State) error {
	var keys []Key
	_ = s.neurons.each(func(_ UID, n *neuron) error {
		if n.consensusKey != (Key{}) {
			keys = append(keys, n.consensusKey)
		}
		return nil
	})
	slices.SortFunc(keys, func(a, b Key) int { return bytes.Compare(a[:], b[:]) })
	for i := 1; i < len(keys); i++ {
		if keys[i-1] == keys[i] {
			return fmt.Errorf("key %s is used twice", keys[i])
		}
	}
	return nil
}

func checkEvents(s *State) error {
	var registered uint64
	for i, e := range s.events {
		block := s.height + 1
		switch e := e.(type) {
		case Registered:
			block = e.Block
			registered++
		case Replaced:
			block = e.Block
		}
		if err := is(fmt.Sprintf("block of event %d", i), block, s.height+1); err != nil {
			return err
		}
	}
	return is("number of registrations in the block", uint64(s.inBlock), registered)
}

func checkWorks(s *State) error {
	for _, w := range s.works {
		if err := within("block of a work", w.block, s.oldestWork(), s.height); err != nil {
			return err
		}
	}
	sorted := slices.SortedFunc(slices.Values(s.works), func(a, b usedWork) int {
		return bytes.Compare(a.work[:], b.work[:])
	})
	for i := 1; i < len(sorted); i++ {
		if sorted[i-1].work == sorted[i].work {
			return fmt.Errorf("work %s stands twice", sorted[i].work)
		}
	}
	return nil
}

func checkCommits(s *State) error {
	return s.neurons.each(func(_ UID, n *neuron) error {
		if err := atMost("number of commits", uint64(len(n.commits)), maxCommits); err != nil {
			return err
		}
		for i, m := range n.commits {
			if i > 0 && (n.commits[i-1].block > m.block || n.commits[i-1].epoch > m.epoch) {
				return errOrder
			}
			if err := within("block of a commit", m.block, n.registeredAt, s.height+1); err != nil {
				return err
			}
		}
		return nil
	})
}

var rowInvariants = []Invariant{
	{Name: "weights-on-neurons",
		Doc: "a row has at most one weight per neuron, and none on others",
		state: func(s *State) error {
			return s.neurons.each(func(_ UID, n *neuron) error {
				clear(s.seen[:])
				for _, w := range n.weights {
					if int(w.UID) >= s.neurons.n || !s.firstSeen(w.UID) {
						return fmt.Errorf("impossible weight on %d", w.UID)
					}
				}
				return nil
			})
		}},
	{Name: "weights-scaled",
		Doc: "the largest weight of a row is 65535, unless its neuron was replaced, or, for nakamoto, " +
			"the sum is at most 2^32-1",
		state: func(s *State) error {
			return s.neurons.each(func(_ UID, n *neuron) error { return checkScale(s.params.Rule, n.weights) })
		}},
	{Name: "bonds-on-neurons",
		Doc: "a row has at most one bond per neuron, and none in others; they are in order, but for " +
			"yuma3, whose liquid alpha stores them in the order of the weights",
		state: func(s *State) error {
			return s.neurons.each(func(_ UID, n *neuron) error {
				clear(s.seen[:])
				for i, b := range n.bonds {
					ordered := i == 0 || n.bonds[i-1].UID < b.UID || s.params.Rule == consensus.Yuma3
					if int(b.UID) >= s.neurons.n || !s.firstSeen(b.UID) || !ordered {
						return fmt.Errorf("impossible bond in %d", b.UID)
					}
				}
				return nil
			})
		}},
	{Name: "bonds-in-range",
		Doc: "a bond is at most 65535, or, for nakamoto, at least a rao",
		state: func(s *State) error {
			return s.neurons.each(func(_ UID, n *neuron) error {
				return checkBonds(s.params.Rule, n.bonds)
			})
		}},
	{Name: "bonds-of-validators",
		Doc: "only neurons with a permit hold bonds, but for nakamoto, which knows no permits",
		state: func(s *State) error {
			return s.neurons.each(func(_ UID, n *neuron) error {
				if s.params.Rule != consensus.Nakamoto && !n.permit && len(n.bonds) > 0 {
					return fmt.Errorf("%d bonds without a permit", len(n.bonds))
				}
				return nil
			})
		}},
	{Name: "nakamoto-alone",
		Doc: "wide scores, and the marks of neurons replaced since the last epoch, belong to nakamoto; " +
			"the narrow scores are their upper 16 bits",
		state: func(s *State) error {
			return s.neurons.each(func(_ UID, n *neuron) error { return s.checkWide(n) })
		}},
}

func checkBonds(rule consensus.Name, row []BondEntry) error {
	for _, b := range row {
		lo, hi := uint64(0), uint64(65535)
		if rule == consensus.Nakamoto {
			lo, hi = 1, 1<<64-1
		}
		if err := within(fmt.Sprintf("bond in %d", b.UID), b.Bond, lo, hi); err != nil {
			return err
		}
	}
	return nil
}

func checkScale(rule consensus.Name, row []WeightEntry) error {
	var sum, largest uint64
	zero := false
	for _, w := range row {
		sum += uint64(w.Weight)
		largest = max(largest, uint64(w.Weight))
		zero = zero || w.Weight == 0
	}
	switch {
	case rule == consensus.Nakamoto:
		return atMost("sum of the weights", sum, 1<<32-1)
	case len(row) == 0 || largest == 65535 || zero && largest < 65535:
		return nil
	}
	return is("largest weight", largest, 65535)
}

func (s *State) checkWide(n *neuron) error {
	w := &n.wide
	if !s.params.nakamoto() {
		if *w != (wideScores{}) || n.pruned {
			return fmt.Errorf("scores %+v, replaced %v under %s", *w, n.pruned, s.params.Rule)
		}
		return nil
	}
	if n.pruned && n.registeredAt <= s.lastEpoch {
		return fmt.Errorf("marked as replaced since block %d, the epoch of %d should have ended that",
			n.registeredAt, s.lastEpoch)
	}
	if err := is("incentive", uint64(n.incentive), w.incentive>>48); err != nil {
		return err
	}
	return is("dividends", uint64(n.dividends), w.dividends>>48)
}

// shares objects to a score of all neurons that adds up to more than one.
func shares(what string, of func(*neuron) uint16) func(*State) error {
	return func(s *State) error {
		var sum uint64
		_ = s.neurons.each(func(_ UID, n *neuron) error {
			sum += uint64(of(n))
			return nil
		})
		return atMost("sum of "+what+" in 1/65535", sum, 65535)
	}
}

var outcomeInvariants = []Invariant{
	{Name: "incentives-share-one",
		Doc:   "the incentives add up to at most one",
		state: shares("incentives", func(n *neuron) uint16 { return n.incentive })},
	{Name: "dividends-share-one",
		Doc:   "the dividends add up to at most one",
		state: shares("dividends", func(n *neuron) uint16 { return n.dividends })},
	{Name: "stake-weights-share-one",
		Doc:   "the stake weights add up to at most one",
		state: shares("stake weights", func(n *neuron) uint16 { return n.stakeWeight })},
	{Name: "payments-were-minted",
		Doc: "what the last epoch paid is a part of what was minted",
		state: func(s *State) error {
			var sum total
			err := s.neurons.each(func(_ UID, n *neuron) error { return sum.add(n.emissionRao) })
			if err != nil {
				return err
			}
			return atMost("sum of payments in rao", sum.sum, s.money.Minted)
		}},
	{Name: "epochs-counted",
		Doc: "an epoch has a block of its own, and the last one is not in the future",
		state: func(s *State) error {
			if (s.epochs == 0) != (s.lastEpoch == 0) {
				return fmt.Errorf("%d epochs, the last at block %d", s.epochs, s.lastEpoch)
			}
			if err := atMost("number of epochs", s.epochs, s.lastEpoch); err != nil {
				return err
			}
			return atMost("block of the last epoch", s.lastEpoch, s.height)
		}},
}
