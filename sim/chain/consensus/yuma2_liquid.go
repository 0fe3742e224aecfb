package consensus

import (
	"slices"

	"taolab/sim/chain/fixed"
)

// yuma2Liquid is yuma2 as opentensor/subtensor had it in January 2025: permits for stake of nothing
// too while there are slots, bonds from clipped weights, and bonds masked by the validator's last
// weights rather than the last epoch. There is no owner, no stake threshold and no commit to heed.
// Liquid alpha is its first version: a rate for every miner, by its consensus among all.
type yuma2Liquid struct{}

func (yuma2Liquid) Epoch(ws *Workspace, in *Input, emissionRao uint64) *Output {
	ws.plain = *in
	in = &ws.plain
	in.HasOwner, in.StakeThresholdRao, in.Commits = false, 0, nil
	ws.resize(in.N())
	ws.shares(in)
	topK(ws.out.Permits, ws.stake, in.MaxValidators, true, ws.order)
	copy(ws.bondsBefore, in.LastUpdate)
	ws.agree(in)
	ws.trustMiners()
	fixed.Normalize(ws.incentive)
	if in.LiquidAlpha && ws.liquidAlphas(in) {
		ws.moveColumns(in, &ws.clipped)
	} else {
		columnBonds(ws, in, &ws.clipped)
	}
	ws.pay(in, emissionRao)
	ws.store()
	copy(ws.out.Rank, ws.out.Incentive)
	for i, row := range in.Bonds {
		// Bonds go with the permit; a row without one, before and after, is left alone.
		if !in.Permits[i] && !ws.out.Permits[i] {
			ws.out.Bonds[i] = row
		}
	}
	return &ws.out
}

// trustMiners writes the part of every miner's rank that clipping left. The rank is ws.incentive
// before it is normalised.
func (ws *Workspace) trustMiners() {
	clear(ws.column)
	for i, stake := range ws.active {
		uids, values := ws.weights.row(i)
		for k, j := range uids {
			ws.column[j] += stake.MulShare(values[k])
		}
	}
	for j, unclipped := range ws.column {
		ws.out.Trust[j] = ws.incentive[j].SafeDiv(unclipped).U16()
	}
}

// liquidAlphas writes to ws.alpha the logistic function of the consensus that is AlphaLow at its
// lower and AlphaHigh at its upper quartile, or says that there is none because of the upper
// quartile being 0.
func (ws *Workspace) liquidAlphas(in *Input) bool {
	copy(ws.column, ws.consensus)
	slices.Sort(ws.column)
	upper := quantile(ws.column, fixed.One-fixed.One/4)
	if upper == 0 {
		return false
	}
	low, high := fixed.FromU16(in.AlphaLow), fixed.FromU16(in.AlphaHigh)
	slope, offset := logistic(high, low, upper, quantile(ws.column, fixed.One/4))
	for j, c := range ws.consensus {
		ws.alpha[j] = offset.Sub(slope.Mul(c))
	}
	fixed.OpenLogistics(ws.alpha)
	for j, a := range ws.alpha {
		ws.alpha[j] = a.Clamp(low, high)
	}
	return true
}

// quantile interpolates in ascending numbers; q is within [0, 1].
func quantile(sorted []fixed.I32F32, q fixed.I32F32) fixed.I32F32 {
	if len(sorted) == 0 {
		return 0
	}
	position := q * fixed.I32F32(len(sorted)-1)
	k, rest := int(position>>32), position&(fixed.One-1)
	if rest == 0 {
		return sorted[k]
	}
	return sorted[k] + (sorted[k+1] - sorted[k]).Mul(rest)
}

// logistic returns the slope a and offset b of 1 / (1 + exp(b - a c)) that is low at the consensus
// lower and high at upper; both 0 where there is no such function.
func logistic(high, low, upper, lower fixed.I32F32) (slope, offset fixed.I32F32) {
	if upper <= lower || high == 0 || low == 0 {
		return 0, 0
	}
	atHigh := fixed.Ln(fixed.One.SafeDiv(high).Sub(fixed.One))
	atLow := fixed.Ln(fixed.One.SafeDiv(low).Sub(fixed.One))
	slope = atHigh.Sub(atLow).SafeDiv(lower.Sub(upper))
	return slope, atLow.Add(slope.Mul(lower))
}
