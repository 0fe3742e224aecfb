package chain

import "testing"

// richDeposits is a state in the middle of a block that has everything that the invariants of deposits
// and keys are about.
func richDeposits(t testing.TB) *State {
	w := strangers(t, true)
	w.must(colds[0], Delegate{hots[0].key, 5})
	w.must(colds[1], AddStake{hots[0].key, RaoPerTAO})
	w.must(hots[0], ServeAxon{Axon: hots[0].key, Port: 7})
	w.end(10)
	w.s.BeginBlock(Begin{Hash: Digest{1}})
	w.end(1)
	w.s.BeginBlock(Begin{Hash: Digest{2}})
	w.must(colds[0], Transfer{pub("guest"), 2_000_000})
	w.claims(colds[1], hots[7])
	if err := w.s.CheckInvariants(); err != nil {
		t.Fatal(err)
	}
	return w.s
}

// found makes an account behind the ledger's back, with a deposit of the richest.
func (s *State) found(k Key) {
	s.account(colds[0].key).freeRao -= RaoPerTAO
	s.account(k).freeRao += RaoPerTAO
	s.account(colds[0].key).nonce++
}

// depositFaults break one invariant each, of a state or between two.
var depositFaults = []struct {
	invariant string
	breaks    func(s *State)
}{
	{"references-counted", func(s *State) { s.account(colds[1].key).refs++ }},
	{"references-counted", func(s *State) { s.account(colds[1].key).refs = 0 }},
	{"references-counted", func(s *State) { s.hotkey(hots[7].key).owner = pub("who has no account") }},
	{"idle-accounts-go", func(s *State) {
		s.account(colds[0].key).freeRao += s.behind(pub("guest")).freeRao
		s.behind(pub("guest")).freeRao = 0
		s.touched = nil
	}},
	{"limits-of-the-past", func(s *State) { s.hotkey(hots[0].key).last.serve = s.height + 2 }},
	{"limits-of-the-past", func(s *State) {
		p := s.params
		p.Hard.TakeBlocks = 0
		s.params, s.constants = p, &p
	}},
	{"marks-in-order", func(s *State) { s.marks[0].height = s.height }},
	{"marks-in-order", func(s *State) { s.marks[1].height = s.height + 1 }},
	{"hashes-told", func(s *State) { s.mix[0]++ }},
	{"consensus-keys-sound", func(s *State) { s.neuron(0).consensusKey = tall(0xff, 0x7f) }},
	{"consensus-keys-sound", func(s *State) { s.neuron(0).consensusKey = Key{1} }},
	{"keys-enter-sound", func(s *State) { s.found(Key{1}) }},
	{"raises-apart", func(s *State) { s.hotkey(hots[0].key).take++; s.account(colds[0].key).nonce++ }},
	{"raises-apart", func(s *State) {
		s.hotkey(hots[0].key).take++
		s.hotkey(hots[0].key).last.take++
		s.account(colds[0].key).nonce++
	}},
	{"endpoints-apart", func(s *State) { s.neuron(0).port++; s.account(colds[0].key).nonce++ }},
	{"endpoints-apart", func(s *State) {
		s.neuron(0).port++
		s.hotkey(hots[0].key).last.serve++
		s.account(colds[0].key).nonce++
	}},
	{"accounts-leave-at-the-end", func(s *State) {
		s.account(colds[0].key).freeRao += s.behind(pub("guest")).freeRao
		s.account(colds[0].key).nonce++
		s.accounts.remove(pub("guest"), s.age)
	}},
}
