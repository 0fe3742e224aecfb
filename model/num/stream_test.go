package num

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func draw(s *Stream, n int) []uint64 {
	out := make([]uint64, n)
	for i := range out {
		out[i] = s.Uint64()
	}
	return out
}

func TestAStreamDependsOnSeedAndNameAlone(t *testing.T) {
	first := draw(NewStream(1, "a"), 4)
	if !slices.Equal(first, draw(NewStream(1, "a"), 4)) {
		t.Error("the same seed and name gave other numbers")
	}
	for name, other := range map[string]*Stream{ // order-free: each is compared by itself
		"another seed": NewStream(2, "a"), "another name": NewStream(1, "b"),
		"a substream": NewStream(1, "a").Sub(""), "a longer name": NewStream(1, "a\x00"),
	} {
		if slices.Equal(first, draw(other, 4)) {
			t.Errorf("%s gave the same numbers", name)
		}
	}
}

func TestASubstreamDoesNotDependOnItsParentsPosition(t *testing.T) {
	s := NewStream(1, "parent")
	early := s.Sub("child")
	s.Uint64()
	if !slices.Equal(draw(early, 4), draw(s.Sub("child"), 4)) {
		t.Error("drawing from the parent changed the child")
	}
	untouched := NewStream(1, "parent")
	untouched.Uint64()
	if s.Uint64() != untouched.Uint64() {
		t.Error("deriving a child moved the parent")
	}
}

func TestARestoredStreamCarriesOn(t *testing.T) {
	s := NewStream(1, "snapshot")
	draw(s, 100)
	data, err := s.AppendBinary([]byte("head"))
	if err != nil || len(data) != 4+StreamBytes {
		t.Fatalf("AppendBinary: %d bytes, %v", len(data), err)
	}
	var restored Stream
	if err := restored.UnmarshalBinary(data[4:]); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(draw(s.Sub("x"), 2), draw(restored.Sub("x"), 2)) ||
		!slices.Equal(draw(s, 10), draw(&restored, 10)) {
		t.Error("the restored stream gave other numbers")
	}
}

func TestBrokenStreamBytesAreRefusedAndChangeNothing(t *testing.T) {
	s, twin := NewStream(1, ""), NewStream(1, "")
	for want, data := range map[string][]byte{ // order-free: each is refused by itself
		"64 bytes, got 63": make([]byte, 63), "64 bytes, got 0": nil, "all zero": make([]byte, 64),
	} {
		if err := s.UnmarshalBinary(data); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d bytes: got %v, want an error with %q", len(data), err, want)
		}
	}
	if *s != *twin {
		t.Error("a refused snapshot changed the stream")
	}
}

// chiSquared returns the statistic of counts against equal expectations.
func chiSquared(counts []int) float64 {
	total := 0
	for _, c := range counts {
		total += c
	}
	expected, sum := float64(total)/float64(len(counts)), 0.0
	for _, c := range counts {
		far := float64(c) - expected
		sum += float64(far*far) / expected
	}
	return sum
}

func TestIntNIsEvenOverItsRange(t *testing.T) {
	s := NewStream(1, "intn")
	counts := make([]int, 10)
	for range 100_000 {
		counts[s.IntN(10)]++
	}
	if x := chiSquared(counts); x > 27.9 { // 9 degrees of freedom, one in a thousand
		t.Errorf("counts %v, chi-squared %v", counts, x)
	}
	// A range of 3*2**61 takes three of eight 2**61-blocks; a biased draw would favour some of them.
	thirds := make([]int, 3)
	for range 30_000 {
		thirds[s.IntN(3<<61)>>61]++
	}
	if x := chiSquared(thirds); x > 13.8 { // 2 degrees of freedom
		t.Errorf("thirds %v, chi-squared %v", thirds, x)
	}
}

func TestEveryOrderIsEquallyLikely(t *testing.T) {
	s := NewStream(1, "perm")
	counts := make([]int, 27)
	for range 60_000 {
		p := s.Perm(3)
		counts[9*p[0]+3*p[1]+p[2]]++
	}
	counts = slices.DeleteFunc(counts, func(n int) bool { return n == 0 })
	if x := chiSquared(counts); len(counts) != 6 || x > 20.5 { // 5 degrees of freedom
		t.Errorf("counts %v, chi-squared %v", counts, x)
	}
}

func TestSamplersHaveTheirMoments(t *testing.T) {
	const n = 200_000
	for _, x := range []struct {
		name           string
		sample         func(*Stream) float64
		mean, variance float64
	}{
		{"float64", (*Stream).Float64, 0.5, 1.0 / 12},
		{"float32", func(s *Stream) float64 { return float64(s.Float32()) }, 0.5, 1.0 / 12},
		{"normal", (*Stream).Normal, 0, 1},
		{"square of normal", func(s *Stream) float64 { x := s.Normal(); return x * x }, 1, 2},
		{"exponential", (*Stream).Exponential, 1, 1},
		{"log of lognormal", func(s *Stream) float64 { return Log(s.LogNormal(3, 2)) }, 3, 4},
	} {
		s, sum, squares := NewStream(1, x.name), 0.0, 0.0
		for range n {
			v := x.sample(s) - x.mean
			sum += v
			squares += v * v
		}
		if far := math.Abs(sum / n); far > 4*math.Sqrt(x.variance/n) {
			t.Errorf("%s: mean is off by %v", x.name, far)
		}
		if got := squares / n; math.Abs(got-x.variance) > 0.05*x.variance {
			t.Errorf("%s: variance %v, want %v", x.name, got, x.variance)
		}
	}
}

func TestPickFollowsTheWeightsAndNeverTakesAZeroOne(t *testing.T) {
	s := NewStream(1, "pick")
	weights, counts := []float64{0, 1, 0, 3, 0}, make([]int, 5)
	for range 40_000 {
		counts[s.Pick([]float64{0, 1, 1, 4, 4})]++
	}
	if counts[0]+counts[2]+counts[4] != 0 || math.Abs(float64(counts[1])-10_000) > 350 {
		t.Errorf("weights %v gave counts %v", weights, counts)
	}
	for range 100 {
		if got := s.Pick([]float64{0, 5e-324, 5e-324}); got != 1 {
			t.Fatalf("the only index of weight > 0 is 1, got %d", got)
		}
	}
}

func TestImpossibleRequestsPanic(t *testing.T) {
	s := NewStream(1, "")
	for name, call := range map[string]func(){ // order-free: each is called by itself
		"IntN(0)": func() { s.IntN(0) }, "IntN(-1)": func() { s.IntN(-1) },
		"Pick of nothing": func() { s.Pick(nil) }, "Pick of zeros": func() { s.Pick([]float64{0, 0}) },
		"Pick of NaN":      func() { s.Pick([]float64{math.NaN()}) },
		"Pick of infinity": func() { s.Pick([]float64{1, math.Inf(1)}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s did not panic", name)
				}
			}()
			call()
		}()
	}
}
