package kernel

import "fmt"

// atLeast panics if a slice is too short. The assembly relies on it.
func atLeast(what string, length, want int) {
	if length < want {
		panic(fmt.Sprintf("kernel: %s: %d elements, %d expected", what, length, want))
	}
}

// needRows is need for rows that are written and must not overlap.
func needRows(what string, length, rows, stride, cols int) {
	need(what, length, rows, stride, cols, 1)
	if rows > 1 && stride < cols {
		panic(fmt.Sprintf("kernel: %s: rows overlap: %d columns, stride %d", what, cols, stride))
	}
}
