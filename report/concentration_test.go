package report

import (
	"math"
	"testing"

	"taolab/sim/trace"
)

func TestConcentrationOfKnownLists(t *testing.T) {
	for _, c := range []struct {
		list     []uint64
		gini     float64
		nakamoto int
		hhi      float64
	}{
		{[]uint64{1, 1, 1, 1}, 0, 3, .25},
		{[]uint64{1, 2, 3, 4}, .25, 2, .3},
		{[]uint64{0, 0, 0, 1}, .75, 1, 1},
		{[]uint64{40, 25, 15, 10, 5, 3, 1, 1}, .5425, 2, .2586},
		{[]uint64{50, 50}, 0, 2, .5},
	} {
		var h holdings
		h.add(trace.Epoch{StakeRao: 7}) // of the epoch before
		for _, rao := range c.list {
			h.add(trace.Epoch{Epoch: 1, StakeRao: rao})
		}
		got := h.summary()
		if math.Abs(got.Gini-c.gini) > 1e-12 || got.Nakamoto != c.nakamoto || math.Abs(got.HHI-c.hhi) > 5e-5 {
			t.Errorf("%v: %+v, expected %v, %d, %v", c.list, *got, c.gini, c.nakamoto, c.hhi)
		}
	}
	if (&holdings{}).summary() != nil {
		t.Error("nobody's stake has a concentration")
	}
}
