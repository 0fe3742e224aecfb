package consensus

import "taolab/sim/chain/fixed"

// pairBonds is how bonds move in yuma3: each pair of validator and miner has a bond of its own
// that follows the weight, whatever others do, and is at most one. Stake enters only when the
// dividends are computed.
func pairBonds(ws *Workspace, in *Input, weights *matrix) {
	ws.loadBonds(in, fixed.FromU16)
	ws.moveBonds(in, weights)
	shares := &ws.delta
	shares.copyOf(&ws.bonds)
	shares.normalizeColumns(ws.column)
	shares.timesColumns(ws.dividends, ws.rank)
	for i, stake := range ws.active {
		ws.dividends[i] = ws.dividends[i].Mul(stake)
	}
	fixed.Normalize(ws.dividends)
}
