package decide

import (
	"math"

	"taolab/model/num"
)

// Rao is an amount of money as the ledger has it, rounded down; no amount is below 0.
func Rao(x float64) uint64 {
	if !(x > 0) {
		return 0
	}
	return uint64(min(math.Floor(x), float64(1<<63)))
}

// Part is a share of an amount in rao, rounded down.
func Part(rao uint64, share float64) uint64 { return min(Rao(float64(float64(rao)*share)), rao) }

// Decayed is what a stake with a half-life loses in a time, rounded down.
func Decayed(rao uint64, hours, halfLifeYears float64) uint64 {
	if halfLifeYears <= 0 {
		return 0
	}
	return Part(rao, 1-num.Pow(2, -float64(hours/float64(halfLifeYears*HoursPerYear))))
}

// Logit are the shares that a nominator gives to delegates of these yields, as the exponentials of Beta
// times the yield.
func Logit(yields []float64, beta float64) []float64 {
	shares := make([]float64, len(yields))
	best, sum := math.Inf(-1), 0.0
	for _, y := range yields {
		best = max(best, y)
	}
	for i, y := range yields {
		shares[i] = num.Exp(float64(beta * (y - best)))
		sum += shares[i]
	}
	for i := range shares {
		shares[i] /= sum
	}
	return shares
}

// Haggle is a delegate's search for the take that brings it most.
type Haggle struct {
	Before float64 // revenue per epoch with the take before
	Down   bool    // direction of the last move
	Begun  bool    // there was one
}

// Next takes the revenue since the last call, and reports whether the take goes down next: on where revenue
// rose, back where it fell.
func (h *Haggle) Next(revenue float64) (down bool) {
	if h.Begun && revenue < h.Before {
		h.Down = !h.Down
	}
	h.Before, h.Begun = revenue, true
	return h.Down
}
