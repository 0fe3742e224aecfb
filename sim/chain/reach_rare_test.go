package chain

import (
	"errors"
	"math/rand/v2"
	"testing"

	"taolab/sim/chain/consensus"
	"taolab/sim/chain/emission"
)

// stage is a small network on which a scene is played: neurons hot0, hot1 and so on of cold0, each
// with half the stake of the one before; free money on cold0 to cold3.
func stage(t testing.TB, neurons int, change func(*Genesis)) *world {
	p, err := Era("2026")
	if err != nil {
		t.Fatal(err)
	}
	p = p.Scaled(8)
	p.TempoBlocks, p.ImmunityBlocks, p.WeightsRateLimitBlocks = 10, 0, 0
	p.MinAllowedWeights, p.MinNonImmune, p.MaxRegistrationsPerBlock = 1, 0, 10
	p.AllowWork, p.MinDifficulty, p.Difficulty = true, 1, 1
	p.CommitReveal = false
	g := Genesis{ChainID: "stage", Params: p, Governor: who("governor").key}
	for i := range neurons {
		g.Neurons = append(g.Neurons, GenesisNeuron{hots[i].key, colds[0].key, (400 * RaoPerTAO) >> i})
	}
	for i := range 4 {
		g.Balances = append(g.Balances, Balance{colds[i].key, 100 * RaoPerTAO})
	}
	change(&g)
	s, err := New(g)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{Rand: rand.New(rand.NewPCG(1, 1)), t: t, s: s, seen: observed, check: func() {}}
	w.genesis = g
	return w
}

// do applies what must be accepted.
func (w *world) do(a actor, m Msg) {
	w.t.Helper()
	if err := w.try(a, m); err != nil {
		w.t.Fatalf("%s: %T: %v", a.name, m, err)
	}
}

// no applies what must be refused.
func (w *world) no(a actor, m Msg, code Code) {
	w.t.Helper()
	if err := w.try(a, m); !errors.Is(err, code) {
		w.t.Fatalf("%s: %T: %v, want %q", a.name, m, err, code)
	}
}

func (w *world) epoch() { w.toEpoch(0) }

func on(uid, value int, more ...int) SetWeights {
	m := SetWeights{UIDs: []uint16{uint16(uid)}, Values: []uint32{uint32(value)}}
	for i := 0; i+1 < len(more); i += 2 {
		m.UIDs, m.Values = append(m.UIDs, uint16(more[i])), append(m.Values, uint32(more[i+1]))
	}
	return m
}

func hidden(salt byte, m SetWeights) RevealWeights {
	return RevealWeights{Version: m.Version, UIDs: m.UIDs, Values: m.Values, Salt: [32]byte{salt}}
}

func commitTo(a actor, r RevealWeights) CommitWeights { return CommitWeights{CommitmentOf(a.key, r)} }

func set(name string, value uint64) SetParams { return SetParams{name, value} }

var (
	plain    = func(*Genesis) {}
	governor = who("governor")
)

// scenes meet the states that random histories rarely or never do.
var scenes = []struct {
	name  string
	meets []string
	play  func(t *testing.T)
}{
	{"a validator hides its weights", []string{
		"reveal too early", "reveal in time", "reveal past earlier commits", "commits full",
		"reveal of another",
	}, func(t *testing.T) {
		w := stage(t, 3, func(g *Genesis) { g.Params.CommitReveal, g.Params.RevealPeriodEpochs = true, 2 })
		w.epoch()
		a, first, second := hots[0], hidden(1, on(1, 5)), hidden(2, on(2, 5))
		w.do(a, commitTo(a, first))
		w.end(1)
		w.do(a, commitTo(a, second))
		w.epoch()
		w.no(a, second, RevealTooEarly)
		w.epoch()
		w.no(hots[1], second, UnknownCommit)
		w.do(a, second)
		w.no(a, first, UnknownCommit)
		for range 10 {
			w.do(a, commitTo(a, first))
		}
		w.no(a, commitTo(a, first), TooManyCommits)
	}},
	{"a commit is forgotten", []string{
		"expired commit", "reveal too late", "weights hidden midway",
	}, func(t *testing.T) {
		w := stage(t, 3, plain)
		w.epoch()
		w.do(hots[0], on(1, 5))
		w.do(governor, set("CommitReveal", 1))
		w.do(hots[0], commitTo(hots[0], hidden(1, on(2, 5))))
		for range 3 {
			w.epoch()
		}
		w.no(hots[0], hidden(1, on(2, 5)), RevealTooLate)
	}},
	{"a newcomer hides behind an old commit", []string{
		"commit masks a weight",
	}, func(t *testing.T) {
		w := stage(t, 2, func(g *Genesis) { g.Params.CommitReveal, g.Params.RevealPeriodEpochs = true, 2 })
		w.epoch()
		a, early, later := hots[0], hidden(1, on(1, 5, 2, 5)), hidden(2, on(1, 5))
		w.do(a, commitTo(a, early))
		w.epoch()
		w.do(a, commitTo(a, later))
		w.epoch()
		w.do(colds[1], Register{Hotkey: hots[5].key})
		w.do(a, early)
		w.end(1)
		w.do(a, commitTo(a, later))
		w.epoch()
	}},
	{"a full network and few who may go", []string{
		"few others", "no slot", "pruning tie by uid",
	}, func(t *testing.T) {
		w := stage(t, 8, func(g *Genesis) { g.Params.ImmunityBlocks, g.Params.MinNonImmune = 5, 7 })
		w.end(9)
		for i := range 2 {
			w.do(colds[0], Register{Hotkey: hots[8+i].key})
		}
		w.do(governor, set("MinNonImmune", 8))
		w.end(20)
		w.no(colds[0], Register{Hotkey: hots[11].key}, NoSlot)
	}},
	{"the last money goes into a slot", []string{
		"free at last", "coldkey emptied",
	}, func(t *testing.T) {
		w := stage(t, 1, func(g *Genesis) {
			p := &g.Params
			p.BurnRao, p.MinBurnRao, p.MaxBurnRao = 100*RaoPerTAO, 100*RaoPerTAO, 100*RaoPerTAO
		})
		w.do(colds[1], Register{hots[1].key, 100 * RaoPerTAO})
	}},
	{"nonces and expiries at their ends", []string{
		"last nonce", "expiry by one block", "nonce gap",
	}, func(t *testing.T) {
		w := stage(t, 1, plain)
		pay, id := Transfer{colds[0].key, 1}, "stage"
		w.do(colds[1], pay)
		for _, nonce := range []uint64{7, 1<<64 - 2} {
			if err := w.tryTx(Sign(id, colds[1].sign, nonce, 1, pay)); err != nil {
				t.Error(err)
			}
		}
		w.end(4)
		if err := w.tryTx(Sign(id, colds[2].sign, 0, 4, pay)); !errors.Is(err, Expired) {
			t.Error(err)
		}
	}},
	{"the cap is reached", []string{
		"last reward cut to the cap", "nothing left to mint",
	}, func(t *testing.T) {
		w := stage(t, 1, func(g *Genesis) {
			g.Params.Emission, g.Params.EmissionFlatRao = emission.Flat, RaoPerTAO
			g.IssuanceOffsetRao = g.Params.CapRao - 800*RaoPerTAO - RaoPerTAO*5/2
		})
		w.end(6)
	}},
	{"a halving comes and is put off", []string{
		"halving inside an epoch", "recycling postponed a halving",
	}, func(t *testing.T) {
		w := stage(t, 1, func(g *Genesis) {
			g.Params.TempoBlocks = 100
			g.IssuanceOffsetRao = 10_500_000*RaoPerTAO - 800*RaoPerTAO - 5*RaoPerTAO
		})
		w.end(3)
		w.do(colds[0], Recycle{20 * RaoPerTAO})
		w.end(50)
	}},
	{"one miner wins all but a trace", []string{
		"single winner", "single winner by a step less",
	}, func(t *testing.T) {
		w := stage(t, 3, func(g *Genesis) { g.Params.MaxValidators = 1 })
		w.epoch()
		w.do(hots[0], on(1, 65535, 2, 1))
		w.epoch()
		w.do(hots[0], on(1, 1))
		w.epoch()
	}},
	{"work under the rule of 2022", []string{
		"difficulty doubled", "difficulty halved", "difficulty at its floor",
		"difficulty at its ceiling", "nakamoto step", "nakamoto column pruned", "stake returned",
	}, func(t *testing.T) {
		w := stage(t, 0, func(g *Genesis) {
			p, err := Era("nakamoto-2022-03")
			if err != nil {
				t.Fatal(err)
			}
			p = p.Scaled(4)
			p.MinDifficulty, p.Difficulty, p.MaxDifficulty = 1, 1, 4
			p.AdjustmentIntervalBlocks, p.TargetRegistrations, p.MaxRegistrationsPerBlock = 4, 1, 10
			p.TempoBlocks, p.ImmunityBlocks, p.MaxWeightRatio = 6, 0, 0
			g.Params = p
		})
		join := func(i int) { w.do(hots[i], w.work(hots[i], colds[0], w.s.height)) }
		join(0)
		join(1)
		w.end(4)
		join(2)
		join(3)
		w.do(colds[0], AddStake{hots[0].key, 20 * RaoPerTAO})
		w.do(colds[0], AddStake{hots[3].key, 50 * RaoPerTAO})
		w.do(hots[0], on(1, 9, 2, 1))
		w.end(4)
		w.do(colds[0], RemoveStake{hots[2].key, w.stakeOf(hots[2]) - 1})
		join(4)
		w.end(30)
	}},
	{"proofs of work that fail", []string{
		"work used", "work too easy", "work for another", "work from the future",
		"work stale by one block", "work on the oldest block",
	}, func(t *testing.T) {
		w := stage(t, 1, func(g *Genesis) { g.Params.Difficulty = 4 })
		w.end(9)
		good := w.work(hots[1], colds[0], w.s.oldestWork())
		wrong := good
		wrong.Nonce++
		w.no(hots[1], wrong, WorkMismatch)
		w.no(hots[2], good, WorkMismatch)
		wrong = good
		wrong.Work = Digest{31: 255}
		w.no(hots[1], wrong, WorkTooEasy)
		wrong = good
		wrong.Block = w.s.height + 1
		w.no(hots[1], wrong, WorkFromFuture)
		wrong.Block = w.s.oldestWork() - 1
		w.no(hots[1], wrong, WorkStale)
		w.do(hots[1], good)
		w.no(hots[2], good, WorkUsed)
	}},
	{"a row loses its largest weight", []string{
		"largest weight replaced", "weights on the replaced",
	}, func(t *testing.T) {
		w := stage(t, 3, func(g *Genesis) {
			g.Params.MaxUIDs, g.Params.MaxWeight = 3, 65535
			g.Neurons[2].StakeRao = 0
		})
		w.epoch()
		w.do(hots[0], on(2, 65535, 1, 100))
		w.do(colds[1], Register{Hotkey: hots[7].key})
	}},
	{"a validator gives way", []string{
		"validator replaced", "bonds on the replaced", "hotkey back", "nominator stays through pruning",
		"recent neuron's bonds masked",
	}, func(t *testing.T) {
		w := stage(t, 3, func(g *Genesis) {
			g.Params.MaxUIDs, g.Params.MaxWeight, g.Params.MaxValidators = 3, 65535, 2
			g.Neurons[1].StakeRao = RaoPerTAO
			g.Neurons[2].StakeRao = 0
		})
		w.epoch()
		w.do(colds[0], Delegate{hots[1].key, 0})
		w.do(colds[1], AddStake{hots[1].key, 5})
		w.do(hots[0], on(1, 1, 2, 60000))
		w.do(hots[1], on(2, 1))
		w.epoch()
		w.do(colds[1], Register{Hotkey: hots[7].key})
		w.end(1)
		w.epoch()
		w.do(colds[0], Register{Hotkey: hots[1].key})
		w.do(hots[0], on(0, 1))
		w.epoch()
	}},
	{"nominators and what they leave", []string{
		"nominator's dust to the owner", "nominator paid", "nomination gone", "nominators full",
		"take raised", "take at the maximum", "take above a lowered maximum",
	}, func(t *testing.T) {
		w := stage(t, 2, func(g *Genesis) { g.Params.MaxNominators = 2 })
		a := hots[0].key
		w.do(colds[0], Delegate{a, 0})
		w.do(colds[1], AddStake{a, 100*RaoPerTAO - 7})
		w.do(colds[2], AddStake{a, 100*RaoPerTAO - 1})
		w.no(colds[3], AddStake{a, 1}, TooManyNominators)
		w.do(colds[0], RemoveStake{a, 400 * RaoPerTAO})
		w.epoch()
		w.do(colds[0], Delegate{a, w.s.params.MaxTake})
		w.do(colds[2], RemoveStake{a, w.s.View().NominationOf(a, colds[2].key)})
		w.do(governor, set("DefaultTake", 0))
		w.do(governor, set("MaxTake", 100))
		w.epoch()
	}},
	{"the owner is exempt", []string{
		"owner without a permit", "owner below the threshold", "owner's own weight",
		"stake at the threshold", "owner's cut",
	}, func(t *testing.T) {
		w := stage(t, 3, func(g *Genesis) {
			g.Owner, g.Params.OwnerCut = hots[2].key, 1000
			g.Params.MaxValidators, g.Params.StakeThresholdRao = 1, 200*RaoPerTAO
		})
		w.do(governor, set("StakeThresholdRao", 1))
		w.do(hots[2], on(0, 1, 2, 3))
		w.do(governor, set("StakeThresholdRao", 200*RaoPerTAO))
		w.epoch()
	}},
	{"governance moves what is there", []string{
		"tempo shortened past due", "epochs switched off", "more permits than allowed",
		"price moved by its bounds", "difficulty moved by its bounds", "parameter refused",
		"not the governor",
	}, func(t *testing.T) {
		w := stage(t, 4, func(g *Genesis) { g.Params.TempoBlocks, g.Params.MaxValidators = 30, 4 })
		w.end(40)
		w.do(governor, set("TempoBlocks", 5))
		w.end(1)
		w.do(governor, set("MaxValidators", 1))
		w.do(governor, set("MaxBurnRao", w.s.burnPriceRao-1))
		w.do(governor, set("MinDifficulty", 8))
		w.do(governor, set("TempoBlocks", 0))
		w.no(governor, set("BondsMovingAveragePPM", 1_000_001), ParameterTooHigh)
		w.no(colds[0], set("Kappa", 1), NotGovernor)
		w.end(9)
	}},
	{"bonds are reset", []string{
		"bonds reset", "bonds reset refused", "consensus key taken",
	}, func(t *testing.T) {
		w := stage(t, 3, plain)
		w.epoch()
		w.do(hots[0], on(2, 1))
		w.epoch()
		w.no(hots[2], ResetBonds{}, ResetNotAllowed)
		w.do(governor, set("BondsReset", 1))
		w.do(hots[2], ResetBonds{})
		w.do(hots[0], ServeConsensus{hots[9].key})
		w.no(hots[1], ServeConsensus{hots[9].key}, KeyTaken)
		w.do(hots[0], ServeConsensus{hots[9].key})
	}},
	{"bonds of unsorted weights are reset", []string{
		"bonds reset", "exponent saturated",
	}, func(t *testing.T) {
		w := stage(t, 4, func(g *Genesis) {
			p := &g.Params
			p.Rule, p.LiquidAlpha, p.AlphaSteepness, p.BondsReset = consensus.Yuma3, true, 32767, true
		})
		w.epoch()
		w.do(hots[0], on(3, 1, 2, 1, 1, 1))
		w.epoch()
		w.do(hots[2], ResetBonds{})
		for _, b := range w.s.View().Bonds(0) {
			if b.UID == 2 {
				t.Errorf("a bond of %d in the neuron that reset its bonds is still there", b.Bond)
			}
		}
	}},
	{"liquid alpha of 2025 at its ends", []string{
		"liquid alpha at its floor", "liquid alpha at its ceiling", "liquid alpha without spread",
	}, func(t *testing.T) {
		w := stage(t, 8, func(g *Genesis) {
			g.Params.Rule, g.Params.LiquidAlpha, g.Params.MaxValidators = consensus.Yuma2Liquid, true, 1
		})
		w.epoch()
		w.do(hots[0], on(1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7))
		w.epoch()
		w.do(hots[0], on(0, 1))
		w.epoch()
	}},
	{"weights at their limits", []string{
		"weights at the maximum", "weights above the maximum", "weights too few",
		"weights at the smallest number", "rate limit exact", "rate limit by one block",
		"first weights of genesis", "ratio above the maximum", "version too low",
		"weights without a permit", "weights of zero",
	}, func(t *testing.T) {
		w := stage(t, 4, func(g *Genesis) {
			p := &g.Params
			p.MaxUIDs, p.MaxWeight, p.MinAllowedWeights, p.WeightsVersion = 4, 16384, 4, 7
			p.MaxValidators, p.WeightsRateLimitBlocks, p.TempoBlocks = 2, 50, 3
		})
		w.epoch()
		even := SetWeights{7, []uint16{0, 1, 2, 3}, []uint32{9, 9, 9, 9}}
		old, uneven, few := even, even, even
		old.Version = 6
		uneven.Values = []uint32{9, 9, 9, 10}
		few.UIDs, few.Values = few.UIDs[:3], few.Values[:3]
		w.no(hots[0], old, VersionTooLow)
		w.no(hots[0], uneven, WeightAboveMaximum)
		w.no(hots[0], few, TooFewWeights)
		w.no(hots[3], even, NoPermit)
		w.do(hots[0], even)
		w.end(49)
		w.no(hots[0], even, RateLimited)
		w.end(1)
		w.do(hots[0], even)
		w.do(governor, set("MaxWeight", 65535))
		w.do(hots[1], SetWeights{7, even.UIDs, make([]uint32, 4)})
		w.do(governor, set("MaxWeightRatio", 10))
		w.end(50)
		w.no(hots[0], SetWeights{7, even.UIDs, []uint32{12, 1, 1, 1}}, RatioAboveMaximum)
	}},
	{"permits come and go", []string{
		"permit lost with bonds", "permit gained", "permit tie", "no permits",
	}, func(t *testing.T) {
		w := stage(t, 4, func(g *Genesis) {
			g.Params.MaxValidators = 1
			g.Neurons[1].StakeRao, g.Neurons[2].StakeRao = 50*RaoPerTAO, 50*RaoPerTAO
		})
		w.epoch()
		w.do(hots[0], on(3, 1))
		w.epoch()
		w.do(colds[0], RemoveStake{hots[0].key, w.stakeOf(hots[0])})
		w.do(colds[0], RemoveStake{hots[1].key, w.stakeOf(hots[1])})
		w.do(colds[0], RemoveStake{hots[2].key, w.stakeOf(hots[2])})
		w.do(colds[0], RemoveStake{hots[3].key, w.stakeOf(hots[3])})
		w.do(colds[0], AddStake{hots[1].key, 50 * RaoPerTAO})
		w.do(colds[0], AddStake{hots[2].key, 50 * RaoPerTAO})
		w.epoch()
	}},
	{"voters who disagree", []string{
		"median tie", "clipped weight", "clipped to nothing", "no majority",
		"partial penalty drops a zero", "weight of zero", "self-weight ignored",
	}, func(t *testing.T) {
		w := stage(t, 4, func(g *Genesis) {
			g.Params.MaxValidators, g.Params.BondsPenalty = 2, 30000
			g.Neurons[1].StakeRao = g.Neurons[0].StakeRao
		})
		w.epoch()
		w.do(hots[0], on(2, 9, 3, 1))
		w.do(hots[1], on(2, 1, 3, 0, 1, 2))
		w.epoch()
		w.do(governor, set("Kappa", 40000))
		w.epoch()
		w.do(hots[0], on(2, 1))
		w.do(hots[1], on(3, 1))
		w.epoch()
	}},
	{"silence up to the cutoff", []string{
		"active at the cutoff", "inactive by one block", "nobody active",
	}, func(t *testing.T) {
		w := stage(t, 2, func(g *Genesis) {
			p := &g.Params
			p.TempoBlocks, p.ActivityCutoffMilli, p.ActivityCutoffBlocks = 1, 0, 4
		})
		w.end(3)
		w.do(hots[0], on(1, 1))
		w.end(8)
	}},
	{"an interval with too many", []string{
		"interval full", "block full", "price at its ceiling", "price at its floor",
	}, func(t *testing.T) {
		w := stage(t, 1, func(g *Genesis) {
			p := &g.Params
			p.BurnRule, p.AdjustmentIntervalBlocks, p.TargetRegistrations = BurnByInterval, 10, 1
			p.MaxRegistrationsPerBlock = 2
			p.BurnRao, p.MinBurnRao, p.MaxBurnRao = RaoPerTAO, RaoPerTAO/2, RaoPerTAO*3/2
		})
		w.do(colds[0], Register{Hotkey: hots[1].key})
		w.do(colds[0], Register{Hotkey: hots[2].key})
		w.no(colds[0], Register{Hotkey: hots[3].key}, TooManyInBlock)
		w.end(1)
		w.do(colds[0], Register{Hotkey: hots[3].key})
		w.no(colds[0], Register{Hotkey: hots[4].key}, TooManyInInterval)
		w.end(100)
	}},
	{"a step of 2022 that nobody earns", []string{
		"nakamoto without incentive", "unallocated", "no neurons",
	}, func(t *testing.T) {
		p, err := Era("nakamoto-2022-03")
		if err != nil {
			t.Fatal(err)
		}
		w := stage(t, 2, func(g *Genesis) { g.Params = p.Scaled(4); g.Params.TempoBlocks = 3 })
		w.end(4)
		w = stage(t, 0, plain)
		w.epoch()
	}},
}

func TestRareStatesAreMet(t *testing.T) {
	for _, scene := range scenes {
		t.Run(scene.name, func(t *testing.T) {
			before := append([]int(nil), observed.count...)
			scene.play(t)
			for _, name := range scene.meets {
				i, ok := places[name]
				if !ok || observed.count[i] == before[i] {
					t.Errorf("%q was not met", name)
				}
			}
		})
	}
}
