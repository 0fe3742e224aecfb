package design

import (
	"fmt"
	"slices"
)

// MaxCoordinates limits a design: the number of its points times the number of its keys.
const MaxCoordinates = 1 << 26

// rows returns n points of k coordinates each, all zero, in one piece of memory.
func rows(n, k int) [][]float64 {
	cells := make([]float64, n*k)
	points := make([][]float64, n)
	for i := range points {
		points[i] = cells[i*k : (i+1)*k : (i+1)*k]
	}
	return points
}

// checkSize returns an error unless n points of the given keys can be made.
func checkSize(keys []string, n int) error {
	if len(keys) == 0 {
		return fmt.Errorf("a design needs at least one key")
	}
	for i, key := range keys {
		if slices.Contains(keys[:i], key) {
			return fmt.Errorf("the key %q appears twice in a design: each key draws from a stream of its own", key)
		}
	}
	if n < 1 || n > MaxCoordinates/len(keys) {
		return fmt.Errorf("%d points of %d keys: the number of points must be 1 to %d", n, len(keys), MaxCoordinates/len(keys))
	}
	return nil
}
