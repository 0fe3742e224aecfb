package search

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
)

// Outcome is the answer to a point.
type Outcome struct {
	Objective float64
	Violation float64 // sum of the amounts by which constraints are missed; 0 where all hold
	Failed    bool    // the run has no result

	// A Surrogate learns more from what is known besides.
	Variance float64   // of the objective's noise, at most; 0 where nothing tells
	Margins  []float64 // of the constraints, one by one, by how much each is missed; below 0 where it holds
}

// class ranks feasible outcomes first and failed ones last. An objective or a violation that is not a number fails.
func (o Outcome) class() int {
	switch {
	case o.Failed || math.IsNaN(o.Objective) || math.IsNaN(o.Violation):
		return 2
	case o.Violation > 0:
		return 1
	}
	return 0
}

// Compare returns a negative number if o is better than other: feasible outcomes by their objective, then the
// infeasible ones by their violation, then the failed ones, which are all alike.
func (o Outcome) Compare(other Outcome) int {
	if c := cmp.Compare(o.class(), other.class()); c != 0 {
		return c
	}
	switch o.class() {
	case 0:
		return cmp.Compare(o.Objective, other.Objective)
	case 1:
		return cmp.Compare(o.Violation, other.Violation)
	}
	return 0
}

// Reflect folds a coordinate at the bounds 0 and 1 until it lies between them: 1.2 becomes 0.8 and -0.1 becomes 0.1.
func Reflect(x float64) float64 {
	x = math.Abs(math.Remainder(x, 2))
	return min(x, 1)
}

// Inside returns a point with each coordinate reflected into [0, 1].
func Inside(point []float64) []float64 {
	inside := make([]float64, len(point))
	for i, x := range point {
		inside[i] = Reflect(x)
	}
	return inside
}

// Round returns x with 12 significant digits, as a trace has it: more would differ between processors.
func Round(x float64) float64 {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 12, 64), 64)
	if err != nil {
		return x // an overflow of the last digits
	}
	return rounded
}

// checkStart returns an error unless a search can start at a point of the unit cube with a step.
func checkStart(start []float64, step float64) error {
	if len(start) == 0 || len(start) > MaxDimensions {
		return fmt.Errorf("a search over %d settings: expected 1 to %d", len(start), MaxDimensions)
	}
	for i, x := range start {
		if !(0 <= x && x <= 1) {
			return fmt.Errorf("the search starts at %v in setting %d: expected 0 to 1", x, i)
		}
	}
	if !(0 < step && step <= 1) {
		return fmt.Errorf("first step %v: expected more than 0 and at most 1", step)
	}
	return nil
}

// MaxDimensions limits the settings of a search: a generation costs their number cubed.
const MaxDimensions = 256
