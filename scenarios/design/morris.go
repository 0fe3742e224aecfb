package design

import (
	"fmt"
	"math"
	"strconv"

	"taolab/model/num"
)

// morrisStep is the distance between the two levels of a key that a trajectory visits, of the levels 0, 1/3, 2/3
// and 1.
const morrisStep = 2. / 3

// Morris is a design of random trajectories, each of which moves every key once, in random order.
type Morris struct {
	Seed uint64
	Keys []string
}

// Points returns the points of r trajectories, one trajectory after another; each has one point more than there are
// keys. A trajectory draws from its own stream: for each key the lower level, then which of the two comes first,
// then the order of the moves. Trajectories may share a point.
func (m Morris) Points(r int) ([][]float64, error) {
	k := len(m.Keys)
	if r < 2 {
		return nil, fmt.Errorf("%d trajectories: a standard deviation of effects needs at least 2", r)
	}
	if r > MaxCoordinates/(k+1) {
		return nil, fmt.Errorf("%d trajectories of %d keys: expected at most %d", r, k, MaxCoordinates/(k+1))
	}
	if err := checkSize(m.Keys, r*(k+1)); err != nil {
		return nil, err
	}
	points := rows(r*(k+1), k)
	for t := range r {
		m.trajectory(t, points[t*(k+1):(t+1)*(k+1)])
	}
	return points, nil
}

// trajectory fills the points of trajectory t.
func (m Morris) trajectory(t int, points [][]float64) {
	stream := num.NewStream(m.Seed, "design/morris/"+strconv.Itoa(t))
	last := make([]float64, len(m.Keys))
	for j := range m.Keys {
		level, upper := stream.IntN(2), stream.IntN(2)
		points[0][j] = float64(level+2*upper) / 3
		last[j] = float64(level+2*(1-upper)) / 3
	}
	for i, j := range stream.Perm(len(m.Keys)) {
		copy(points[i+1], points[i])
		points[i+1][j] = last[j]
	}
}

// Effect summarises the elementary effects of a key: changes of the output per unit of its coordinate.
type Effect struct {
	Mean    float64 // mu
	MeanAbs float64 // mu*: the key's influence, with signs that do not cancel
	SD      float64 // sigma, with divisor r - 1: interactions and curvature
}

// Effects returns the effects of k keys from the outputs at a Morris design's points, in their order, and how many
// trajectories were left out because an output was not a finite number. It returns an error if fewer than two remain.
func Effects(points [][]float64, outputs []float64) (effects []Effect, failed int, err error) {
	if len(points) == 0 || len(points) != len(outputs) || len(points)%(len(points[0])+1) != 0 {
		return nil, 0, fmt.Errorf("%d outputs at %d points: expected one for each point of whole trajectories",
			len(outputs), len(points))
	}
	k := len(points[0])
	changes := make([][]float64, k)
	for first := 0; first < len(points); first += k + 1 {
		if !allFinite(outputs[first : first+k+1]) {
			failed++
			continue
		}
		for i := first; i < first+k; i++ {
			j, sign := moved(points[i], points[i+1])
			changes[j] = append(changes[j], float64(sign*(outputs[i+1]-outputs[i]))/morrisStep)
		}
	}
	if len(changes[0]) < 2 {
		return nil, failed, fmt.Errorf("%d trajectories failed and %d remain: effects need at least 2", failed, len(changes[0]))
	}
	for _, c := range changes {
		effects = append(effects, summarise(c))
	}
	return effects, failed, nil
}

// moved returns the key whose coordinate differs between two points of a trajectory, and the direction.
func moved(from, to []float64) (key int, sign float64) {
	for j := range from {
		if from[j] != to[j] {
			return j, math.Copysign(1, to[j]-from[j])
		}
	}
	return 0, 1
}

// summarise returns the moments of a key's elementary effects.
func summarise(changes []float64) Effect {
	var e Effect
	n := float64(len(changes))
	for _, c := range changes {
		e.Mean += c / n
		e.MeanAbs += math.Abs(c) / n
	}
	for _, c := range changes {
		e.SD += float64((c - e.Mean) * (c - e.Mean))
	}
	e.SD = math.Sqrt(e.SD / (n - 1))
	return e
}

// allFinite reports whether all outputs are finite.
func allFinite(outputs []float64) bool {
	for _, y := range outputs {
		if math.IsNaN(y) || math.IsInf(y, 0) {
			return false
		}
	}
	return true
}
