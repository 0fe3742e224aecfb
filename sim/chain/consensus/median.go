package consensus

import (
	"slices"

	"taolab/sim/chain/fixed"
)

// vote is one voter's score with the voter's uid below it, so that votes are ordered by score and
// no two are equal.
type vote uint64

const voterBits = 16

func newVote(score fixed.I32F32, voter int) vote { return vote(score)<<voterBits | vote(voter) }

func (v vote) score() fixed.I32F32 { return fixed.I32F32(v >> voterBits) }
func (v vote) voter() UID          { return UID(v) }

// median returns the smallest score v of the votes such that lo plus the stake of the scores up
// to v exceeds minority, and the largest score if there is none; 0 without votes. With
// minority = total - kappa it is the largest score that a kappa majority of stake supports.
// It reorders the votes; spare is as long.
func median(votes, spare []vote, stake []fixed.I32F32, lo, minority fixed.I32F32) fixed.I32F32 {
	// Narrow down to a few candidates: each round splits at the middle of three. A bad sequence
	// of pivots ends after some rounds, and sorting takes the rest.
	for rounds := 0; len(votes) > 8 && rounds < 40; rounds++ {
		a, b, c := votes[0], votes[len(votes)/2], votes[len(votes)-1]
		pivot := max(min(a, b), min(max(a, b), c))
		upTo := lo // stake of what is at most pivot
		down, up := 0, spare[:len(votes)]
		for k, v := range votes {
			isDown := 0
			if v <= pivot {
				isDown = 1
			}
			votes[down], up[k-down] = v, v
			down += isDown
			upTo += stake[v.voter()] & -fixed.I32F32(isDown)
		}
		if upTo > minority {
			votes = votes[:down]
		} else {
			lo = upTo
			votes, spare = up[:len(votes)-down], votes
		}
	}
	slices.Sort(votes)
	var score fixed.I32F32
	for _, v := range votes {
		score = v.score()
		if lo += stake[v.voter()]; lo > minority {
			break
		}
	}
	return score
}

// weightedMedians writes to dst for every column of m the weighted median over the rows with
// stake; an absent entry is a score of 0.
func (ws *Workspace) weightedMedians(dst, stake []fixed.I32F32, m *matrix, kappa fixed.I32F32) {
	n := len(stake)
	voting := resize(&ws.voting, n)
	copy(voting, stake)
	fixed.Normalize(voting)
	total := fixed.Sum(voting)
	minority := total - kappa
	begin := resize(&ws.begin, n+1) // of the column's votes; shifted by one while they are counted
	clear(begin)
	voters := 0
	for i, s := range voting {
		if s == 0 {
			continue
		}
		voters++
		uids, _ := m.row(i)
		for _, j := range uids {
			begin[j+1]++
		}
	}
	for j := range n {
		begin[j+1] += begin[j]
	}
	votes := resize(&ws.votes, begin[n])
	end := resize(&ws.end, n)
	copy(end, begin)
	silent := resize(&ws.silent, n) // stake of those whose score is 0
	for j := range silent {
		silent[j] = total
	}
	for i, s := range voting {
		if s == 0 {
			continue
		}
		uids, values := m.row(i)
		for k, j := range uids {
			if values[k] != 0 {
				votes[end[j]] = newVote(values[k], i)
				end[j]++
				silent[j] -= s
			}
		}
	}
	spare := resize(&ws.spare, voters)
	for j := range n {
		column := votes[begin[j]:end[j]]
		if len(column) == 0 || len(column) < voters && silent[j] > minority {
			dst[j] = 0
			continue
		}
		dst[j] = median(column, spare, voting, silent[j], minority)
	}
}
