package consensus

import "taolab/sim/chain/fixed"

// columnBonds is how bonds move in yuma2: a miner's bonds are shares that sum to one over its
// validators. What a validator gains in an epoch is its stake times its weight. Stored are the
// shares relative to the largest, so that only proportions survive.
func columnBonds(ws *Workspace, in *Input, weights *matrix) {
	alpha := fixed.Complement(in.BondsMovingAveragePPM)
	for j := range ws.alpha {
		ws.alpha[j] = alpha
	}
	ws.moveColumns(in, weights)
}

// moveColumns moves the bonds of every column at its rate in ws.alpha.
func (ws *Workspace) moveColumns(in *Input, weights *matrix) {
	gained, held := ws.divisors, ws.heldDivisors
	clear(ws.column)
	for i, stake := range ws.active {
		uids, values := weights.row(i)
		for k, j := range uids {
			gain := values[k].MulShare(stake)
			values[k] = gain
			ws.column[j] += gain
		}
	}
	divisors(gained, ws.column)
	clear(ws.column)
	for i, row := range in.Bonds {
		for _, b := range row {
			if in.RegisteredAt[b.UID] < ws.bondsBefore[i] {
				ws.column[b.UID] += fixed.I32F32(uint16(b.Bond))
			}
		}
	}
	divisors(held, ws.column)
	ws.bonds.reset()
	for i, row := range in.Bonds {
		uids, values := weights.row(i)
		if len(uids)+len(row) == 0 {
			ws.bonds.endRow(0)
			continue
		}
		for _, b := range row {
			if j := b.UID; in.RegisteredAt[j] < ws.bondsBefore[i] {
				share := held[j].Divide(fixed.I32F32(uint16(b.Bond)))
				ws.dense[j] = share.MulShare(fixed.One - ws.alpha[j])
			}
		}
		for k, j := range uids {
			ws.dense[j] += ws.alpha[j].MulShare(gained[j].Divide(values[k]))
		}
		ws.bonds.gather(ws.dense)
	}
	ws.divideBonds()
	fixed.Normalize(ws.dividends)
	ws.bonds.upscaleColumns(ws.column, ws.divisors)
}

// divideBonds makes every column of the bonds shares of its sum. A validator's dividends are the
// sum of its shares times the incentive.
func (ws *Workspace) divideBonds() {
	ws.bonds.columnSums(ws.column)
	divisors(ws.divisors, ws.column)
	for i := range ws.dividends {
		uids, values := ws.bonds.row(i)
		var sum fixed.I32F32
		for k, j := range uids {
			share := ws.divisors[j].Divide(values[k])
			values[k] = share
			sum += share.MulShare(ws.incentive[j])
		}
		ws.dividends[i] = sum
	}
}
