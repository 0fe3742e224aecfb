package kernel

import (
	"fmt"
	"runtime"
	"testing"

	"taolab/model/num"
)

// BenchmarkElementwise reports ns of processor time per element (AdamW: per parameter), on 32 rows of 128 columns, which
// stay in the first-level cache. Inputs that a kernel overwrites are copied again each time.
func BenchmarkElementwise(b *testing.B) {
	const rows, cols, n = 32, 128, 32 * 128
	s := num.NewStream(1, "elementwise")
	x, y, z, u := fill(s, n), fill(s, n), fill(s, n), fill(s, n)
	g, h, scale, sums := fill(s, cols), fill(s, cols), fill(s, n), fill(s, n)
	from, targets := fill(s, n), make([]uint16, rows)
	adamW := AdamWStep{1, 0.9, 0.999, 0.1, 0.001, 1e-3, 1, 1e-8, 1, 4096}
	momentum := MomentumStep{1, 0.9, 1e-3, 4096}
	for _, bench := range []struct {
		name string
		run  func()
	}{
		{"copy", func() { copy(x, from) }},    // to be taken off where it says so
		{"Exp", func() { Exp(x, 0.5, 0.25) }}, // approaches a fixed point
		{"GELU", func() { GELU(from, y, z) }},
		{"GELUBackward+copy", func() { copy(x, from); GELUBackward(from, y, z, x) }},
		{"LayerNorm", func() { LayerNorm(rows, cols, from, g, h, y, z, scale) }},
		{"LayerNormBackward", func() { LayerNormBackward(rows, cols, from, g, y, scale, u, h, h) }},
		{"Softmax+copy", func() { copy(x, from); Softmax(rows, cols, x, cols, 0.3) }},
		{"CausalSoftmax+copy", func() { copy(x, from); CausalSoftmax(rows, cols-rows, cols, x, cols, 0.3) }},
		{"CausalSoftmaxBackward+copy", func() {
			copy(x, from)
			CausalSoftmaxBackward(rows, cols-rows, cols, y, cols, x, cols, 0.3)
		}},
		{"CrossEntropy+copy", func() { copy(x, from); CrossEntropy(rows, cols, x, targets, scale, sums) }},
		{"CrossEntropyBackward+copy", func() {
			copy(x, from)
			CrossEntropyBackward(rows, cols, x, scale, targets, rows)
		}},
		{"Sum", func() { scale[0] = Sum(from) }},
		{"Dot", func() { scale[0] = Dot(from, y) }},
		{"Add", func() { Add(u, from) }},
		{"AddRow", func() { AddRow(rows, u, cols, g) }},
		{"ColumnSums", func() { ColumnSums(rows, from, cols, g) }},
		{"AdamWStep", func() { adamW.Apply(x, from, y, z) }},
		{"MomentumStep", func() { momentum.Apply(x, from, y) }},
	} {
		for _, isa := range Supported() {
			b.Run(fmt.Sprintf("%v/%s", isa, bench.name), func(b *testing.B) {
				defer Force(isa)()
				copy(x, from) // what one benchmark leaves must not be subnormal in the next
				copy(y, from)
				copy(u, from)
				for i := range z {
					z[i], scale[i] = 0.5, 1
				}
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				start := cpuTime()
				for b.Loop() {
					bench.run()
				}
				b.ReportMetric(float64((cpuTime()-start).Nanoseconds())/float64(b.N*n), "cpu-ns/element")
			})
		}
	}
}

// fill returns n numbers in [-1, 1).
func fill(s *num.Stream, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = 2*s.Float32() - 1
	}
	return x
}
