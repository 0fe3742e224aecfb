package scenarios

import (
	"testing"

	"taolab/sim/trace"
)

func TestMinersOfStatedQualityArePaidByHonestValidators(t *testing.T) {
	r := runEconomy(t, "stated", nil, "chain.max_uids=20")
	paid := map[string]float64{}
	for _, row := range r.epochs[len(r.epochs)-1] {
		if row.Node != nil {
			paid[r.nodes[*row.Node].Name] = float64(row.Incentive) / 65535
		}
	}
	if !(paid["newcomer-1"] > paid["good-1"] && paid["good-1"] > 2*paid["bad-1"] && paid["bad-1"] > 10*paid["guesser-1"]) {
		t.Errorf("incentive of who loses 2, 3, 4 and guesses: %.4f, %.4f, %.4f, %.4f", paid["newcomer-1"], paid["good-1"], paid["bad-1"], paid["guesser-1"])
	}
	for _, table := range []trace.Table{trace.Queries, trace.Answers, trace.Applications} {
		if r.rows[table] == 0 {
			t.Errorf("%s is empty", table)
		}
	}
}
