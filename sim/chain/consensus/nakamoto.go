package consensus

import (
	"math/bits"

	"taolab/sim/chain/fixed"
)

// nakamoto is the consensus of the Nakamoto chain (emostov/subtensor in March 2022): a miner's
// incentive is its rank times a sigmoid of its trust; it keeps a part of that, and those who hold
// bonds in it share the rest. Bonds are amounts in rao, and all shares are I65F63.
//
// Everybody active weighs everybody else: there are no permits, no stake threshold and no owner.
// An inverse of 0 (kappa, self-ownership) reads as a share of 0. A ServerShare takes the place of
// self-ownership.
type nakamoto struct{}

func (nakamoto) Epoch(ws *Workspace, in *Input, emissionRao uint64) *Output {
	ws.resize(in.N())
	s := &ws.nakamoto
	s.resize(in.N())
	activeShare := s.shareStake(in, &ws.out)
	entries := 0
	for i, row := range in.Bonds {
		entries += len(row) + len(in.Weights[i])
	}
	arena := resize(&ws.bondArena, entries)[:0]
	for i := range in.N() {
		s.loadBonds(in, i)
		if ws.out.Active[i] && s.stake[i] != (fixed.I65F63{}) {
			s.weigh(in, i, emissionRao)
		}
		from := len(arena)
		arena = s.takeBonds(arena)
		ws.out.Bonds[i] = arena[from:len(arena):len(arena)]
	}
	s.judge(in, activeShare)
	s.divide(in, ws.out.Bonds)
	s.pay(&ws.out, emissionRao)
	s.store(&ws.out)
	return &ws.out
}

// nakamotoStep is what a step works with: shares of one, one per uid.
type nakamotoStep struct {
	wide Wide

	stake     []fixed.I65F63 // S, of the active stake, also of those who are not active
	rank      []fixed.I65F63 // R
	trust     []fixed.I65F63 // T
	consensus []fixed.I65F63 // C
	incentive []fixed.I65F63 // I
	kept      []fixed.I65F63 // the part of the incentive that stays with its neuron
	dividends []fixed.I65F63 // D: that and what bonds bring

	bondTotals []uint64 // rao, per column
	bonds      []uint64 // B, rao, of the row at hand
	touched    []uint64 // bit set of the uids in it
}

func (s *nakamotoStep) resize(n int) {
	for _, v := range []*[]fixed.I65F63{&s.stake, &s.rank, &s.trust, &s.consensus, &s.incentive,
		&s.kept, &s.dividends} {
		clear(resize(v, n))
	}
	for _, v := range []*[]uint64{&s.wide.Rank, &s.wide.Trust, &s.wide.Consensus, &s.wide.Incentive,
		&s.wide.Dividends, &s.bondTotals, &s.bonds} {
		clear(resize(v, n))
	}
	clear(resize(&s.touched, (n+63)/64))
}

// shareStake computes who is active and every neuron's share of the active stake, and returns the
// sum of the shares of the active. Where nobody active has stake, nobody has a share. Stake weights
// are of all stake, as elsewhere.
func (s *nakamotoStep) shareStake(in *Input, out *Output) (activeShare fixed.I65F63) {
	var all, total uint64
	for i, stake := range in.StakesRao {
		all = addUpTo(all, stake)
		// Exactly at the cutoff a neuron is no longer active.
		out.Active[i] = in.Block-min(in.LastUpdate[i], in.Block) < in.ActivityCutoffBlocks
		if out.Active[i] {
			total = addUpTo(total, stake)
		}
	}
	for i, stake := range in.StakesRao {
		_, out.StakeWeight[i] = stored(fixed.Ratio(stake, all))
		s.stake[i] = fixed.Ratio(stake, total)
		if out.Active[i] {
			activeShare = activeShare.Add(s.stake[i])
		}
	}
	return activeShare
}

// loadBonds makes uid's stored bonds the row at hand, without those in the pruned.
func (s *nakamotoStep) loadBonds(in *Input, uid int) {
	for _, b := range in.Bonds[uid] {
		if in.Pruned == nil || !in.Pruned[b.UID] {
			s.bonds[b.UID] = b.Bond
			s.touched[b.UID/64] |= 1 << (b.UID % 64)
		}
	}
}

// weigh adds the weights of uid to rank and trust and moves its bonds. A weight of zero counts for
// trust and lets the bond decay; a bond without a weight stays as it is.
func (s *nakamotoStep) weigh(in *Input, uid int, emissionRao uint64) {
	stake, emission := s.stake[uid], fixed.FromU64(emissionRao)
	keep := fixed.Ratio(uint64(min(in.BondsMovingAveragePPM, million)), million)
	move := fixed.FromU64(1).Sub(keep)
	for _, w := range in.Weights[uid] {
		if int(w.UID) == uid {
			continue
		}
		rank := stake.Mul(fixed.FromU32(w.Weight))
		s.rank[w.UID] = s.rank[w.UID].Add(rank)
		s.trust[w.UID] = s.trust[w.UID].Add(stake)
		old := s.bonds[w.UID]
		moved := keep.Mul(fixed.FromU64(old)).Add(move.Mul(rank.Mul(emission)))
		bond := moved.Floor()
		if bond < old && !moved.IsWhole() {
			// The original takes the floor of the difference from the total: one rao too little.
			s.bondTotals[w.UID] = addUpTo(s.bondTotals[w.UID], 1)
		}
		s.bonds[w.UID] = bond
		s.touched[w.UID/64] |= 1 << (w.UID % 64)
	}
}

const million = 1_000_000

// takeBonds appends the row at hand to arena by uid, without zeros, adds it to the totals, and
// leaves the row empty.
func (s *nakamotoStep) takeBonds(arena []BondEntry) []BondEntry {
	for k, set := range s.touched {
		for s.touched[k] = 0; set != 0; set &= set - 1 {
			uid := UID(64*k + bits.TrailingZeros64(set))
			if bond := s.bonds[uid]; bond > 0 {
				arena = append(arena, BondEntry{uid, bond})
				s.bondTotals[uid] = addUpTo(s.bondTotals[uid], bond)
			}
			s.bonds[uid] = 0
		}
	}
	return arena
}

// judge turns rank and trust into shares, consensus and incentive. Where nobody has rank, all stays
// as it is: no consensus, no incentive, trust as counted.
func (s *nakamotoStep) judge(in *Input, activeShare fixed.I65F63) {
	ranks := sum65(s.rank)
	if ranks == (fixed.I65F63{}) {
		return
	}
	rho, kappa := fixed.FromU64(uint64(in.Rho)), fixed.Ratio(1, uint64(in.KappaInverse))
	for i := range s.rank {
		s.rank[i] = s.rank[i].SafeDiv(ranks)
		s.trust[i] = s.trust[i].SafeDiv(activeShare)
		s.consensus[i] = s.trust[i].Sigmoid(rho, kappa)
		s.incentive[i] = s.rank[i].Mul(s.consensus[i])
	}
	normalize65(s.incentive)
}

// divide gives every incentive to its neuron and to those who hold bonds in it, by their bonds.
// Nobody's bonds: the neuron keeps all.
func (s *nakamotoStep) divide(in *Input, bonds [][]BondEntry) {
	own := fixed.Ratio(1, uint64(in.SelfOwnershipInverse))
	if in.ServerShare > 0 {
		own = fixed.Ratio(uint64(in.ServerShare), 65535)
	}
	others := fixed.FromU64(1).Sub(own)
	for i, row := range bonds {
		s.kept[i] = s.incentive[i].Mul(own)
		if s.bondTotals[i] == 0 {
			s.kept[i] = s.kept[i].Add(s.incentive[i].Mul(others))
		}
		dividends := s.kept[i]
		for _, b := range row {
			part := others.Mul(fixed.Ratio(b.Bond, s.bondTotals[b.UID]))
			dividends = dividends.Add(s.incentive[b.UID].Mul(part))
		}
		s.dividends[i] = dividends
	}
}

// pay splits the emission by the dividends; without any it stays whole, and is lost to the schedule.
func (s *nakamotoStep) pay(out *Output, emissionRao uint64) {
	total := sum65(s.dividends)
	for i := range s.dividends {
		s.dividends[i] = s.dividends[i].SafeDiv(total)
		paid := s.dividends[i].Of(emissionRao)
		server := min(s.kept[i].SafeDiv(total).Of(emissionRao), paid)
		out.EmissionRao[i], out.ServerEmissionRao[i], out.ValidatorEmissionRao[i] = paid, server, paid-server
	}
}

// store writes the shares. The pruning score is that of the other rules; the chain of the time
// chose by stake and incentive.
func (s *nakamotoStep) store(out *Output) {
	w := &s.wide
	out.Wide = w
	var largest uint64
	for i := range s.stake {
		w.Rank[i], out.Rank[i] = stored(s.rank[i])
		w.Trust[i], out.Trust[i] = stored(s.trust[i])
		w.Consensus[i], out.Consensus[i] = stored(s.consensus[i])
		w.Incentive[i], out.Incentive[i] = stored(s.incentive[i])
		w.Dividends[i], out.Dividends[i] = stored(s.dividends[i])
		largest = max(largest, w.Dividends[i])
		out.ValidatorTrust[i] = 0
		out.Permits[i] = true
	}
	for i, x := range w.Dividends {
		out.PruningScore[i] = uint16(fixed.Ratio(x, largest).Of(65535))
	}
}

// stored returns the two forms of a share: of 2^64-1 and, its upper bits, of 65535.
func stored(share fixed.I65F63) (uint64, uint16) {
	x := share.U64()
	return x, uint16(x >> 48)
}

func sum65(v []fixed.I65F63) (sum fixed.I65F63) {
	for _, x := range v {
		sum = sum.Add(x)
	}
	return sum
}

func normalize65(v []fixed.I65F63) {
	total := sum65(v)
	for i, x := range v {
		v[i] = x.SafeDiv(total)
	}
}

// addUpTo returns a + b, at most the largest number.
func addUpTo(a, b uint64) uint64 { return a + min(b, 1<<64-1-a) }
