package search

import (
	"math"
	"slices"

	"taolab/model/num"
)

// process is a Gaussian process that was fitted to values at points of the unit cube: a constant mean and a Matern
// covariance of smoothness 5/2, with a length in each setting.
type process struct {
	points  [][]float64
	lengths []float64
	nugget  float64 // variance of the values' noise, in units of signal
	signal  float64 // variance of the process
	mean    float64
	factor  [][]float64 // lower triangle A of the correlations with the nugget, A A^T
	pull    []float64   // the correlations' inverse times values minus mean
}

// The logarithm of a length has a prior with this median and spread: a handful of points says little about lengths.
const (
	usualLength  = 0.5
	lengthSpread = 1.0
)

// Bounds of what a fit looks at, by logarithms.
const (
	shortest, longest = 0.02, 20
	leastNugget       = 1e-8 // keeps the factor sound where points lie close
)

// fitEvaluations is how many sets of lengths and nuggets a fit tries from each of its starts, for each of its numbers.
const fitEvaluations = 25

// unknown stands for noise of which nothing tells how much there is.
const unknown = -1

// fitProcess finds the lengths and the nugget that are likeliest. noise is the share of the values' variance that is noise
// at most. The search starts in the middle and at the point where an earlier fit ended, if given; the point where it ends
// is returned.
func fitProcess(points [][]float64, values []float64, noise float64, earlier []float64) (*process, []float64, error) {
	n := len(points[0]) + 1
	share, pull := min(noise, 0.99), 0.0
	if noise == unknown {
		share, pull = 0.5, 4 // a prior draws the nugget to the middle of its range: a handful of points looks like noise
	}
	mostNugget := share / (1 - share)
	at := func(u []float64) *process {
		p := &process{points: points, lengths: make([]float64, n-1)}
		for i := range p.lengths {
			p.lengths[i] = float64(shortest * num.Pow(float64(longest/shortest), u[i]))
		}
		p.nugget = float64(leastNugget * num.Pow(max(mostNugget/leastNugget, 1), u[n-1]))
		return p
	}
	middle := slices.Repeat([]float64{0.5}, n)
	starts := [][]float64{middle}
	if earlier != nil {
		starts = append(starts, earlier)
	}
	var best Trial
	for i, start := range starts {
		trials, err := NelderMead(start, 0.15, fitEvaluations*n, func(u []float64) (Outcome, error) {
			off := float64(pull * (u[n-1] - 0.5))
			return Outcome{Objective: float64(off*off)/2 - at(u).condition(values)}, nil
		})
		if err != nil {
			return nil, nil, err
		}
		found := slices.MinFunc(trials, func(a, b Trial) int { return a.Outcome.Compare(b.Outcome) })
		if i == 0 || found.Outcome.Compare(best.Outcome) < 0 {
			best = found
		}
	}
	p := at(best.Point)
	p.condition(values)
	return p, best.Point, nil
}

// condition makes the process one that passes the values, and returns the logarithm of their likelihood at its lengths
// and nugget times the prior of these. Mean and signal are the likeliest ones.
func (p *process) condition(values []float64) float64 {
	n := len(p.points)
	p.factor = make([][]float64, n)
	for i := range p.factor {
		p.factor[i] = make([]float64, i+1)
		for j := range i {
			p.factor[i][j] = p.correlation(p.points[i], p.points[j])
		}
		p.factor[i][i] = 1 + p.nugget
	}
	factorise(p.factor, p.factor)
	ones, rest := slices.Repeat([]float64{1}, n), slices.Clone(values)
	p.forward(ones)
	p.forward(rest)
	p.mean = dot(ones, rest) / dot(ones, ones)
	for i := range rest {
		rest[i] -= float64(p.mean * ones[i])
	}
	p.signal = max(dot(rest, rest)/float64(n), 1e-300)
	p.pull = rest
	p.backward(p.pull)

	likelihood := -float64(float64(n) / 2 * num.Log(p.signal))
	for i := range p.factor {
		likelihood -= num.Log(p.factor[i][i])
	}
	for _, length := range p.lengths {
		off := num.Log(length/usualLength) / lengthSpread
		likelihood -= float64(off*off) / 2
	}
	return likelihood
}

// at is what the process expects at a point, and how far off it may be, as a standard deviation without noise.
func (p *process) at(x []float64) (mean, deviation float64) {
	near := make([]float64, len(p.points))
	for i, other := range p.points {
		near[i] = p.correlation(x, other)
	}
	mean = p.mean + dot(near, p.pull)
	p.forward(near)
	return mean, math.Sqrt(float64(p.signal * max(1-dot(near, near), 0)))
}

func (p *process) correlation(x, y []float64) float64 {
	var square float64
	for i := range x {
		d := (x[i] - y[i]) / p.lengths[i]
		square += float64(d * d)
	}
	r := math.Sqrt(float64(5 * square))
	return float64((1 + r + float64(r*r)/3) * num.Exp(-r))
}

// forward solves A x = b in place.
func (p *process) forward(b []float64) {
	for i, row := range p.factor {
		b[i] = (b[i] - dot(row[:i], b[:i])) / row[i]
	}
}

// backward solves A^T x = b in place.
func (p *process) backward(b []float64) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] /= p.factor[i][i]
		for j, a := range p.factor[i][:i] {
			b[j] -= float64(a * b[i])
		}
	}
}

// improvement is the expected amount by which a normal number falls below a mark.
func improvement(mark, mean, deviation float64) float64 {
	if !(deviation > 0) {
		return max(mark-mean, 0)
	}
	u := (mark - mean) / deviation
	x := math.Abs(u)
	density := normalDensity(x)
	return float64(deviation * (max(u, 0) + float64(density*(1-float64(x*mills(x, density))))))
}

// below is the probability that a normal number lies at or below a mark.
func below(mark, mean, deviation float64) float64 {
	if !(deviation > 0) {
		if mean <= mark {
			return 1
		}
		return 0
	}
	u := (mark - mean) / deviation
	density := normalDensity(u)
	tail := float64(density * mills(math.Abs(u), density))
	if u > 0 {
		return 1 - tail
	}
	return tail
}

func normalDensity(x float64) float64 {
	return num.Exp(float64(-x*x)/2) / math.Sqrt(float64(2*math.Pi))
}

// mills is the probability of a standard normal number above x, from 0 on, over its density at x: by the series of the
// distribution near 0, else by Laplace's continued fraction.
func mills(x, density float64) float64 {
	if x < 3 {
		term, sum := x, x
		for k := 3.0; term > 1e-17; k += 2 {
			term = float64(float64(term*x)*x) / k
			sum += term
		}
		return 0.5/density - sum
	}
	fraction := x
	for k := 60.0; k > 0; k-- {
		fraction = x + k/fraction
	}
	return 1 / fraction
}
