package consensus

import (
	"slices"

	"taolab/sim/chain/fixed"
)

// The parts of the rules, each by itself: an implementation compares them when its epochs differ. They
// run what the rules run; shares are I32F32, and 16 bits above them must be free.

// Median is the smallest score v such that lo plus the stake of the scores up to v exceeds
// minority, and the largest if there is none; 0 without scores. stake and score are as long.
func Median(stake, score []fixed.I32F32, lo, minority fixed.I32F32) fixed.I32F32 {
	votes := make([]vote, len(score))
	for i, s := range score {
		votes[i] = newVote(s, i)
	}
	return median(votes, make([]vote, len(votes)), stake, lo, minority)
}

// ColumnMedians is the score that a majority of stake supports, for each column of the rows of
// score, which are columns long.
func ColumnMedians(stake []fixed.I32F32, score [][]fixed.I32F32, columns int,
	majority fixed.I32F32) []fixed.I32F32 {
	n := max(len(stake), columns) // the rules' matrices are square
	var m matrix
	m.reset()
	for i := range n {
		if i >= len(score) {
			m.endRow(0)
			continue
		}
		uids, values := m.room(columns)
		for j, v := range score[i] {
			uids[j], values[j] = UID(j), v
		}
		m.endRow(columns)
	}
	padded := make([]fixed.I32F32, n)
	copy(padded, stake)
	out := make([]fixed.I32F32, n)
	var ws Workspace
	ws.weightedMedians(out, padded, &m, majority)
	return out[:columns]
}

// TopK marks the k largest of v; ties go to the later. Zeros win, as they did in January 2025,
// only if zeros says so.
func TopK(v []fixed.I32F32, k int, zeros bool) []bool {
	out := make([]bool, len(v))
	topK(out, v, k, zeros, make([]uint64, len(v)))
	return out
}

// Quantile interpolates linearly at position q (n-1) of the sorted data; 0 of none.
func Quantile(data []fixed.I32F32, q fixed.I32F32) fixed.I32F32 {
	sorted := slices.Clone(data)
	slices.Sort(sorted)
	return quantile(sorted, q.Clamp(fixed.Zero, fixed.One))
}

// LogisticParams returns the slope a and offset b of the first liquid alpha's logistic function;
// both 0 where there is none.
func LogisticParams(alphaHigh, alphaLow, consensusHigh, consensusLow fixed.I32F32) (a, b fixed.I32F32) {
	return logistic(alphaHigh, alphaLow, consensusHigh, consensusLow)
}

// LogisticAlpha is the first liquid alpha, 1 / (1 + exp(b - a consensus)), before it is clamped.
func LogisticAlpha(consensus, a, b fixed.I32F32) fixed.I32F32 {
	x := []fixed.I32F32{b.Sub(a.Mul(consensus))}
	fixed.OpenLogistics(x)
	return x[0]
}

// PairAlpha is the second liquid alpha, of a pair of validator and miner. Steepness is in
// hundredths.
func PairAlpha(consensus, weight, bond, low, high, steepness fixed.I32F32) fixed.I32F32 {
	r := newPairRate(low, high, steepness)
	x := []fixed.I32F32{pairDistance(consensus, weight, bond)}
	r.apply(x, new([]fixed.I32F32))
	return x[0]
}
