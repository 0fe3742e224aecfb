package chain

import (
	"bytes"
	"slices"
)

// Where accounts take a deposit, one with less free money than Hard.ExistentialRao is removed at the end
// of the block that touched it, unless something else needs it: it is named by another record, or it is
// a hotkey with a uid, stake, nominations or a seat. Never within a block, or an account that comes back
// would begin with the same nonce.

// touch notes an account that changed, which may be one to remove at the end of the block.
func (s *State) touch(k Key) {
	if s.params.Hard.ExistentialRao == 0 {
		return
	}
	if n := len(s.touched); !slices.Contains(s.touched[max(n, 4)-4:], k) { // most come again at once
		s.touched = append(s.touched, k)
	}
}

// refer counts a record that names a coldkey: a hotkey that it owns, or a nomination.
func (s *State) refer(coldkey Key) {
	if s.params.Hard.ExistentialRao != 0 {
		s.account(coldkey).refs++
	}
}

// unrefer forgets such a record.
func (s *State) unrefer(coldkey Key) {
	if s.params.Hard.ExistentialRao != 0 {
		s.account(coldkey).refs--
	}
}

// idle reports whether nothing but its deposit keeps an account.
func (s *State) idle(a *account) bool {
	if a.freeRao >= s.params.Hard.ExistentialRao || a.refs > 0 || len(a.unbonding) > 0 ||
		a.stakeRao > 0 || len(a.nominations) > 0 || a.key == s.owner {
		return false
	}
	_, neuron := s.neurons.uidOf(a.key)
	_, serves := s.findOperator(a.key)
	return !neuron && !serves
}

// reap removes the idle accounts among those that were touched, and in a second pass those that named
// their owners only. Accounts that the second pass touches wait for the next block, which bounds this one.
func (s *State) reap() {
	for range 2 {
		keys := s.touched
		s.touched = nil
		slices.SortFunc(keys, compareKeys)
		for _, k := range slices.Compact(keys) {
			s.remove(k)
		}
	}
	slices.SortFunc(s.touched, compareKeys)
}

// remove removes an account if it is idle. What is left on it is dust.
func (s *State) remove(k Key) {
	p := pathOf(k)
	a := s.accounts.find(&k, &p)
	if a == nil || !s.idle(a) {
		return
	}
	rest, owner := a.freeRao, a.owner
	s.money.Free -= rest
	s.money.Dust += rest
	s.accounts.remove(k, s.age)
	if owner != (Key{}) {
		s.unrefer(owner)
	}
}

// mayFound checks that a payment may make an account of a key, if it has none.
func (s *State) mayFound(k Key, rao uint64) error {
	p := pathOf(k)
	if s.accounts.find(&k, &p) != nil {
		return nil
	}
	if least := s.params.Hard.ExistentialRao; rao < least {
		return refuse(BelowDeposit, rao, least)
	}
	return s.mayEnter(k)
}

// touchedLayout codes the accounts that wait for the end of the block.
func (h *header) touchedLayout(c *coder) {
	if h.params.Hard.ExistentialRao != 0 {
		list(c, &h.touched, len(Key{}), func(k *Key) { c.bytes(k[:]) })
	}
}

func compareKeys(a, b Key) int { return bytes.Compare(a[:], b[:]) }
