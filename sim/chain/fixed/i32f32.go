package fixed

import "math/bits"

// I32F32 is a signed number of 32 integer and 32 fraction bits: the value is bits / 2^32.
type I32F32 int64

// The numbers that callers need by name.
const (
	Zero I32F32 = 0
	One  I32F32 = 1 << 32
	Half I32F32 = 1 << 31
	Max  I32F32 = 1<<63 - 1
	Min  I32F32 = -1 << 63
)

// FromInt returns x, saturating beyond 32 bits.
func FromInt(x int64) I32F32 {
	switch {
	case x > 1<<31-1:
		return Max
	case x < -1<<31:
		return Min
	}
	return I32F32(x << 32)
}

// FromU16 returns x / 65535, truncated: 65535 is exactly One.
func FromU16(x uint16) I32F32 { return I32F32((uint64(x) << 32) / 65535) }

// Share returns x / sum, truncated to 64 and then to 32 fraction bits; 0 when sum is 0.
// The chain normalises raw stake this way. x must not exceed sum.
func Share(x, sum uint64) I32F32 {
	if sum == 0 {
		return 0
	}
	if x >= sum {
		return One
	}
	q, _ := bits.Div64(x, 0, sum)
	return I32F32(q >> 32)
}

// Complement returns 1 - ppm / 1e6 with the quotient truncated; more than a million counts as
// a million.
func Complement(ppm uint32) I32F32 {
	const million = 1_000_000
	return One - I32F32(uint64(min(ppm, million))<<32/million)
}

// Add returns a + b, saturating.
func (a I32F32) Add(b I32F32) I32F32 {
	c := a + b
	if (a^c)&(b^c) < 0 {
		return saturated(a < 0)
	}
	return c
}

// Sub returns a - b, saturating.
func (a I32F32) Sub(b I32F32) I32F32 {
	c := a - b
	if (a^b)&(a^c) < 0 {
		return saturated(a < 0)
	}
	return c
}

// Mul returns a * b rounded toward minus infinity, saturating.
func (a I32F32) Mul(b I32F32) I32F32 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	if a < 0 { // the unsigned product counts a negative factor as 2^64 more
		hi -= uint64(b)
	}
	if b < 0 {
		hi -= uint64(a)
	}
	if top := int64(hi) >> 31; top != 0 && top != -1 {
		return saturated(top < 0)
	}
	return I32F32(hi<<32 | lo>>32)
}

// MulShare returns a * b rounded down, for a and b that are not negative and whose product is in
// range, such as shares: Mul without its guards.
func (a I32F32) MulShare(b I32F32) I32F32 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	return I32F32(hi<<32 | lo>>32)
}

// Div returns a / b truncated toward zero and whether it is defined and in range.
func (a I32F32) Div(b I32F32) (q I32F32, ok bool) {
	if b == 0 {
		return 0, false
	}
	negative := (a < 0) != (b < 0)
	n, d := magnitude(a), magnitude(b)
	if n>>32 >= d { // the quotient needs more than 64 bits
		return 0, false
	}
	u, _ := bits.Div64(n>>32, n<<32, d)
	if negative {
		return I32F32(-u), u <= 1<<63
	}
	return I32F32(u), u < 1<<63
}

// SafeDiv returns a / b truncated toward zero, and 0 when b is 0 or the quotient out of range.
func (a I32F32) SafeDiv(b I32F32) I32F32 {
	if a|b >= 0 && a|b < 1<<32 { // shares, the common case: one machine division
		if b == 0 {
			return 0
		}
		if q := uint64(a) << 32 / uint64(b); q < 1<<63 {
			return I32F32(q)
		}
		return 0
	}
	if q, ok := a.Div(b); ok {
		return q
	}
	return 0
}

// Round returns the nearest integer, halves away from zero.
func (a I32F32) Round() int64 {
	if a < 0 {
		return -int64((magnitude(a) + uint64(Half)) >> 32)
	}
	return int64((uint64(a) + uint64(Half)) >> 32)
}

// U16 returns floor(a * 65535) clamped to 0..65535, the form in which the chain stores shares.
func (a I32F32) U16() uint16 { return uint16(uint64(a.Clamp(Zero, One)) * 65535 >> 32) }

// Of returns floor(a * amount), the part of an amount in rao that a share of it is; 0 for
// negative a, saturating.
func (a I32F32) Of(amount uint64) uint64 {
	if a <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(a), amount)
	if hi>>32 != 0 {
		return 1<<64 - 1
	}
	return hi<<32 | lo>>32
}

// Clamp returns a within [lo, hi].
func (a I32F32) Clamp(lo, hi I32F32) I32F32 { return min(max(a, lo), hi) }

func clampU16(x int64) uint16 { return uint16(min(max(x, 0), 65535)) }

func magnitude(a I32F32) uint64 {
	if a < 0 {
		return -uint64(a)
	}
	return uint64(a)
}

func saturated(negative bool) I32F32 {
	if negative {
		return Min
	}
	return Max
}
