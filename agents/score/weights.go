package score

import (
	"math"
	"slices"

	"taolab/model/num"
)

// Standing is a uid's responsiveness in an epoch.
type Standing uint8

// The standings, in the order in which candidates are kept.
const (
	Responsive Standing = iota // answered at least once
	Quiet                      // was asked and never answered
	Unasked                    // was not asked
)

// Candidate is a uid that may receive a weight.
type Candidate struct {
	UID      uint16
	Score    float64
	Standing Standing
}

// WeightInput holds all inputs of an epoch's weights.
type WeightInput struct {
	Era        Era
	Candidates []Candidate
	MinAllowed int         // fewest weights that the ledger accepts; if fewer uids are scored, all weights are equal
	MaxShare   float64     // largest share that the ledger accepts; 0: the era's
	Stream     *num.Stream // for eras that shuffle; may be nil in others
}

// WeightShare is a uid's share of a validator's weight; the shares of a row sum to one.
type WeightShare struct {
	UID   uint16
	Share float64
}

// Weights computes the shares of an epoch in uid order. An empty result means that there is
// nothing to send.
func Weights(in WeightInput) []WeightShare {
	kept := in.exclude(in.keep())
	scores := make([]float64, len(kept))
	for i, c := range kept {
		scores[i] = c.Score
	}
	if in.Era.Limit == RatioLimit {
		scores = LimitRatio(scores, in.Era.MaxMinRatio)
	} else if in.MaxShare > 0 {
		scores = LimitShares(scores, in.MaxShare)
	} else {
		scores = LimitShares(scores, in.Era.MaxShare)
	}
	shares := make([]WeightShare, len(kept))
	for i, c := range kept {
		shares[i] = WeightShare{c.UID, scores[i]}
	}
	return shares
}

// keep returns the candidates with a score that the era keeps, in uid order.
func (in WeightInput) keep() []Candidate {
	var scored []Candidate
	responsive := 0
	for _, c := range in.Candidates {
		if c.Standing == Responsive {
			responsive++
		}
		if c.Score > 0 && !math.IsInf(c.Score, 0) {
			scored = append(scored, c)
		}
	}
	byUID := func(a, b Candidate) int { return int(a.UID) - int(b.UID) }
	slices.SortFunc(scored, byUID)
	if in.Era.Shuffled {
		in.Stream.Shuffle(len(scored), func(i, j int) { scored[i], scored[j] = scored[j], scored[i] })
		slices.SortStableFunc(scored, func(a, b Candidate) int { return int(a.Standing) - int(b.Standing) })
	}
	switch in.Era.Keep {
	case KeepMinimum:
		scored = scored[:min(len(scored), in.MinAllowed)]
	case KeepResponsive:
		scored = scored[:min(len(scored), max(in.MinAllowed, responsive))]
	}
	slices.SortFunc(scored, byUID)
	return scored
}

// exclude drops the lowest quantile, but keeps at least MinAllowed candidates.
func (in WeightInput) exclude(kept []Candidate) []Candidate {
	spare := len(kept) - in.MinAllowed
	if spare <= 0 || in.Era.ExcludeQuantile <= 0 {
		return kept
	}
	scores := make([]float64, len(kept))
	for i, c := range kept {
		scores[i] = c.Score
	}
	lowest := quantile(scores, min(in.Era.ExcludeQuantile, float64(spare)/float64(len(kept))))
	return slices.DeleteFunc(kept, func(c Candidate) bool { return c.Score < lowest })
}

// quantile interpolates linearly between the values of x, which it sorts.
func quantile(x []float64, q float64) float64 {
	slices.Sort(x)
	at := float64(q * float64(len(x)-1))
	low := int(at)
	if low+1 >= len(x) {
		return x[len(x)-1]
	}
	return x[low] + float64((at-float64(low))*(x[low+1]-x[low]))
}

// LimitShares scales the values of x, which must not be negative, to shares that sum to one, none
// above limit. If there are too few values for the limit, or all are zero, the shares are equal.
func LimitShares(x []float64, limit float64) []float64 {
	m, total := len(x), sum(x)
	if total == 0 || float64(float64(m)*limit) <= 1 {
		return equal(m)
	}
	shares := scaled(x, total)
	if slices.Max(shares) <= limit {
		return shares
	}
	// The reference shifts its cut by an epsilon, which overshoots the limit where the values that
	// stay whole are smaller still: those are cut exactly.
	for _, epsilon := range []float64{1e-7, 0} {
		limited := cutShares(shares, limit, epsilon)
		if slices.Max(limited) <= limit {
			return limited
		}
		shares = limited
	}
	return shares
}

// cutShares cuts the largest shares so that they equal the limit after all are scaled to sum to
// one again.
func cutShares(shares []float64, limit, epsilon float64) []float64 {
	// With the values in order, below counts those that stay under the limit even if all larger
	// ones were cut down to their height.
	sorted := slices.Sorted(slices.Values(shares))
	below, belowSum, cumulative := 0, 0.0, 0.0
	for i, e := range sorted {
		cumulative += e
		above := float64(float64(len(sorted)-1-i) * e)
		if cumulative+above+epsilon > 0 && e/(cumulative+above+epsilon) < limit {
			below, belowSum = i+1, cumulative
		}
	}
	cut := (float64(limit*belowSum) - epsilon) / (1 - float64(limit*float64(len(shares)-below)))
	limited := make([]float64, len(shares))
	for i, s := range shares {
		limited[i] = min(s, cut)
	}
	if total := sum(limited); total != 0 {
		return scaled(limited, total)
	}
	return equal(len(shares))
}

// LimitRatio scales x to shares that sum to one, with a ratio of the largest to the smallest below
// ratio; equal values get equal shares.
func LimitRatio(x []float64, ratio float64) []float64 {
	if len(x) == 0 {
		return nil
	}
	lowest := slices.Min(x)
	over := make([]float64, len(x))
	for i, v := range x {
		over[i] = v - lowest
	}
	total := sum(over)
	if total == 0 {
		return equal(len(x))
	}
	for i, v := range over {
		over[i] = num.Tanh(float64(float64(len(x))*v)/total) + 1/(ratio-1)
	}
	return scaled(over, sum(over))
}

func equal(m int) []float64 {
	shares := make([]float64, m)
	for i := range shares {
		shares[i] = 1 / float64(m)
	}
	return shares
}

func scaled(x []float64, total float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = v / total
	}
	return y
}

func sum(x []float64) float64 {
	total := 0.0
	for _, v := range x {
		total += v
	}
	return total
}

// U16 turns shares into a row for the ledger, in which the largest share becomes 65,535. Values
// are rounded to the nearest, or up where rounding down would lift the largest above
// maxWeight/65,535 of the sum. Zeros are left out.
func U16(shares []WeightShare, maxWeight uint16) (uids, values []uint16) {
	uids, values = upscaled(shares, math.RoundToEven)
	total := uint64(0)
	for _, v := range values {
		total += uint64(v)
	}
	if math.MaxUint16*math.MaxUint16 > total*uint64(maxWeight) {
		return upscaled(shares, math.Ceil)
	}
	return uids, values
}

func upscaled(shares []WeightShare, round func(float64) float64) (uids, values []uint16) {
	largest := 0.0
	for _, s := range shares {
		largest = max(largest, s.Share)
	}
	for _, s := range shares {
		if v := uint16(round(float64(s.Share / largest * math.MaxUint16))); v > 0 {
			uids, values = append(uids, s.UID), append(values, v)
		}
	}
	return uids, values
}
