package search

import (
	"cmp"
	"slices"
)

// Front returns the indices of the points that no other one betters in one of two objectives without being worse in
// the other, by the first objective. Of equal points the first counts. It costs the time of a sort.
func Front(objectives [][2]float64) []int {
	order := make([]int, len(objectives))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := objectives[i], objectives[j]
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	})
	var front []int
	for _, i := range order {
		o := objectives[i]
		if o[0] != o[0] || o[1] != o[1] {
			continue // a point without one of its values
		}
		if len(front) == 0 || o[1] < objectives[front[len(front)-1]][1] {
			front = append(front, i)
		}
	}
	return front
}

// Chebyshev returns the weighted Chebyshev distance of two objectives from the best that each can reach by itself, in
// units of their ranges: searches over several weights from 0 to 1 trace the front, its concave parts included.
func Chebyshev(objectives, best, span [2]float64, weight float64) float64 {
	return max(float64(weight*(objectives[0]-best[0]))/span[0], float64((1-weight)*(objectives[1]-best[1]))/span[1])
}
