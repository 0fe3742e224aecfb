package lm

import (
	"math"
	"slices"
	"testing"

	"taolab/model/lm/kernel"
	"taolab/model/num"
)

// Every prefix, however it was cut into pieces, on every instruction set.
func TestBitsOfADecoderAreThoseOfNextOnTheWholePrefix(t *testing.T) {
	for _, isa := range kernel.Supported() {
		for _, c := range []Config{
			{Vocab: 24, Context: 70, Width: 16, Layers: 2, Heads: 1},
			{Vocab: 37, Context: 35, Width: 21, Layers: 2, Heads: 3},
			{Vocab: 5, Context: 1, Width: 4, Layers: 1, Heads: 1},
		} {
			t.Run(isa.String(), func(t *testing.T) {
				defer kernel.Force(isa)()
				const rows = 2
				s := num.NewStream(1, "decoder")
				m, w := roughModel(c, 2), new(Workspace)
				tokens := randomTokens(rows*c.Context, c.Vocab, s)
				prefix := func(from, to int) (piece []uint16) {
					for r := range rows {
						piece = append(piece, tokens[r*c.Context+from:r*c.Context+to]...)
					}
					return piece
				}
				want := make([][]float32, c.Context+1)
				for n := 1; n <= c.Context; n++ {
					want[n] = slices.Clone(w.Next(m, prefix(0, n), rows, n))
				}
				d := NewDecoder(m, rows)
				for first := 1; first <= c.Context; first += 1 + c.Context/4 {
					for _, piece := range []int{1, 5, 16, 33} {
						d.Reset()
						for from, to := 0, first; from < c.Context; from, to = to, min(to+piece, c.Context) {
							if got := d.Feed(prefix(from, to)); hashOf(got) != hashOf(want[to]) {
								t.Fatalf("%+v: first %d, then pieces of %d: position %d differs from Next",
									c, first, piece, to)
							}
						}
					}
				}
			})
		}
	}
}

func TestADecoderAllocatesNothingWhileItReads(t *testing.T) {
	c := Config{Vocab: 33, Context: 60, Width: 24, Layers: 2, Heads: 3}
	s := num.NewStream(3, "allocations")
	d, tokens, out := NewDecoder(New(c, s), 2), randomTokens(40, 33, s), make([]uint16, 60)
	random := []*num.Stream{s.Sub("a"), s.Sub("b")}
	if n := testing.AllocsPerRun(3, func() {
		d.Reset()
		d.Generate(tokens, out, Sampling{Temperature: 0.8, TopK: 9}, random)
	}); n != 0 {
		t.Errorf("%v allocations, expected none", n)
	}
}

func TestSamplingFollowsTheProbabilities(t *testing.T) {
	d := new(Decoder)
	probs := []float32{0.125, 0.5, 0.25, 0.125, 0}
	for _, c := range []struct {
		sampling Sampling
		want     []float64
	}{
		{Sampling{}, []float64{0, 1, 0, 0, 0}},
		{Sampling{Temperature: 1}, []float64{0.125, 0.5, 0.25, 0.125, 0}},
		{Sampling{Temperature: 1, TopK: 3}, []float64{1. / 7, 4. / 7, 2. / 7, 0, 0}},
		{Sampling{Temperature: 1, TopK: 1}, []float64{0, 1, 0, 0, 0}},
		{Sampling{Temperature: 0.5}, []float64{1. / 22, 16. / 22, 4. / 22, 1. / 22, 0}},
		{Sampling{Temperature: 2, TopK: 2}, []float64{0, 2 - math.Sqrt2, math.Sqrt2 - 1, 0, 0}},
	} {
		const draws = 20000
		random, counts := num.NewStream(9, "sampling"), make([]float64, len(probs))
		for range draws {
			counts[d.Sample(c.sampling, probs, random)]++
		}
		for id, want := range c.want {
			got := counts[id] / draws
			if math.Abs(got-want) > 0.015 || want == 0 && got != 0 {
				t.Errorf("%+v: token %d comes with frequency %v, expected %v", c.sampling, id, got, want)
			}
		}
	}
	for _, s := range []Sampling{
		{Temperature: -1}, {Temperature: math.NaN()}, {Temperature: 1e9}, {TopK: -1},
	} {
		if s.Validate() == nil {
			t.Errorf("%+v passes", s)
		}
	}
}

func TestGreedyDecodingTakesTheBestTokenEachTime(t *testing.T) {
	c := Config{Vocab: 29, Context: 20, Width: 16, Layers: 2, Heads: 2}
	s := num.NewStream(4, "greedy")
	m, w := roughModel(c, 5), new(Workspace)
	prompt, out := randomTokens(8, c.Vocab, s), make([]uint16, 32)
	NewDecoder(m, 2).Generate(prompt, out, Sampling{}, []*num.Stream{nil, nil})
	for r := range 2 {
		text := slices.Clone(prompt[r*4 : r*4+4])
		for i, got := range out[r*16 : r*16+16] {
			probs := w.Next(m, text, 1, len(text))
			if want := slices.Index(probs, slices.Max(probs)); int(got) != want {
				t.Fatalf("row %d, token %d is %d, expected %d", r, i, got, want)
			}
			text = append(text, got)
		}
	}
}
