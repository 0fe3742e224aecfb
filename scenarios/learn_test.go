package scenarios

import (
	"fmt"
	"math"
	"testing"
)

// specialised is how unlike the miners' newest mixes are: the mean over miners of the largest share, and the
// mean share of each subset.
func specialised(t *testing.T, sets ...string) (largest float64, mean map[string]float64) {
	t.Helper()
	_, _, seen := lived(t, "testdata/economy/learn.toml", false, sets...)
	newest := map[uint32]map[string]float64{}
	for _, d := range seen.of("mix", "") {
		if newest[d.Node] == nil {
			newest[d.Node] = map[string]float64{}
		}
		newest[d.Node][*d.Subset] = *d.Share
	}
	mean = map[string]float64{}
	for node := range uint32(12) {
		most := 0.0
		for _, subset := range []string{"Github", "ArXiv", "PubMed Central"} {
			most = math.Max(most, newest[node][subset])
			mean[subset] += newest[node][subset] / 12
		}
		largest += most / 12
	}
	return largest, mean
}

// Miners that begin equal end on different subsets where each subset is paid by itself, and stay alike where
// all are paid by one average.
func TestMinersSpecialiseWhereSubsetsArePaidByThemselves(t *testing.T) {
	largest, mean := specialised(t)
	if largest < 0.6 {
		t.Errorf("under market credit the largest share of a mix is %.3f on average, want above .6 of 3 subsets", largest)
	}
	for subset, share := range mean { // order-free: each stands alone
		if math.Abs(share-1.0/3) > 0.1 {
			t.Errorf("under market credit %s is trained for %.3f of the time, want a third as it is asked for", subset, share)
		}
	}
	if largest, _ := specialised(t, "validators[0].credit=mixture"); largest > 0.36 {
		t.Errorf("under mixture credit the largest share of a mix is %.3f on average, want a third", largest)
	}
}

// earnedBy is what each group of miners earned in the second half of a run, as a share of what all of them did.
func earnedBy(r *economyRun) map[string]float64 {
	earned, all := map[string]float64{}, 0.0
	for _, rows := range r.epochs[len(r.epochs)/2:] {
		for _, row := range rows {
			if group := r.nodes[*row.Node].Group; group != "validator" {
				earned[group] += float64(row.EmissionRao)
				all += float64(row.EmissionRao)
			}
		}
	}
	for group := range earned { // order-free: each stands alone
		earned[group] /= all
	}
	return earned
}

// Where subsets are paid by themselves, miners that hear the pay earn most, and miners with an even mix earn least.
func TestAMinerEarnsMoreTheMoreItKnowsOfWhatIsPaid(t *testing.T) {
	earned := earnedBy(runEconomy(t, "policies", nil))
	t.Logf("shares of what miners earned: %v", earned)
	for _, group := range []string{"income", "gradient", "bandit"} {
		if earned[group] <= earned["fixed"] || earned[group] >= earned["pay"] {
			t.Errorf("by %s %.3f of what miners earn, want more than the %.3f of fixed mixes and less than the %.3f by pay",
				group, earned[group], earned["fixed"], earned["pay"])
		}
	}
}

func TestClaimPoliciesOfLearningCompared(t *testing.T) {
	skipUnlessClaims(t)
	gains := map[string][]float64{}
	for seed := 1; seed <= *seeds; seed++ {
		earned := earnedBy(runEconomy(t, "policies", nil, fmt.Sprint("seed=", seed)))
		t.Logf("seed %d: %v", seed, earned)
		for _, group := range []string{"pay", "income", "gradient", "bandit"} {
			gains[group] = append(gains[group], earned[group]-earned["fixed"])
		}
	}
	for _, group := range []string{"pay", "income", "gradient", "bandit"} {
		low, high := bootstrap(gains[group])
		t.Logf("by %s %.3f more of what miners earn than with fixed mixes (95 %% interval %.3f to %.3f)", group, mean(gains[group]), low, high)
	}
	if low, _ := bootstrap(gains["pay"]); low <= 0 {
		t.Error("want an interval above 0 for who hears what is paid")
	}
}

// Miners with models tell by their own text what they are asked about, and measure what training brings.
func TestMinersWithModelsClimbTheirOwnGradient(t *testing.T) {
	seen := &choices{}
	live(t, "testdata/keys.toml", seen, nil, append([]string{"miners[0].decide.mix_by=gradient"}, learning...)...)
	moved := map[string]bool{}
	for _, d := range seen.of("mix", "climb") {
		if d.Signal != nil && *d.Signal > 0 {
			moved[*d.Subset] = true
		}
	}
	if len(moved) != 3 {
		t.Errorf("training is worth something on %v, want all 3 subsets at some time", moved)
	}
}
