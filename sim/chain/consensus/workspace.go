package consensus

import "taolab/sim/chain/fixed"

// Workspace is the memory of one epoch after the other. The zero value is ready. Nothing of an
// epoch depends on what an earlier one left.
type Workspace struct {
	out   Output
	plain Input // of a rule that ignores parts of it

	stake     []fixed.I32F32 // share of everybody
	active    []fixed.I32F32 // S: share of those who are active and permitted
	consensus []fixed.I32F32 // C
	incentive []fixed.I32F32 // I, and before it is normalised the rank R
	dividends []fixed.I32F32 // D
	trust     []fixed.I32F32 // Tv: of validators
	alpha     []fixed.I32F32 // rate at which the bonds in a miner move
	column    []fixed.I32F32 // scratch, of any content
	dense     []fixed.I32F32 // scratch, of zeros between uses
	walked    []fixed.I32F32 // likewise
	order     []uint64

	bondsBefore []uint64 // block, per validator, before which miners must have registered

	divisors, heldDivisors []fixed.Divisor

	weights matrix // W: row i holds the shares that i gives
	clipped matrix // W clipped to C
	blended matrix // W~: what bonds are made of, between the two
	bonds   matrix // B, by validators i and miners j

	voting, silent []fixed.I32F32
	votes, spare   []vote
	begin, end     []int

	alphas, moving []fixed.I32F32 // of one row

	bondArena []BondEntry

	nakamoto nakamotoStep
}

func (ws *Workspace) resize(n int) {
	for _, v := range []*[]fixed.I32F32{&ws.stake, &ws.active, &ws.consensus, &ws.incentive,
		&ws.dividends, &ws.trust, &ws.alpha, &ws.column} {
		resize(v, n)
	}
	for _, v := range []*[]fixed.I32F32{&ws.dense, &ws.walked} {
		clear(resize(v, n))
	}
	resize(&ws.divisors, n)
	resize(&ws.heldDivisors, n)
	resize(&ws.order, n)
	resize(&ws.bondsBefore, n)
	for _, v := range []*[]uint64{&ws.out.ServerEmissionRao, &ws.out.ValidatorEmissionRao,
		&ws.out.EmissionRao} {
		resize(v, n)
	}
	for _, v := range []*[]uint16{&ws.out.Consensus, &ws.out.Incentive, &ws.out.Dividends,
		&ws.out.ValidatorTrust, &ws.out.StakeWeight, &ws.out.PruningScore, &ws.out.Rank,
		&ws.out.Trust} {
		resize(v, n)
	}
	ws.out.Wide = nil
	resize(&ws.out.Active, n)
	resize(&ws.out.Permits, n)
	resize(&ws.out.Bonds, n)
}

// resize makes *v n long, keeping its memory where that suffices; its contents are undefined.
func resize[T any](v *[]T, n int) []T {
	if cap(*v) < n {
		*v = make([]T, n, n+n/4)
	}
	*v = (*v)[:n]
	return *v
}
