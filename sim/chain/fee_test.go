package chain

import (
	"flag"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// FuzzThePriceOfWork compares the price after a block with the same in numbers of any size.
func FuzzThePriceOfWork(f *testing.F) {
	f.Add(uint64(1000), uint64(1000), uint16(8), uint64(400_000), uint64(400_000))
	f.Add(uint64(1), uint64(65536), uint16(1), uint64(1<<14), uint64(0))
	f.Add(uint64(1<<32), uint64(1<<48), uint16(65535), uint64(1<<40), uint64(1<<39+1))
	f.Fuzz(func(t *testing.T, fee, price uint64, rise uint16, most, used uint64) {
		fee = 1 + fee%maxFeeRao
		most = leastMaxBlock + most%(1<<40-leastMaxBlock+1)
		price, used = min(max(price, fee), dearest*fee), used%(most+1)
		h := Hard{FeeRao: fee, FeeRise: rise, MaxBlockWork: most}
		got := h.nextPrice(price, used)
		target := new(big.Int).SetUint64(most / 2)
		off := new(big.Int).Sub(new(big.Int).SetUint64(used), target)
		up := off.Sign()
		if off.Abs(off); off.Cmp(target) > 0 {
			off.Set(target)
		}
		want := new(big.Int).SetUint64(price)
		if up != 0 && rise != 0 {
			step := new(big.Int).Mul(want, off)
			step.Div(step, target).Div(step, big.NewInt(int64(rise)))
			if step.Sign() == 0 {
				step.SetInt64(1)
			}
			want.Add(want, step.Mul(step, big.NewInt(int64(up))))
		}
		if rise == 0 {
			want.SetUint64(fee)
		}
		lo, hi := new(big.Int).SetUint64(fee), new(big.Int).SetUint64(dearest*fee)
		if want.Cmp(lo) < 0 {
			want = lo
		}
		if want.Cmp(hi) > 0 {
			want = hi
		}
		if got != want.Uint64() {
			t.Errorf("price %d, %d of %d units used, rise %d: %d, want %d", price, used, most, rise, got, want)
		}
	})
}

// open is a network of n with fees in which everybody is rich and every row is full.
func open(t testing.TB, n int) *State {
	p, err := Era("2026")
	if err != nil {
		t.Fatal(err)
	}
	p = p.Scaled(n)
	p.MaxUIDs, p.MinNonImmune, p.ImmunityBlocks, p.BondsReset = uint16(n), 0, 0, true
	p.WeightsRateLimitBlocks, p.MinAllowedWeights, p.MaxBurnRao = 0, 1, p.MinBurnRao
	p.BurnRao, p.MaxValidators = p.MinBurnRao, uint16(n)
	p.Hard = Hard{FeeRao: 1, MaxBlockWork: 1 << 40, MaxBlockBytes: 1 << 30}
	g := Genesis{ChainID: "test", Params: p}
	for i := range n {
		hotkey, coldkey := numbered(uint64(2*i)), pub("cold0")
		if i < 2 {
			hotkey = pub([]string{"hot0", "hot1"}[i])
		}
		g.Neurons = append(g.Neurons, GenesisNeuron{hotkey, coldkey, RaoPerTAO})
	}
	for _, name := range []string{"cold0", "cold1"} {
		g.Balances = append(g.Balances, Balance{pub(name), 100_000 * RaoPerTAO})
	}
	s := mustNew(t, g)
	var row []WeightEntry
	var bonds []BondEntry
	for uid := range n {
		row = append(row, WeightEntry{UID: UID(uid), Weight: 65535})
		bonds = append(bonds, BondEntry{UID: UID(uid), Bond: 65535})
	}
	for uid := range UID(min(n, 64)) {
		s.setWeights(uid, row)
		s.setBonds(uid, bonds)
		s.neuron(uid).permit = true
	}
	return s
}

// A price above its floor falls in every block, also in those that end together.
func TestThePriceOfWorkFallsInManyBlocksAtOnceAsOneByOne(t *testing.T) {
	s := open(t, 4)
	s.params.TempoBlocks, s.params.Hard.FeeRise = 0, 8
	s.priceRao = 3000
	if s.Seal(); !s.pricesRest() {
		t.Fatal("the price of registrations moves, so that blocks end one by one anyway")
	}
	together := s.Fork()
	together.Advance(200)
	for range 200 {
		s.EndBlock()
	}
	if s.priceRao != 1 || s.Digest() != together.Digest() {
		t.Errorf("the price is %d one by one, %d together", s.priceRao, together.priceRao)
	}
}

// withCouncil lets cold0 to cold14 govern, with a proposal of each but cold0.
func withCouncil(s *State, _ int) {
	s.params.Hard.VoteDelayBlocks, s.params.TempoBlocks = 60, leastTempo
	s.rules, s.stored, s.threshold, s.council, s.proposals = 1, 1, maxCouncil, nil, nil
	for i := range maxCouncil {
		s.council = append(s.council, pub(fmt.Sprint("cold", i)))
		if i > 0 {
			s.proposals = append(s.proposals, proposal{
				id: uint64(i), by: uint8(i), opened: s.height + 1, votes: 1 << i, content: full(s),
			})
		}
	}
	s.proposals[6].votes &^= 1 << 1
	s.nextProposal = maxCouncil
}

// full is a proposal of as many parameters as fit, none of which moves.
func full(s *State) (m Propose) {
	for _, g := range governables {
		c := ParamChange{g.name, g.value(&s.params)}
		if len(m.Changes) < maxChanges && s.Fork().step(c) == nil {
			m.Changes = append(m.Changes, c)
		}
	}
	return m
}

var workWanted = flag.Bool("units", false, "measure what a unit of work costs, message by message")

// TestAUnitOfWorkCostsAlikeInEveryMessage measures transactions with their checks and the digest after
// them at 4,096 neurons: -units. No message may take more than three times as long a unit as a transfer.
func TestAUnitOfWorkCostsAlikeInEveryMessage(t *testing.T) {
	if !*workWanted {
		t.Skip("measures time; -units asks for it")
	}
	const n, rounds = 4096, 60
	row := func(entries int) (uids []uint16, values []uint32) {
		for i := range entries {
			uids, values = append(uids, uint16(i)), append(values, uint32(1+i))
		}
		return uids, values
	}
	few, fewValues := row(64)
	all, allValues := row(n)
	proposed := open(t, n)
	withCouncil(proposed, 0)
	proposal := full(proposed)
	var base float64
	for _, m := range []struct {
		name, signer string
		msg          func(i int) Msg
		prepare      func(s *State, i int) // before each; nil: nothing
	}{
		{"first transfer", "cold0", func(int) Msg { return Transfer{pub("cold1"), 1} }, nil},
		{"transfer", "cold0", func(int) Msg { return Transfer{pub("cold1"), 1} }, nil},
		{"transfer to a new key", "cold0", func(i int) Msg { return Transfer{numbered(uint64(1e6 + i)), 1} }, nil},
		{"add_stake", "cold0", func(int) Msg { return AddStake{pub("hot0"), 1} }, nil},
		{"remove_stake", "cold0", func(int) Msg { return RemoveStake{pub("hot0"), 1} }, nil},
		{"delegate", "cold0", func(i int) Msg { return Delegate{pub("hot0"), uint16(i)} }, nil},
		{"serve_axon", "hot0", func(i int) Msg { return ServeAxon{Axon: pub("axon"), Port: uint16(i)} }, nil},
		{"serve_consensus", "hot0", func(i int) Msg { return ServeConsensus{numbered(uint64(2e6 + i))} }, nil},
		{"set_weights of 64", "hot0", func(int) Msg { return SetWeights{UIDs: few, Values: fewValues} }, nil},
		{"set_weights of all", "hot0", func(int) Msg { return SetWeights{UIDs: all, Values: allValues} }, nil},
		{"register", "cold0", func(i int) Msg { return Register{Hotkey: numbered(uint64(3e6 + i))} }, nil},
		{"reset_bonds", "hot1", func(int) Msg { return ResetBonds{} }, nil},
		{"burn", "cold0", func(int) Msg { return Burn{1} }, nil},
		{"claim", "cold0", func(i int) Msg {
			return SignClaim("test", testKey(fmt.Sprint("claimed ", i)), pub("cold0"), 1)
		}, nil},
		{"prove_consensus", "hot0", func(i int) Msg {
			return SignConsensus("test", testKey(fmt.Sprint("engine ", i)), pub("hot0"), 1)
		}, nil},
		{"swap_hotkey", "cold0", func(i int) Msg {
			return SignSwap("test", testKey(fmt.Sprint("fresh ", i)), pub("cold0"), numbered(uint64(20+2*i)), 1)
		}, nil},
		{"commit_weights", "hot0", func(i int) Msg { return CommitWeights{Digest{byte(i)}} }, func(s *State, _ int) {
			s.params.CommitReveal = true
			s.neuron(0).commits = nil
		}},
		{"recycle", "cold0", func(int) Msg { return Recycle{1} }, nil},
		{"propose", "cold0", func(int) Msg { return changing("ImmunityBlocks", 1) }, withCouncil},
		{"propose all that fits", "cold0", func(int) Msg { return proposal }, withCouncil},
		{"propose an upgrade", "cold0", func(i int) Msg { return Propose{Upgrade: Upgrade{3, uint64(1000 + i)}} }, withCouncil},
		{"approve", "cold1", func(int) Msg { return Approve{ID: 7} }, withCouncil},
		{"unjail", "cold0", func(int) Msg { return Unjail{pub("hot0")} }, func(s *State, _ int) {
			s.params.Hard.Seats, s.params.Hard.JailWindow = 64, 300
			all := make([]operator, 64+waitersASeat*64)
			for i := range all {
				all[i] = operator{hotkey: s.neurons.get(UID(i)).hotkey, missed: make([]byte, s.windowBytes()), jailed: true}
			}
			slices.SortFunc(all, func(a, b operator) int { return compareKeys(a.hotkey, b.hotkey) })
			s.operators, s.operatorsAge = all, s.age
		}},
	} {
		s := open(t, n)
		switch m.msg(0).(type) {
		case Claim, ProveConsensus, SwapHotkey:
			s.params.Hard.Consent, s.params.Hard.HotSwapBlocks = true, 1
		}
		s.Seal()
		var units []float64 // nanoseconds of each
		var work uint64
		for i := range rounds {
			if m.prepare != nil {
				m.prepare(s, i)
				s.Seal()
			}
			msg, nonce := m.msg(i), s.Nonce(pub(m.signer))
			tx := SignPriced("test", testKey(m.signer), nonce, 1<<40, 1e9, 0, msg)
			begin := time.Now()
			r, err := s.Deliver(tx)
			if err != nil && work > 0 && err.(*Error).Code == BudgetSpent {
				break
			}
			if err != nil || r.Refusal != nil {
				t.Fatalf("%s: %v, %v", m.name, err, r.Refusal)
			}
			s.Seal()
			units = append(units, float64(time.Since(begin).Nanoseconds())/float64(r.Work))
			work += r.Work
		}
		slices.Sort(units)
		unit := units[len(units)/2]
		if m.name == "transfer" { // the first one warmed up
			base = unit
		}
		if base == 0 {
			continue
		}
		t.Logf("%-22s %6d units, %7.0f ns a unit, %.2f of a transfer's", m.name, work, unit, unit/base)
		if unit > 3*base {
			t.Errorf("%s: a unit takes %.0f ns, that of a transfer %.0f", m.name, unit, base)
		}
	}
}

// A thief of a hotkey can take from its owner in an epoch nothing above the budget, at most 16 times
// the least price.
func TestAStolenHotkeyDoesNotEmptyItsColdkey(t *testing.T) {
	s := open(t, 4)
	s.params.Hard.FeeRise = 8
	s.priceRao = dearest // the highest there is
	before := s.View().FreeOf(pub("cold0"))
	sent := 0
	for ; sent < 1000; sent++ {
		tx := SignPriced("test", testKey("hot0"), s.Nonce(pub("hot0")), 1<<40, 1e9, 0, ServeAxon{Axon: pub("axon")})
		if _, err := s.Deliver(tx); err != nil {
			if err.(*Error).Code != BudgetSpent {
				t.Fatal(err)
			}
			break
		}
	}
	lost := before - s.View().FreeOf(pub("cold0"))
	if sent < 100 || lost > hotkeyWork*hotkeyPrices || lost < hotkeyWork*hotkeyPrices*9/10 {
		t.Errorf("%d transactions took %d rao", sent, lost)
	}
	tip := SignPriced("test", testKey("hot1"), s.Nonce(pub("hot1")), 1<<40, 1e9, 1, ServeAxon{Axon: pub("axon")})
	if _, err := s.Deliver(tip); err == nil || err.(*Error).Code != TipByHotkey {
		t.Errorf("a tip of a hotkey: %v", err)
	}
}

// A refused transaction that pays changes nothing but money, nonce, budget and what the block remembers of
// it: whatever it was, a state that only collected its fee is the same.
func TestWhatIsRefusedOnlyPays(t *testing.T) {
	refused := 0
	for seed := range uint64(40) {
		w := newWorld(t, 7000+seed)
		w.genesis = drawEra(rand.New(rand.NewPCG(7000+seed, 2)))
		w.genesis.Params.Hard = Hard{
			FeeRao: 1000, FeeRise: 8, MaxBlockWork: leastMaxBlock, MaxBlockBytes: MaxTxBytes,
		}
		w.s = mustNew(t, w.genesis)
		w.run(80)
		s := mustNew(t, w.genesis)
		for _, st := range w.steps {
			if st.tx == nil {
				s.Advance(st.blocks)
				continue
			}
			only := s.Fork()
			c, err := only.admissible(*st.tx)
			quote := s.View().Quote(*st.tx)
			r, delivered := s.Deliver(*st.tx)
			if delivered == nil && (r.FeeRao != quote.FeeRao || r.Work != quote.Work || c.coldkey != quote.Payer) {
				t.Fatalf("seed %d: %+v, but quoted %+v", seed, r, quote)
			}
			if (err == nil) != (delivered == nil) {
				t.Fatalf("seed %d: %v, but %v", seed, err, delivered)
			}
			if err == nil {
				only.account(st.tx.Signer).nonce = st.tx.Nonce + 1
				only.collect(*st.tx, c)
				only.mixIn(*st.tx)
			}
			if (err != nil || r.Refusal != nil) && only.Digest() != s.Digest() {
				t.Fatalf("seed %d, %s: refused (%v, %v), and more changed than its fee", seed, st.kind, err, r.Refusal)
			}
			if r.Refusal != nil {
				refused++
			}
		}
	}
	if refused < 50 {
		t.Errorf("%d were refused and paid", refused)
	}
}
