package registration

import "math/bits"

// Candidate is a neuron that may have to give way.
type Candidate struct {
	Score        uint64 // the lowest goes
	RegisteredAt uint64 // block; in a tie the earlier goes
	Exempt       bool   // never goes (by emission only): the network owner's
}

func (c Candidate) before(d Candidate) bool {
	return c.Score < d.Score || c.Score == d.Score && c.RegisteredAt < d.RegisteredAt
}

// immune reports whether somebody registered at a block not after block is immune there.
func immune(block, registeredAt, immunityBlocks uint64) bool {
	return block-registeredAt < immunityBlocks
}

// PruneByEmission chooses who of at(0) to at(n-1) goes at a block, the score being the emission of
// the last epoch in rao: the first of the lowest. Of those that are not immune one goes only while
// there are more than minNonImmune of them, else one of the immune. ok is false if nobody may go;
// others is how many were neither immune nor exempt.
func PruneByEmission(n int, at func(int) Candidate, block, immunityBlocks uint64, minNonImmune int) (
	index, others int, ok bool) {
	worst, others := lowest(n, at, block, immunityBlocks)
	if worst[0] >= 0 && others > minNonImmune {
		return worst[0], others, true
	}
	return worst[1], others, worst[1] >= 0
}

// PruneByScore chooses who goes, the score being a u16: the first of the lowest that are not
// immune, and only if all are immune, of those. Nobody is exempt. ok is false for n = 0.
func PruneByScore(n int, at func(int) Candidate, block, immunityBlocks uint64) (index int, ok bool) {
	worst, _ := lowest(n, func(i int) Candidate {
		c := at(i)
		c.Exempt = false
		return c
	}, block, immunityBlocks)
	if worst[0] >= 0 {
		return worst[0], true
	}
	return worst[1], worst[1] >= 0
}

// PruneByScoreLast is PruneByScore as it was until August 2024, when registration blocks played no part:
// the last of the lowest that are not immune, and only if there is none, the first of the lowest that
// are. A score of 65535, that of a slot just taken, is nobody's turn; index is 0 where all have it.
func PruneByScoreLast(n int, at func(int) Candidate, block, immunityBlocks uint64) (index int, ok bool) {
	const taken = 65535
	worst, best := [2]int{-1, -1}, [2]uint64{taken, taken}
	for i := range n {
		c := at(i)
		if immune(block, c.RegisteredAt, immunityBlocks) {
			if c.Score < best[1] {
				worst[1], best[1] = i, c.Score
			}
		} else if c.Score <= best[0] && c.Score < taken {
			worst[0], best[0] = i, c.Score
		}
	}
	if worst[0] >= 0 {
		return worst[0], true
	}
	return max(worst[1], 0), n > 0
}

// lowest returns the first of the lowest that are not immune and that are, -1 where there is none,
// and how many are not immune.
func lowest(n int, at func(int) Candidate, block, immunityBlocks uint64) (worst [2]int, others int) {
	worst = [2]int{-1, -1}
	var best [2]Candidate
	for i := range n {
		c := at(i)
		if c.Exempt {
			continue
		}
		group := 0
		if immune(block, c.RegisteredAt, immunityBlocks) {
			group = 1
		} else {
			others++
		}
		if worst[group] < 0 || c.before(best[group]) {
			worst[group], best[group] = i, c
		}
	}
	return worst, others
}

// Holding is what pruning of 2022 looks at.
type Holding struct {
	StakeRao     uint64
	Incentive    uint64 // 1/(2^64-1)
	RegisteredAt uint64 // block
}

// PruneByStakeOrIncentive chooses who goes: the first whose score is the lowest. The score is the
// larger of its share of totalRao and its incentive, in 63 fraction bits; an immune one's is raised
// by the number of the block at which it registered, so that it goes only where all are immune, the
// oldest first. ok is false for n = 0.
func PruneByStakeOrIncentive(n int, at func(int) Holding, totalRao, block, immunityBlocks uint64) (
	index int, ok bool) {
	index = -1
	var best wide
	for i := range n {
		h := at(i)
		score := wide{0, max(share(h.StakeRao, totalRao), share(h.Incentive, 1<<64-1))}
		if immune(block, h.RegisteredAt, immunityBlocks) {
			score = score.plus(product(h.RegisteredAt, 1<<63))
		}
		if index < 0 || score.less(best) {
			index, best = i, score
		}
	}
	return index, index >= 0
}

// share returns part / total in 63 fraction bits; nothing of nothing is nothing, and more than all
// is all.
func share(part, total uint64) uint64 {
	switch {
	case total == 0:
		return 0
	case part >= total:
		return 1 << 63
	}
	q, _ := bits.Div64(part>>1, part<<63, total)
	return q
}

func (w wide) less(v wide) bool { return w.hi < v.hi || w.hi == v.hi && w.lo < v.lo }
