package kernel

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"
	"time"

	"taolab/model/num"
)

// benchmarkSizes are those of the products in small models: forward (m positions, k in, n out), dW
// (A read transposed); with starts other than zero; few rows, as in decoding; sizes that fill no tile;
// heads of attention. The geometric mean is that of the first two kinds.
var benchmarkSizes = []struct {
	kind    string
	m, k, n int
}{
	{"forward", 64, 64, 64}, {"forward", 64, 32, 32}, {"forward", 128, 64, 256}, {"forward", 512, 64, 64},
	{"forward", 512, 64, 192}, {"forward", 512, 64, 256}, {"forward", 512, 256, 64},
	{"forward", 512, 128, 128}, {"forward", 512, 128, 384}, {"forward", 512, 128, 512},
	{"forward", 512, 512, 512}, {"forward", 64, 16, 64}, {"forward", 64, 64, 16},
	{"forward", 128, 512, 512},
	{"dW", 64, 512, 256}, {"dW", 128, 1024, 512}, {"dW", 512, 1024, 128},
	{"bias", 64, 16, 64}, {"bias", 64, 64, 64}, {"bias", 512, 64, 192},
	{"keep", 64, 16, 64}, {"keep", 64, 64, 64}, {"keep-bias", 512, 256, 64},
	{"few", 1, 64, 256}, {"few", 2, 64, 256}, {"few", 3, 64, 256}, {"few", 4, 64, 256}, {"few", 8, 64, 256},
	{"few", 1, 128, 512}, {"few", 4, 128, 512}, {"few", 8, 128, 512},
	{"tail", 61, 64, 77}, {"tail", 70, 70, 70}, {"tail", 65, 65, 65}, {"tail", 33, 64, 49},
	{"head", 16, 16, 16}, {"head", 16, 64, 16}, {"head", 16, 16, 64}, {"head", 64, 64, 32},
}

// BenchmarkMatMul reports for each size GF/s, two operations per multiply-add, and the percentage of
// Peak. An iteration is a millisecond or two of each, one after the other, in the thread's processor
// time; what is reported is the median. For a quick and steady table:
//
//	go test ./model/lm/kernel -run '^$' -bench MatMul -benchtime 31x
func BenchmarkMatMul(b *testing.B) {
	for _, isa := range Supported()[1:] {
		b.Run(isa.String(), func(b *testing.B) {
			defer Force(isa)()
			sum, count := 0.0, 0
			for _, size := range benchmarkSizes {
				b.Run(fmt.Sprintf("%s/%dx%dx%d", size.kind, size.m, size.k, size.n), func(b *testing.B) {
					rate, share := medianShare(b, isa, size.kind, size.m, size.n, size.k)
					b.ReportMetric(rate, "GF/s")
					b.ReportMetric(100*share, "%peak")
					b.ReportMetric(0, "ns/op")
					if size.kind == "forward" || size.kind == "dW" {
						sum, count = sum+math.Log(share), count+1
					}
				})
			}
			b.Run("geometric-mean", func(b *testing.B) {
				b.ReportMetric(100*math.Exp(sum/float64(max(1, count))), "%peak")
				b.ReportMetric(0, "ns/op")
			})
		})
	}
}

// medianShare measures one product: GF/s and its part of the peak.
func medianShare(b *testing.B, isa ISA, kind string, m, n, k int) (rate, share float64) {
	s := num.NewStream(1, "bench")
	x, y, z, bias := fill(s, m*k), fill(s, k*n), fill(s, m*n), fill(s, n)
	p := Product{C: View(z, m, n, n), A: View(x, m, k, k), B: View(y, k, n, n), Bias: bias}
	if kind == "dW" {
		p.A, p.TransposeA = View(x, k, m, m), true
	}
	p.Start = map[string]Start{"bias": Bias, "keep": Keep, "keep-bias": KeepPlusBias}[kind]
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	operations := 2 * m * n * k
	calls := 1 + 16_000_000*isa.lanes()/operations
	product := func() int {
		for range calls {
			MatMul(&p)
		}
		return calls * operations
	}
	var rates, shares []float64
	for b.Loop() {
		peak := rateOf(func() int { return Peak(isa, 80_000) })
		got := rateOf(product)
		rates, shares = append(rates, got), append(shares, got/peak)
	}
	slices.Sort(rates)
	slices.Sort(shares)
	return rates[len(rates)/2], shares[len(shares)/2]
}

// rateOf returns operations per nanosecond of the thread's time.
func rateOf(run func() (operations int)) float64 {
	start := cpuTime()
	n := run()
	return float64(n) / float64(max(1, cpuTime()-start)/time.Nanosecond)
}

func BenchmarkTranspose(b *testing.B) {
	for _, isa := range Supported() {
		b.Run(fmt.Sprintf("%v/64x256", isa), func(b *testing.B) {
			defer Force(isa)()
			src, dst := make([]float32, 64*256), make([]float32, 64*256)
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			start := cpuTime()
			for b.Loop() {
				Transpose(View(dst, 256, 64, 64), View(src, 64, 256, 256))
			}
			b.ReportMetric(float64((cpuTime()-start).Nanoseconds())/float64(b.N)/(64*256), "cpu-ns/element")
		})
	}
}
