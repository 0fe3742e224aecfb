package chain

import (
	"slices"

	"taolab/sim/chain/consensus"
)

// epochSeen looks at an epoch: what went in, and what came out.
type epochSeen struct {
	o      *observer
	in     *consensus.Input
	before observation
	s      *State // afterwards
	ran    EpochRan
}

func (e *epochSeen) met(is bool, name string) { e.o.metIf(is, name) }

func (e *epochSeen) all() {
	in := e.in
	e.met(in.N() == 0, "no neurons")
	e.met(e.ran.DustRao > 0, "dust")
	e.met(e.ran.UnallocatedRao > 0, "unallocated")
	e.met(e.ran.OwnerRao > 0, "owner's cut")
	e.met(e.s.money.Free > e.before.money.Free, "owner's cut in free money")
	e.met(e.before.epochs > 0 && e.before.lastEpoch == e.before.height, "epoch in every block")
	e.delegation()
	if e.s.params.nakamoto() {
		e.nakamoto()
		return
	}
	e.stakes()
	e.rows()
	e.permits()
	e.bonds()
	e.alpha()
}

func (e *epochSeen) counted(i int) uint64 {
	if e.in.StakesRao[i] < e.in.StakeThresholdRao && !e.owner(i) {
		return 0
	}
	return e.in.StakesRao[i]
}

func (e *epochSeen) owner(i int) bool {
	return e.in.HasOwner && int(e.in.Owner) == i && e.s.params.Rule != consensus.Yuma2Liquid
}

func (e *epochSeen) active(i int) bool {
	return e.in.Block-e.in.LastUpdate[i] <= e.in.ActivityCutoffBlocks
}

func (e *epochSeen) permitted(i int) bool { return e.in.Permits[i] || e.owner(i) }

// votes reports whether the weights of i move anything.
func (e *epochSeen) votes(i int) bool { return e.permitted(i) && e.active(i) && e.counted(i) > 0 }

func (e *epochSeen) fresh(i int, w WeightEntry) bool {
	since := e.in.RegisteredAt[w.UID]
	return e.in.LastUpdate[i] > since && (e.in.Commits == nil || e.in.Commits[i] >= since)
}

// row returns the weights of i that count, and their sum.
func (e *epochSeen) row(i int) (row []WeightEntry, sum uint64) {
	for _, w := range e.in.Weights[i] {
		if e.permitted(i) && e.fresh(i, w) && (int(w.UID) != i || e.owner(i)) {
			row = append(row, w)
			sum += uint64(w.Weight)
		}
	}
	return row, sum
}

func (e *epochSeen) stakes() {
	in := e.in
	var all, votes uint64
	permits, counting, voters := 0, 0, 0
	for i := range in.N() {
		all += e.counted(i)
		if in.Permits[i] {
			permits++
		}
		if e.votes(i) {
			votes += e.counted(i)
			voters++
			if _, sum := e.row(i); sum > 0 {
				counting++
			}
		}
		stake := in.StakesRao[i] > 0 && in.Permits[i]
		e.met(stake && in.Block-in.LastUpdate[i] == in.ActivityCutoffBlocks, "active at the cutoff")
		e.met(stake && in.Block-in.LastUpdate[i] == in.ActivityCutoffBlocks+1, "inactive by one block")
		e.met(in.StakeThresholdRao > 0 && in.StakesRao[i] == in.StakeThresholdRao, "stake at the threshold")
		e.met(in.StakesRao[i] > 0 && e.counted(i) == 0, "stake below the threshold")
		little := in.StakesRao[i] > 0 && in.StakesRao[i] < in.StakeThresholdRao
		e.met(e.owner(i) && little, "owner below the threshold")
	}
	e.met(in.N() > 0 && all == 0, "no stake")
	e.met(in.N() > 0 && permits == 0, "no permits")
	e.met(all > 0 && voters == 0 && e.ran.PaidRao > 0, "nobody active")
	e.met(voters > 0 && counting == 0, "no weights")
	consensusSum := 0
	for i := range in.N() {
		n := e.s.neurons.get(UID(i))
		consensusSum += int(n.consensus)
		e.met(n.incentive == 65535, "single winner")
		e.met(n.incentive == 65534, "single winner by a step less")
		share := e.counted(i)
		e.met(share > 0 && share < all>>32, "share below the resolution")
	}
	e.met(counting > 0 && consensusSum == 0, "no majority")
}

func (e *epochSeen) rows() {
	in := e.in
	for i := range in.N() {
		if !e.votes(i) {
			continue
		}
		for _, w := range in.Weights[i] {
			since := in.RegisteredAt[w.UID]
			e.met(in.LastUpdate[i] < since, "outdated weight")
			e.met(in.LastUpdate[i] == since && int(w.UID) != i, "outdated weight by equality")
			e.met(int(w.UID) == i && !e.owner(i) && w.Weight > 0, "self-weight ignored")
			e.met(int(w.UID) == i && e.owner(i) && e.fresh(i, w), "owner's own weight")
			e.met(in.Commits != nil && in.LastUpdate[i] > since && in.Commits[i] < since, "commit masks a weight")
			partial := in.BondsPenalty > 0 && in.BondsPenalty < 65535
			e.met(partial && w.Weight == 0 && e.fresh(i, w), "partial penalty drops a zero")
		}
		row, sum := e.row(i)
		e.met(e.owner(i) && !in.Permits[i] && sum > 0, "owner without a permit")
		for _, w := range row {
			c := uint64(e.s.neurons.get(w.UID).consensus)
			above := uint64(w.Weight)*65535/max(sum, 1) > c+1
			e.met(above && c > 0, "clipped weight")
			e.met(above && c == 0, "clipped to nothing")
		}
		for _, b := range in.Bonds[i] {
			_, weighs := slices.BinarySearchFunc(sortedByUID(row), b.UID, func(w WeightEntry, uid UID) int {
				return int(w.UID) - int(uid)
			})
			kept := slices.ContainsFunc(e.s.neurons.get(UID(i)).bonds, func(c BondEntry) bool {
				return c.UID == b.UID && c.Bond > 0
			})
			e.met(b.Bond > 0 && !weighs && kept, "bond kept without a weight")
		}
	}
	for j := range in.N() {
		e.tie(UID(j))
	}
}

func sortedByUID(row []WeightEntry) []WeightEntry {
	byUID := func(a, b WeightEntry) int { return int(a.UID) - int(b.UID) }
	return slices.SortedFunc(slices.Values(row), byUID)
}

// tie looks whether half of the voting stake gives j more than the other half does.
func (e *epochSeen) tie(j UID) {
	type vote struct{ weight, sum, stake uint64 }
	var votes []vote
	var all uint64
	for i := range e.in.N() {
		if !e.votes(i) {
			continue
		}
		v := vote{0, 1, e.counted(i)}
		row, sum := e.row(i)
		for _, w := range row {
			if w.UID == j && sum > 0 {
				v.weight, v.sum = uint64(w.Weight), sum
			}
		}
		votes = append(votes, v)
		all += v.stake
	}
	less := func(a, b vote) int {
		x, y := a.weight*b.sum, b.weight*a.sum
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	}
	slices.SortFunc(votes, less)
	var below uint64
	for k := 1; k < len(votes); k++ {
		below += votes[k-1].stake
		e.met(2*below == all && less(votes[k-1], votes[k]) < 0, "median tie")
	}
}

func (e *epochSeen) permits() {
	in := e.in
	for i := range in.N() {
		n := e.s.neurons.get(UID(i))
		e.met(!in.Permits[i] && n.permit, "permit gained")
		e.met(in.Permits[i] && !n.permit && len(in.Bonds[i]) > 0, "permit lost with bonds")
		for j := range i {
			m := e.s.neurons.get(UID(j))
			equal := e.counted(i) == e.counted(j) && e.counted(i) > 0
			e.met(equal && n.permit && !m.permit && !e.owner(i), "permit tie")
		}
	}
}

func (e *epochSeen) bonds() {
	in := e.in
	since := in.LastEpochBlock + 1
	for i := range in.N() {
		for _, b := range in.Bonds[i] {
			recent := in.LastEpochBlock > 0 && in.RegisteredAt[b.UID] >= since
			e.met(recent && b.Bond > 0, "recent neuron's bonds masked")
		}
		for _, c := range e.s.neurons.get(UID(i)).commits {
			e.met(e.s.params.revealEpoch(c) < e.s.epochs, "expired commit")
		}
	}
}

func (e *epochSeen) alpha() {
	in, p := e.in, &e.s.params
	if !in.LiquidAlpha || in.N() == 0 {
		return
	}
	var scores []int
	any := false
	for i := range in.N() {
		scores = append(scores, int(e.s.neurons.get(UID(i)).consensus))
		any = any || len(e.s.neurons.get(UID(i)).bonds) > 0
	}
	if !any {
		return
	}
	slices.Sort(scores)
	at := func(quarters int) int { return scores[(len(scores)*quarters)/4] }
	low, high := at(1), at(3)
	switch p.Rule {
	case consensus.Yuma2Liquid:
		e.met(high > low+1 && scores[0] < low-1, "liquid alpha at its floor")
		e.met(high > low+1 && scores[len(scores)-1] > high+1, "liquid alpha at its ceiling")
		e.met(scores[0] == scores[len(scores)-1], "liquid alpha without spread")
	case consensus.Yuma3:
		// A steepness of 327 times a distance of up to a half.
		steep := p.AlphaSteepness > 10000 || p.AlphaSteepness < -10000
		e.met(steep && scores[len(scores)-1] > 0, "exponent saturated")
	}
}

func (e *epochSeen) delegation() {
	_ = e.before.accounts.each(func(old *account) error {
		now := e.s.accounts.get(old.key)
		if len(old.nominations) == 0 || now.stakeRao == old.stakeRao {
			return nil
		}
		var paid uint64
		for i, n := range now.nominations {
			paid += n.stakeRao - old.nominations[i].stakeRao
		}
		e.met(paid > 0, "nominator paid")
		for i, n := range old.nominations {
			fresh := old.changedIn == e.before.epochs+1 && n.settledRao < n.stakeRao
			e.met(paid > 0 && fresh && now.nominations[i].stakeRao == n.stakeRao, "fresh stake unpaid")
		}
		if old.take == 0 && old.ownStake() == 0 {
			e.met(now.ownStake() > 0, "nominator's dust to the owner")
		}
		return nil
	})
}

func (e *epochSeen) nakamoto() {
	e.met(e.in.N() > 0, "nakamoto step")
	e.met(e.in.N() > 0 && e.ran.EmissionRao > 0 && e.ran.PaidRao == 0, "nakamoto without incentive")
	for i := range e.in.N() {
		for _, b := range e.in.Bonds[i] {
			e.met(e.in.Pruned[b.UID], "nakamoto column pruned")
		}
		silent := e.in.Block-e.in.LastUpdate[i] >= e.in.ActivityCutoffBlocks
		paid := e.s.neurons.get(UID(i)).emissionRao > 0
		e.met(silent && paid && len(e.in.Bonds[i]) > 0, "nakamoto inactive holder")
	}
}
