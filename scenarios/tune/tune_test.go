package tune

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"taolab/scenarios"
	"taolab/scenarios/small"
	"taolab/scenarios/sweep"
)

// split looks for the servers' share of which 0.3 is the optimum.
const split = `
[tune]
evaluations = 48
replications = 1
judge = 2
[[tune.keys]]
key = "chain.server_share"
low = 0.1
high = 0.7
[[tune.keys]]
key = "chain.kappa"
low = 0.3
high = 0.7
[[tune.objectives]]
metric = "money.miners_share"
goal = "target"
target = 0.3
`

func searchOf(t *testing.T, sections, dir string, workers int, sets ...string) *Search {
	t.Helper()
	return &Search{Program: "test", Sweep: &sweep.Sweep{
		File: small.Load(t, sections, sets...), Dir: dir, Shard: sweep.Shard{Index: 0, Of: 1}, Workers: workers,
		Lock: small.Lock, Experiment: small.Experiment, Now: small.Now, CPU: small.CPU,
	}}
}

func run(t *testing.T, s *Search) *Result {
	t.Helper()
	r, err := s.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOptimumOfATestLedgerIsFoundWithEverySeed(t *testing.T) {
	for seed := 1; seed <= 5; seed++ {
		// A surrogate gets a third of the points; the simplex draws nothing.
		methods, points := []string{"surrogate", "cmaes", "nelder-mead"}, []int{32, 96, 96}
		for i, method := range methods[:2+seed/5] {
			r := run(t, searchOf(t, split, t.TempDir(), 2,
				fmt.Sprintf("seed=%d", seed), fmt.Sprintf("tune.evaluations=%d", points[i]), "tune.method="+method))
			share, err := strconv.ParseFloat(r.Found[0].Values[0], 64)
			// Of what is minted servers get their share but for the first epoch's, which goes by stake.
			if got := r.Judged[0].Statistics[0]; err != nil || math.Abs(got-0.3) > 0.005 {
				t.Errorf("seed %d, %s: server share %v gives %v, expected 0.3", seed, method, share, got)
			}
			if len(r.Trials) > points[i] {
				t.Errorf("seed %d, %s: %d points, expected at most %d", seed, method, len(r.Trials), points[i])
			}
		}
	}
}

func TestSearchThatWasCutEndsAsOneThatWasNot(t *testing.T) {
	for _, method := range []string{"cmaes", "surrogate"} {
		t.Run(method, func(t *testing.T) { cutAndGoOn(t, "tune.method="+method, "tune.evaluations=42") })
	}
}

func cutAndGoOn(t *testing.T, sets ...string) {
	dir := t.TempDir()
	whole := run(t, searchOf(t, split, t.TempDir(), 1, sets...))
	cut := searchOf(t, split, dir, 2, sets...)
	ctx, cancel := context.WithCancel(context.Background())
	begun, make := 0, cut.Sweep.Experiment
	cut.Sweep.Workers = 1
	cut.Sweep.Experiment = func(file *scenarios.File, dir string) *scenarios.Experiment {
		if begun++; begun == 20 {
			cancel()
		}
		return make(file, dir)
	}
	if _, err := cut.Run(ctx); err == nil {
		t.Fatal("the search was not cut")
	}
	rest := searchOf(t, split, dir, 2, sets...)
	if diff := cmp.Diff(whole, run(t, rest)); diff != "" {
		t.Errorf("undisturbed (-) and cut (+):\n%s", diff)
	}
	if p := rest.Sweep.Progress(); p.Done > 42+3-19 {
		t.Errorf("%d runs were made after the cut: those before it were made again", p.Done)
	}
}

func TestConstraintsComeBeforeTheObjective(t *testing.T) {
	for method, points := range map[string]int{"cmaes": 120, "surrogate": 40} { // order-free: each is searched by itself
		r := run(t, searchOf(t, split, t.TempDir(), 2, "tune.method="+method, fmt.Sprintf("tune.evaluations=%d", points),
			`tune.constraints=[{metric="money.miners_share", comparison=">=", value=[0.4]}]`))
		if got := r.Judged[0].Statistics[0]; got < 0.395 || got > 0.42 {
			t.Errorf("%s: the miners' share is %v, expected the bound of 0.4, which is nearest to 0.3", method, got)
		}
	}
}

func TestTwoObjectivesGiveAFront(t *testing.T) {
	r := run(t, searchOf(t, split, t.TempDir(), 2, "tune.evaluations=12", `tune.objectives=[
		{metric="money.miners_share", goal="target", target=0.3}, {metric="money.miners_share", goal="max"}]`))
	if len(r.Found) != len(weights) || len(r.Front) < 5 {
		t.Errorf("%d searches and %d points on the front", len(r.Found), len(r.Front))
	}
	for k, i := range r.Front {
		if x := r.Trials[i].Statistics[0]; x < 0.27 || k > 0 && x <= r.Trials[r.Front[k-1]].Statistics[0] {
			t.Errorf("point %d of the front has a share of %v: another one betters it in both", k, x)
		}
	}
}

func TestAnotherSearchInTheFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	run(t, searchOf(t, split, dir, 2, "tune.evaluations=12"))
	if _, err := searchOf(t, split, dir, 2, "tune.evaluations=13").Run(context.Background()); err == nil || !strings.Contains(err.Error(), "another sweep") {
		t.Errorf("got %v", err)
	}
}

func TestSearchesThatMakeNoSenseAreRefused(t *testing.T) {
	for set, want := range map[string]string{
		"tune.method=surrogate\ntune.evaluations=257": "at most 256 for a surrogate",
		"tune.method=surrogate\ntune.evaluations=6":   "at least 7, of which surrogate begins",
		"tune.method=surrogate\ntune.population=65":   "at most 64, the points of a batch",
		"tune.keys=[]":                  "tune.keys: no key",
		"tune.objectives=[]":            "0 objectives",
		"tune.population=3":             "tune.population",
		"tune.objectives[0].metric=gin": "no run of this scenario has the number",
		"tune.keys[0].key=seed":         "the seed is swept",
		`tune.constraints=[{metric="money.miners_share", value=[1]}]`: "tune.constraints[0].comparison",
	} {
		if _, err := scenarios.Load(small.Path(t, split), strings.Split(set, "\n")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, expected %q", set, err, want)
		}
	}
}
