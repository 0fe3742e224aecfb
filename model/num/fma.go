package num

import "math"

// FMA32 returns a*b + c rounded once, to the nearest float32 with ties to even: the bits of the
// processor's fused multiply-add, subnormal results included. A NaN result has unspecified payload.
//
// The product of two float32 is exact in float64. Their float64 sum with c, rounded again to
// float32, goes wrong only where the first rounding landed exactly on a tie of the second; such a
// sum ends in 28 zero bits, and only then is the rounding error looked at. Hence
// float32(math.FMA(...)) is not this function: it rounds twice.
func FMA32(a, b, c float32) float32 {
	product := float64(float64(a) * float64(b))
	sum := product + float64(c)
	if math.Float64bits(sum)&(1<<28-1) == 0 {
		sum = Odd(product, float64(c), sum)
	}
	return float32(sum)
}

// Odd rounds x + y, whose rounded sum is given, to odd: where the sum is inexact and its last bit
// even, it returns the neighbour on the side of the error. Rounding that once more, to float32,
// equals rounding x + y at once. It is the rare branch of [FMA32], exported for kernels that inline
// the common one; x and y are products and sums of float32, far from float64's limits.
//
//go:noinline
func Odd(x, y, sum float64) float64 {
	yPart := sum - x
	lost := (x - (sum - yPart)) + (y - yPart)
	bits := math.Float64bits(sum)
	if lost == 0 || bits&1 != 0 || math.IsNaN(lost) {
		return sum
	}
	if (lost > 0) == (sum > 0) {
		return math.Float64frombits(bits + 1)
	}
	return math.Float64frombits(bits - 1)
}
