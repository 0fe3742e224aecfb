package consensus

import "taolab/sim/chain/fixed"

// columnBonds is how bonds move in yuma2: a miner's bonds are shares that sum to one over its
// validators. What a validator gains in an epoch is its stake times its weight. Stored are the
// shares relative to the largest, so that only proportions survive.
func columnBonds(ws *Workspace, in *Input, weights *matrix) {
	ws.loadBonds(in, func(b uint16) fixed.I32F32 { return fixed.FromInt(int64(b)) })
	ws.old.normalizeColumns(ws.column)
	delta := &ws.delta
	delta.copyOf(weights)
	delta.scaleRows(ws.active)
	delta.normalizeColumns(ws.column)
	ws.moveBonds(in, delta)
	ws.bonds.normalizeColumns(ws.column)
	ws.bonds.timesColumns(ws.dividends, ws.rank)
	fixed.Normalize(ws.dividends)
	ws.bonds.upscaleColumns(ws.column)
}
