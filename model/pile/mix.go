package pile

import (
	"fmt"
	"math"

	"taolab/model/num"
)

// Mix draws windows of text: the subset by weight, the place uniformly. It is stateless, so it may be
// shared; all randomness comes from the stream it is given.
//
// A split is a ring: after its last token, an end of text, comes its first. So all places are equally
// likely, and a window may have any length.
type Mix struct {
	tokens     [][]uint16
	cumulative []float64
}

// NewMix mixes one split of all subsets. It takes a weight per subset in the store's order, finite and
// not negative, not all zero; nil for the corpus' own.
func (s *Store) NewMix(split Split, weights []float64) (*Mix, error) {
	if split >= splits {
		return nil, fmt.Errorf("pile: no %v; wanted train, score or held out", split)
	}
	if weights == nil {
		weights = s.Weights()
	}
	if len(weights) != len(s.subsets) {
		return nil, fmt.Errorf("pile: a mix of %d weights; wanted one for each of %d subsets",
			len(weights), len(s.subsets))
	}
	m := &Mix{}
	sum := 0.0
	for i, weight := range weights {
		if !(weight >= 0 && weight <= math.MaxFloat32) {
			return nil, fmt.Errorf("pile: subset %q has weight %v; wanted 0 or more, and finite",
				s.subsets[i].Name, weight)
		}
		sum += weight
		m.cumulative = append(m.cumulative, sum)
		m.tokens = append(m.tokens, s.subsets[i].tokens[split])
	}
	if sum == 0 {
		return nil, fmt.Errorf("pile: all %d weights of a mix are 0; wanted one above 0", len(weights))
	}
	return m, nil
}

// Batch fills tokens and targets, both [rows x cols], targets being the tokens one place later. Each row's
// subset is drawn separately. A row usually takes two numbers of the stream.
func (m *Mix) Batch(st *num.Stream, rows, cols int, tokens, targets []uint16) {
	for row := range rows {
		from, to := row*cols, (row+1)*cols
		m.window(m.tokens[st.Pick(m.cumulative)], st, tokens[from:to], targets[from:to])
	}
}

// Batch1 fills tokens, [rows x cols], with windows of one subset, and returns the subset.
func (m *Mix) Batch1(st *num.Stream, rows, cols int, tokens []uint16) (subset int) {
	subset = st.Pick(m.cumulative)
	for row := range rows {
		m.window(m.tokens[subset], st, tokens[row*cols:(row+1)*cols], nil)
	}
	return subset
}

// BatchOf fills tokens, [rows x cols], with one window per row, and subsets with each row's subset.
func (m *Mix) BatchOf(st *num.Stream, rows, cols int, tokens, subsets []uint16) {
	for row := range rows {
		subset := st.Pick(m.cumulative)
		subsets[row] = uint16(subset)
		m.window(m.tokens[subset], st, tokens[row*cols:(row+1)*cols], nil)
	}
}

// Reads lists the subsets that a row can come from, ascending.
func (m *Mix) Reads() []uint16 {
	var reads []uint16
	before := 0.0
	for i, sum := range m.cumulative {
		if sum > before {
			reads = append(reads, uint16(i))
		}
		before = sum
	}
	return reads
}

// Shares are the probabilities that a row comes from each subset of Reads; they sum to 1.
func (m *Mix) Shares() []float64 {
	var shares []float64
	total, before := m.cumulative[len(m.cumulative)-1], 0.0
	for _, sum := range m.cumulative {
		if sum > before {
			shares = append(shares, (sum-before)/total)
		}
		before = sum
	}
	return shares
}

// window fills tokens from a random place, and targets, which may be nil, with each token's successor.
func (m *Mix) window(ring []uint16, st *num.Stream, tokens, targets []uint16) {
	at := st.IntN(len(ring))
	wind(tokens, ring, at)
	if targets != nil {
		wind(targets, ring, (at+1)%len(ring))
	}
}

// wind fills dst from a ring.
func wind(dst, ring []uint16, at int) {
	for len(dst) > 0 {
		n := copy(dst, ring[at:])
		dst, at = dst[n:], 0
	}
}
