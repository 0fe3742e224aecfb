package consensus

import "taolab/sim/chain/fixed"

// pairBonds is how bonds move in yuma3: each pair of validator and miner has a bond of its own
// that follows the weight, whatever others do, and is at most one. Stake enters only when the
// dividends are computed.
func pairBonds(ws *Workspace, in *Input, weights *matrix) {
	ws.bonds.reset()
	if in.LiquidAlpha && fixed.Sum(ws.consensus) > 0 {
		ws.movePairsLiquidly(in, weights)
	} else {
		ws.movePairs(in, weights)
	}
	ws.bonds.columnSums(ws.column)
	divisors(ws.divisors, ws.column)
	by, incentive := ws.divisors, ws.incentive
	for i, stake := range ws.active {
		uids, values := ws.bonds.row(i)
		var sum fixed.I32F32
		for k, j := range uids {
			sum += by[j].Divide(values[k]).MulShare(incentive[j])
		}
		ws.dividends[i] = sum.MulShare(stake)
	}
	fixed.Normalize(ws.dividends)
}

// movePairs moves all bonds at one rate.
func (ws *Workspace) movePairs(in *Input, weights *matrix) {
	alpha := fixed.Complement(in.BondsMovingAveragePPM)
	keep := fixed.One - alpha
	dense, registered := ws.dense, in.RegisteredAt
	for i, row := range in.Bonds {
		uids, values := weights.row(i)
		if len(uids)+len(row) == 0 {
			ws.bonds.endRow(0)
			continue
		}
		before := ws.bondsBefore[i]
		for _, b := range row {
			if registered[b.UID] < before {
				dense[b.UID] = keep.MulShare(fixed.FromU16(uint16(b.Bond)))
			}
		}
		for k, j := range uids {
			dense[j] += alpha.MulShare(values[k])
		}
		ws.bonds.gather(dense)
	}
}

// movePairsLiquidly moves every bond at a rate of its own: the faster, the farther the weight is
// above the consensus or the bond above the weight. A bond whose weight is absent goes at once; one
// whose weight is zero decays.
//
// The original finds the pair for the rate by walking both rows as if they were sorted by uid: what
// stands after a larger uid counts as zero there, though not when the bond then moves.
func (ws *Workspace) movePairsLiquidly(in *Input, weights *matrix) {
	rate := newPairRate(fixed.FromU16(in.AlphaLow), fixed.FromU16(in.AlphaHigh),
		fixed.FromInt(int64(in.AlphaSteepness)))
	dense, walked, consensus := ws.dense, ws.walked, ws.consensus
	for i, row := range in.Bonds {
		uids, values := weights.row(i)
		if len(uids) == 0 {
			ws.bonds.endRow(0)
			continue
		}
		largest := -1
		for _, b := range row {
			if in.RegisteredAt[b.UID] >= ws.bondsBefore[i] {
				continue
			}
			held := fixed.FromU16(uint16(b.Bond))
			dense[b.UID] = held
			if int(b.UID) > largest {
				largest = int(b.UID)
				walked[b.UID] = held
			}
		}
		alphas := resize(&ws.alphas, len(uids))
		largest = -1
		for k, j := range uids {
			w := values[k]
			if int(j) > largest {
				largest = int(j)
			} else {
				w = 0
			}
			alphas[k] = pairDistance(consensus[j], w, walked[j])
		}
		rate.apply(alphas, &ws.moving)
		outUIDs, outValues := ws.bonds.room(len(uids))
		n := 0
		for k, j := range uids {
			alpha := alphas[k]
			bond := (fixed.One - alpha).MulShare(dense[j]) + alpha.MulShare(values[k])
			outUIDs[n], outValues[n] = j, min(bond, fixed.One)
			if bond > 0 {
				n++
			}
		}
		ws.bonds.endRow(n)
		for _, b := range row {
			dense[b.UID], walked[b.UID] = 0, 0
		}
	}
}

// pairDistance is what a pair's rate depends on: how far a growing bond's weight is above the
// consensus, or a shrinking bond above its weight.
func pairDistance(consensus, weight, bond fixed.I32F32) fixed.I32F32 {
	if weight >= bond {
		return (weight - consensus).Clamp(fixed.Zero, fixed.One)
	}
	return (bond - weight).Clamp(fixed.Zero, fixed.One)
}

// pairRate is the second version of liquid alpha: a sigmoid of a pair's distance between two
// bounds.
type pairRate struct {
	low, high fixed.I32F32
	steepness fixed.I32F32 // negative
	atRest    fixed.I32F32 // rate at distance 0
}

// newPairRate wants the steepness in hundredths.
func newPairRate(low, high, steepness fixed.I32F32) pairRate {
	r := pairRate{low: low, high: high, steepness: steepness.SafeDiv(fixed.FromInt(-100))}
	rest := []fixed.I32F32{r.exponent(0)}
	fixed.Logistics(rest)
	r.atRest = r.within(rest[0])
	return r
}

func (r *pairRate) exponent(distance fixed.I32F32) fixed.I32F32 {
	return r.steepness.Mul(distance - fixed.Half)
}

func (r *pairRate) within(sigmoid fixed.I32F32) fixed.I32F32 {
	return (r.low + sigmoid.Mul(r.high-r.low)).Clamp(r.low, r.high)
}

// apply replaces distances by rates. Most pairs are at distance 0, and their exponential is known.
func (r *pairRate) apply(v []fixed.I32F32, moving *[]fixed.I32F32) {
	m := resize(moving, len(v))
	n := 0
	for _, distance := range v {
		m[n] = distance
		if distance != 0 {
			n++
		}
	}
	for k, distance := range m[:n] {
		m[k] = r.exponent(distance)
	}
	fixed.Logistics(m[:n])
	n = 0
	for k, distance := range v {
		if distance == 0 {
			v[k] = r.atRest
		} else {
			v[k] = r.within(m[n])
			n++
		}
	}
}
