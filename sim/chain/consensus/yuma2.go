package consensus

import "taolab/sim/chain/fixed"

// columnBonds is how bonds move in yuma2: a miner's bonds are shares that sum to one over its
// validators. A validator gains in an epoch its stake times its weight. Stored are the
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
	// Slices that loops store to are variables of their own: fields would be loaded every time.
	gained, held := ws.divisors, ws.heldDivisors
	column, dense, alpha, registered := ws.column, ws.dense, ws.alpha, in.RegisteredAt
	clear(column)
	for i, stake := range ws.active {
		uids, values := weights.row(i)
		for k, j := range uids {
			gain := values[k].MulShare(stake)
			values[k] = gain
			column[j] += gain
		}
	}
	divisors(gained, column)
	clear(column)
	for i, row := range in.Bonds {
		before := ws.bondsBefore[i]
		for _, b := range row {
			if registered[b.UID] < before {
				column[b.UID] += fixed.I32F32(uint16(b.Bond))
			}
		}
	}
	divisors(held, column)
	ws.bonds.reset()
	for i, row := range in.Bonds {
		uids, values := weights.row(i)
		if len(uids)+len(row) == 0 {
			ws.bonds.endRow(0)
			continue
		}
		before := ws.bondsBefore[i]
		for _, b := range row {
			if j := b.UID; registered[j] < before {
				share := held[j].Divide(fixed.I32F32(uint16(b.Bond)))
				dense[j] = share.MulShare(fixed.One - alpha[j])
			}
		}
		for k, j := range uids {
			dense[j] += alpha[j].MulShare(gained[j].Divide(values[k]))
		}
		ws.bonds.gather(dense)
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
	by, incentive := ws.divisors, ws.incentive
	for i := range ws.dividends {
		uids, values := ws.bonds.row(i)
		var sum fixed.I32F32
		for k, j := range uids {
			share := by[j].Divide(values[k])
			values[k] = share
			sum += share.MulShare(incentive[j])
		}
		ws.dividends[i] = sum
	}
}
