package search

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"taolab/model/num"
	"taolab/scenarios/design"
)

// Surrogate searches where a point costs minutes. It fits a Gaussian process to the outcomes and asks for the points at
// which it expects to improve most on the best one (Jones, Schonlau and Welch 1998).
type Surrogate struct {
	evaluations, batch int
	levels             []int
	stream             *num.Stream

	pending  [][]float64
	points   [][]float64
	outcomes []Outcome
	fitted   [][]float64 // where the last fit of each process ended
}

const (
	// MaxSurrogatePoints limits a search: a proposal costs the cube of the number of points so far, a second or two at
	// this number of them.
	MaxSurrogatePoints = 256

	// MaxSurrogateSettings limits the settings: a process of so few points knows no more of them.
	MaxSurrogateSettings = 20

	// MaxSurrogateBatch limits a batch: what the process expects stands for all its points but the first.
	MaxSurrogateBatch = 64

	candidates = 1024 // of a Sobol set, for each point that is asked for
	nearby     = 64   // further ones around the best point, for each of some distances
	polish     = 60   // evaluations of the process around the best candidate
)

// SurrogateBegin is the number of points, spread over the cube, before the first fit.
func SurrogateBegin(dimensions int) int { return 2*dimensions + 3 }

// NewSurrogate returns a search of a number of points that asks for a batch at a time, 1 if 0, once it has begun. levels
// has, by setting, into how many equal cells it falls, 0 where it is continuous; nil: all are. It draws from the stream.
func NewSurrogate(dimensions, evaluations, batch int, levels []int, stream *num.Stream) (*Surrogate, error) {
	if levels == nil {
		levels = make([]int, dimensions)
	}
	switch begin := SurrogateBegin(dimensions); {
	case dimensions < 1 || dimensions > MaxSurrogateSettings:
		return nil, fmt.Errorf("a surrogate over %d settings: expected 1 to %d; cmaes takes more", dimensions, MaxSurrogateSettings)
	case evaluations < begin || evaluations > MaxSurrogatePoints:
		return nil, fmt.Errorf("a surrogate of %d points over %d settings: expected %d to %d; cmaes takes more", evaluations, dimensions, begin, MaxSurrogatePoints)
	case batch < 0 || batch > MaxSurrogateBatch:
		return nil, fmt.Errorf("batches of %d points: expected 1 to %d", batch, MaxSurrogateBatch)
	case len(levels) != dimensions:
		return nil, fmt.Errorf("levels of %d settings: expected those of %d", len(levels), dimensions)
	}
	return &Surrogate{evaluations: evaluations, batch: max(batch, 1), levels: slices.Clone(levels), stream: stream}, nil
}

// Ask returns the next points, within the unit cube: first those that the search begins with, the middle and a Sobol
// set, and then a batch. It returns none after the last.
func (s *Surrogate) Ask() ([][]float64, error) {
	dimensions := len(s.levels)
	if len(s.points) == 0 {
		s.pending = append([][]float64{s.snap(slices.Repeat([]float64{0.5}, dimensions))}, s.spread(SurrogateBegin(dimensions)-1)...)
		return slices.Clone(s.pending), nil
	}
	s.pending = nil
	ahead := min(s.batch, s.evaluations-len(s.points))
	if ahead == 0 {
		return nil, nil
	}
	b, err := s.believe()
	if err != nil {
		return nil, err
	}
	for {
		x, err := s.propose(b)
		if err != nil {
			return nil, err
		}
		if s.pending = append(s.pending, x); len(s.pending) == ahead {
			return slices.Clone(s.pending), nil
		}
		b.assume(x)
	}
}

// Tell hands back the outcomes of the points that Ask returned last, in their order.
func (s *Surrogate) Tell(outcomes []Outcome) error {
	if len(outcomes) != len(s.pending) {
		return fmt.Errorf("%d outcomes: expected those of the %d points asked for", len(outcomes), len(s.pending))
	}
	s.points, s.outcomes = append(s.points, s.pending...), append(s.outcomes, outcomes...)
	s.pending = nil
	return nil
}

// Best returns, of the points tried, the one whose outcome the process expects to be best: under noise the best outcome
// seen owes something to luck. Points that miss a constraint come last.
func (s *Surrogate) Best() ([]float64, error) {
	if len(s.points) == 0 {
		return nil, fmt.Errorf("no point has been tried")
	}
	b, err := s.believe()
	if err != nil {
		return nil, err
	}
	return slices.Clone(b.best), nil
}

// negligible is an improvement, in standard deviations of the outcomes, for which no point is spent.
const negligible = 1e-4

// propose returns the point of a Sobol set, or near the best one, that promises most, moved to where more yet is promised;
// or, if that is too little, the point of which least is known.
func (s *Surrogate) propose(b *belief) ([]float64, error) {
	tried := append(s.spread(candidates), s.around(b.best)...)
	found, most := highest(tried, b.promise)
	trials, err := NelderMead(found, 0.02, polish+len(found), func(x []float64) (Outcome, error) {
		return Outcome{Objective: -b.promise(s.snap(x))}, nil
	})
	if err != nil {
		return nil, err
	}
	better := slices.MinFunc(trials, func(a, b Trial) int { return a.Outcome.Compare(b.Outcome) })
	if -better.Outcome.Objective > most {
		found, most = s.snap(better.Point), -better.Outcome.Objective
	}
	if most < negligible {
		found, _ = highest(tried, func(x []float64) float64 {
			_, deviation := b.objective.at(x)
			return float64(deviation * b.allowed(x))
		})
	}
	for i := range found {
		found[i] = Round(found[i])
	}
	return found, nil
}

// highest returns the first point whose value is highest.
func highest(points [][]float64, value func(x []float64) float64) (found []float64, most float64) {
	most = math.Inf(-1)
	for _, x := range points {
		if v := value(x); v > most {
			found, most = x, v
		}
	}
	return found, most
}

// spread returns points of a Sobol sequence with a shift of its own.
func (s *Surrogate) spread(n int) [][]float64 {
	keys := make([]string, len(s.levels))
	for i := range keys {
		keys[i] = strconv.Itoa(i)
	}
	whole := 1
	for whole < n {
		whole *= 2
	}
	points, _, err := design.Sobol{Seed: s.stream.Uint64(), Keys: keys}.Points(whole)
	if err != nil {
		panic("search: " + err.Error()) // the sizes are those of constants
	}
	for i, x := range points {
		points[i] = s.snap(x)
	}
	return points[:n]
}

// around returns points at some distances from a point.
func (s *Surrogate) around(centre []float64) [][]float64 {
	var points [][]float64
	for _, distance := range []float64{0.1, 0.02, 0.004} {
		for range nearby {
			x := slices.Clone(centre)
			for i := range x {
				x[i] += float64(distance * s.stream.Normal())
			}
			points = append(points, s.snap(Inside(x)))
		}
	}
	return points
}

// snap moves the coordinates of settings with levels into the middle of their cells, so that two points with the same
// values are one.
func (s *Surrogate) snap(point []float64) []float64 {
	out := slices.Clone(point)
	for i, n := range s.levels {
		if n > 0 {
			out[i] = (min(math.Floor(float64(out[i]*float64(n))), float64(n-1)) + 0.5) / float64(n)
		}
	}
	return out
}
