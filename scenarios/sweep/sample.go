package sweep

import (
	"fmt"

	"taolab/scenarios"
	"taolab/scenarios/design"
)

// sampled draws points of the unit cube and returns the values there. Linked keys share a coordinate.
func sampled(sc *scenarios.Scenario) ([][]string, error) {
	s := &sc.Sweep
	_, of := axesOf(s)
	names := coordinates(s)
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

// coordinates lists the names of the design's coordinates: each has the name of its first key.
func coordinates(s *scenarios.SweepSection) []string {
	axes, of := axesOf(s)
	names := make([]string, 0, axes)
	for k, key := range s.Keys {
		if of[k] == len(names) {
			names = append(names, key.Key)
		}
	}
	return names
}

// unitPoints returns the design's points in the unit cube.
func unitPoints(sc *scenarios.Scenario, names []string) (points [][]float64, err error) {
	s := &sc.Sweep
	perPoint := 1
	switch {
	case s.Design == "morris":
		perPoint = len(names) + 1
	case len(s.Sensitivity) > 0:
		perPoint = len(names) + 2
	}
	if s.Points > maxRuns/perPoint {
		return nil, fmt.Errorf("points = %d stands for %d runs each; expected at most %d points", s.Points, perPoint, maxRuns/perPoint)
	}
	switch s.Design {
	case "lhs":
		return design.LatinHypercube{Seed: sc.Seed, Keys: names, Candidates: s.Maximin}.Points(s.Points)
	case "morris":
		return design.Morris{Seed: sc.Seed, Keys: names}.Points(s.Points)
	}
	for net := range s.Randomised {
		a, b, err := design.Sobol{
			Seed: sc.Seed, Keys: names, Scramble: design.Scramble(s.Scramble), Randomisation: net,
		}.Points(s.Points / s.Randomised)
		if err != nil {
			return nil, err
		}
		if len(s.Sensitivity) > 0 {
			a = design.Saltelli(a, b)
		}
		points = append(points, a...)
	}
	return points, nil
}
