package consensus

import (
	"slices"

	"taolab/sim/chain/fixed"
)

// topK marks in dst the k largest of v; ties go to the later. Zeros win only if zeros says so.
// order is scratch.
func topK(dst []bool, v []fixed.I32F32, k int, zeros bool, order []uint64) {
	order = order[:0]
	for i, x := range v {
		dst[i] = x != 0 || zeros
		if dst[i] {
			order = append(order, uint64(x)<<16|uint64(i))
		}
	}
	if len(order) <= k {
		return
	}
	slices.Sort(order)
	for _, x := range order[:len(order)-max(k, 0)] {
		dst[UID(x)] = false
	}
}
