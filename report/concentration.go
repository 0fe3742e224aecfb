package report

import (
	"slices"

	"taolab/sim/trace"
)

// holdings is the stake on the seats at one epoch.
type holdings struct {
	seen  bool
	epoch uint32
	rao   []uint64
}

// add takes the row of a neuron; those of a later epoch take the place of all before.
func (h *holdings) add(e trace.Epoch) {
	if !h.seen || h.epoch != e.Epoch {
		h.seen, h.epoch, h.rao = true, e.Epoch, h.rao[:0]
	}
	h.rao = append(h.rao, e.StakeRao)
}

// ConcentrationSummary says how unequal the stake on the seats is, seat by seat.
type ConcentrationSummary struct {
	Gini     float64 `json:"gini"`     // 0: all equal
	Nakamoto int     `json:"nakamoto"` // fewest seats with more than half of the stake
	HHI      float64 `json:"hhi"`      // sum of squared shares: 1 over the number of seats where all are equal
}

// summary is nil where nobody has a stake.
func (h *holdings) summary() *ConcentrationSummary {
	list := slices.Sorted(slices.Values(h.rao))
	var sum, weighted, squares float64
	n := float64(len(list))
	for i, rao := range list {
		x := float64(rao)
		sum += x
		weighted += (2*float64(i+1) - n - 1) * x
		squares += x * x
	}
	if sum == 0 {
		return nil
	}
	c := &ConcentrationSummary{Gini: weighted / (n * sum), HHI: squares / (sum * sum)}
	for held := 0.0; held <= sum/2; c.Nakamoto++ {
		held += float64(list[len(list)-1-c.Nakamoto])
	}
	return c
}
