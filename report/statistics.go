package report

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Quantile is the p-quantile (0 to 1) of unordered values by linear interpolation between order
// statistics (type 7 of Hyndman and Fan); NaN without values.
func Quantile(p float64, values []float64) float64 {
	if len(values) == 0 || math.IsNaN(p) {
		return math.NaN()
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return quantileSorted(p, sorted)
}

func quantileSorted(p float64, sorted []float64) float64 {
	at := min(max(p, 0), 1) * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// Median is the middle value, or the mean of the two middle ones; NaN without values.
func Median(values []float64) float64 { return Quantile(0.5, values) }

// Spearman is the rank correlation of pairs, in [-1, 1], with mean ranks for ties. It is NaN for
// fewer than three pairs, and where one side does not vary.
func Spearman(x, y []float64) float64 {
	if len(x) != len(y) || len(x) < 3 {
		return math.NaN()
	}
	return stat.Correlation(ranks(x), ranks(y), nil)
}

// ranks numbers values from 1, equal ones by the mean of their places.
func ranks(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case values[a] < values[b]:
			return -1
		case values[a] > values[b]:
			return 1
		}
		return a - b
	})
	out := make([]float64, len(values))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && values[order[j]] == values[order[i]] {
			j++
		}
		for k := i; k < j; k++ {
			out[order[k]] = float64(i+j+1) / 2
		}
		i = max(j, i+1)
	}
	return out
}

// fewest is the least number of things from which an interval is drawn: resampling fewer says
// nothing.
const fewest = 5

// Interval is an estimate with its 95 % interval. Low and High are nil where there are too few
// things to tell.
type Interval struct {
	Estimate float64  `json:"estimate"`
	Low      *float64 `json:"low,omitempty"`
	High     *float64 `json:"high,omitempty"`
	N        int      `json:"n"` // things that were resampled
}

// Measure is a number over the window, besides the one at the last epoch only.
type Measure struct {
	Interval
	Last *float64 `json:"last,omitempty"`
}

// between makes an interval; bounds that are not finite are left out.
func between(estimate, low, high float64, n int) Interval {
	v := Interval{Estimate: estimate, N: n}
	if finite(low) && finite(high) {
		v.Low, v.High = &low, &high
	}
	return v
}

// Bootstrap resamples n things with replacement and returns the 2.5 % and 97.5 % quantiles of the
// statistic, which is given the places drawn. It draws 1,000 times, fewer (at least 200) where n is
// over 2,000, from a fixed seed: the same data give the same interval. Draws on which the statistic
// is NaN do not count. It is NaN for fewer than five things.
func Bootstrap(n int, statistic func(places []int) float64) (low, high float64) {
	return resample(n, max(200, min(1000, 2_000_000/max(n, 1))), statistic)
}

func resample(n, draws int, statistic func(places []int) float64) (low, high float64) {
	if n < fewest {
		return math.NaN(), math.NaN()
	}
	random := splitMix(0x7461_6f6c_6162)
	places := make([]int, n)
	found := make([]float64, 0, draws)
	for range draws {
		for i := range places {
			places[i] = int(random.next() % uint64(n))
		}
		if v := statistic(places); !math.IsNaN(v) {
			found = append(found, v)
		}
	}
	return Quantile(0.025, found), Quantile(0.975, found)
}

// splitMix is Steele, Lea and Flood's generator: enough for resampling.
type splitMix uint64

func (s *splitMix) next() uint64 {
	*s += 0x9e3779b97f4a7c15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// medianInterval is the median with its interval; ok is false without values.
func medianInterval(values []float64) (Interval, bool) {
	if len(values) == 0 {
		return Interval{}, false
	}
	drawn := make([]float64, len(values))
	low, high := Bootstrap(len(values), func(places []int) float64 {
		for i, p := range places {
			drawn[i] = values[p]
		}
		return Median(drawn)
	})
	return between(Median(values), low, high, len(values)), true
}

// spearmanInterval is Spearman's correlation with its interval; ok is false where it has no value.
func spearmanInterval(x, y []float64) (Interval, bool) {
	r := Spearman(x, y)
	if math.IsNaN(r) {
		return Interval{}, false
	}
	a, b := make([]float64, len(x)), make([]float64, len(y))
	low, high := Bootstrap(len(x), func(places []int) float64 {
		for i, p := range places {
			a[i], b[i] = x[p], y[p]
		}
		return Spearman(a, b)
	})
	return between(r, low, high, len(x)), true
}

// meanInterval is the mean of a few independent values with Student's interval; NaN without values.
func meanInterval(values []float64) Interval {
	n := float64(len(values))
	mean, deviation := stat.MeanStdDev(values, nil)
	if n < 3 {
		return between(mean, math.NaN(), math.NaN(), len(values))
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(0.975)
	half := t * deviation / math.Sqrt(n)
	return between(mean, mean-half, mean+half, len(values))
}

// Mean is the mean of independent values with Student's interval, from three values on; NaN without values.
func Mean(values []float64) Interval { return meanInterval(values) }

// welch is the difference of two means with Welch's interval, from three values on both sides on.
func welch(x, y []float64) Interval {
	mx, sx := stat.MeanStdDev(x, nil)
	my, sy := stat.MeanStdDev(y, nil)
	n, m := float64(len(x)), float64(len(y))
	vx, vy := sx*sx/n, sy*sy/m
	if n < 3 || m < 3 || vx+vy == 0 {
		return between(mx-my, math.NaN(), math.NaN(), len(x)+len(y))
	}
	freedom := (vx + vy) * (vx + vy) / (vx*vx/(n-1) + vy*vy/(m-1))
	half := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: freedom}.Quantile(0.975) * math.Sqrt(vx+vy)
	return between(mx-my, mx-my-half, mx-my+half, len(x)+len(y))
}

// series keeps at most limit of the values that pass, evenly spread: when it is full it drops every
// second one and takes half as many from there on. The last one is always kept.
type series[T any] struct {
	limit  int
	kept   []T
	stride int
	seen   int
	last   T
}

func (s *series[T]) add(v T) {
	if s.stride == 0 {
		s.stride = 1
	}
	if s.seen%s.stride == 0 {
		if len(s.kept) >= s.limit {
			s.halve()
		}
		if s.seen%s.stride == 0 {
			s.kept = append(s.kept, v)
		}
	}
	s.seen++
	s.last = v
}

func (s *series[T]) halve() {
	half := s.kept[:0]
	for i := 0; i < len(s.kept); i += 2 {
		half = append(half, s.kept[i])
	}
	s.kept = half
	s.stride *= 2
}

// values lists what was kept, the last value included.
func (s *series[T]) values() []T {
	if s.seen > 0 && (s.seen-1)%s.stride != 0 {
		return append(slices.Clone(s.kept), s.last)
	}
	return s.kept
}
