package lm

import "testing"

func BenchmarkElementwise(b *testing.B) {
	const n, d = 512, 64
	buf := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(i%17)/17 - 0.5
		}
		return x
	}
	x, y, z, u := buf(n*d), buf(n*d), buf(n*d), buf(n*d)
	g, h, ones, scale := buf(d), buf(d), buf(n), buf(n)
	for _, bench := range []struct {
		name string
		n    int
		run  func()
	}{
		{"exps", n * d, func() { exps(x, 0, 1); copy(x, y) }},
		{"geluForward", n * d, func() { geluForward(x, y, z) }},
		{"geluBackward", n * d, func() { copy(u, x); geluBackward(x, y, z, u) }},
		{"normForward", n * d, func() { normForward(n, d, x, g, h, y, z, scale) }},
		{"normBackward", n * d, func() { copy(z, y); normBackward(n, d, z, g, y, scale, u, h, h, ones) }},
		{"softmaxForward", n * d, func() {
			copy(u, x)
			for i := range n {
				softmaxForward(u[i*d:(i+1)*d], 0.3)
			}
		}},
		{"softmaxBackward", n * d, func() {
			copy(u, x)
			for i := range n {
				softmaxBackward(x[i*d:(i+1)*d], u[i*d:(i+1)*d], 0.3)
			}
		}},
		{"sum16", n * d, func() {
			for i := range n {
				scale[i] = sum16(x[i*d : (i+1)*d])
			}
		}},
		{"dot16", n * d, func() {
			for i := range n {
				scale[i] = dot16(x[i*d:(i+1)*d], y[i*d:(i+1)*d])
			}
		}},
		{"adamW", n * d, func() {
			k := adamConstants{1, 0.9, 0.999, 0.1, 0.001, 1e-3, 1, 1e-8, 1}
			k.apply(x, y, z, u)
			clear(u)
			clear(z)
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				bench.run()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*bench.n), "ns/element")
		})
	}
}
