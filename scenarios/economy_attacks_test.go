package scenarios

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/virtual"
)

// meanIncentive is the mean incentive of a group's members over the epochs from one on.
func (r *economyRun) meanIncentive(group string, from int) float64 {
	sum, n := 0.0, 0
	for _, rows := range r.epochs[from:] {
		for _, row := range rows {
			if r.nodes[*row.Node].Group == group {
				sum, n = sum+float64(row.Incentive), n+1
			}
		}
	}
	return sum / float64(n)
}

// bestIncentive is the same of the one member that has most.
func (r *economyRun) bestIncentive(group string, from int) (best float64) {
	sums := map[uint32]float64{}
	for _, rows := range r.epochs[from:] {
		for _, row := range rows {
			if r.nodes[*row.Node].Group == group {
				sums[*row.Node] += float64(row.Incentive) / float64(len(r.epochs)-from)
			}
		}
	}
	for _, x := range sums { // order-free: the largest
		best = math.Max(best, x)
	}
	return best
}

// What is nominated grows under a take that is raised for the epoch's block only as under one that always stands.
func TestATakeThatIsShownLaterIsPaidAsIfItAlwaysStood(t *testing.T) {
	nominated := func(sets ...string) uint64 {
		r := runEconomy(t, "bait", nil, sets...)
		return r.world.Chain().NominationOf(hot("delegate-1"), cold("nominator-1"))
	}
	if got := tao(nominated()); math.Abs(got-447.2455) > 1e-4 {
		t.Errorf("100 TAO next to as many of a delegate that baits became %.5f in ten epochs, want 447.2455", got)
	}
	// A validator that decides on a take opens an epoch later, and the nominator comes when the second has paid.
	later := []string{"holders[0].every_epochs=4", "validators[0].behaviour=scripted", "validators[0].decide.every_epochs=1", "validators[0].decide.take=0.18"}
	bait, always, never := nominated(later[0]), nominated(later...), nominated(append(later, "validators[0].decide.take=0")...)
	t.Logf("100 TAO next to 200 became %.4f with bait, %.4f under a take of 18 %%, %.4f under none", tao(bait), tao(always), tao(never))
	if bait != always || never < always+always/10 {
		t.Errorf("with bait %d rao, want the %d under the same take all the time, and well below the %d under none", bait, always, never)
	}
}

func TestDustFillsADelegatesListUnlessTheLeastNominationIsMore(t *testing.T) {
	for _, c := range []struct {
		sets          []string
		dust, nominee int
	}{
		{nil, 1024, 0},
		{[]string{"chain.hard.min_nomination_rao=2000000"}, 0, 3},
	} {
		r := runEconomy(t, "dust", nil, c.sets...)
		dust, rich := 0, 0
		held := uint64(0)
		for i := range 1024 {
			if rao := r.world.Chain().NominationOf(hot("delegate-1"), cold(fmt.Sprint("dust-", i+1))); rao > 0 {
				dust, held = dust+1, held+rao
			}
		}
		for i := range 3 {
			if r.world.Chain().NominationOf(hot("delegate-1"), cold(fmt.Sprint("patron-", i+1))) >= 90*chain.RaoPerTAO {
				rich++
			}
		}
		t.Logf("%v: %d nominations of dust hold %d rao, %d of 3 nominators with 100 TAO are in", c.sets, dust, held, rich)
		if dust != c.dust || rich != c.nominee {
			t.Errorf("%v: %d nominations of dust and %d of 3 with money, want %d and %d", c.sets, dust, rich, c.dust, c.nominee)
		}
	}
}

// A relay is as good as its victim, until that asks for a second between two requests, or for stake.
func TestARelaySellsTheBestMinersAnswersUntilThatMinerWantsStake(t *testing.T) {
	for _, c := range []struct {
		minStake, interval string
		low, high          float64
	}{{"0", "0", 0.95, 1.05}, {"0", "1", 0.5, 0.8}, {"10", "0", 0, 0.05}} {
		r := runEconomy(t, "relay", nil, "miners[0].min_stake_tao="+c.minStake, "miners[0].min_interval_s="+c.interval)
		ratio := r.meanIncentive("relay", 40) / r.bestIncentive("miner", 40)
		t.Logf("miners that want %s TAO of stake and %s s between two requests: a relay earns %.3f of its victim", c.minStake, c.interval, ratio)
		if ratio < c.low || ratio > c.high {
			t.Errorf("want %g to %g", c.low, c.high)
		}
	}
}

func TestSkippingCostsWhatItSkipsAndCoastingMore(t *testing.T) {
	r := runEconomy(t, "slack", nil)
	honest := r.meanIncentive("miner", 20)
	skipping, coasting := r.meanIncentive("skipping", 20)/honest, r.meanIncentive("coasting", 20)/honest
	t.Logf("of an honest miner's incentive: skipping %.3f, coasting %.3f", skipping, coasting)
	if math.Abs(skipping-0.7) > 0.07 || coasting > 0.7 || coasting < 0.45 {
		t.Error("want 0.7 within 0.07 for skipping three of ten; and 0.45 to 0.7 for half of the time, which the average stretches")
	}
}

// Where weights are clipped, a validator that puts all on one miner gives it no more than the others do: it only takes
// its own stake's part from the rest.
func TestAConfederateGainsNoMoreThanItsValidatorWithholdsWhereWeightsAreClipped(t *testing.T) {
	for _, c := range []struct {
		rule  string
		share float64 // of the stake that its validator has
	}{{"Y2", 0.3}, {"Y3", 0.3}, {"Y3", 0.15}, {"N", 0.3}} {
		stake := fmt.Sprintf("validators[0].stake_tao=%.0f", 70000*c.share/(1-c.share))
		earned := func(sets ...string) (sum float64) {
			r := under(t, c.rule, "confederate", append(sets, stake)...)
			for epoch := 10; epoch < len(r.epochs); epoch++ {
				sum += r.share(epoch, "confederate")
			}
			return sum
		}
		ratio, most := earned()/earned("miners[0].behaviour=honest"), 1/(1-c.share)
		t.Logf("%s: with %g %% of the stake behind it a miner earns %.3f times what it is worth; withheld is %.3f", c.rule, 100*c.share, ratio, most)
		if c.rule == "N" && ratio < 2*most || c.rule != "N" && (ratio > 1.01*most || ratio < 1.05) {
			t.Errorf("%s: want more than twice of what is withheld under nakamoto, and else no more than that", c.rule)
		}
	}
}

func TestAttackersSurviveBytes(t *testing.T) {
	for name, hours := range map[string]int{"relay": 6, "bait": 3, "slack": 6, "confederate": 3} { // order-free: each stands alone
		digest := func(at host.Time) string {
			file, err := Load("testdata/economy/"+name+".toml", []string{fmt.Sprint("time.hours=", hours)})
			if err != nil {
				t.Fatal(err)
			}
			network, err := file.Build(&Material{}, Options{RoundTripAt: at})
			if err != nil {
				t.Fatal(err)
			}
			world, err := virtual.New(network.Config)
			if err != nil {
				t.Fatal(err)
			}
			if err := world.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			return world.Digest().String()
		}
		if straight, through := digest(0), digest(8000*host.Second); straight != through {
			t.Errorf("%s: run digest %s with states sent through bytes, %s without", name, through, straight)
		}
	}
}

func TestAnAttackWithNothingToActOnIsRefused(t *testing.T) {
	for name, set := range map[string]string{ // order-free: each stands alone
		"testdata/economy/relay.toml": "miners[1].behaviour=forger", "testdata/forged.toml": "miners[1].behaviour=confederate",
	} {
		if _, err := Load(name, []string{set}); err == nil || !strings.Contains(err.Error(), "acts on") {
			t.Errorf("%s in %s: %v", set, name, err)
		}
	}
}

// A validator that goes on committing and reveals nothing keeps its row of before the miners changed, and its seat
// among the active; its dividends fall, and do not end as those of one that fell silent.
func TestWhoCommitsAndNeverRevealsIsPaidLessButNotNothing(t *testing.T) {
	hidden := []string{"chain.commit_reveal=true", "validators[1].weights=[\"1000 * pick(step < 20, j + 1, 16 - j)\"]", "validators[1].last_epoch=1000"}
	for _, rule := range []string{"Y2", "Y3"} {
		hides := under(t, rule, "dormant", append(hidden, "validators[1].behaviour=hiding")...)
		reveals := under(t, rule, "dormant", hidden...)
		last := warmUp + 75
		after, before := hides.gain("dormant-1", warmUp+24, last), hides.gain("dormant-1", warmUp+10, warmUp+19)
		honest := reveals.gain("dormant-1", warmUp+24, last)
		t.Logf("%s: %.3f of the others' dividends per stake before the change, %.3f after it; one that reveals has %.3f", rule, before, after, honest)
		if before < 0.99 || after > 0.85 || after < 0.3 || honest < 0.99 || honest > 1.01 {
			t.Errorf("%s: want 1 before, 0.3 to 0.85 after, and 1 for one that reveals", rule)
		}
	}
}
