package search

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/optimize"
)

// Trial is a point with its outcome: a row in the trace of a search.
type Trial struct {
	Point   []float64
	Outcome Outcome
}

// NelderMead moves a simplex from a point of the unit cube, with edges of the given step, and evaluates at most the
// given number of points. It draws nothing. The trials come in the order of evaluation; evaluate's first error ends
// the search.
func NelderMead(start []float64, step float64, evaluations int, evaluate func(point []float64) (Outcome, error)) ([]Trial, error) {
	if err := checkStart(start, step); err != nil {
		return nil, err
	}
	if evaluations <= len(start) || evaluations > 1_000_000 {
		return nil, fmt.Errorf("%d evaluations over %d settings: expected %d to 1,000,000", evaluations, len(start), len(start)+1)
	}
	var trials []Trial
	var failure error
	value := func(x []float64) float64 {
		if failure != nil || len(trials) == evaluations {
			return barrier(Outcome{Failed: true})
		}
		point := Inside(x)
		for i := range point {
			point[i] = Round(point[i])
		}
		outcome, err := evaluate(slices.Clone(point))
		if err != nil {
			failure = err
			return barrier(Outcome{Failed: true})
		}
		trials = append(trials, Trial{point, outcome})
		return barrier(outcome)
	}
	_, err := optimize.Minimize(optimize.Problem{
		Func:   value,
		Status: func() (optimize.Status, error) { return ended(failure), nil },
	}, slices.Clone(start), &optimize.Settings{
		FuncEvaluations: evaluations, Converger: optimize.NeverTerminate{},
	}, &optimize.NelderMead{SimplexSize: step})
	if failure != nil {
		return trials, failure
	}
	if err != nil {
		return trials, fmt.Errorf("Nelder-Mead ended after %d points: %w", len(trials), err)
	}
	return trials, nil
}

// ended stops a search whose evaluation has failed.
func ended(failure error) optimize.Status {
	if failure != nil {
		return optimize.Failure
	}
	return optimize.NotTerminated
}

// barrier maps outcomes to numbers in the same order, for a search that only compares them.
func barrier(o Outcome) float64 {
	const infeasible, failed = 1e300, 1e301
	switch o.class() {
	case 0:
		return min(max(o.Objective, -infeasible), infeasible)
	case 1:
		return float64(infeasible * (1 + o.Violation/(1+o.Violation)))
	}
	return failed
}
