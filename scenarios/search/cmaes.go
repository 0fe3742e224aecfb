package search

import (
	"fmt"
	"math"
	"slices"

	"taolab/model/num"
)

// CMAES searches by sampling a normal distribution whose mean, step and shape follow the better half of each
// generation. It ranks outcomes and never uses their values.
type CMAES struct {
	rates
	stream *num.Stream

	mean       []float64
	step       float64
	covariance [][]float64 // lower triangle of C
	factor     [][]float64 // lower triangle A, C = A A^T
	pathStep   []float64   // p_sigma
	pathShape  []float64   // p_c
	generation int

	normals [][]float64 // z of each point asked for
	points  [][]float64 // mean + step A z
}

// rates are the tutorial's constants for a number of dimensions and a population.
type rates struct {
	weights                   []float64 // of the better half, best first; they sum to 1
	effective                 float64   // mu_eff
	stepPath, stepDamping     float64   // c_sigma, d_sigma
	shapePath                 float64   // c_c
	rankOne, rankMany         float64   // c_1, c_mu
	expectedLength, dimension float64   // of a standard normal vector
}

// DefaultPopulation is the tutorial's number of points in a generation.
func DefaultPopulation(dimensions int) int {
	return 4 + int(float64(3*num.Log(float64(dimensions))))
}

// NewCMAES returns a search that starts at a point of the unit cube with a first step, 0.3 where nothing is known.
// population is the number of points in a generation, DefaultPopulation if 0. It draws from the stream.
func NewCMAES(start []float64, step float64, population int, stream *num.Stream) (*CMAES, error) {
	if err := checkStart(start, step); err != nil {
		return nil, err
	}
	n := len(start)
	if population == 0 {
		population = DefaultPopulation(n)
	}
	if population < 4 || population > 4096 {
		return nil, fmt.Errorf("a population of %d: expected 4 to 4,096 points in a generation", population)
	}
	c := &CMAES{
		rates: ratesFor(n, population), stream: stream, mean: slices.Clone(start), step: step,
		covariance: identity(n), factor: identity(n), pathStep: make([]float64, n), pathShape: make([]float64, n),
		normals: make([][]float64, population), points: make([][]float64, population),
	}
	return c, nil
}

func ratesFor(dimensions, population int) rates {
	n := float64(dimensions)
	r := rates{weights: make([]float64, population/2), dimension: n}
	var sum, squares float64
	for i := range r.weights {
		r.weights[i] = num.Log(float64(population+1)/2) - num.Log(float64(i+1))
		sum += r.weights[i]
	}
	for i := range r.weights {
		r.weights[i] /= sum
		squares += float64(r.weights[i] * r.weights[i])
	}
	m := 1 / squares
	r.effective = m
	r.shapePath = (4 + m/n) / (n + 4 + float64(2*m)/n)
	r.stepPath = (m + 2) / (n + m + 5)
	r.stepDamping = 1 + float64(2*max(0, math.Sqrt((m-1)/(n+1))-1)) + r.stepPath
	r.rankOne = 2 / (float64((n+1.3)*(n+1.3)) + m)
	r.rankMany = min(1-r.rankOne, float64(2*(m-2+1/m))/(float64((n+2)*(n+2))+m))
	r.expectedLength = float64(math.Sqrt(n) * (1 - 1/float64(4*n) + 1/float64(float64(21*n)*n)))
	return r
}

// Mean returns the mean of the distribution, where the search believes the optimum to be. Under noise it is nearer to
// the optimum than the best point seen, which owes some of its outcome to luck.
func (c *CMAES) Mean() []float64 { return Inside(c.mean) }

// Step returns the standard deviation of the distribution along an average axis at the start, scaled since.
func (c *CMAES) Step() float64 { return c.step }

// Ask returns the points of the next generation, within the unit cube.
func (c *CMAES) Ask() [][]float64 {
	asked := make([][]float64, len(c.points))
	for k := range c.points {
		z := make([]float64, len(c.mean))
		for i := range z {
			z[i] = c.stream.Normal()
		}
		x := slices.Clone(c.mean)
		for i := range x {
			x[i] += float64(c.step * dot(c.factor[i], z[:i+1]))
		}
		c.normals[k], c.points[k] = z, x
		asked[k] = Inside(x)
	}
	return asked
}

// Tell hands back the outcomes of the points that Ask returned last, in their order.
func (c *CMAES) Tell(outcomes []Outcome) error {
	if len(outcomes) != len(c.points) || c.points[0] == nil {
		return fmt.Errorf("%d outcomes: expected those of the %d points asked for", len(outcomes), len(c.points))
	}
	order := make([]int, len(outcomes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return outcomes[i].Compare(outcomes[j]) })
	c.generation++
	old := c.mean
	c.mean = c.weighted(c.points, order)
	c.followPaths(old, c.weighted(c.normals, order))
	c.reshape(old, order)
	c.step = min(float64(c.step*num.Exp(float64(c.stepPath/c.stepDamping*(norm(c.pathStep)/c.expectedLength-1)))), 1e3)
	clear(c.points)
	return nil
}

// weighted returns the weighted mean of the better half of some vectors.
func (c *CMAES) weighted(vectors [][]float64, order []int) []float64 {
	mean := make([]float64, len(c.mean))
	for rank, w := range c.weights {
		for i, x := range vectors[order[rank]] {
			mean[i] += float64(w * x)
		}
	}
	return mean
}

// followPaths updates both evolution paths from the move of the mean, given also in normals.
func (c *CMAES) followPaths(old, normals []float64) {
	keep, gain := 1-c.stepPath, math.Sqrt(float64(float64(c.stepPath*(2-c.stepPath))*c.effective))
	for i := range c.pathStep {
		c.pathStep[i] = float64(keep*c.pathStep[i]) + float64(gain*normals[i])
	}
	keep, gain = 1-c.shapePath, math.Sqrt(float64(float64(c.shapePath*(2-c.shapePath))*c.effective))
	if !c.steady() {
		gain = 0
	}
	for i := range c.pathShape {
		c.pathShape[i] = float64(keep*c.pathShape[i]) + float64(gain*((c.mean[i]-old[i])/c.step))
	}
}

// steady is the tutorial's h_sigma: whether the step's path is short enough for the shape's path to grow.
func (c *CMAES) steady() bool {
	fade := num.Pow(1-c.stepPath, float64(2*c.generation))
	return norm(c.pathStep)/math.Sqrt(1-fade) < float64((1.4+2/(c.dimension+1))*c.expectedLength)
}

// reshape updates the covariance by its path and by the better half, and factors it.
func (c *CMAES) reshape(old []float64, order []int) {
	keep := 1 - c.rankOne - c.rankMany
	if !c.steady() {
		keep += float64(float64(c.rankOne*c.shapePath) * (2 - c.shapePath))
	}
	for i, row := range c.covariance {
		for j := range row {
			many := 0.0
			for rank, w := range c.weights {
				x := c.points[order[rank]]
				many += float64(float64(w*((x[i]-old[i])/c.step)) * ((x[j] - old[j]) / c.step))
			}
			row[j] = float64(keep*row[j]) + float64(float64(c.rankOne*c.pathShape[i])*c.pathShape[j]) + float64(c.rankMany*many)
		}
	}
	factorise(c.covariance, c.factor)
}

// factorise writes the Cholesky factor of c into a. A pivot that rounding made too small is raised, so that the factor
// always exists.
func factorise(c, a [][]float64) {
	var greatest float64
	for i := range c {
		greatest = max(greatest, c[i][i])
	}
	for i := range c {
		for j := range i {
			a[i][j] = (c[i][j] - dot(a[i][:j], a[j][:j])) / a[j][j]
		}
		a[i][i] = math.Sqrt(max(c[i][i]-dot(a[i][:i], a[i][:i]), float64(greatest*1e-14)))
	}
}

// identity returns the lower triangle of the identity.
func identity(n int) [][]float64 {
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, i+1)
		m[i][i] = 1
	}
	return m
}

func dot(x, y []float64) (sum float64) {
	for i := range x {
		sum += float64(x[i] * y[i])
	}
	return sum
}

func norm(x []float64) float64 { return math.Sqrt(dot(x, x)) }
