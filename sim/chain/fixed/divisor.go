package fixed

import "math/bits"

// Divisor divides many numbers by the same one with multiplications by its inverse, to the same
// bits as a division. The zero value divides everything to 0.
type Divisor struct{ by, inverse uint64 }

// NewDivisor returns the divisor by x; by 0 and below everything is 0.
func NewDivisor(x I32F32) Divisor {
	if x <= 0 {
		return Divisor{}
	}
	return Divisor{uint64(x), (1<<64 - 1) / uint64(x)}
}

// Divide returns x / d truncated, for 0 <= x <= One.
func (d Divisor) Divide(x I32F32) I32F32 {
	hi, lo := bits.Mul64(uint64(x), d.inverse)
	q := hi<<32 | lo>>32
	// The inverse is less than one too small and x/2^32 at most one, so q is right or one less.
	if d.by-1 < uint64(x)<<32-q*d.by {
		q++
	}
	return I32F32(q)
}
