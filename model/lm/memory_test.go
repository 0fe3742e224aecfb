package lm

import (
	"math"
	"testing"

	"taolab/model/num"
)

func TestBytesAreStated(t *testing.T) {
	a := Config{Vocab: 256, Context: 64, Width: 64, Layers: 2, Heads: 4}
	deep := a
	deep.Layers = 20
	if few, many := a.LossesBytes(8, 64), deep.LossesBytes(8, 64); few != many {
		t.Errorf("losses take %d bytes with 2 layers and %d with 20", few, many)
	}
	if few, many := a.NextBytes(8, 64), deep.NextBytes(8, 64); few != many {
		t.Errorf("distributions take %d bytes with 2 layers and %d with 20", few, many)
	}
	if few, many := a.LossesBytes(8, 64), a.LossesBytes(800, 64); many-few != 4*792*64 {
		t.Errorf("losses of 800 rows take %d bytes, of 8 %d; expected 4 more for each position", many, few)
	}
	m, w := New(a, num.NewStream(1, "bytes")), new(Workspace)
	tokens, losses := make([]uint16, 512), make([]float32, 512)
	w.Losses(m, tokens, tokens, 8, 64, losses)
	if got, want := 4*len(w.arena), a.LossesBytes(8, 64); got != want {
		t.Errorf("a workspace took %d bytes, %d were stated", got, want)
	}
}

func TestMomentsInBFloat16LoseNothingOnAverage(t *testing.T) {
	const n, steps = 64, 4096
	x, sum := make([]float32, n), make([]float64, n)
	s := num.NewStream(1, "dither")
	for i := range x {
		x[i] = float32(math.Ldexp(2*s.Float64()-1, s.IntN(40)-20))
	}
	half, back := make([]uint16, n), make([]float32, n)
	for step := range uint32(steps) {
		narrow(half, x, step*ditherStep)
		widen(back, half)
		for i, v := range back {
			if math.Abs(float64(v-x[i])) > math.Abs(float64(x[i]))/128 {
				t.Fatalf("%v is rounded to %v", x[i], v)
			}
			sum[i] += float64(v) / steps
		}
	}
	for i, mean := range sum {
		if !near(x[i], mean, 1e-5, 0) {
			t.Errorf("%v is %v on average", x[i], mean)
		}
	}
	extreme := []float32{0, math.MaxFloat32, -math.MaxFloat32, float32(math.Inf(1)), 1, -1}
	for _, dither := range []uint32{0, 0xffff << 16} {
		for _, v := range extreme {
			narrow(half[:1], []float32{v}, dither)
			widen(back[:1], half[:1])
			if (v == 0 || v == 1 || v == -1) && back[0] != v || math.IsInf(float64(back[0]), 0) {
				t.Errorf("%v becomes %v", v, back[0])
			}
		}
	}
}

// With the second moment decaying slowly, a plain rounding to bfloat16 would freeze it.
func TestTrainingInBFloat16KeepsUpWithFloat32(t *testing.T) {
	c := Config{Vocab: 23, Context: 12, Width: 16, Layers: 1, Heads: 2}
	o := AdamW{Rate: 0.01, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, ClipNorm: 1}
	s, w := num.NewStream(1, "bfloat16"), new(Workspace)
	m, m16, st, st16 := New(c, s), New(c, s), new(AdamState), new(AdamState16)
	var loss, loss16 float32
	for range 150 {
		tokens, targets := counting(4, 12, c.Vocab, s)
		loss = w.Train(m, o, st, tokens, targets, 4, 12)
		loss16 = w.Train16(m16, o, st16, tokens, targets, 4, 12)
	}
	if loss > 0.2 || loss16 > loss+0.05 {
		t.Errorf("losses %v and, in bfloat16, %v; expected both to be small", loss, loss16)
	}
}
