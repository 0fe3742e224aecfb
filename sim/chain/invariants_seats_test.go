package chain

import "testing"

// richSeats is a state in the middle of a block that has everything that the invariants of seats are
// about.
func richSeats(t testing.TB) *State {
	w := seated(t, asItIs)
	w.do(colds[0], RemoveStake{hots[0].key, RaoPerTAO})
	w.end(1)
	w.do(colds[0], RemoveStake{hots[1].key, RaoPerTAO})
	w.accuse(3)
	for range 20 {
		w.voted(1)
	}
	w.do(hots[2], ServeConsensus{engineKey(9)})
	w.begin(Begin{Proposer: AddressOf(engineKey(0))})
	if err := w.s.CheckInvariants(); err != nil {
		t.Fatal(err)
	}
	return w.s
}

// seatFaults break one invariant each, as faults do.
var seatFaults = []struct {
	invariant string
	breaks    func(s *State)
}{
	{"money-conserved", func(s *State) { s.money.Unbonding++ }},
	{"unbonding-adds-up", func(s *State) { s.account(colds[0].key).unbonding[0].rao++ }},
	{"unbonding-ordered", func(s *State) { s.account(colds[0].key).unbonding[0].begun = s.height + 1 }},
	{"unbonding-ordered", func(s *State) { s.account(colds[0].key).unbonding[1].begun = s.height + 2 }},
	{"unbonding-ordered", func(s *State) { s.account(colds[0].key).unbonding[0].hotkey = Key{} }},
	{"operators-ordered", func(s *State) {
		all := s.ownOperators()
		all[0], all[1] = all[1], all[0]
	}},
	{"operators-ordered", func(s *State) { s.ownOperators()[0].hotkey = Key{} }},
	{"operators-ordered", func(s *State) { s.ownOperators()[1].missed = nil }},
	{"operators-limited", func(s *State) {
		for i := range 17 {
			key := Key{0: 255, 1: 255, 2: 255, 3: byte(i)}
			s.hotkey(key).owner = colds[0].key
			s.operators = append(s.ownOperators(), operator{hotkey: key, missed: make([]byte, 1)})
		}
	}},
	{"operator-keys-unique", func(s *State) { s.ownOperators()[0].key = s.operators[1].key }},
	{"power-has-a-key", func(s *State) { s.of(hots[0]).key = Key{} }},
	{"jailed-have-no-power", func(s *State) { s.of(hots[0]).jailed = true }},
	{"barred-bring-no-key", func(s *State) { s.of(hots[3]).next = engineKey(10) }},
	{"dead-keys-serve-not", func(s *State) { s.tombs = append(s.tombs, s.tombs[0]) }},
	{"dead-keys-serve-not", func(s *State) { s.tombs[0] = engineKey(9) }},
	{"dead-keys-serve-not", func(s *State) {
		for i := range maxTombs {
			s.tombs = append(s.tombs, engineKey(100+i))
		}
	}},
	{"stretches-in-the-past", func(s *State) { s.of(hots[0]).over = s.height + 1 }},
	{"stretches-in-the-past", func(s *State) { s.of(hots[0]).overFrom = s.height }},
	{"stretches-in-the-past", func(s *State) { s.of(hots[0]).since = s.height + 3 }},
	{"proposer-serves", func(s *State) { s.proposer = colds[0].key }},
	{"proposer-serves", func(s *State) { s.begun = false }},
}

// of is the operator of a hotkey, for a change.
func (s *State) of(a actor) *operator {
	i, _ := s.findOperator(a.key)
	return &s.ownOperators()[i]
}
