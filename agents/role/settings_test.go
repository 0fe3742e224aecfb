package role

import (
	"math"
	"slices"
	"testing"

	"taolab/agents/mind"
	"taolab/agents/settings"
	"taolab/sim/chain"
	"taolab/sim/chain/registration"
)

// reported are the keys that a check finds fault with.
func reported(check func(Report)) (keys []string) {
	check(func(key, _, _, _ string) { keys = append(keys, key) })
	return keys
}

func TestMoreWorkThanTheMachineCanDoIsRefusedUnlessItIsGranted(t *testing.T) {
	for _, c := range []struct {
		seal    registration.Seal
		hashes  float64
		refused bool
	}{
		{registration.Keccak, WorkBudget, false}, {registration.Keccak, 1.001 * WorkBudget, true},
		{registration.SHA256, 2 * WorkBudget, true}, {registration.Granted, 1e6 * WorkBudget, false},
	} {
		p := &chain.Params{Seal: string(c.seal)}
		if got := reported(func(r Report) { CheckWork(p, c.hashes, r) }); (len(got) > 0) != c.refused {
			t.Errorf("%g hashes by %s: faults with %v", c.hashes, c.seal, got)
		}
	}
}

func TestWhatAnOwnerWantsIsCheckedTogether(t *testing.T) {
	miner := func(change func(*MinerWants)) []string {
		w := settings.Default[MinerWants]()
		w.EveryEpochs, w.MixRate = 1, 0.3
		change(&w)
		return reported(func(r Report) { w.Check("d", 4, r) })
	}
	validator := func(change func(*ValidatorWants)) []string {
		w := settings.Default[ValidatorWants]()
		change(&w)
		return reported(func(r Report) { w.Check("d", r) })
	}
	take := 0.1
	for name, c := range map[string]struct{ got, want []string }{ // order-free: each stands alone
		"a quarter for each of four":    {miner(func(w *MinerWants) { w.MixFloor = 0.25 }), []string{"d.mix_floor"}},
		"less than a quarter":           {miner(func(w *MinerWants) { w.MixFloor = 0.24 }), nil},
		"a floor of a mix that stays":   {miner(func(w *MinerWants) { w.MixFloor, w.MixRate = 0.5, 0 }), nil},
		"keys where nobody decides":     {miner(func(w *MinerWants) { w.EveryEpochs = 0 }), []string{"d.every_epochs"}},
		"nothing at all":                {miner(func(w *MinerWants) { w.EveryEpochs, w.MixRate = 0, 0 }), nil},
		"a step without a take":         {validator(func(w *ValidatorWants) { w.EveryEpochs, w.TakeStep = 1, 0.01 }), []string{"d.take_step"}},
		"a step with one":               {validator(func(w *ValidatorWants) { w.EveryEpochs, w.TakeStep, w.Take = 1, 0.01, &take }), nil},
		"a validator who decides never": {validator(func(w *ValidatorWants) { w.Sell = 1 }), []string{"d.every_epochs"}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: faults with %v, want %v", name, c.got, c.want)
		}
	}
}

// A miner that names subsets may never learn others; one that names none begins with all.
func TestAMinerLearnsTheSubsetsThatItNames(t *testing.T) {
	m := &Maker{Material: &Material{}, Stated: &mind.Subsets{Names: []string{"sea", "law", "math"}, Weights: []float64{1, 1, 2}}}
	for _, c := range []struct {
		subsets []string
		mix     []float64
		start   []float64
		from    []uint64
	}{
		{nil, nil, []float64{0.25, 0.25, 0.5}, []uint64{0, 0, 0}},
		{[]string{"math", "sea"}, nil, []float64{1.0 / 3, 0, 2.0 / 3}, []uint64{0, math.MaxUint64, 0}},
		{[]string{"math", "sea"}, []float64{1, 3}, []float64{0.75, 0, 0.25}, []uint64{0, math.MaxUint64, 0}},
	} {
		_, start, from := m.learnable(&Miner{Subsets: c.subsets, Mix: c.mix})
		near := func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }
		if !slices.EqualFunc(start, c.start, near) || !slices.Equal(from, c.from) {
			t.Errorf("subsets %v, mix %v: begins with %v from %v, want %v from %v", c.subsets, c.mix, start, from, c.start, c.from)
		}
	}
}

func TestATimeHasComeWithTheFirstBlockNotBeforeIt(t *testing.T) {
	for _, c := range []struct {
		hours   float64
		genesis uint64
		want    uint64
	}{{1, 0, 300}, {0.0001, 7, 8}, {0, 7, 7}} {
		if got := block(c.hours, 12, c.genesis); got != c.want {
			t.Errorf("%g h after block %d: block %d, want %d", c.hours, c.genesis, got, c.want)
		}
	}
}

func TestSharesReachAllOfTheirRange(t *testing.T) {
	for x, want := range map[float64]uint64{0: 0, 0.5: 1 << 63, 1: 1<<64 - 1} { // order-free: each stands alone
		if got := share64(x); got != want {
			t.Errorf("share %g is %d, want %d", x, got, want)
		}
	}
}

// A difficulty that a table sets moves the bounds of the era that it lies beyond, and no others.
func TestADifficultyMovesTheBoundsThatItLiesBeyond(t *testing.T) {
	for set, want := range map[uint64][2]uint64{50: {50, 1000}, 500: {100, 1000}, 5000: {100, 5000}} { // order-free: each stands alone
		p := &chain.Params{Difficulty: 200, MinDifficulty: 100, MaxDifficulty: 1000}
		(&Registration{Difficulty: &set}).override(p)
		if p.Difficulty != set || p.MinDifficulty != want[0] || p.MaxDifficulty != want[1] {
			t.Errorf("difficulty %d within %d and %d, want %d within %v", p.Difficulty, p.MinDifficulty, p.MaxDifficulty, set, want)
		}
	}
}

func TestTheScoringLaneReachesEveryTargetOnceBetweenWeights(t *testing.T) {
	three := 3
	for _, c := range []struct {
		change  func(*Validator)
		targets int
		want    int
	}{
		{func(g *Validator) {}, 100, 8},                                 // uniform: all peers are scored
		{func(g *Validator) { g.Routing = "gated" }, 90, 3},             // 30 steps of 24 s in 60 blocks of 12 s
		{func(g *Validator) { g.Routing = "gated" }, 91, 4},             // one target more
		{func(g *Validator) { g.Routing = "gated" }, 10, 2},             // at least 2
		{func(g *Validator) { g.Routing = "gated" }, 1000, 7},           // a peer is left to the service lane
		{func(g *Validator) { g.Routing, g.Peers = "gated", 1 }, 10, 1}, // but one is scored
		{func(g *Validator) { g.Routing, g.ScorePeers = "gated", &three }, 1000, 3},
	} {
		g := settings.Default[Validator]()
		c.change(&g)
		if got := g.Scored(c.targets, 12); got != c.want {
			t.Errorf("%s routing to %d of %d peers: %d are scored, want %d", g.Routing, g.Peers, c.targets, got, c.want)
		}
	}
}

func TestParametersThatContradictEachOtherAreRefused(t *testing.T) {
	c := settings.Default[Chain]()
	c.Era = "2026"
	p, err := c.Params(10, 6)
	if err != nil || p.MaxValidators != 4 {
		t.Fatalf("%d validators of 10 neurons with 6 miners, %v", p.MaxValidators, err)
	}
	for _, k := range []struct {
		weight  uint16
		targets int
		fits    bool
	}{{13107, 5, true}, {13106, 5, false}, {65535, 1, true}} {
		p.MaxWeight = k.weight
		if err := c.fit(&p, k.targets); (err == nil) != k.fits {
			t.Errorf("a weight of %d at most for each of %d: %v", k.weight, k.targets, err)
		}
	}
	p.MaxWeight, p.Hard.VoteDelayBlocks = 65535, 10
	for threshold, fits := range map[uint64]bool{1: false, 2: false, 3: true, 4: true, 5: false} { // order-free: each stands alone
		c.Council, c.CouncilThreshold = make([]string, 4), threshold
		if err := c.fit(&p, 6); (err == nil) != fits {
			t.Errorf("%d of a council of 4: %v", threshold, err)
		}
	}
}

func TestKeysThatChangeNothingAreReported(t *testing.T) {
	one := uint64(1)
	c := settings.Default[Chain]()
	c.MinNonImmune, c.RevealPeriod = &one, &one
	for _, k := range []struct {
		params chain.Params
		want   []string
	}{
		{chain.Params{PruneBy: chain.PruneByScore}, []string{"chain.reveal_period_epochs", "chain.min_non_immune"}},
		{chain.Params{PruneBy: chain.PruneByEmission, CommitReveal: true}, nil},
	} {
		if got := reported(func(r Report) { c.Idle(&k.params, r) }); !slices.Equal(got, k.want) {
			t.Errorf("%+v: keys %v are reported, want %v", k.params, got, k.want)
		}
	}
}

func TestSourcesAreAppendedInTheOrderOfTheirTimesAndOnce(t *testing.T) {
	source := func(atH float64, subset string) Appended {
		a := settings.Default[Appended]()
		a.AtH, a.Subsets = atH, []string{subset}
		return a
	}
	for _, c := range []struct {
		list []Appended
		want []string
	}{
		{[]Appended{source(1, "EuroParl"), source(1, "Ubuntu IRC")}, nil},
		{[]Appended{source(2, "EuroParl"), source(1, "Ubuntu IRC")}, []string{"corpus.append[1].at_h"}},
		{[]Appended{source(1, "EuroParl"), source(2, "EuroParl")}, []string{"corpus.append[1].subsets"}},
		{[]Appended{source(1, "Github")}, []string{"corpus.append[0].subsets"}},
	} {
		corpus := settings.Default[Corpus]()
		corpus.Subsets, corpus.Append = []string{"Github"}, c.list
		if got := reported(corpus.checkAppended); !slices.Equal(got, c.want) {
			t.Errorf("%+v: faults with %v, want %v", c.list, got, c.want)
		}
	}
}

func TestAValidatorGivesUpBeforeItsNextStep(t *testing.T) {
	for timeout, want := range map[float64][]string{24: nil, 25: {"v.timeout_s"}} { // order-free: each stands alone
		g := settings.Default[Validator]()
		g.StepS, g.TimeoutS = 24, timeout
		if got := reported(func(r Report) { g.Check("v", 512, nil, r) }); !slices.Equal(got, want) {
			t.Errorf("%g s in a step of %g: faults with %v, want %v", timeout, g.StepS, got, want)
		}
	}
}

func TestAMixHasAShareForEachSubsetAndOneAboveZero(t *testing.T) {
	two := []string{"sea", "law"}
	for _, c := range []struct {
		shares []float64
		fits   bool
	}{{nil, true}, {[]float64{0, 1}, true}, {[]float64{0, 0}, false}, {[]float64{1}, false}, {[]float64{-1, 2}, false}, {[]float64{math.NaN(), 1}, false}} {
		if got := reported(func(r Report) { checkMix("m", two, c.shares, r) }); (len(got) == 0) != c.fits {
			t.Errorf("shares %v: faults with %v", c.shares, got)
		}
	}
}
