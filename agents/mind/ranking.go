package mind

import (
	"math"
	"slices"

	"taolab/agents/score"
)

// ranking finds the most probable tokens of one row after the other, reusing its memory.
type ranking struct {
	counts [classes]uint32 // tokens in each class, then the end of each class in order
	order  []uint64        // tokens in order
	probs  []float32       // of all rows
	ids    []uint16
	rows   []score.Dist
}

// Tokens are first sorted into classes of probability, eight to each halving; only tokens in the
// classes of the first k are compared with each other. The last class takes all probabilities below
// 2^-63.
const (
	classes   = 512
	classBits = 20 // low bits of a float32 that do not affect its class
	certainty = 0x3f800000
	fewTokens = 16 // of a class, up to which insertion sorts it
)

func class(p float32) uint32 {
	bits := min(math.Float32bits(p), certainty) // probabilities are not negative
	return min((certainty-bits)>>classBits, classes-1)
}

// least returns the bits of the smallest probability in a class.
func least(class uint32) uint32 {
	if class == classes-1 {
		return 0
	}
	return certainty - ((class+1)<<classBits - 1)
}

// top returns the k most probable tokens of each row of probs [rows x vocab], most probable first;
// ties go to the lowest id. The result is valid until the next call.
func (r *ranking) top(probs []float32, rows, k int) []score.Dist {
	vocab := len(probs) / rows
	r.order = grow(r.order, vocab)
	r.probs, r.ids, r.rows = grow(r.probs, rows*k), grow(r.ids, rows*k), grow(r.rows, rows)
	for i := range r.rows {
		row, from, to := probs[i*vocab:(i+1)*vocab], i*k, (i+1)*k
		d := score.Dist{Probs: r.probs[from:to:to], IDs: r.ids[from:to:to]}
		for j, o := range r.first(row, k) {
			d.Probs[j], d.IDs[j] = row[uint16(o)], uint16(o)
		}
		r.rows[i] = d
	}
	return r.rows
}

// first returns the k most probable tokens in order, each as the complement of its probability's
// bits above its id.
func (r *ranking) first(probs []float32, k int) []uint64 {
	clear(r.counts[:])
	for _, p := range probs {
		r.counts[class(p)]++
	}
	end, last := uint32(0), uint32(0) // of the classes that are needed
	for c := range r.counts {
		n := r.counts[c]
		r.counts[c] = end // its beginning; its end once its tokens are placed
		end, last = end+n, uint32(c)
		if end >= uint32(k) {
			break
		}
	}
	least := least(last)
	for id, p := range probs {
		if bits := math.Float32bits(p); bits >= least {
			c := class(p)
			r.order[r.counts[c]] = uint64(^bits)<<16 | uint64(id)
			r.counts[c]++
		}
	}
	begin := uint32(0)
	for _, end := range r.counts[:last+1] {
		sortTokens(r.order[begin:end])
		begin = end
	}
	return r.order[:k]
}

// sortTokens sorts the tokens of a class, which are usually few.
func sortTokens(tokens []uint64) {
	if len(tokens) > fewTokens {
		slices.Sort(tokens)
		return
	}
	for i := 1; i < len(tokens); i++ {
		t, k := tokens[i], i
		for ; k > 0 && tokens[k-1] > t; k-- {
			tokens[k] = tokens[k-1]
		}
		tokens[k] = t
	}
}
