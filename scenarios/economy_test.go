package scenarios

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"taolab/model/base"
	"taolab/report"
	"taolab/sim/chain/consensus"
	"taolab/sim/trace"
	"taolab/sim/virtual"
)

// economyRun keeps the numbers that a test of economics needs: the earnings of each node in each epoch.
type economyRun struct {
	nodes  []trace.Node
	epochs [][]trace.Epoch // by number, then uid
	rows   map[trace.Table]int

	transactions []trace.Transaction
	blocks       []trace.Block
	digests      []string // of blocks, where they have one
	world        *virtual.World
}

// Record implements trace.Recorder.
func (r *economyRun) Record(row trace.Row) {
	r.rows[row.Table()]++
	switch row := row.(type) {
	case trace.Node:
		r.nodes = append(r.nodes, row)
	case trace.Transaction:
		r.transactions = append(r.transactions, row)
	case trace.Block:
		r.blocks = append(r.blocks, row)
		if row.Digest != nil {
			r.digests = append(r.digests, *row.Digest)
		}
	case trace.Epoch:
		for len(r.epochs) <= int(row.Epoch) {
			r.epochs = append(r.epochs, nil)
		}
		r.epochs[row.Epoch] = append(r.epochs[row.Epoch], row)
	}
}

// runEconomy runs a scenario of testdata/economy in a folder without a cache.
func runEconomy(t testing.TB, name string, adjust func(*virtual.Config), sets ...string) *economyRun {
	t.Helper()
	file, err := Load("testdata/economy/"+name+".toml", sets)
	if err != nil {
		t.Fatal(err)
	}
	return runFile(t, file, adjust)
}

func runFile(t testing.TB, file *File, adjust func(*virtual.Config)) *economyRun {
	t.Helper()
	material, err := file.Prepare(context.Background(), base.Cache{Dir: "/nonexistent"}, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &economyRun{rows: map[trace.Table]int{}}
	network, err := file.Build(material, Options{Workers: 1, Recorder: r})
	if err != nil {
		t.Fatal(err)
	}
	if adjust != nil {
		adjust(&network.Config)
	}
	if r.world, err = virtual.New(network.Config); err != nil {
		t.Fatal(err)
	}
	if err := r.world.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return r
}

// yields are what each validator earned from one epoch to another, by its stake at genesis.
func (r *economyRun) yields(from, to int) map[string]float64 {
	yields := map[string]float64{}
	for e := from; e <= to; e++ {
		for _, row := range r.epochs[e] {
			if n := r.nodes[*row.Node]; n.Role == report.KindValidator {
				yields[n.Name] += float64(row.EmissionRao) / float64(n.StakeRao)
			}
		}
	}
	return yields
}

// gain is a validator's yield over the median of the others': G of the spec.
func (r *economyRun) gain(name string, from, to int) float64 {
	yields := r.yields(from, to)
	own := yields[name]
	delete(yields, name)
	others := slices.Sorted(maps.Values(yields))
	n := len(others)
	return own / ((others[n/2] + others[(n-1)/2]) / 2)
}

// share is what groups got of all that was paid in an epoch.
func (r *economyRun) share(epoch int, groups ...string) float64 {
	part, all := 0.0, 0.0
	for _, row := range r.epochs[epoch] {
		all += float64(row.EmissionRao)
		if slices.Contains(groups, r.nodes[*row.Node].Group) {
			part += float64(row.EmissionRao)
		}
	}
	return part / all
}

// incentive is that of one node in an epoch: in 16 bits, or as paid under nakamoto, which keeps more.
func (r *economyRun) incentive(epoch int, name string) float64 {
	for _, row := range r.epochs[epoch] {
		if r.nodes[*row.Node].Name == name {
			if r.world.Chain().Params().Rule == consensus.Nakamoto {
				return float64(row.EmissionRao)
			}
			return float64(row.Incentive)
		}
	}
	return 0
}

// same4 compares numbers to four digits behind the point, as tables print them.
func same4(t *testing.T, what string, got, want float64) {
	t.Helper()
	tolerance := 0.5001e-4
	if strings.HasPrefix(what, "N") { // the table's values come from floats
		tolerance = 0.6e-4
	}
	if math.Abs(got-want) > tolerance {
		t.Errorf("%s: %.6f, expected %.4f", what, got, want)
	}
}

// rules are the overrides that give a network one of the rules of the spec's tables.
var rules = map[string][]string{
	"Y2":  {"chain.rule=yuma2"},
	"Y3":  {"chain.rule=yuma3"},
	"L25": {"chain.rule=yuma2-liquid", "chain.liquid_alpha=true"},
	"Y3L": {"chain.rule=yuma3", "chain.liquid_alpha=true"},
	"N":   {"chain.era=nakamoto-2022-10", "chain.tempo_blocks=100", "chain.rule=nakamoto"},
}

// under runs a scenario of testdata/economy under a rule of the tables.
func under(t *testing.T, rule, name string, sets ...string) *economyRun {
	t.Helper()
	return runEconomy(t, name, nil, append(slices.Clone(rules[rule]), sets...)...)
}

// warmUp is the number of epochs before the first one in the tables: long enough that a validator that sets no
// weights counts as inactive from the beginning of the tables.
const warmUp = 20

func TestACopierOfTheConsensusGainsOnlyWithoutALag(t *testing.T) {
	for _, c := range []struct {
		rule        string
		period, lag int
		want        float64
	}{
		{"Y2", 4, 0, 1.0425}, {"Y2", 4, 1, .9273}, {"Y2", 4, 4, .7670}, {"Y2", 16, 4, .9071},
		{"Y3", 4, 0, 1.0420}, {"Y3", 4, 1, .9269}, {"Y3", 4, 4, .7112}, {"Y3", 16, 8, .8097},
		{"L25", 4, 1, .9395}, {"Y3L", 4, 4, .7290},
		{"N", 4, 0, 1}, {"N", 4, 1, .9765}, {"N", 4, 2, .9598}, {"N", 4, 8, .9435}, {"N", 16, 4, .9465},
	} {
		sum := 0.0
		for seed := 1; seed <= 5; seed++ {
			r := under(t, c.rule, "copy", fmt.Sprintf("seed=%d", seed), fmt.Sprintf("validators[1].lag_epochs=%d", c.lag),
				fmt.Sprintf(`validators[0].weights=["(1000 + draw(15001, seed, 1, j, (step + j) / %d)) * (1000 + draw(401, seed, 2, i, j, step) - 200) / 1000"]`, c.period))
			sum += r.gain("copier-1", warmUp+20, warmUp+79)
		}
		same4(t, fmt.Sprintf("%s, period %d, lag %d", c.rule, c.period, c.lag), sum/5, c.want)
	}
}

func TestACabalBelowKappaLosesUnderYumaAndGainsUnderNakamoto(t *testing.T) {
	for _, c := range []struct {
		rule           string
		stake, utility float64 // the cabal's stake, and the honest rows' weight on honest miners
		want           float64
	}{
		{"Y2", .4, .5, .4375}, {"Y2", .4, .6, .3684}, {"Y2", .4, .7, .2917}, {"Y2", .4, .8, .2059},
		{"Y2", .1, .7, .1774}, {"Y2", .3, .7, .2468}, {"Y2", .49, .7, .3402}, {"Y2", .4999, .7, .3461},
		{"Y2", .5001, .7, .8847}, {"Y2", .51, .7, .8881}, {"Y2", .6, .7, .9167},
		{"Y3", .4, .7, .2917}, {"Y3", .1, .7, .1733}, {"Y3", .3, .7, .2415}, {"Y3", .49, .7, .3501},
		{"Y3", .4999, .7, .3575}, {"Y3", .5001, .7, .8847}, {"Y3", .51, .7, .8882},
		{"N", .4, .5, .5973}, {"N", .4, .7, .5511}, {"N", .1, .7, .2367}, {"N", .3, .7, .4288}, {"N", .49, .7, .6812},
		{"N", .4999, .7, .6958}, {"N", .5001, .7, .6961}, {"N", .6, .7, .8293},
	} {
		r := under(t, c.rule, "cabal",
			fmt.Sprintf("validators[0].stake_tao=%.6f", 1e6*(1-c.stake)/6), fmt.Sprintf("validators[1].stake_tao=%.6f", 1e6*c.stake/4),
			fmt.Sprintf(`validators[0].weights=["good: %d", "friend: %d"]`, int(c.utility*180000+.5), int((1-c.utility)*300000+.5)))
		same4(t, fmt.Sprintf("%s, stake %g, utility %g", c.rule, c.stake, c.utility), r.share(warmUp+60, "friend", "cabal"), c.want)
	}
}

func TestADormantValidatorLivesOnOldBondsUnderYuma2Only(t *testing.T) {
	for rule, want := range map[string]map[int]float64{
		"Y2":  {19: 1, 20: .9503, 21: .9061, 25: .7724, 30: .6710, 32: .6437, 33: .5625, 34: .5022, 38: .3215},
		"L25": {20: .5741, 25: .5294, 33: .0660, 34: .0099, 38: 0},
		"Y3":  {19: 1, 20: .8098, 21: .7335, 25: .6184, 30: .5718, 32: .5620, 33: 0, 38: 0},
		"Y3L": {20: .5743, 21: .5410, 32: .5294, 33: 0},
		"N":   {19: 1, 20: .8402, 21: .7864, 25: .7487, 30: .7882, 68: .7768, 70: .7617, 75: .7368},
	} {
		// Under nakamoto the table's validator is inactive from step 68 on, as with a cutoff a step shorter.
		r := under(t, rule, "dormant", map[bool]string{true: "chain.activity_cutoff_blocks=4900", false: "chain.activity_cutoff_blocks=5000"}[rule == "N"])
		for epoch, g := range want {
			same4(t, fmt.Sprintf("%s, epoch %d", rule, epoch), r.gain("dormant-1", warmUp+epoch, warmUp+epoch), g)
		}
	}
}

func TestABribeCostsTheSellerMoreThanItBringsExceptUnderNakamoto(t *testing.T) {
	for _, c := range []struct {
		rule                 string
		stake, miner, seller float64
	}{
		{"Y2", .1, 1.0205, .8125}, {"Y2", .3, 1.0640, .8125}, {"Y2", .49, 1.1087, .8125}, {"Y2", .51, 3.1627, 1.2308},
		{"Y3", .1, 1.0205, .8124}, {"Y3", .3, 1.0640, .8129}, {"Y3", .49, 1.1087, .8134}, {"Y3", .51, 3.1627, 1.4191},
		{"N", .1, 1.3265, 1}, {"N", .3, 2.0213, 1}, {"N", .49, 2.7384, 1}, {"N", .51, 2.8174, 1},
	} {
		r := under(t, c.rule, "bribe", fmt.Sprintf("validators[0].stake_tao=%.6f", 1e7*c.stake), fmt.Sprintf("validators[1].stake_tao=%.6f", 1e7*(1-c.stake)/9))
		what := fmt.Sprintf("%s, stake %g: ", c.rule, c.stake)
		same4(t, what+"miner", r.incentive(warmUp+60, "buyer-1")/r.incentive(warmUp+60, "miner-1"), c.miner)
		same4(t, what+"seller", r.gain("seller-1", warmUp+60, warmUp+60), c.seller)
	}
}

func TestAnEarlyFinderIsPaidOnlyBelowTheFullPenalty(t *testing.T) {
	for _, c := range []struct {
		rule    string
		penalty string
		lead    int
		want    float64
	}{
		{"Y2", "0", 1, 1.9865}, {"Y2", "0", 5, 1.9338}, {"Y2", "0", 10, 1.8513},
		{"Y2", "1", 1, .9927}, {"Y2", "1", 5, .9587}, {"Y2", "1", 10, .9084},
		{"Y3", "0", 1, 1.0228}, {"Y3", "0", 5, 1.0659}, {"Y3", "0.50000763", 1, 1.0072}, {"Y3", "0.50000763", 10, .9889},
		{"Y3", "1", 1, .9908}, {"Y3", "1", 10, .8966}, {"Y3L", "0", 5, .9420}, {"Y3L", "1", 5, .9354}, {"L25", "1", 5, .9346},
		{"N", "", 1, 1.0231}, {"N", "", 5, 1.0676}, {"N", "", 10, 1.0666},
	} {
		sets := []string{fmt.Sprintf(`validators[1].weights=["1000", "star: pick(step < %d, none, 15000)"]`, 30+c.lead)}
		if c.penalty != "" {
			sets = append(sets, "chain.bonds_penalty="+c.penalty)
		}
		r := under(t, c.rule, "finder", sets...)
		same4(t, fmt.Sprintf("%s, penalty %s, lead %d", c.rule, c.penalty, c.lead), r.gain("finder-1", warmUp+30, warmUp+69), c.want)
	}
}

func TestDustThatFindsFirstOwnsTheBondsBelowTheFullPenalty(t *testing.T) {
	for _, c := range []struct {
		rule, penalty string
		gain, share   float64
	}{
		{"Y2", "0.99998", 100.676, .11178}, {"Y2", "0", 100.676, .11178}, {"Y2", "1", .990, .00124}, {"Y3", "0", 1.024, .00128}, {"Y3", "1", .991, .00124},
	} {
		r := under(t, c.rule, "finder", "chain.bonds_penalty="+c.penalty, "validators[0].stake_tao=10000", "validators[1].count=8")
		if g := r.gain("finder-1", warmUp+30, warmUp+69); math.Abs(g-c.gain) > .6e-3 {
			t.Errorf("%s, penalty %s: G %.4f, expected %.3f", c.rule, c.penalty, g, c.gain)
		}
		own, all := 0.0, 0.0
		for name, y := range r.yields(warmUp+30, warmUp+69) {
			stake := 1e6
			if name == "finder-1" {
				stake = 1e4
				own = y * stake
			}
			all += y * stake
		}
		if share := own / all; math.Abs(share-c.share) > .5001e-5 {
			t.Errorf("%s, penalty %s: share of dividends %.6f, expected %.5f", c.rule, c.penalty, share, c.share)
		}
	}
}

func TestAMinerThatAnswersSomeValidatorsEarnsLess(t *testing.T) {
	for rule, want := range map[string]map[int]float64{
		"Y2": {19: .9501, 18: .9, 15: .75, 12: .6, 11: .5498, 10: .4837, 9: 0, 5: 0},
		"Y3": {19: .9501, 15: .75, 10: .4837, 9: 0},
		"N":  {19: .9428, 18: .8839, 15: .6863, 12: .4301, 11: .3346, 10: .2436, 9: .1650, 5: .0182},
	} {
		for asked, ratio := range want {
			r := under(t, rule, "selective", fmt.Sprintf(`validators[0].weights=["1000", "choosy: pick(i < %d, 1000, none)"]`, asked))
			same4(t, fmt.Sprintf("%s, answers %d of 20", rule, asked), r.incentive(warmUp+4, "choosy-1")/r.incentive(warmUp+4, "miner-1"), ratio)
		}
	}
}

func TestThePenaltyThatPunishesLateCopiersPaysThePunctualOne(t *testing.T) {
	for _, c := range []struct {
		rule, penalty string
		lag           int
		want          float64
	}{
		{"Y2", "0", 0, .9999}, {"Y2", "0.50000763", 0, 1.0207}, {"Y2", "1", 0, 1.0427}, {"Y3", "0", 0, 1.0001}, {"Y3", "1", 0, 1.0417},
		{"Y2", "0", 1, 1.0155}, {"Y2", "0.50000763", 1, .9729}, {"Y2", "1", 1, .9133}, {"Y3", "0", 1, .9739}, {"Y3", "1", 1, .9212},
	} {
		sum := 0.0
		for seed := 1; seed <= 3; seed++ {
			r := under(t, c.rule, "copy", fmt.Sprintf("seed=%d", seed), fmt.Sprintf("validators[1].lag_epochs=%d", c.lag), "chain.bonds_penalty="+c.penalty)
			sum += r.gain("copier-1", warmUp+20, warmUp+59)
		}
		same4(t, fmt.Sprintf("%s, penalty %s, lag %d", c.rule, c.penalty, c.lag), sum/3, c.want)
	}
}

func TestACabalGainsLessTheLargerThePenalty(t *testing.T) {
	for rule, want := range map[string]map[string]float64{
		"Y2": {"0": .3520, "0.50000763": .3314, "1": .2917}, "Y3": {"0": .3521, "0.50000763": .3315, "1": .2917},
	} {
		for penalty, share := range want {
			r := under(t, rule, "cabal", "chain.bonds_penalty="+penalty, "validators[0].stake_tao=100000", "validators[1].stake_tao=100000")
			same4(t, rule+", penalty "+penalty, r.share(warmUp+60, "friend", "cabal"), share)
		}
	}
}

func TestRowsThatLeaveACabalOutHoldItDownUnderNakamoto(t *testing.T) {
	for stake, want := range map[float64]float64{.1: .0020, .3: .0548, .4: .1970, .49: .4651} {
		r := under(t, "N", "cabal", `validators[0].weights=["good: 1000"]`,
			fmt.Sprintf("validators[0].stake_tao=%.6f", 1e6*(1-stake)/6), fmt.Sprintf("validators[1].stake_tao=%.6f", 1e6*stake/4))
		same4(t, fmt.Sprintf("N, stake %g", stake), r.share(warmUp+60, "friend", "cabal"), want)
	}
}

// TestAbstainersHelpToEraseAMiner leaves one of sixteen equal miners out of the rows of h of 20 validators, while a
// of them only vote for themselves to stay active.
func TestAbstainersHelpToEraseAMiner(t *testing.T) {
	for rule, cases := range map[string][]struct {
		abstaining, hostile int
		want                float64
	}{
		"Y2": {{0, 9, .550}, {0, 11, 0}, {6, 4, .714}, {6, 5, 0}, {9, 2, 0}},
		"Y3": {{0, 9, .550}, {0, 11, 0}, {6, 5, 0}},
		"N":  {{0, 9, .335}, {0, 11, .165}, {6, 4, .398}, {6, 5, .269}, {9, 2, .490}},
	} {
		for _, c := range cases {
			rest := c.hostile + c.abstaining
			r := under(t, rule, "selective", fmt.Sprintf(`validators[0].weights=["pick(i >= %d && i < %d, none, 1000)", `+
				`"choosy: pick(i < %d, none, 1000)", "self: pick(i >= %d && i < %d, 1000, none)"]`, c.hostile, rest, rest, c.hostile, rest))
			got := r.incentive(warmUp+2, "choosy-1") / r.incentive(warmUp+2, "miner-1")
			if math.Abs(got-c.want) > .6e-3 {
				t.Errorf("%s, %d hostile, %d abstaining: %.4f, expected %.3f", rule, c.hostile, c.abstaining, got, c.want)
			}
		}
	}
}

// TestAStrikeOfMoreThanHalfTakesWhatMinersEarn has validators that vote for themselves only.
func TestAStrikeOfMoreThanHalfTakesWhatMinersEarn(t *testing.T) {
	for rule := range rules { // order-free: each stands alone
		for strikers, want := range map[int][3]float64{3: {0, .1, .5}, 4: {0, .125, .5}, 5: {.125, .125, 0}} {
			if rule == "N" && strikers == 5 {
				want = [3]float64{0, .5 / 3, .5}
			}
			r := under(t, rule, "selective", "validators[0].count=8", fmt.Sprintf(
				`validators[0].weights=["pick(i < %d, none, 1000)", "self: pick(i < %d, 1000, none)"]`, strikers, strikers))
			of := map[string]float64{}
			all := 0.0
			for _, row := range r.epochs[warmUp+1] {
				n := r.nodes[*row.Node]
				of[n.Name] += float64(row.EmissionRao)
				of[n.Role] += float64(row.EmissionRao)
				all += float64(row.EmissionRao)
			}
			for i, name := range []string{"validator-1", "validator-8", report.KindMiner} {
				if got := of[name] / all; math.Abs(got-want[i]) > .6e-3 {
					t.Errorf("%s, %d of 8 strike: %s gets %.4f, expected %.3f", rule, strikers, name, got, want[i])
				}
			}
		}
	}
}

func TestAnOwnerThatVotesForItselfNeedsHalfOfTheStake(t *testing.T) {
	for _, rule := range []string{"Y2", "Y3"} {
		for stake, want := range map[float64]float64{.1: 0, .3: 0, .49: 0, .51: 1} {
			r := under(t, rule, "bribe", "chain.owner=seller", `validators[0].weights=["self: 1000"]`, "validators[1].count=7",
				fmt.Sprintf("validators[0].stake_tao=%.6f", 1e7*stake), fmt.Sprintf("validators[1].stake_tao=%.6f", 1e7*(1-stake)/7))
			same4(t, fmt.Sprintf("%s, stake %g", rule, stake), r.share(warmUp+40, "seller"), want)
		}
	}
}
