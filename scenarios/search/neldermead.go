package search

import (
	"fmt"
	"slices"
)

// Trial is a point with its outcome: a row in the trace of a search.
type Trial struct {
	Point   []float64
	Outcome Outcome
}

// simplex is what Nelder-Mead moves: a vertex more than there are dimensions, the best first.
type simplex struct {
	vertices []vertex
	left     int // evaluations
	evaluate func(point []float64) (Outcome, error)
	trials   []Trial
	failure  error
}

// vertex is a corner of a simplex. It may lie outside of the unit cube: the point tried is its reflection.
type vertex struct {
	place   []float64
	outcome Outcome
}

// NelderMead moves a simplex from a point of the unit cube, with edges of the given step, and evaluates at most the
// given number of points, each with 12 digits. It draws nothing. The trials come in the order of evaluation; evaluate's
// first error ends the search.
func NelderMead(start []float64, step float64, evaluations int, evaluate func(point []float64) (Outcome, error)) ([]Trial, error) {
	if err := checkStart(start, step); err != nil {
		return nil, err
	}
	if evaluations <= len(start) || evaluations > 1_000_000 {
		return nil, fmt.Errorf("%d evaluations over %d settings: expected %d to 1,000,000", evaluations, len(start), len(start)+1)
	}
	s := &simplex{left: evaluations, evaluate: evaluate}
	s.vertices = append(s.vertices, s.try(slices.Clone(start)))
	for i := range start {
		corner := slices.Clone(start)
		corner[i] += step
		s.vertices = append(s.vertices, s.try(corner))
	}
	for s.left > 0 {
		slices.SortStableFunc(s.vertices, func(a, b vertex) int { return a.outcome.Compare(b.outcome) })
		s.move()
	}
	return s.trials, s.failure
}

// move replaces the worst vertex by a better one on the line through the centre of the others, or draws all vertices
// toward the best one.
func (s *simplex) move() {
	// F. Gao and L. Han (2012): factors that keep the simplex from collapsing in many dimensions.
	n := float64(max(len(s.vertices)-1, 2))
	expansion, contraction, shrinkage := 1+2/n, 0.75-0.5/n, 1-1/n

	last := len(s.vertices) - 1
	best, worst := s.vertices[0], s.vertices[last]
	centre := make([]float64, last)
	for _, v := range s.vertices[:last] {
		for i, x := range v.place {
			centre[i] += x / float64(last)
		}
	}
	reflected := s.try(along(centre, worst.place, -1))
	switch {
	case reflected.outcome.Compare(best.outcome) < 0:
		if expanded := s.try(along(centre, worst.place, -expansion)); expanded.outcome.Compare(reflected.outcome) < 0 {
			reflected = expanded
		}
		s.vertices[last] = reflected
	case reflected.outcome.Compare(s.vertices[last-1].outcome) < 0:
		s.vertices[last] = reflected
	default:
		side := contraction
		if reflected.outcome.Compare(worst.outcome) < 0 {
			worst, side = reflected, -contraction
		}
		contracted := s.try(along(centre, s.vertices[last].place, side))
		if contracted.outcome.Compare(worst.outcome) < 0 {
			s.vertices[last] = contracted
			return
		}
		for k := 1; k <= last; k++ {
			s.vertices[k] = s.try(along(best.place, s.vertices[k].place, shrinkage))
		}
	}
}

// try evaluates the point of a place. After the last evaluation, or an error, all places fail.
func (s *simplex) try(place []float64) vertex {
	if s.left == 0 {
		return vertex{place, Outcome{Failed: true}}
	}
	point := Inside(place)
	for i := range point {
		point[i] = Round(point[i])
	}
	outcome, err := s.evaluate(slices.Clone(point))
	if err != nil {
		s.failure, s.left = err, 0
		return vertex{place, Outcome{Failed: true}}
	}
	s.left--
	s.trials = append(s.trials, Trial{point, outcome})
	return vertex{place, outcome}
}

// along returns the place that lies at a share of the way from one place to another.
func along(from, to []float64, share float64) []float64 {
	place := make([]float64, len(from))
	for i := range place {
		place[i] = from[i] + float64(share*(to[i]-from[i]))
	}
	return place
}
