package lm

import (
	"bytes"
	"math"
	"testing"

	"taolab/model/lm/kernel"
	"taolab/model/num"
)

// Whatever the shape, the weights and the settings: numbers stay numbers, states can be read again, and
// the bits are those of plain Go.
func FuzzRowRouter(f *testing.F) {
	f.Add(uint64(1), uint8(3), uint8(5), uint8(2), uint8(9), uint8(3), uint8(12), float32(1), float32(0.01))
	f.Add(uint64(2), uint8(17), uint8(1), uint8(1), uint8(1), uint8(0), uint8(1), float32(WeightLimit), float32(1))
	f.Add(uint64(3), uint8(1), uint8(8), uint8(5), uint8(255), uint8(17), uint8(0), float32(1e-30), float32(0))
	f.Fuzz(func(t *testing.T, seed uint64, rows, cols, heads, gates, subsets, pairs uint8, size, rate float32) {
		c := Config{Vocab: 19, Context: 8, Width: 3 * (1 + int(heads)%6), Layers: 1, Heads: 1 + int(heads)%6}
		b := rowBatch{rows: 1 + int(rows)%20, cols: 1 + int(cols)%c.Context}
		size = min(float32(math.Abs(float64(size))), WeightLimit)
		o := DefaultRowTraining
		o.TrunkRate, o.HeadRate = rate, rate
		if size != size || o.Validate() != nil {
			t.Skip("the settings are not numbers within their limits; such are refused elsewhere")
		}
		run := func() (router, state []byte, scores []float32) {
			s := num.NewStream(seed, "fuzz")
			n, k := 1+int(gates), int(subsets)%20
			r, st, w := NewRowRouter(New(c, s), n, k), new(RowAdam), new(Workspace)
			for _, part := range [][]float32{r.Trunk.Weights, r.Gates, r.Bias, r.Common, r.Subsets} {
				for i := range part {
					part[i] = float32(2*s.Float64()-1) * size
				}
			}
			for step := range 3 {
				b.tokens, b.subsets, b.means, b.pairs = randomTokens(b.rows*b.cols, c.Vocab, s), nil, nil, nil
				if k > 0 && step != 1 {
					b.subsets = randomTokens(b.rows, k, s)
					for range n * k {
						b.means = append(b.means, float32(3*s.Float64()-1))
					}
				}
				for range pairs {
					b.pairs = append(b.pairs, RowPair{s.IntN(b.rows), uint16(s.IntN(n)), float32(s.Float64())})
				}
				loss := w.TrainRows(r, o, st, b.tokens, b.rows, b.cols, b.subsets, b.means, b.pairs)
				if !within(loss, 0, math.MaxFloat32) {
					t.Fatalf("step %d: loss %v", step, loss)
				}
			}
			scores = make([]float32, b.rows*n)
			w.RouteRows(r, b.tokens, b.rows, b.cols, b.means, scores)
			for i, v := range scores {
				if !within(v, 0, 1) {
					t.Fatalf("score %d is %v", i, v)
				}
			}
			router, _ = r.AppendBinary(nil)
			state, _ = st.AppendBinary(nil)
			if err := new(RowRouter).UnmarshalBinary(router); err != nil {
				t.Fatal(err)
			}
			if err := new(RowAdam).UnmarshalBinary(state); err != nil {
				t.Fatal(err)
			}
			return router, state, scores
		}
		router, state, scores := run()
		restore := kernel.Force(kernel.Generic)
		plainRouter, plainState, plainScores := run()
		restore()
		if !bytes.Equal(router, plainRouter) || !bytes.Equal(state, plainState) || hashOf(scores) != hashOf(plainScores) {
			t.Errorf("%v and plain Go disagree on %+v, %d x %d", kernel.Active(), c, b.rows, b.cols)
		}
	})
}
