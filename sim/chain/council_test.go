package chain

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"taolab/sim/chain/consensus"
	"taolab/sim/chain/emission"
)

// council is a network that cold0 to cold2 govern, two of whom have to agree.
func council(t testing.TB, change func(*Genesis)) *world {
	return stage(t, 4, func(g *Genesis) {
		g.Params.TempoBlocks, g.Params.MaxRegistrationsPerBlock = leastTempo, 10
		g.Params.Hard = Hard{VoteDelayBlocks: 60, MoneyDelayBlocks: 300, ParamEpochs: 2}
		g.Governor = Key{}
		g.Council = []Key{colds[0].key, colds[1].key, colds[2].key}
		g.Threshold = 2
		change(g)
	})
}

func asBefore(*Genesis) {}

// agree passes a proposal and waits until it is in force or dropped, which it returns.
func (w *world) agree(m Propose) bool {
	w.t.Helper()
	id := w.s.nextProposal
	w.do(colds[0], m)
	w.do(colds[1], Approve{ID: id})
	for range 50 {
		for _, e := range w.seen.advance(w.s, w.s.NextEvent()-w.s.height) {
			if d, ok := e.(Decided); ok && d.ID == id {
				return d.InForce
			}
		}
	}
	w.t.Fatalf("proposal %d was never decided", id)
	return false
}

func changing(name string, value uint64) Propose {
	return Propose{Changes: []ParamChange{{name, value}}}
}

func TestWhatACouncilAgreesOnComesAfterItsDelayAndAnEpochsEnd(t *testing.T) {
	w := council(t, asBefore)
	was := w.s.params.ImmunityBlocks
	w.do(colds[0], changing("ImmunityBlocks", 1))
	w.no(colds[0], changing("Kappa", uint64(w.s.params.Kappa)), ProposalOpen)
	w.no(colds[3], Approve{ID: 0}, NotCouncillor)
	w.no(colds[3], changing("Kappa", 32767), NotCouncillor)
	w.no(colds[0], Approve{ID: 0}, VotedAlready)
	w.no(colds[1], Approve{ID: 9}, UnknownProposal)
	w.epoch()
	w.epoch()
	if w.s.params.ImmunityBlocks != was {
		t.Error("one vote of three was enough")
	}
	w.end(5)
	w.do(colds[1], Approve{ID: 0})
	agreed := w.s.height + 1
	w.do(colds[1], Approve{0, true}) // and back
	w.do(colds[2], Approve{ID: 0})
	for w.s.params.ImmunityBlocks == was {
		w.end(1)
	}
	if w.s.height < agreed+60 || w.s.lastEpoch != w.s.height {
		t.Errorf("in force at %d, agreed at %d, last epoch %d", w.s.height, agreed, w.s.lastEpoch)
	}
	w.no(colds[1], changing("ImmunityBlocks", 9), ParameterTooHigh)
}

// A vote that is taken back ends the delay, which begins again when the votes are enough again.
func TestAVoteThatIsTakenBackEndsTheDelay(t *testing.T) {
	w := council(t, asBefore)
	was := w.s.params.ImmunityBlocks
	w.do(colds[0], changing("ImmunityBlocks", 1))
	w.do(colds[1], Approve{ID: 0})
	w.end(50)
	w.do(colds[1], Approve{0, true})
	w.no(colds[1], Approve{0, true}, VotedAlready)
	w.end(200)
	if w.s.params.ImmunityBlocks != was || w.s.proposals[0].agreedAt != 0 {
		t.Fatalf("one vote of three is enough: %+v", w.s.proposals[0])
	}
	w.do(colds[2], Approve{ID: 0})
	agreed := w.s.height + 1
	for w.s.params.ImmunityBlocks == was {
		w.end(1)
	}
	if w.s.height < agreed+60 {
		t.Errorf("in force at %d, agreed at %d", w.s.height, agreed)
	}
}

// The whole council tries each article, and what a step allows is refused only by the constitution.
func TestAWholeCouncilCannotBreakTheConstitution(t *testing.T) {
	type try struct {
		name   string
		change func(*Genesis)
		m      Propose
	}
	for _, c := range []try{
		{"CapRao", func(g *Genesis) { g.Params.CapRao = emission.SupplyRao * 9 / 10 }, changing("CapRao", emission.SupplyRao)},
		{"RewardRao", asBefore, changing("RewardRao", RaoPerTAO+1)},
		{"EmissionFlatRao", asBefore, changing("EmissionFlatRao", 1)},
		{"HalvingBlocks", asBefore, changing("HalvingBlocks", emission.EraBlocks+1)},
		{"OwnerCut", func(g *Genesis) { g.Params.OwnerCut = mostCut }, changing("OwnerCut", mostCut+1)},
		{"MaxTake", func(g *Genesis) { g.Params.MaxTake = mostCut }, changing("MaxTake", mostCut+1)},
		{"TempoBlocks", asBefore, changing("TempoBlocks", leastTempo-1)},
		{"AllowBurn", func(g *Genesis) { g.Params.AllowWork = false }, changing("AllowBurn", 0)},
		{"MaxRegistrationsPerBlock", func(g *Genesis) { g.Params.MaxRegistrationsPerBlock = 1 },
			changing("MaxRegistrationsPerBlock", 0)},
		{"StakeThresholdRao", func(g *Genesis) { g.Params.StakeThresholdRao = 15 * RaoPerTAO / 2 },
			changing("StakeThresholdRao", 9*RaoPerTAO)},
		{"MaxBurnRao", func(g *Genesis) { g.Params.MaxBurnRao = mostBurnRao }, changing("MaxBurnRao", mostBurnRao+1)},
	} {
		w := council(t, c.change)
		w.no(colds[0], c.m, Unconstitutional)
		if got := w.s.params; got != w.genesis.Params {
			t.Errorf("%s: a refused proposal changed parameters", c.name)
		}
		whole := constitution
		constitution = nil
		w.do(colds[0], c.m) // nothing else stands in the way
		constitution = whole
	}
	w := council(t, asBefore)
	w.no(colds[0], changing("BurnRao", 1), UnknownParameter)
	w.no(colds[0], Propose{}, ProposalMixed)
	w.no(colds[0], Propose{Members: []Key{colds[0].key, colds[1].key}, Threshold: 1}, CouncilImpossible)
	w.no(colds[0], Propose{Upgrade: Upgrade{1, 1000}}, RulesInForce)
	w.no(colds[0], Propose{Upgrade: Upgrade{2, 1}}, UpgradePast)
}

// A governor of an era mints the whole supply in one block. Thieves of a whole council mint what the
// curve has, to the rao, whatever they do.
func TestThievesOfACouncilMintNothing(t *testing.T) {
	w := stage(t, 2, asBefore)
	w.do(who("governor"), SetParams{"RewardRao", emission.SupplyRao - w.s.issuance()})
	before := w.s.Totals().Minted
	w.end(1)
	stolen := w.s.Totals().Minted - before
	t.Logf("a stolen governor's key mints %d rao in a block", stolen)
	if stolen < emission.SupplyRao/2 {
		t.Error("the attack fails on the ledger of an era")
	}
	honest, thieves := council(t, asBefore), council(t, asBefore)
	for _, g := range governables {
		have := g.value(&thieves.s.params)
		for _, v := range []uint64{have + have/3, have + 1, have - have/4} {
			if thieves.s.Fork().enact(changing(g.name, v)) == nil {
				thieves.agree(changing(g.name, v))
				break
			}
		}
	}
	honest.end(thieves.s.height - honest.s.height)
	gained := int64(thieves.s.Totals().Minted - honest.s.Totals().Minted)
	t.Logf("three stolen keys of three mint %d rao more than the curve in %d blocks", gained, honest.s.height)
	if gained > 0 {
		t.Errorf("%d rao more", gained)
	}
}

// Money, the council itself and upgrades wait longer than other parameters.
func TestMoneyCouncilAndUpgradesWaitLonger(t *testing.T) {
	for _, c := range []struct {
		m    Propose
		long bool
	}{
		{changing("Kappa", 30000), false},
		{changing("RewardRao", RaoPerTAO-1), true},
		{Propose{Changes: []ParamChange{{"Kappa", 30000}, {"RewardRao", RaoPerTAO - 1}}}, true},
		{Propose{Members: []Key{colds[3].key}, Threshold: 1}, true},
		{Propose{Upgrade: Upgrade{2, 10_000}}, true},
	} {
		w := council(t, asBefore)
		begun := w.s.height + 1
		if !w.agree(c.m) || (w.s.height >= begun+w.s.params.Hard.MoneyDelayBlocks) != c.long {
			t.Errorf("%+v: in force after %d blocks", c.m, w.s.height-begun)
		}
	}
}

func TestAParameterMovesInStepsOfAThirdEveryTwoEpochs(t *testing.T) {
	w := council(t, func(g *Genesis) { g.Params.ImmunityBlocks = 1200 })
	w.no(colds[0], changing("ImmunityBlocks", 1601), ParameterTooHigh)
	w.no(colds[0], changing("ImmunityBlocks", 899), ParameterTooLow)
	if !w.agree(changing("ImmunityBlocks", 1600)) {
		t.Fatal("a step was dropped")
	}
	first := w.s.epochs
	w.s.params.Hard.VoteDelayBlocks = 1 // so that only the steps wait
	*w.s.constants = w.s.params
	if !w.agree(changing("ImmunityBlocks", 1200)) || w.s.epochs != first+2 {
		t.Errorf("steps after %d and %d epochs", first, w.s.epochs)
	}
}

func TestACouncilGivesWayToAnother(t *testing.T) {
	w := council(t, asBefore)
	w.do(colds[2], changing("Kappa", 30000))
	if !w.agree(Propose{Members: []Key{colds[3].key}, Threshold: 1}) {
		t.Fatal("dropped")
	}
	if len(w.s.proposals) != 0 {
		t.Error("proposals of the old council are open")
	}
	w.no(colds[0], changing("Kappa", 30000), NotCouncillor)
	w.do(colds[3], changing("Kappa", 30000))
}

func TestAProposalThatNobodyAgreesOnExpires(t *testing.T) {
	w := council(t, asBefore)
	w.do(colds[0], changing("Kappa", 30000))
	w.end(proposalBlocks + 2*leastTempo)
	if len(w.s.proposals) != 0 {
		t.Errorf("%+v", w.s.proposals)
	}
}

// A ledger with the books of 2022 cannot take the step to yuma3, nor any beyond it.
func TestAnUpgradeThatDoesNotFitIsRefused(t *testing.T) {
	s := council(t, asBefore).s
	s.params.Rule = consensus.Nakamoto
	if err := s.mayUpgrade(Upgrade{2, 1000}); err != nil {
		t.Error(err)
	}
	for _, rules := range []uint32{3, 9} {
		wantCode(t, s.mayUpgrade(Upgrade{rules, 1000}), UpgradeImpossible)
	}
}

// TestAHistoryAcrossVersionsComesOutAsRecorded plays a network that goes from yuma2 to yuma3 by an upgrade.
func TestAHistoryAcrossVersionsComesOutAsRecorded(t *testing.T) {
	datadriven.RunTest(t, "testdata/upgrade", func(t *testing.T, d *datadriven.TestData) string {
		var b strings.Builder
		w := council(t, asBefore)
		tell := func() {
			fmt.Fprintf(&b, "block %d: rules %d, %s, %d bonds, dividends", w.s.height, w.s.rules, w.s.params.Rule, bondsOf(w.s))
			for uid := range UID(2) {
				fmt.Fprintf(&b, " %d", w.s.neurons.get(uid).dividends)
			}
			fmt.Fprintf(&b, ", %s\n", w.s.Digest())
		}
		w.epoch()
		w.do(hots[0], on(2, 3, 3, 1))
		w.do(hots[1], on(2, 1, 3, 1))
		w.epoch()
		w.epoch()
		tell()
		height := w.s.height + 500
		if !w.agree(Propose{Upgrade: Upgrade{3, height}}) {
			t.Fatal("the upgrade was dropped")
		}
		w.end(height - 1 - w.s.height)
		tell()
		again := decode(t, encode(t, w.s)) // between the two
		w.end(1)
		tell()
		again.EndBlock()
		if again.Digest() != w.s.Digest() {
			t.Error("a copy made between the versions went elsewhere")
		}
		w.epoch()
		tell()
		if w.s.params.Rule != consensus.Yuma3 {
			t.Errorf("the rule is %s", w.s.params.Rule)
		}
		return b.String()
	})
}

func bondsOf(s *State) (n int) {
	for uid := range UID(s.neurons.n) {
		n += len(s.neurons.get(uid).bonds)
	}
	return n
}

// A program that does not know the next rules has a whole state up to them, says what to install, and
// does not go on. One that knows them goes on from there.
func TestAProgramThatIsTooOldStopsBeforeTheUpgrade(t *testing.T) {
	w := council(t, func(g *Genesis) { g.Upgrade = Upgrade{3, 100} })
	all := rulesets
	rulesets = rulesets[:1]
	defer func() { rulesets = all }()
	w.s.Advance(99)
	err := w.s.Outdated()
	if err == nil || !strings.Contains(err.Error(), "version 3") || !strings.Contains(err.Error(), "install") {
		t.Fatalf("%v", err)
	}
	if func() (stopped bool) {
		defer func() { stopped = recover() != nil }()
		w.s.EndBlock()
		return
	}() == false {
		t.Error("it went on")
	}
	rulesets = all[:2]
	if w.s.Outdated() == nil {
		t.Error("a program that knows one version less goes on")
	}
	late := encode(t, w.s)
	rulesets = all[:3]
	if err := w.s.Outdated(); err != nil {
		t.Error(err)
	}
	rulesets = all
	s := decode(t, late)
	s.Advance(50)
	fresh := council(t, func(g *Genesis) { g.Upgrade = Upgrade{3, 100} }).s
	fresh.Advance(149)
	if s.Digest() != fresh.Digest() {
		t.Error("replaced late it is elsewhere")
	}
}

func TestAGenesisWithAnImpossibleGovernmentIsRefused(t *testing.T) {
	for _, c := range []struct {
		want   string
		change func(*Genesis)
	}{
		{"VoteDelayBlocks", func(g *Genesis) { g.Params.Hard.VoteDelayBlocks = 0 }},
		{"governor", func(g *Genesis) { g.Governor = colds[0].key }},
		{"threshold", func(g *Genesis) { g.Threshold = 1 }},
		{"constitution", func(g *Genesis) { g.Params.TempoBlocks = 10 }},
		{"upgrade", func(g *Genesis) { g.Upgrade = Upgrade{1, 50} }},
	} {
		g := council(t, asBefore).genesis
		c.change(&g)
		if _, err := New(g); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// richCouncil has two open proposals, a step and a plan.
func richCouncil(t testing.TB) *world {
	w := council(t, func(g *Genesis) { g.Upgrade, g.Params.CapRao = Upgrade{3, 100_000}, emission.SupplyRao-1 })
	w.agree(changing("Kappa", 30000))
	w.do(colds[0], changing("Rho", 9))
	w.do(colds[1], changing("Rho", 11))
	w.do(colds[2], Approve{ID: 2})
	if err := w.s.CheckInvariants(); err != nil {
		t.Fatal(err)
	}
	return w
}

// councilFaults break one invariant each, of a state or of two that follow each other.
var councilFaults = slices.Concat([]councilFault{
	{"council-governs-alone", func(s *State) { s.governor = colds[0].key }},
	{"council-governs-alone", func(s *State) { s.threshold = 1 }},
	{"council-governs-alone", func(s *State) { s.council = []Key{colds[0].key, colds[0].key, colds[1].key} }},
	{"proposals-open", func(s *State) { s.proposals[0].id = 2 }},
	{"proposals-open", func(s *State) { s.proposals[1].by = 0 }},
	{"proposals-open", func(s *State) { s.proposals[0].opened = s.height + 2 }},
	{"proposals-open", func(s *State) { s.nextProposal = 0 }},
	{"votes-of-members", func(s *State) { s.proposals[0].votes |= 1 << 3 }},
	{"votes-of-members", func(s *State) { s.proposals[1].agreedAt = 0 }},
	{"votes-of-members", func(s *State) { s.proposals[0].agreedAt = 1 }},
	{"steps-remembered", func(s *State) { s.steps[0].name = "Nothing" }},
	{"steps-remembered", func(s *State) { s.steps[0].epoch = s.epochs + 1 }},
	{"rules-known", func(s *State) { s.stored = 0 }},
	{"rules-known", func(s *State) { s.stored = 2 }},
	{"plan-ahead", func(s *State) { s.plan.Height = s.height }},
	{"plan-ahead", func(s *State) { s.plan.Rules = 1 }},
}, brokenArticles)

type councilFault struct {
	invariant string
	breaks    func(*State)
}

// brokenArticles break the constitution by what no transaction can do.
var brokenArticles = []councilFault{
	{"cap-never-rises", raised(func(p *Params) { p.CapRao = emission.SupplyRao })},
	{"reward-never-rises", raised(func(p *Params) { p.RewardRao++ })},
	{"flat-emission-never-rises", raised(func(p *Params) { p.EmissionFlatRao++ })},
	{"halvings-never-wait", raised(func(p *Params) { p.HalvingBlocks++ })},
	{"cuts-limited", raised(func(p *Params) { p.OwnerCut = mostCut + 1 })},
	{"cuts-limited", raised(func(p *Params) { p.MaxTake = mostCut + 1 })},
	{"tempo-limited", raised(func(p *Params) { p.TempoBlocks = leastTempo - 1 })},
	{"entry-open", raised(func(p *Params) { p.MaxRegistrationsPerBlock = 0 })},
	{"threshold-low", raised(func(p *Params) { p.StakeThresholdRao = 500 * RaoPerTAO })},
	{"price-limited", raised(func(p *Params) { p.MaxBurnRao = mostBurnRao + 1 })},
}

// raised changes parameters in the next block, where they may be others.
func raised(change func(*Params)) func(*State) {
	return func(s *State) {
		s.EndBlock()
		p := s.params
		change(&p)
		s.adopt(p)
	}
}
