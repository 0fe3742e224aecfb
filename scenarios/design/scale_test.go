package design

import (
	"fmt"
	"math"
	"testing"
)

func ExampleScale() {
	burn := Scale{Kind: Log, Low: 1, High: 10_000}
	if err := burn.Check(); err != nil {
		fmt.Println(err)
	}
	fmt.Println(burn.Value(0.25), Scale{Kind: Int, Low: 3, High: 5}.Value(0.9), Scale{Kind: Normal, Low: 10, High: 2}.Value(0.5))
	// Output:
	// 10 5 10
}

func TestScalesStayWithinTheirEnds(t *testing.T) {
	for _, s := range []Scale{
		{Uniform, -3, 5}, {Uniform, .1, .3}, {Log, 1e-3, 7}, {Int, -2, 2}, {Int, 4, 4}, {Choice, 0, 3},
	} {
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
		for i := range 1001 {
			u := float64(i) / 1000
			v := s.Value(u)
			if v < s.Low || v > s.High || i > 0 && v < s.Value(u-1./1000) {
				t.Errorf("%+v at %v is %v, expected within the ends and never falling", s, u, v)
			}
		}
		if s.Value(0) != s.Low || s.Value(1) != s.High {
			t.Errorf("%+v runs from %v to %v", s, s.Value(0), s.Value(1))
		}
	}
}

func TestIntegersAreEquallyLikely(t *testing.T) {
	counts := map[float64]int{}
	for i := range 5000 {
		counts[Scale{Int, -2, 2}.Value((float64(i)+.5)/5000)]++
	}
	for v := -2.0; v <= 2; v++ {
		if counts[v] != 1000 {
			t.Errorf("%v came %d times in 5,000, expected 1,000", v, counts[v])
		}
	}
}

func TestScalesWithoutValuesAreRefused(t *testing.T) {
	for _, s := range []Scale{
		{"", 0, 1}, {"gauss", 0, 1}, {Uniform, 1, 0}, {Uniform, 1, 1}, {Log, 0, 1}, {Int, .5, 2}, {Int, 0, 1 << 60},
		{Choice, 1, 3}, {Normal, 0, 0}, {Uniform, math.NaN(), 1}, {Uniform, 0, math.Inf(1)},
		{Uniform, -math.MaxFloat64, math.MaxFloat64},
	} {
		if s.Check() == nil {
			t.Errorf("%+v passes Check", s)
		}
	}
}
