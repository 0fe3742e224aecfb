package report

import (
	"math"
	"reflect"
	"slices"
	"testing"
)

func TestQuantilesInterpolateBetweenOrderStatistics(t *testing.T) {
	values := []float64{7, 1, 3, 9}
	for _, c := range []struct{ p, want float64 }{{0, 1}, {0.25, 2.5}, {0.5, 5}, {0.75, 7.5}, {1, 9}, {-1, 1}, {2, 9}} {
		if got := Quantile(c.p, values); got != c.want {
			t.Errorf("Quantile(%g) = %g, expected %g", c.p, got, c.want)
		}
	}
	if !slices.Equal(values, []float64{7, 1, 3, 9}) {
		t.Error("Quantile sorted its caller's values")
	}
	if !math.IsNaN(Median(nil)) || Median([]float64{4}) != 4 {
		t.Error("the median of nothing is not NaN, or of one value not that value")
	}
}

func TestSpearmanGivesTiesTheirMeanRank(t *testing.T) {
	if got := ranks([]float64{3, 1, 3, 2, 3}); !slices.Equal(got, []float64{4, 1, 4, 2, 4}) {
		t.Errorf("ranks %v", got)
	}
	for _, c := range []struct {
		x, y []float64
		want float64
	}{
		{[]float64{1, 2, 3, 4}, []float64{10, 20, 25, 1000}, 1},
		{[]float64{1, 2, 3, 4}, []float64{5, 4, 3, -9}, -1},
		// The example of Kendall and Gibbons as it stands in many a textbook: IQ and hours of television.
		{[]float64{106, 100, 86, 101, 99, 103, 97, 113, 112, 110}, []float64{7, 27, 2, 50, 28, 29, 20, 12, 6, 17}, -29.0 / 165},
		{[]float64{1, 1, 2}, []float64{1, 2, 2}, 0.5},
	} {
		if got := Spearman(c.x, c.y); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("Spearman(%v, %v) = %g, expected %g", c.x, c.y, got, c.want)
		}
	}
	for _, y := range [][]float64{{1, 1, 1}, {1, 2}} {
		if got := Spearman([]float64{1, 2, 3}, y); !math.IsNaN(got) {
			t.Errorf("Spearman with %v is %g, expected NaN", y, got)
		}
	}
}

// FuzzSpearman holds the correlation against the definition of ranks by counting.
func FuzzSpearman(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6})
	f.Add([]byte{1, 1, 1, 2, 9, 0, 0, 7})
	f.Fuzz(func(t *testing.T, b []byte) {
		n := min(len(b)/2, 100)
		x, y := make([]float64, n), make([]float64, n)
		for i := range n {
			x[i], y[i] = float64(b[2*i]%16), float64(b[2*i+1]%16)
		}
		rank := func(v []float64, i int) float64 {
			r := 0.5
			for _, w := range v {
				if w < v[i] {
					r++
				} else if w == v[i] {
					r += 0.5
				}
			}
			return r
		}
		var xy, xx, yy float64
		middle := float64(n+1) / 2
		for i := range n {
			p, q := rank(x, i)-middle, rank(y, i)-middle
			xy, xx, yy = xy+p*q, xx+p*p, yy+q*q
		}
		want := xy / math.Sqrt(xx*yy)
		got := Spearman(x, y)
		if n < 3 {
			want = math.NaN()
		}
		if math.IsNaN(want) != math.IsNaN(got) || math.Abs(got-want) > 1e-9 {
			t.Errorf("Spearman(%v, %v) = %g, expected %g", x, y, got, want)
		}
	})
}

func TestBootstrapCoversTheMedianAndRepeatsItself(t *testing.T) {
	random := splitMix(3)
	covered := 0
	for range 100 {
		values := make([]float64, 40)
		for i := range values {
			values[i] = float64(random.next()>>11) / (1 << 53)
		}
		v, ok := medianInterval(values)
		if again, _ := medianInterval(values); !ok || !reflect.DeepEqual(again, v) {
			t.Fatalf("two intervals of the same values: %v and %v", v, again)
		}
		if *v.Low > v.Estimate || *v.High < v.Estimate {
			t.Fatalf("the estimate is outside of %v", v)
		}
		if *v.Low <= 0.5 && 0.5 <= *v.High {
			covered++
		}
	}
	if covered < 88 || covered == 100 {
		t.Errorf("%d of 100 intervals of 95 %% cover the true median", covered)
	}
}

func TestASeriesKeepsAnEvenSpreadAndTheLastValue(t *testing.T) {
	for _, n := range []int{0, 1, 7, 8, 9, 100, 1025} {
		s := series[int]{limit: 8}
		for i := range n {
			s.add(i)
		}
		got := s.values()
		if len(got) > 9 || n > 0 && (got[0] != 0 || got[len(got)-1] != n-1) {
			t.Errorf("of %d values %v were kept", n, got)
		}
		for i := 2; i < len(got)-1; i++ {
			if got[i]-got[i-1] != got[1]-got[0] {
				t.Errorf("of %d values %v were kept: not evenly spread", n, got)
			}
		}
		if n <= 8 && len(got) != n {
			t.Errorf("of %d values %d were kept, though all have room", n, len(got))
		}
	}
}
