package consensus

import "taolab/sim/chain/fixed"

// yuma is the Yuma consensus of opentensor/subtensor in its sparse form. Its members differ in how
// bonds move and are stored.
type yuma struct {
	// bonds makes ws.bonds from the stored bonds and the weights for bonds, which it may change,
	// writes ws.dividends and leaves in ws.bonds what is to be stored.
	bonds func(ws *Workspace, in *Input, weights *matrix)
}

func (r yuma) Epoch(ws *Workspace, in *Input, emissionRao uint64) *Output {
	ws.resize(in.N())
	ws.shares(in)
	topK(ws.out.Permits, ws.stake, in.MaxValidators, false, ws.order)
	if in.HasOwner {
		ws.out.Permits[in.Owner] = true
	}
	before := in.bondsBefore()
	for i := range ws.bondsBefore {
		ws.bondsBefore[i] = before
	}
	ws.agree(in)
	fixed.Normalize(ws.incentive)
	r.bonds(ws, in, ws.weightsForBonds(in))
	ws.pay(in, emissionRao)
	ws.store()
	ws.out.Rank, ws.out.Trust = ws.out.Rank[:0], ws.out.Trust[:0]
	return &ws.out
}

// shares computes who is active, everybody's stake share, and the shares of those who take part:
// active and permitted by the epoch before.
func (ws *Workspace) shares(in *Input) {
	var sum uint64
	for i := range ws.stake {
		sum += in.countedStake(i)
	}
	for i := range ws.stake {
		share := fixed.Share(in.countedStake(i), sum)
		ws.stake[i] = share
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

// agree computes from the weights what the validators agree on.
func (ws *Workspace) agree(in *Input) {
	ws.loadWeights(in)
	ws.weightedMedians(ws.consensus, ws.active, &ws.weights, fixed.FromU16(in.Kappa))
	ws.clip()
}

// loadWeights keeps the rows of permitted neurons without self-weights and without weights that
// are not younger than the neuron they are on, and divides each row by its sum.
func (ws *Workspace) loadWeights(in *Input) {
	ws.weights.reset()
	registered := in.RegisteredAt
	for i, row := range in.Weights {
		if !in.permitted(i) {
			ws.weights.endRow(0)
			continue
		}
		self, before := i, in.weightsBefore(i)
		if in.isOwner(i) {
			self = -1
		}
		uids, values := ws.weights.room(len(row))
		k := 0
		var sum fixed.I32F32
		for _, w := range row {
			if int(w.UID) != self && registered[w.UID] < before {
				v := fixed.I32F32(w.Weight)
				uids[k], values[k] = w.UID, v
				sum += v
				k++
			}
		}
		by := fixed.NewDivisor(sum)
		for k, v := range values[:k] {
			values[k] = by.Divide(v)
		}
		ws.weights.endRow(k)
	}
}

// clip cuts the weights to the consensus. What is cut to nothing goes; a weight of zero stays. The
// sum of a validator's clipped weights is its trust, a miner's clipped weights times stake its
// rank, which becomes the incentive.
func (ws *Workspace) clip() {
	ws.clipped.reset()
	consensus, incentive := ws.consensus, ws.incentive
	clear(incentive)
	for i, stake := range ws.active {
		uids, values := ws.weights.row(i)
		outUIDs, outValues := ws.clipped.room(len(uids))
		k := 0
		var trust fixed.I32F32
		for n, j := range uids {
			w := values[n]
			c := min(w, consensus[j])
			trust += c
			incentive[j] += stake.MulShare(c)
			outUIDs[k], outValues[k] = j, c
			if c > 0 || w == 0 {
				k++
			}
		}
		ws.trust[i] = trust
		ws.clipped.endRow(k)
	}
}

// weightsForBonds returns the weights, clipped as far as the bonds penalty demands. A partial
// penalty drops weights of zero and sorts.
func (ws *Workspace) weightsForBonds(in *Input) *matrix {
	penalty := fixed.FromU16(in.BondsPenalty)
	switch penalty {
	case fixed.Zero:
		return &ws.weights
	case fixed.One:
		return &ws.clipped
	}
	ws.blended.reset()
	for i := range ws.active {
		uids, values := ws.weights.row(i)
		if len(uids) == 0 {
			ws.blended.endRow(0)
			continue
		}
		for k, j := range uids {
			w := values[k]
			ws.dense[j] = w + penalty.Mul(min(w, ws.consensus[j])-w)
		}
		ws.blended.gather(ws.dense)
	}
	return &ws.blended
}

// pay splits the emission in proportion to incentive and dividends, or, where there are none,
// by the stake of those who take part, or, where nobody does, by the stake of all.
func (ws *Workspace) pay(in *Input, emissionRao uint64) {
	servers, validators := fixed.Sum(ws.incentive), fixed.Sum(ws.dividends)
	sum := servers + validators
	byStake := ws.active
	if fixed.Sum(byStake) == 0 {
		byStake = ws.stake
	}
	for i, incentive := range ws.incentive {
		dividends := ws.dividends[i]
		server, validator := incentive.SafeDiv(sum), dividends.SafeDiv(sum)
		both := (incentive + dividends).SafeDiv(sum)
		if sum == 0 {
			validator, both = byStake[i], byStake[i]
		}
		ws.out.ServerEmissionRao[i] = server.Of(emissionRao)
		ws.out.ValidatorEmissionRao[i] = validator.Of(emissionRao)
		ws.out.EmissionRao[i] = both.Of(emissionRao)
		ws.column[i] = both
	}
	if in.ServerShare != 0 && servers > 0 && validators > 0 {
		ws.paySplit(fixed.FromU16(in.ServerShare), servers, validators, emissionRao)
	}
	fixed.Upscale(ws.out.PruningScore, ws.column)
}

// paySplit gives the servers a fixed share of the emission, and the validators the rest.
func (ws *Workspace) paySplit(share, servers, validators fixed.I32F32, emissionRao uint64) {
	forServers := share.Of(emissionRao)
	for i, incentive := range ws.incentive {
		server, validator := incentive.SafeDiv(servers), ws.dividends[i].SafeDiv(validators)
		ws.out.ServerEmissionRao[i] = server.Of(forServers)
		ws.out.ValidatorEmissionRao[i] = validator.Of(emissionRao - forServers)
		ws.out.EmissionRao[i] = ws.out.ServerEmissionRao[i] + ws.out.ValidatorEmissionRao[i]
		ws.column[i] = server.MulShare(share) + validator.MulShare(fixed.One-share)
	}
}

// store quantises the outcome. Bonds are kept by the newly permitted; all others lose theirs.
func (ws *Workspace) store() {
	for i, incentive := range ws.incentive {
		ws.out.Consensus[i] = ws.consensus[i].U16()
		ws.out.Incentive[i] = incentive.U16()
		ws.out.Dividends[i] = ws.dividends[i].U16()
		ws.out.ValidatorTrust[i] = ws.trust[i].U16()
		ws.out.StakeWeight[i] = ws.stake[i].U16()
	}
	arena := resize(&ws.bondArena, len(ws.bonds.uid))
	for i, permit := range ws.out.Permits {
		n := 0
		if permit {
			uids, values := ws.bonds.row(i)
			n = len(uids)
			for k, j := range uids {
				arena[k] = BondEntry{j, uint64(values[k].U16())}
			}
		}
		ws.out.Bonds[i], arena = arena[:n:n], arena[n:]
	}
}
