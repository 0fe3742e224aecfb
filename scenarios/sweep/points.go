package sweep

import (
	"fmt"
	"math"
	"strconv"

	"taolab/scenarios"
	"taolab/scenarios/design"
)

// maxRuns bounds a sweep.
const maxRuns = 1_000_000

// points lists the values of the swept keys at each point, as TOML.
func points(sc *scenarios.Scenario) ([][]string, error) {
	switch s := &sc.Sweep; s.Design {
	case "lhs", "sobol", "morris":
		return sampled(sc)
	case "list":
		return listed(s), nil
	default:
		return grid(s)
	}
}

// listed takes the first values of all keys, then the second.
func listed(s *scenarios.SweepSection) [][]string {
	n := 1
	if len(s.Keys) > 0 {
		n = s.Keys[0].Count()
	}
	out := make([][]string, n)
	for i := range out {
		for k := range s.Keys {
			out[i] = append(out[i], step(&s.Keys[k], i))
		}
	}
	return out
}

// grid takes every combination, the last key the fastest.
func grid(s *scenarios.SweepSection) ([][]string, error) {
	axes, of := axesOf(s)
	lengths := make([]int, axes)
	for k := range s.Keys {
		lengths[of[k]] = s.Keys[k].Count()
	}
	total := 1
	for _, n := range lengths {
		if total *= n; total > maxRuns {
			return nil, fmt.Errorf("the grid has more than %d points; expected fewer values, or design = \"lhs\"", maxRuns)
		}
	}
	out := make([][]string, total)
	at := make([]int, axes)
	for i := range out {
		for k := range s.Keys {
			out[i] = append(out[i], step(&s.Keys[k], at[of[k]]))
		}
		for a := axes - 1; a >= 0; a-- {
			if at[a]++; at[a] < lengths[a] {
				break
			}
			at[a] = 0
		}
	}
	return out, nil
}

// axesOf assigns each key its axis: linked keys share one.
func axesOf(s *scenarios.SweepSection) (count int, of []int) {
	links := map[string]int{}
	for _, k := range s.Keys {
		axis, met := links[k.Linked]
		if k.Linked == "" || !met {
			axis = count
			count++
			links[k.Linked] = axis
		}
		of = append(of, axis)
	}
	return count, of
}

// step formats the i-th value of a key in a grid or a list.
func step(k *scenarios.SweepKey, i int) string {
	switch {
	case len(k.Values) > 0:
		return number(k.Values[i])
	case len(k.Words) > 0:
		return word(k.Words[i])
	case k.Scale == "int":
		return number(k.Low + math.Round(float64((k.High-k.Low)*float64(i))/float64(k.Steps-1)))
	}
	return value(k, float64(i)/float64(k.Steps-1))
}

// Value formats a key's value at u, from 0 to 1, as TOML.
func Value(k *scenarios.SweepKey, u float64) string { return value(k, u) }

// Cells is the number of equal parts of 0 to 1 that have a value of the key each; 0 where each number has one of its own.
func Cells(k *scenarios.SweepKey) int {
	switch {
	case len(k.Values)+len(k.Words) > 0:
		return len(k.Values) + len(k.Words)
	case k.Scale == "int":
		return int(k.High-k.Low) + 1
	}
	return 0
}

// value is a key's value at u, from 0 to 1.
func value(k *scenarios.SweepKey, u float64) string {
	choice := func(n int) int { return int(design.Scale{Kind: design.Choice, High: float64(n - 1)}.Value(u)) }
	switch {
	case len(k.Values) > 0:
		return number(k.Values[choice(len(k.Values))])
	case len(k.Words) > 0:
		return word(k.Words[choice(len(k.Words))])
	}
	return number(design.Scale{Kind: design.Kind(k.Scale), Low: k.Low, High: k.High}.Value(u))
}

// number formats the shortest TOML that reads back as the same number; a whole number has no decimal
// point, so that it suits integer and float keys.
func number(x float64) string {
	if x == math.Trunc(x) && math.Abs(x) < 1e15 {
		return strconv.FormatInt(int64(x), 10)
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}

// word formats a text or a truth value as TOML.
func word(text string) string {
	if text == "true" || text == "false" {
		return text
	}
	return strconv.Quote(text)
}
