package scenarios

import (
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
