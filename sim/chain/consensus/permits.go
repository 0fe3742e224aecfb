package consensus

import (
	"slices"

	"taolab/sim/chain/fixed"
)

// topK marks in dst the k largest of v among those that are not zero; of equals the later win.
// order is scratch.
func topK(dst []bool, v []fixed.I32F32, k int, order []UID) {
	for i, x := range v {
		dst[i] = x != 0
	}
	if len(v) <= k {
		return
	}
	order = order[:len(v)]
	for i := range order {
		order[i] = UID(i)
	}
	slices.SortFunc(order, func(a, b UID) int {
		switch {
		case v[a] != v[b] && v[a] < v[b], v[a] == v[b] && a < b:
			return -1
		case a == b:
			return 0
		}
		return 1
	})
	for _, i := range order[:len(v)-max(k, 0)] {
		dst[i] = false
	}
}
