package num

import "testing"

func bench(b *testing.B, name string, f func(i float64) float64) {
	b.Run(name, func(b *testing.B) {
		x, sum := 1.0, 0.0
		for b.Loop() {
			sum += f(x)
			x += 1e-6
		}
		sink = sum
	})
}

func BenchmarkFunctions(b *testing.B) {
	bench(b, "exp32", func(x float64) float64 { return float64(Exp32(float32(x))) })
	bench(b, "exp", Exp)
	bench(b, "log", Log)
	bench(b, "pow", func(x float64) float64 { return Pow(x, 2.5) })
	bench(b, "tanh", Tanh)
}

func BenchmarkSamplers(b *testing.B) {
	s := NewStream(1, "bench")
	bench(b, "float64", func(float64) float64 { return s.Float64() })
	bench(b, "intn", func(float64) float64 { return float64(s.IntN(1000)) })
	bench(b, "normal", func(float64) float64 { return s.Normal() })
	bench(b, "exponential", func(float64) float64 { return s.Exponential() })
}
