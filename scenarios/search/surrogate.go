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
	batch  int
	levels []int
	stream *num.Stream

	asked    int // points, over all batches
	pending  [][]float64
	points   [][]float64
	outcomes []Outcome
	fitted   []float64 // where the last fit ended
	fits     int       // points of the last fit
}

const (
	// MaxSurrogatePoints limits a search: a fit costs the cube of the number of points, some tens of milliseconds at
	// this number, and is repeated a hundred times for a proposal.
	MaxSurrogatePoints = 256

	// MaxSurrogateSettings limits the settings: a process of so few points knows no more of them.
	MaxSurrogateSettings = 20

	candidates = 1024 // of a Sobol set, for each point that is asked for
	nearby     = 64   // further ones around the best point, for each of some distances
	polish     = 60   // evaluations of the process around the best candidate
)

// SurrogateBegin is the number of points, spread over the cube, before the first fit.
func SurrogateBegin(dimensions int) int { return 2*dimensions + 3 }

// NewSurrogate returns a search that asks for a batch of points at a time, 1 if 0, once it has begun. levels has, by
// setting, into how many equal cells it falls, 0 where it is continuous; nil: all are. It draws from the stream.
func NewSurrogate(dimensions, batch int, levels []int, stream *num.Stream) (*Surrogate, error) {
	switch {
	case dimensions < 1 || dimensions > MaxSurrogateSettings:
		return nil, fmt.Errorf("a surrogate over %d settings: expected 1 to %d; cmaes takes more", dimensions, MaxSurrogateSettings)
	case batch < 0 || batch > 64:
		return nil, fmt.Errorf("batches of %d points: expected 1 to 64", batch)
	}
	if levels == nil {
		levels = make([]int, dimensions)
	}
	if len(levels) != dimensions {
		return nil, fmt.Errorf("levels of %d settings: expected those of %d", len(levels), dimensions)
	}
	return &Surrogate{batch: max(batch, 1), levels: slices.Clone(levels), stream: stream}, nil
}

// Ask returns the next points, within the unit cube: first those that the search begins with, the middle and a Sobol
// set, and then a batch.
func (s *Surrogate) Ask() ([][]float64, error) {
	if s.asked == 0 {
		s.pending = s.spread(SurrogateBegin(len(s.levels)) - 1)
		s.pending = slices.Insert(s.pending, 0, s.snap(slices.Repeat([]float64{0.5}, len(s.levels))))
	} else {
		if len(s.points)+s.batch > MaxSurrogatePoints {
			return nil, fmt.Errorf("a surrogate of more than %d points; a search that can pay for them has cmaes", MaxSurrogatePoints)
		}
		p, values, err := s.fit()
		if err != nil {
			return nil, err
		}
		s.pending = nil
		for range s.batch {
			x, err := s.propose(p)
			if err != nil {
				return nil, err
			}
			s.pending = append(s.pending, x)
			// What the process expects there stands for the outcome until it is known.
			expected, _ := p.at(x)
			values = append(values, expected)
			p.points = append(slices.Clone(p.points), x)
			p.condition(values)
		}
	}
	s.asked += len(s.pending)
	return slices.Clone(s.pending), nil
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
	p, _, err := s.fit()
	if err != nil {
		return nil, err
	}
	best, least := 0, Outcome{Failed: true}
	for i, x := range s.points {
		o := s.outcomes[i]
		if o.class() == 0 {
			o.Objective, _ = p.at(x)
		}
		if o.Compare(least) < 0 {
			best, least = i, o
		}
	}
	return slices.Clone(s.points[best]), nil
}

// fit returns a process through the outcomes so far, and the values it was given.
func (s *Surrogate) fit() (*process, []float64, error) {
	values, nugget := s.values()
	p, fitted, err := fitProcess(s.points, values, nugget, s.fitted)
	s.fitted = fitted
	return p, values, err
}

// penalty is what a missed constraint costs: so many spans of the objective for the middle one of the violations.
const penalty = 3

// values returns the outcomes as numbers of mean 0 and variance 1, and the share of the variance that may be noise. A
// missed constraint raises a number in proportion to its violation, so that nothing jumps where it begins to be missed;
// a failed point has the worst number of all.
func (s *Surrogate) values() (values []float64, noise float64) {
	var objectives, violations []float64
	var variance float64
	for _, o := range s.outcomes {
		if o.class() < 2 {
			objectives = append(objectives, o.Objective)
			variance += o.Variance
		}
		if o.class() == 1 {
			violations = append(violations, o.Violation)
		}
	}
	if len(objectives) == 0 {
		return make([]float64, len(s.outcomes)), 1
	}
	price := 0.0
	if len(violations) > 0 {
		slices.Sort(violations)
		span := max(slices.Max(objectives)-slices.Min(objectives), 1e-12)
		price = float64(penalty*span) / violations[len(violations)/2]
	}
	worst := math.Inf(-1)
	values = make([]float64, len(s.outcomes))
	for i, o := range s.outcomes {
		if o.class() < 2 {
			values[i] = o.Objective + float64(price*o.Violation)
			worst = max(worst, values[i])
		}
	}
	for i, o := range s.outcomes {
		if o.class() == 2 {
			values[i] = worst
		}
	}
	spread := standardise(values)
	if variance == 0 {
		return values, 1 // nothing tells how much is noise
	}
	return values, min(variance/float64(len(objectives))/float64(spread*spread), 1)
}

// standardise gives values mean 0 and, unless they are equal, deviation 1. It returns the deviation they had.
func standardise(values []float64) float64 {
	var mean float64
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for i := range values {
		values[i] -= mean
	}
	spread := norm(values) / math.Sqrt(float64(len(values)))
	if spread == 0 {
		return 1
	}
	for i := range values {
		values[i] /= spread
	}
	return spread
}

// propose returns the point of a Sobol set, or near the best one, at which the process expects to improve most, moved to
// where it expects more yet.
func (s *Surrogate) propose(p *process) ([]float64, error) {
	mark, best := math.Inf(1), p.points[0]
	for _, x := range p.points {
		if expected, _ := p.at(x); expected < mark {
			mark, best = expected, x
		}
	}
	gain := func(x []float64) float64 {
		mean, deviation := p.at(x)
		return improvement(mark, mean, deviation)
	}
	var found []float64
	most := -1.0
	for _, x := range append(s.spread(candidates), s.around(best)...) {
		if g := gain(x); g > most {
			found, most = x, g
		}
	}
	trials, err := NelderMead(found, 0.02, polish+len(found), func(x []float64) (Outcome, error) {
		return Outcome{Objective: -gain(s.snap(x))}, nil
	})
	if err != nil {
		return nil, err
	}
	better := slices.MinFunc(trials, func(a, b Trial) int { return a.Outcome.Compare(b.Outcome) })
	if -better.Outcome.Objective > most {
		found = s.snap(better.Point)
	}
	for i := range found {
		found[i] = Round(found[i])
	}
	return found, nil
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
