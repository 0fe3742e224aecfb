package consensus

import "taolab/sim/chain/fixed"

// vote is one voter's score for one candidate, with its stake.
type vote struct{ score, stake fixed.I32F32 }

// median returns the smallest score v of the votes such that lo plus the stake of the scores up
// to v exceeds minority, and the largest score if there is none; 0 without votes. With
// minority = total - kappa it is the largest score that a kappa majority of stake supports.
// It reorders the votes.
func median(votes []vote, lo, minority fixed.I32F32) fixed.I32F32 {
	if len(votes) == 0 {
		return 0
	}
	for {
		pivot := votes[len(votes)/2].score
		var below, equal fixed.I32F32
		a, b := 0, 0 // votes[:a] < pivot, votes[a:b] == pivot, votes[b:i] > pivot
		for i, v := range votes {
			switch {
			case v.score < pivot:
				below += v.stake
				votes[i], votes[b], votes[a] = votes[b], votes[a], v
				a++
				b++
			case v.score == pivot:
				equal += v.stake
				votes[i], votes[b] = votes[b], v
				b++
			}
		}
		switch {
		case a > 0 && lo+below > minority:
			votes = votes[:a]
		case b == len(votes) || lo+below+equal > minority:
			return pivot
		default:
			lo += below + equal
			votes = votes[b:]
		}
	}
}

// weightedMedians writes to dst for every column of m the weighted median over the rows with
// stake; an absent entry is a score of 0.
func (ws *Workspace) weightedMedians(dst, stake []fixed.I32F32, m *matrix, kappa fixed.I32F32) {
	n := len(stake)
	voting := ws.voting[:n]
	copy(voting, stake)
	fixed.Normalize(voting)
	total := fixed.Sum(voting)
	voters := 0
	begin := resize(&ws.begin, n+1) // of the column's votes; shifted by one while they are counted
	clear(begin)
	for i, s := range voting {
		if s == 0 {
			continue
		}
		voters++
		uids, values := m.row(i)
		for k, j := range uids {
			if values[k] != 0 {
				begin[j+1]++
			}
		}
	}
	for j := range n {
		begin[j+1] += begin[j]
	}
	votes := resize(&ws.votes, begin[n])
	next := resize(&ws.next, n)
	copy(next, begin)
	for i, s := range voting {
		if s == 0 {
			continue
		}
		uids, values := m.row(i)
		for k, j := range uids {
			if values[k] != 0 {
				votes[next[j]] = vote{values[k], s}
				next[j]++
			}
		}
	}
	minority := total - kappa
	for j := range n {
		column := votes[begin[j]:begin[j+1]]
		var silent fixed.I32F32
		if len(column) < voters {
			silent = total
			for _, v := range column {
				silent -= v.stake
			}
		}
		if len(column) < voters && (silent > minority || len(column) == 0) {
			dst[j] = 0
			continue
		}
		dst[j] = median(column, silent, minority)
	}
}
