package num

import (
	"fmt"
	"math"
	"sort"
)

// Normal returns a sample of the standard normal distribution by the polar method: draw (u, v) in
// the square [-1, 1)**2, each 2*Float64() - 1, until 0 < q = u*u + v*v < 1 (1.27 draws on average);
// the sample is u*sqrt(-2*log(q)/q). The second sample that the method offers is thrown away, so
// that the stream's position is all its state.
func (s *Stream) Normal() float64 {
	for {
		u := float64(2*s.Float64()) - 1
		v := float64(2*s.Float64()) - 1
		q := float64(u*u) + float64(v*v)
		if 0 < q && q < 1 {
			return float64(u * math.Sqrt(float64(-2*Log(q))/q))
		}
	}
}

// Exponential returns a sample of the exponential distribution with mean 1, in [0, 36.8):
// -log(1 - Float64()).
func (s *Stream) Exponential() float64 { return -Log(1 - s.Float64()) }

// LogNormal returns exp(mu + sigma*Normal()): its median is exp(mu).
func (s *Stream) LogNormal(mu, sigma float64) float64 {
	return Exp(mu + float64(sigma*s.Normal()))
}

// Perm returns the numbers 0 to n-1 in random order, every order equally likely.
func (s *Stream) Perm(n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	s.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}

// Shuffle puts n things in random order, every order equally likely, by swaps of i = n-1 down to 1
// with IntN(i+1).
func (s *Stream) Shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, s.IntN(i+1))
	}
}

// Pick returns an index, each with probability proportional to its weight. It takes the running sums
// of the weights, which never fall; the last one is the total. An index of weight 0 is never picked.
// It panics if there is no weight or the total is not positive and finite.
func (s *Stream) Pick(cumulative []float64) int {
	last := len(cumulative) - 1
	if last < 0 || !(0 < cumulative[last]) || math.IsInf(cumulative[last], 1) {
		panic(fmt.Sprintf("num: Pick: the sum of %d weights must be positive and finite", last+1))
	}
	total := cumulative[last]
	mark := float64(s.Float64() * total)
	if mark >= total { // a product rounded up, possible where the total is subnormal
		mark = math.Nextafter(total, 0)
	}
	return sort.Search(last, func(i int) bool { return mark < cumulative[i] })
}
