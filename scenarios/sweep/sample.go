package sweep

import (
	"taolab/scenarios"
	"taolab/scenarios/design"
)

// sampled draws the points of a Latin hypercube or of a Sobol sequence. Keys that are linked share a coordinate,
// which has the name of the first.
func sampled(sc *scenarios.Scenario) ([][]string, error) {
	s := &sc.Sweep
	axes, of := axesOf(s)
	names := make([]string, 0, axes)
	for k, key := range s.Keys {
		if of[k] == len(names) {
			names = append(names, key.Key)
		}
	}
	unit, err := unitPoints(sc, names)
	if err != nil {
		return nil, err
	}
	out := make([][]string, len(unit))
	for i, u := range unit {
		for k := range s.Keys {
			out[i] = append(out[i], value(&s.Keys[k], u[of[k]]))
		}
	}
	return out, nil
}

// unitPoints are points of the unit cube.
func unitPoints(sc *scenarios.Scenario, names []string) (points [][]float64, err error) {
	s := &sc.Sweep
	if s.Design == "lhs" {
		return design.LatinHypercube{Seed: sc.Seed, Keys: names, Candidates: s.Maximin}.Points(s.Points)
	}
	points, _, err = design.Sobol{Seed: sc.Seed, Keys: names, Scramble: design.Scramble(s.Scramble)}.Points(s.Points)
	return points, err
}
