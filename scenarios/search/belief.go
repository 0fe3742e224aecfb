package search

import (
	"math"
	"slices"

	"taolab/model/num"
)

// belief is what a surrogate expects of points that it has not tried.
type belief struct {
	objective trend
	limits    []trend // what must stay at or below its mark: the margins, and whether a point fails
	best      []float64
	feasible  bool // whether the best point is
}

// trend is a process of one of the numbers of outcomes, with the values it passes.
type trend struct {
	*process
	values []float64
	mark   float64 // of the objective, the least value expected of a feasible point; of a limit, what it may reach
}

// believe fits processes to the outcomes so far.
func (s *Surrogate) believe() (*belief, error) {
	var sound [][]float64 // points
	var objectives []float64
	var margins [][]float64 // by constraint
	var variance float64
	failures := make([]float64, len(s.points))
	for i, o := range s.outcomes {
		if o.class() == 2 {
			failures[i] = 1
			continue
		}
		sound, objectives = append(sound, s.points[i]), append(objectives, bounded(o.Objective))
		variance += o.Variance
		of := o.Margins
		if of == nil {
			of = []float64{o.Violation}
		}
		for k, m := range of {
			if k == len(margins) {
				margins = append(margins, nil)
			}
			margins[k] = append(margins[k], bounded(m))
		}
	}
	b := &belief{best: s.points[0]}
	place := 0
	fit := func(points [][]float64, values []float64, noise float64) (trend, error) {
		if place == len(s.fitted) {
			s.fitted = append(s.fitted, nil)
		}
		p, ended, err := fitProcess(points, values, noise, s.fitted[place])
		s.fitted[place] = ended
		place++
		return trend{process: p, values: values}, err
	}
	if len(sound) == 0 {
		sound, objectives = s.points, failures // all alike: only the distance to them counts
	}
	unit := tame(objectives)
	_, spread := standardise(objectives)
	noise := float64(unknown)
	if unit = float64(unit * spread); variance > 0 {
		noise = min(float64(variance/float64(len(objectives))/unit)/unit, 1)
	}
	var err error
	if b.objective, err = fit(sound, objectives, noise); err != nil {
		return nil, err
	}
	limit := func(points [][]float64, values []float64, most float64) error {
		if slices.Max(values) <= most {
			return nil // it has held so far
		}
		mean, spread := standardise(values)
		t, err := fit(points, values, unknown)
		t.mark = (most - mean) / spread
		b.limits = append(b.limits, t)
		return err
	}
	for _, values := range margins {
		if err := limit(sound, values, 0); err != nil {
			return nil, err
		}
	}
	if err := limit(s.points, failures, 0.5); err != nil {
		return nil, err
	}
	b.choose(s.points, s.outcomes)
	return b, nil
}

// choose finds the best of the points tried, and what the objective is expected to be there.
func (b *belief) choose(points [][]float64, outcomes []Outcome) {
	least := Outcome{Failed: true}
	for i, x := range points {
		o := outcomes[i]
		if o.class() == 0 {
			o.Objective, _ = b.objective.at(x)
		}
		if o.Compare(least) < 0 {
			b.best, least = x, o
		}
	}
	b.feasible, b.objective.mark = least.class() == 0, least.Objective
}

// promise is the expected improvement at a point times the probability that the limits hold; before any feasible point
// is known, only the latter.
func (b *belief) promise(x []float64) float64 {
	if !b.feasible {
		return b.allowed(x)
	}
	mean, deviation := b.objective.at(x)
	return float64(improvement(b.objective.mark, mean, deviation) * b.allowed(x))
}

// allowed is the probability that the limits hold at a point.
func (b *belief) allowed(x []float64) float64 {
	allowed := 1.0
	for _, t := range b.limits {
		mean, deviation := t.at(x)
		allowed = float64(allowed * below(t.mark, mean, deviation))
	}
	return allowed
}

// assume takes what is expected of a point for its outcome, until that is known.
func (b *belief) assume(x []float64) {
	if expected := b.objective.assume(x); b.feasible {
		b.objective.mark = min(b.objective.mark, expected)
	}
	for i := range b.limits {
		b.limits[i].assume(x)
	}
}

// assume lets a trend pass what it expects at a point, which it returns.
func (t *trend) assume(x []float64) float64 {
	expected, _ := t.at(x)
	t.points, t.values = append(slices.Clone(t.points), x), append(t.values, expected)
	t.condition(t.values)
	return expected
}

// bounded keeps the arithmetic of outcomes finite.
func bounded(x float64) float64 { return min(max(x, -1e100), 1e100) }

// steep is how many times as far the largest value must lie from the middle one as that from the least for values to be
// drawn in.
const steep = 5

// tame draws in the values of a steep objective by a logarithm whose unit is the middle one's distance from the least:
// without it the process sees the objective's tops and nothing of its valley. It returns that unit, or 1.
func tame(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	least, middle, most := sorted[0], sorted[len(sorted)/2], sorted[len(sorted)-1]
	unit := middle - least
	if unit == 0 || most-middle < float64(steep*unit) {
		return 1
	}
	for i, v := range values {
		values[i] = num.Log(1 + (v-least)/unit)
	}
	return unit
}

// standardise gives values mean 0 and, unless they are equal, deviation 1. It returns the mean and deviation they had.
func standardise(values []float64) (mean, spread float64) {
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for i := range values {
		values[i] -= mean
	}
	spread = norm(values) / math.Sqrt(float64(len(values)))
	if spread == 0 {
		return mean, 1
	}
	for i := range values {
		values[i] /= spread
	}
	return mean, spread
}
