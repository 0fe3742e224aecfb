package kernel

import (
	"fmt"
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

// fill returns n numbers in [-1, 1).
func fill(s *num.Stream, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = 2*s.Float32() - 1
	}
	return x
}
