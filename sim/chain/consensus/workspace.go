package consensus

import "taolab/sim/chain/fixed"

// Workspace is the memory of one epoch after the other. The zero value is ready. Nothing of an
// epoch depends on what an earlier one left.
type Workspace struct {
	out Output

	stake     []fixed.I32F32 // share of everybody
	active    []fixed.I32F32 // share of those who are active and permitted
	voting    []fixed.I32F32
	consensus []fixed.I32F32
	rank      []fixed.I32F32
	dividends []fixed.I32F32
	column    []fixed.I32F32
	trust     []fixed.I32F32
	rows      []pair
	order     []UID

	weights, clipped, blended, old, delta, bonds matrix

	votes       []vote
	begin, next []int
	bondArena   []BondEntry
}

func (ws *Workspace) resize(n int) {
	for _, v := range []*[]fixed.I32F32{&ws.stake, &ws.active, &ws.voting, &ws.consensus, &ws.rank,
		&ws.dividends, &ws.column, &ws.trust} {
		resize(v, n)
	}
	if len(ws.rows) != n {
		ws.rows = make([]pair, n)
	}
	resize(&ws.order, n)
	for _, v := range []*[]uint64{&ws.out.ServerEmissionRao, &ws.out.ValidatorEmissionRao,
		&ws.out.EmissionRao} {
		resize(v, n)
	}
	for _, v := range []*[]uint16{&ws.out.Consensus, &ws.out.Incentive, &ws.out.Dividends,
		&ws.out.ValidatorTrust, &ws.out.StakeWeight, &ws.out.PruningScore} {
		resize(v, n)
	}
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
