package chain

import (
	"errors"
	"testing"

	"taolab/sim/chain/consensus"
)

// rich is a state in the middle of a block that has everything that the invariants are about.
func rich(t testing.TB) *State {
	w := stage(t, 4, func(g *Genesis) {
		g.Params.RevealPeriodEpochs = 2
		g.Params.MaxTake = 20000
	})
	w.epoch()
	w.do(hots[0], on(1, 1, 2, 9))
	w.do(hots[1], on(2, 1, 3, 5))
	w.epoch()
	w.do(colds[0], Delegate{hots[0].key, 100})
	w.do(colds[1], AddStake{hots[0].key, 7})
	w.do(colds[2], AddStake{hots[0].key, 9})
	w.do(hots[0], ServeConsensus{hots[9].key})
	w.do(hots[1], ServeConsensus{hots[10].key})
	w.do(governor, set("CommitReveal", 1))
	w.do(hots[0], commitTo(hots[0], hidden(1, on(1, 1))))
	w.do(hots[0], commitTo(hots[0], hidden(2, on(2, 1))))
	w.do(colds[0], Register{Hotkey: hots[4].key})
	w.do(hots[5], w.work(hots[5], colds[0], w.s.height))
	w.do(hots[6], w.work(hots[6], colds[0], w.s.height))
	if err := w.s.CheckInvariants(); err != nil {
		t.Fatal(err)
	}
	return w.s
}

// faults break one invariant each, which must be the first that is found broken.
var faults = []struct {
	invariant string
	breaks    func(s *State)
}{
	{"money-conserved", func(s *State) { s.money.Dust++ }},
	{"money-conserved", func(s *State) { s.money.Dust += 1<<64 - 1 }},
	{"free-adds-up", func(s *State) { s.account(colds[1].key).freeRao++ }},
	{"free-adds-up", func(s *State) { s.account(colds[1].key).freeRao = 1<<64 - 1 }},
	{"staked-adds-up", func(s *State) { s.hotkey(hots[1].key).stakeRao-- }},
	{"recycled-was-burned", func(s *State) { s.money.Recycled = s.money.Burned + 1 }},
	{"supply-capped", func(s *State) { s.issuanceOffset = s.params.CapRao }},
	{"supply-capped", func(s *State) { s.issuanceOffset = 1<<64 - 1 }},
	{"parameters-valid", func(s *State) { s.params.MaxUIDs = 0 }},
	{"parameters-valid", func(s *State) { s.params.Kappa++ }}, // views would show another
	{"parameters-valid", func(s *State) { s.decayQ32++ }},
	{"accounts-ordered", func(s *State) { s.account(colds[1].key).key[0]++ }},
	{"accounts-ordered", func(s *State) { s.accounts.root.count++ }},
	{"accounts-ordered", func(s *State) { s.accounts.root.children[0].count++ }},
	{"nonces-of-their-time", func(s *State) {
		p := s.params
		p.Hard.StrictNonce = true
		s.params, s.constants = p, &p
		s.account(colds[1].key).nonce = (s.height + 2) << 20
	}},
	{"fees-bounded", func(s *State) { s.priceRao = 1 }},
	{"fees-bounded", func(s *State) { s.resets = []UID{1, 1} }},
	{"fees-bounded", func(s *State) { costly(s); s.priceRao = 999 }},
	{"fees-bounded", func(s *State) { costly(s); s.workUsed = 1 << 20 }},
	{"fees-bounded", func(s *State) { costly(s); s.bytesUsed = 1 << 30 }},
	{"budgets-kept", func(s *State) { s.hotkey(hots[0].key).spentIn = s.epochs + 2 }},
	{"budgets-kept", func(s *State) { s.hotkey(hots[0].key).spent = 1 }},
	{"zero-key-empty", func(s *State) { s.account(Key{}) }},
	{"stake-owned", func(s *State) { s.hotkey(colds[5].key).delegate = true }},
	{"stake-owned", func(s *State) { s.hotkey(hots[1].key).owner = Key{} }},
	{"nominations-covered", func(s *State) { s.hotkey(hots[0].key).nominations[0].stakeRao = 1 << 62 }},
	{"stake-settled-before", func(s *State) { s.hotkey(hots[0].key).changedIn = s.epochs + 2 }},
	{"stake-settled-before", func(s *State) { s.hotkey(hots[1].key).settledRao = 1 }},
	{"nominations-ordered", func(s *State) {
		n := s.hotkey(hots[0].key).nominations
		n[0], n[1] = n[1], n[0]
	}},
	{"nominations-ordered", func(s *State) { s.hotkey(hots[0].key).nominations[1].stakeRao = 0 }},
	{"nominations-ordered", func(s *State) { s.hotkey(hots[0].key).owner = colds[1].key }},
	{"nominations-ordered", func(s *State) {
		s.hotkey(hots[0].key).nominations = make([]nomination, maxNominations+1)
	}},
	{"nominations-on-delegates", func(s *State) { s.hotkey(hots[0].key).delegate = false }},
	{"nominations-on-delegates", func(s *State) { s.hotkey(hots[1].key).take = 1 }},
	{"slots-limited", func(s *State) {
		s.params.MaxUIDs, s.params.MaxWeight = 6, 65535
		*s.constants = s.params
	}},
	{"slots-limited", func(s *State) { s.neurons.pages = append(s.neurons.pages, &page{}) }},
	{"index-names-slots", func(s *State) { s.neuron(2).hotkey = hots[1].key }}, // one hotkey, two slots
	{"index-names-slots", func(s *State) { s.neurons.index[0].uid++ }},
	{"index-names-slots", func(s *State) { s.neurons.index = s.neurons.index[1:] }},
	{"index-names-slots", func(s *State) { s.neurons.get(1).path[0]++ }},
	{"index-names-slots", func(s *State) {
		x := s.neurons.index
		x[0], x[1] = x[1], x[0]
	}},
	{"neurons-owned", func(s *State) {
		a := s.hotkey(hots[6].key)
		if a.stakeRao > 0 {
			panic("this one has no stake")
		}
		a.owner = Key{}
	}},
	{"neurons-of-the-past", func(s *State) { s.neuron(1).lastUpdate = s.height + 2 }},
	{"neurons-of-the-past", func(s *State) { s.neuron(4).registeredAt++ }},
	{"consensus-keys-unique", func(s *State) { s.neuron(1).consensusKey = hots[9].key }},
	{"price-bounded", func(s *State) { s.burnPriceRao = s.params.MaxBurnRao + 1 }},
	{"difficulty-bounded", func(s *State) { s.difficulty = 0 }},
	{"events-of-the-open-block", func(s *State) { s.inBlock++ }},
	{"events-of-the-open-block", func(s *State) { s.events = s.events[1:] }},
	{"events-of-the-open-block", func(s *State) { s.events[0] = Registered{Block: s.height} }},
	{"works-remembered", func(s *State) { s.works[0].block = s.height + 1 }},
	{"works-remembered", func(s *State) { s.works[0].block = s.oldestWork() - 1 }},
	{"works-remembered", func(s *State) { s.works[1] = s.works[0] }},
	{"commits-ordered", func(s *State) { s.neuron(0).commits[1].block-- }},
	{"commits-ordered", func(s *State) { s.neuron(0).commits[1].block = s.height + 2 }},
	{"commits-ordered", func(s *State) { s.neuron(0).commits = make([]commit, maxCommits+1) }},
	{"weights-on-neurons", func(s *State) { s.setWeights(2, []WeightEntry{{UID: 7, Weight: 65535}}) }},
	{"weights-on-neurons", func(s *State) {
		s.setWeights(2, []WeightEntry{{UID: 1, Weight: 65535}, {UID: 1, Weight: 9}})
	}},
	{"weights-scaled", func(s *State) {
		s.setWeights(2, []WeightEntry{{UID: 1, Weight: 65534}, {UID: 2, Weight: 9}})
	}},
	{"weights-scaled", func(s *State) { s.setWeights(2, []WeightEntry{{UID: 1, Weight: 65536}}) }},
	{"bonds-on-neurons", func(s *State) { s.setBonds(0, []BondEntry{{UID: 7, Bond: 1}}) }},
	{"bonds-on-neurons", func(s *State) {
		s.setBonds(0, []BondEntry{{UID: 2, Bond: 1}, {UID: 1, Bond: 1}})
	}},
	{"bonds-in-range", func(s *State) { s.setBonds(0, []BondEntry{{UID: 2, Bond: 65536}}) }},
	{"bonds-of-validators", func(s *State) { s.setBonds(3, []BondEntry{{UID: 2, Bond: 1}}) }},
	{"nakamoto-alone", func(s *State) { s.neuron(3).pruned = true }},
	{"nakamoto-alone", func(s *State) { s.neuron(3).wide.rank = 1 }},
	{"incentives-share-one", func(s *State) { s.neuron(0).incentive = 65535 }},
	{"dividends-share-one", func(s *State) { s.neuron(3).dividends = 65535 }},
	{"stake-weights-share-one", func(s *State) { s.neuron(3).stakeWeight = 65535 }},
	{"payments-were-minted", func(s *State) { s.neuron(3).emissionRao = s.money.Minted }},
	{"payments-were-minted", func(s *State) { s.neuron(3).emissionRao = 1<<64 - 1 }},
	{"epochs-counted", func(s *State) { s.epochs = 0 }},
	{"epochs-counted", func(s *State) { s.lastEpoch = s.height + 1 }},
	{"epochs-counted", func(s *State) { s.epochs = s.lastEpoch + 1 }},
	{"bytes-read-back", func(s *State) { s.owner = colds[11].key }},                       // is not a hotkey
	{"digest-current", func(s *State) { s.Seal(); s.neurons.get(0).axon[0]++ }},           // untouched
	{"digest-current", func(s *State) { s.Seal(); s.behind(colds[1].key).nonce++ }},       // untouched
	{"digest-current", func(s *State) { s.Seal(); s.neurons.get(0).weights[0].Weight-- }}, // in place
	{"digest-current", func(s *State) { s.Seal(); s.behind(hots[0].key).take++ }},
	{"digest-current", func(s *State) {
		h := s.hotkey(hots[0].key)
		h.changedIn = 1
		s.Seal()
		s.hotkey(hots[0].key).nominations[0].settledRao++ // in place
	}},
}

// costly makes work cost something.
func costly(s *State) {
	p := s.params
	p.Hard = Hard{FeeRao: 1000, FeeRise: 8, MaxBlockWork: 400_000, MaxBlockBytes: 1 << 20}
	s.params, s.constants, s.priceRao = p, &p, 1000
}

// behind is the account of a key, for a change behind the ledger's back.
func (s *State) behind(k Key) *account {
	p := pathOf(k)
	return s.accounts.find(&k, &p)
}

func TestEachInvariantIsBrokenByItsFault(t *testing.T) {
	broken := map[string]bool{}
	for i, f := range faults {
		s := rich(t)
		f.breaks(s)
		var found *BrokenInvariant
		if err := s.CheckInvariants(); !errors.As(err, &found) || found.Name != f.invariant {
			t.Errorf("fault %d: %v, want %s", i, err, f.invariant)
		}
		broken[f.invariant] = true
	}
	for i, f := range seatFaults {
		s := richSeats(t)
		f.breaks(s)
		var found *BrokenInvariant
		if err := s.CheckInvariants(); !errors.As(err, &found) || found.Name != f.invariant {
			t.Errorf("fault %d of seats: %v, want %s", i, err, f.invariant)
		}
		broken[f.invariant] = true
	}
	for i, f := range councilFaults {
		s := richCouncil(t).s
		w := s.Watch()
		f.breaks(s)
		var found *BrokenInvariant
		err := s.CheckInvariants()
		if err == nil {
			err = w.Check(s)
		}
		if !errors.As(err, &found) || found.Name != f.invariant {
			t.Errorf("fault %d of councils: %v, want %s", i, err, f.invariant)
		}
		broken[f.invariant] = true
	}
	for i, f := range depositFaults {
		s := richDeposits(t)
		w := s.Watch()
		f.breaks(s)
		var found *BrokenInvariant
		err := s.CheckInvariants()
		if err == nil {
			err = w.Check(s)
		}
		if !errors.As(err, &found) || found.Name != f.invariant {
			t.Errorf("fault %d of deposits: %v, want %s", i, err, f.invariant)
		}
		broken[f.invariant] = true
	}
	for i, f := range stepFaults {
		s := rich(t)
		w := s.Watch()
		f.breaks(s)
		var found *BrokenInvariant
		if err := w.Check(s); !errors.As(err, &found) || found.Name != f.invariant {
			t.Errorf("fault %d between states: %v, want %s", i, err, f.invariant)
		}
		broken[f.invariant] = true
	}
	for _, in := range Invariants() {
		if !broken[in.Name] {
			t.Errorf("no fault breaks %s", in.Name)
		}
		if len(in.Doc) < 20 || (in.state == nil) == (in.step == nil) {
			t.Errorf("%s: %+v", in.Name, in)
		}
	}
	if n := len(Invariants()); n < 20 {
		t.Errorf("%d invariants", n)
	}
}

// stepFaults change a state in a way in which no transaction and no block does.
var stepFaults = []struct {
	invariant string
	breaks    func(s *State)
}{
	{"constitution-kept", func(s *State) { s.params.Rule = consensus.Yuma3 }},
	{"constitution-kept", func(s *State) { s.chainID = "other" }},
	{"time-passes", func(s *State) { s.height-- }},
	{"time-passes", func(s *State) { s.epochs-- }},
	{"minted-by-blocks", func(s *State) { s.money.Minted++ }},
	{"minted-by-blocks", func(s *State) { s.height++; s.money.Minted-- }},
	{"pending-until-the-epoch", func(s *State) { s.money.Pending-- }},
	{"pending-until-the-epoch", func(s *State) { s.EndBlock(); s.epochs++; s.money.Pending += 1 << 40 }},
	{"sinks-keep", func(s *State) { s.money.Dust-- }},
	{"sinks-keep", func(s *State) { s.money.Burned++ }},
	{"accounts-go-on", func(s *State) { s.account(colds[1].key).nonce-- }},
	{"accounts-go-on", func(s *State) { s.hotkey(hots[1].key).owner = colds[1].key }},
	{"takes-limited", func(s *State) { s.hotkey(hots[0].key).take = 20001 }},
	{"takes-limited", func(s *State) { s.hotkey(hots[0].key).delegate = false }},
	{"slots-go-on", func(s *State) { s.ownNeurons().n-- }},
	{"slots-go-on", func(s *State) { s.neuron(3).hotkey = hots[11].key }},
	{"slots-go-on", func(s *State) { s.neuron(4).registeredAt-- }},
	{"permits-limited", func(s *State) {
		s.Advance(s.NextEvent() - s.height)
		for uid := range UID(s.neurons.n) {
			s.neuron(uid).permit = true
		}
	}},
	{"registrations-limited", func(s *State) { s.inBlock += 8 }},
	{"registrations-limited", func(s *State) {
		p := &s.params
		p.BurnRule, p.TargetRegistrations, p.AdjustmentIntervalBlocks = BurnByInterval, 1, 10
		s.inBlock, s.burnsInterval = s.inBlock+1, 4
	}},
	{"nothing-by-itself", func(s *State) { s.neuron(1).port++ }},
	{"nothing-by-itself", func(s *State) { s.mix[0]++ }},
}

// The rule of 2022 keeps other books.
func TestTheInvariantsOfNakamotoAreBrokenByTheirFaults(t *testing.T) {
	for i, f := range []struct {
		invariant string
		breaks    func(s *State)
	}{
		{"weights-scaled", func(s *State) {
			s.setWeights(0, []WeightEntry{{UID: 0, Weight: 1<<32 - 1}, {UID: 1, Weight: 1}})
		}},
		{"bonds-in-range", func(s *State) { s.setBonds(0, []BondEntry{{UID: 1, Bond: 0}}) }},
		{"nakamoto-alone", func(s *State) { s.neuron(0).incentive ^= 1 }},
		{"nakamoto-alone", func(s *State) { s.neuron(0).dividends ^= 1 }},
		{"nakamoto-alone", func(s *State) { s.neuron(0).pruned = true }},
	} {
		p, err := Era("nakamoto-2022-03")
		if err != nil {
			t.Fatal(err)
		}
		w := stage(t, 2, func(g *Genesis) { g.Params = p.Scaled(4) })
		w.do(hots[0], on(0, 1, 1, 9))
		w.epoch()
		if err := w.s.CheckInvariants(); err != nil {
			t.Fatal(err)
		}
		f.breaks(w.s)
		var found *BrokenInvariant
		if err := w.s.CheckInvariants(); !errors.As(err, &found) || found.Name != f.invariant {
			t.Errorf("fault %d: %v, want %s", i, err, f.invariant)
		}
	}
}

func TestAWatchPassesWhatHappensRightly(t *testing.T) {
	s := rich(t)
	w := s.Watch()
	s.Advance(100)
	if err := w.Check(s); err != nil {
		t.Error(err)
	}
	if err := s.Apply(Tx{}); err == nil {
		t.Error("an empty transaction was applied")
	}
	if err := w.Check(decode(t, encode(t, s))); err != nil {
		t.Errorf("a copy: %v", err)
	}
}
