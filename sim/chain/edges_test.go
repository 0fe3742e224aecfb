package chain

import "testing"

// A transaction costs at most what it says, to the rao, and a block holds at most its work.
func TestAFeeIsAtMostItsCeilingToTheRao(t *testing.T) {
	s := open(t, 4)
	s.params.Hard.FeeRecycled = true
	m := Transfer{pub("cold1"), 1}
	pay := func(most, tip uint64) error {
		return s.Apply(SignPriced("test", testKey("cold0"), s.Nonce(pub("cold0")), 1<<40, most, tip, m))
	}
	fee := s.priceRao * s.WorkOf(SignPriced("test", testKey("cold0"), 0, 1<<40, 0, 0, m))
	before := s.money
	wantCode(t, pay(fee-1, 0), FeeAboveMaximum)
	wantCode(t, pay(fee+6, 7), FeeAboveMaximum)
	wantCode(t, pay(1<<64-1, 1<<64-1), FeeAboveMaximum) // the sum of both passes 64 bits
	wantCode(t, s.Apply(Sign("test", testKey("cold0"), s.Nonce(pub("cold0")), 1<<40, m)), FeesOn)
	if s.money != before {
		t.Error("a transaction that belongs in no block cost something")
	}
	if err := pay(fee+7, 7); err != nil {
		t.Fatal(err)
	}
	if burned := s.money.Burned - before.Burned; burned != fee+7 || s.money.Recycled-before.Recycled != burned {
		t.Errorf("a fee of %d and a tip of 7 for nobody burned %d", fee, burned)
	}
	s.params.Hard.MaxBlockWork = s.workUsed + fee/s.priceRao
	if err := pay(fee, 0); err != nil {
		t.Errorf("the last transaction that fits: %v", err)
	}
	wantCode(t, pay(fee, 0), BlockFull)
}

func wantCode(t *testing.T, err error, code Code) {
	t.Helper()
	if refusal, ok := err.(*Error); !ok || refusal.Code != code {
		t.Errorf("%v, want %v", err, code)
	}
}

// Limits in time count to the block.
func TestALimitInTimeEndsToTheBlock(t *testing.T) {
	w := stage(t, 2, func(g *Genesis) { g.Params.Hard = Hard{ServeBlocks: 5, MaxExpiryBlocks: 3} })
	w.do(hots[0], ServeAxon{Axon: hots[0].key, Port: 1})
	w.end(4)
	w.no(hots[0], ServeAxon{Axon: hots[0].key, Port: 2}, TooSoon)
	w.end(1)
	w.do(hots[0], ServeAxon{Axon: hots[0].key, Port: 2})
	pay := func(expiry uint64) error {
		return w.s.Apply(Sign(w.genesis.ChainID, colds[0].sign, w.s.Nonce(colds[0].key), expiry, Transfer{colds[1].key, 1}))
	}
	wantCode(t, pay(w.s.height+1+4), ExpiryTooFar)
	if err := pay(w.s.height + 1 + 3); err != nil {
		t.Error(err)
	}
}

// The key of an axon stands for one neuron: nobody is paid for another's answers, or leads its callers astray.
func TestTheKeyOfAnAxonStandsForOneNeuron(t *testing.T) {
	w := stage(t, 3, func(g *Genesis) { g.Params.Hard = Hard{Consent: true} })
	free := pub("axon of its own")
	w.do(hots[1], ServeAxon{Axon: free, Port: 1})
	w.no(hots[0], ServeAxon{Axon: hots[1].key, Port: 1}, AxonTaken)
	w.no(hots[0], ServeAxon{Axon: free, Port: 1}, AxonTaken)
	w.do(hots[1], ServeAxon{Axon: free, Port: 2})

	// A key that is not a hotkey yet is free; a neuron that took it has to give it back.
	late := hots[2].key
	w.s.neuron(0).axon, w.s.neuron(0).port = late, 7
	w.do(hots[2], ServeAxon{Axon: late, Port: 3})
	if n := w.s.View().Neuron(0); n.Axon != hots[0].key || n.Port != 0 {
		t.Errorf("the one who took the key serves with %s at port %d", n.Axon, n.Port)
	}
	if n := w.s.View().Neuron(2); n.Axon != late || n.Port != 3 {
		t.Errorf("its owner serves with %s at port %d", n.Axon, n.Port)
	}

	era := stage(t, 2, func(*Genesis) {})
	era.do(hots[0], ServeAxon{Axon: hots[1].key, Port: 1})
}

// The network's owner stays its owner under a new hotkey, which no operator has, and what the old one
// committed to is forgotten.
func TestTheOwnersHotkeyIsSwapped(t *testing.T) {
	w := strangers(t, true)
	old, fresh := hots[0], hots[9]
	uid, _ := w.s.neurons.uidOf(old.key)
	w.s.owner = old.key
	w.s.neuron(uid).commits = []commit{{}}
	swap := SignSwap(w.genesis.ChainID, fresh.sign, colds[0].key, old.key, w.s.height+1)
	served := w.s.Fork()
	served.operators = []operator{{hotkey: old.key}}
	taken := w.s.Fork()
	taken.operators = []operator{{hotkey: fresh.key}}
	for s, code := range map[*State]Code{served: HotkeyServes, taken: HotkeyUsed} { // order-free: each is refused
		wantCode(t, s.swapHotkey(colds[0].key, swap), code)
	}
	w.must(colds[0], swap)
	if n := w.s.neurons.get(uid); w.s.owner != fresh.key || len(n.commits) > 0 || n.axon != fresh.key {
		t.Errorf("owner %s, %d commits, axon %s", w.s.owner, len(n.commits), n.axon)
	}
}

// The accounts of the network's owner and of an operator stay without a deposit.
func TestTheOwnerAndOperatorsStayWithoutADeposit(t *testing.T) {
	w := strangers(t, true)
	for name, needs := range map[string]func(s *State, k Key){ // order-free: each stays
		"the owner":   func(s *State, k Key) { s.owner = k },
		"an operator": func(s *State, k Key) { s.operators = []operator{{hotkey: k}} },
	} {
		s := w.s.Fork()
		a := account{key: pub("nobody"), hotkey: noHotkey}
		if !s.idle(&a) {
			t.Fatal("it stays anyway")
		}
		if needs(s, a.key); s.idle(&a) {
			t.Errorf("%s: it goes", name)
		}
	}
}
