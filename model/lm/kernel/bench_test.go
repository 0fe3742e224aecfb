package kernel

import (
	"fmt"
	"runtime"
	"testing"

	"taolab/model/num"
)

// BenchmarkMatMul reports GF/s, two operations per multiply-add, at the sizes of the models. "dW" is
// a gradient of weights: A is read transposed and C accumulated.
func BenchmarkMatMul(b *testing.B) {
	for _, isa := range Supported() {
		for _, size := range []struct {
			m, k, n int
			dW      bool
		}{
			{512, 64, 192, false}, {64, 64, 64, false}, {512, 256, 64, false}, {512, 128, 512, false},
			{64, 64, 16, false}, {64, 16, 64, false}, {1, 128, 512, false}, {64, 512, 256, true},
			{512, 1024, 128, true}, {61, 64, 77, false},
		} {
			name := fmt.Sprintf("%v/%dx%dx%d", isa, size.m, size.k, size.n)
			aRow, aCol := size.k, 1
			if size.dW {
				name, aRow, aCol = name+"-dW", 1, size.m
			}
			b.Run(name, func(b *testing.B) {
				defer Force(isa)()
				s := num.NewStream(1, name)
				x, y, z := fill(s, size.m*size.k), fill(s, size.k*size.n), fill(s, size.m*size.n)
				for b.Loop() {
					MatMul(size.m, size.n, size.k, x, aRow, aCol, y, size.n, z, size.n, size.dW)
				}
				operations := 2 * float64(size.m) * float64(size.n) * float64(size.k)
				b.ReportMetric(operations*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GF/s")
			})
		}
	}
}

func BenchmarkTranspose(b *testing.B) {
	for _, isa := range Supported() {
		b.Run(fmt.Sprintf("%v/64x256", isa), func(b *testing.B) {
			defer Force(isa)()
			src, dst := make([]float32, 64*256), make([]float32, 64*256)
			for b.Loop() {
				Transpose(64, 256, src, 256, dst, 64)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(64*256), "ns/element")
		})
	}
}

// BenchmarkElementwise reports ns of processor time per element (AdamW: per parameter), on 32 rows of 128 columns, which
// stay in the first-level cache. Inputs that a kernel overwrites are copied anew each time.
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
		{"copy", func() { copy(x, from) }}, // to be taken off where it says so
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
