package consensus

import "taolab/sim/chain/fixed"

// yuma is the Yuma consensus of opentensor/subtensor in its sparse form. Its members differ in how
// bonds move and are stored.
type yuma struct {
	// bonds makes ws.bonds from the stored bonds and the weights for bonds, writes ws.dividends
	// and leaves in ws.bonds what is to be stored. incentive is ws.rank.
	bonds func(ws *Workspace, in *Input, weights *matrix)
}

func (r yuma) Epoch(ws *Workspace, in *Input, emissionRao uint64) *Output {
	ws.resize(in.N())
	ws.shares(in)
	ws.loadWeights(in)
	ws.weightedMedians(ws.consensus, ws.active, &ws.weights, fixed.FromU16(in.Kappa))
	ws.clip()
	for i := range ws.trust {
		_, values := ws.clipped.row(i)
		ws.trust[i] = fixed.Sum(values)
	}
	incentive := ws.rank
	ws.clipped.timesRows(incentive, ws.active)
	fixed.Normalize(incentive)
	r.bonds(ws, in, ws.weightsForBonds(in))
	ws.pay(incentive, emissionRao)
	for i := range ws.trust {
		ws.out.Consensus[i] = ws.consensus[i].U16()
		ws.out.Incentive[i] = incentive[i].U16()
		ws.out.Dividends[i] = ws.dividends[i].U16()
		ws.out.ValidatorTrust[i] = ws.trust[i].U16()
		ws.out.StakeWeight[i] = ws.stake[i].U16()
	}
	ws.storeBonds()
	return &ws.out
}

// shares computes who is active, everybody's stake share, the new permits, and the shares of
// those who take part: active and permitted by the epoch before.
func (ws *Workspace) shares(in *Input) {
	var sum uint64
	for i := range ws.stake {
		sum += in.countedStake(i)
	}
	for i := range ws.stake {
		ws.stake[i] = fixed.Share(in.countedStake(i), sum)
	}
	topK(ws.out.Permits, ws.stake, in.MaxValidators, ws.order)
	if in.HasOwner {
		ws.out.Permits[in.Owner] = true
	}
	for i, share := range ws.stake {
		// Exactly at the cutoff a neuron is still active.
		silence := in.Block - min(in.LastUpdate[i], in.Block)
		ws.out.Active[i] = silence <= in.ActivityCutoffBlocks
		if !ws.out.Active[i] || !in.permitted(i) {
			share = 0
		}
		ws.active[i] = share
	}
	fixed.Normalize(ws.active)
}

// loadWeights keeps the rows of permitted neurons without self-weights and without weights that
// are not younger than the neuron they are on, and divides each row by its sum.
func (ws *Workspace) loadWeights(in *Input) {
	ws.weights.reset()
	for i, row := range in.Weights {
		if in.permitted(i) {
			var sum uint64
			for _, w := range row {
				if in.counts(i, w.UID) {
					sum += uint64(w.Weight)
				}
			}
			for _, w := range row {
				if in.counts(i, w.UID) {
					ws.weights.push(w.UID, fixed.I32F32(uint64(w.Weight)<<32/max(sum, 1)))
				}
			}
		}
		ws.weights.endRow()
	}
}

// clip cuts the weights to the consensus. What is cut to nothing goes; a weight of zero stays.
func (ws *Workspace) clip() {
	ws.clipped.reset()
	for i := range ws.consensus {
		uids, values := ws.weights.row(i)
		for k, j := range uids {
			switch c := ws.consensus[j]; {
			case values[k] <= c:
				ws.clipped.push(j, values[k])
			case c > 0:
				ws.clipped.push(j, c)
			}
		}
		ws.clipped.endRow()
	}
}

// weightsForBonds returns the weights, clipped as far as the bonds penalty demands. A partial
// penalty drops weights of zero.
func (ws *Workspace) weightsForBonds(in *Input) *matrix {
	penalty := fixed.FromU16(in.BondsPenalty)
	switch penalty {
	case fixed.Zero:
		return &ws.weights
	case fixed.One:
		return &ws.clipped
	}
	ws.blended.combine(&ws.weights, &ws.clipped, ws.rows, func(w, c fixed.I32F32) fixed.I32F32 {
		return w.Add(penalty.Mul(c.Sub(w)))
	})
	return &ws.blended
}

// loadBonds reads the stored bonds through scale, without those in neurons that registered since
// the epoch before.
func (ws *Workspace) loadBonds(in *Input, scale func(uint16) fixed.I32F32) {
	since := in.LastEpochBlock + 1
	if in.LastEpochBlock == 0 {
		since = in.Block - min(in.TempoBlocks, in.Block)
	}
	ws.old.reset()
	for _, row := range in.Bonds {
		for _, b := range row {
			if since > in.RegisteredAt[b.UID] {
				ws.old.push(b.UID, scale(b.Bond))
			}
		}
		ws.old.endRow()
	}
}

// moveBonds sets the bonds to the moving average of the old ones and target.
func (ws *Workspace) moveBonds(in *Input, target *matrix) {
	alpha := fixed.Complement(in.BondsMovingAveragePPM)
	keep := fixed.One - alpha
	ws.bonds.combine(target, &ws.old, ws.rows, func(x, y fixed.I32F32) fixed.I32F32 {
		return alpha.Mul(x) + keep.Mul(y)
	})
}

// pay splits the emission in proportion to incentive and dividends, or, where there are none,
// by the stake of those who take part, or, where nobody does, by the stake of all.
func (ws *Workspace) pay(incentive []fixed.I32F32, emissionRao uint64) {
	sum := fixed.Sum(incentive) + fixed.Sum(ws.dividends)
	byStake := ws.active
	if fixed.Sum(byStake) == 0 {
		byStake = ws.stake
	}
	for i := range incentive {
		server, validator := incentive[i].SafeDiv(sum), ws.dividends[i].SafeDiv(sum)
		both := (incentive[i] + ws.dividends[i]).SafeDiv(sum)
		if sum == 0 {
			validator, both = byStake[i], byStake[i]
		}
		ws.out.ServerEmissionRao[i] = server.Of(emissionRao)
		ws.out.ValidatorEmissionRao[i] = validator.Of(emissionRao)
		ws.out.EmissionRao[i] = both.Of(emissionRao)
		ws.column[i] = both
	}
	fixed.Upscale(ws.out.PruningScore, ws.column)
}

// storeBonds quantises the bonds of the newly permitted; all others lose theirs.
func (ws *Workspace) storeBonds() {
	arena := resize(&ws.bondArena, len(ws.bonds.uid))[:0]
	for i, permit := range ws.out.Permits {
		from := len(arena)
		if permit {
			uids, values := ws.bonds.row(i)
			for k, j := range uids {
				arena = append(arena, BondEntry{j, values[k].U16()})
			}
		}
		ws.out.Bonds[i] = arena[from:len(arena):len(arena)]
	}
}
