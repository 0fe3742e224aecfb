package kernel

import (
	"math"

	"taolab/model/num"
)

// tieBits are the bits of a float64 that are all zero where rounding it to float32 may be rounding a
// second time on a tie (see num.FMA32).
const tieBits = 1<<28 - 1

// matmulGeneric is MatMul in plain Go, for sizes above zero. It runs along rows of B and C: num.FMA32
// with its rare branch called and the rest inlined by hand.
func matmulGeneric(m, n, k int, a []float32, aRow, aCol int, b []float32, bRow int,
	c []float32, cRow int, accumulate bool) {
	for i := range m {
		row := c[i*cRow:][:n]
		if !accumulate {
			clear(row)
		}
		for l := range k {
			fmaRow(row, a[i*aRow+l*aCol], b[l*bRow:][:n])
		}
	}
}

// fmaRow adds x*y to sum, element by element, rounding once each.
func fmaRow(sum []float32, x float32, y []float32) {
	wide := float64(x)
	sum = sum[:len(y)]
	for j, yj := range y {
		product, start := float64(wide*float64(yj)), float64(sum[j])
		exact := product + start
		if math.Float64bits(exact)&tieBits == 0 {
			exact = num.Odd(product, start, exact)
		}
		sum[j] = float32(exact)
	}
}
