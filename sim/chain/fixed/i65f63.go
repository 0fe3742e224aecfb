package fixed

import "math/bits"

// I65F63 is a signed number of 65 integer and 63 fraction bits: the value is (hi 2^64 + lo) / 2^63.
// The zero value is 0, == compares values.
type I65F63 struct {
	hi int64
	lo uint64
}

var (
	one65 = I65F63{0, 1 << 63}
	max65 = I65F63{1<<63 - 1, 1<<64 - 1}
	min65 = I65F63{-1 << 63, 0}
)

// FromU64 returns x; every x fits.
func FromU64(x uint64) I65F63 { return I65F63{int64(x >> 1), x << 63} }

// FromU32 returns x / (2^32 - 1), truncated: the largest is exactly one.
func FromU32(x uint32) I65F63 {
	q := uint64(x) << 31 // x 2^63 / (2^32 - 1) = q + q / (2^32 - 1)
	return I65F63{0, q + q/(1<<32-1)}
}

// Ratio returns x / y, truncated; 0 when y is 0. Every other quotient fits.
func Ratio(x, y uint64) I65F63 {
	if y == 0 {
		return I65F63{}
	}
	hi, rest := bits.Div64(0, x>>1, y)
	lo, _ := bits.Div64(rest, x<<63, y)
	return I65F63{int64(hi), lo}
}

// Add returns a + b, saturating.
func (a I65F63) Add(b I65F63) I65F63 {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	hi := a.hi + b.hi + int64(carry)
	if (a.hi^hi)&(b.hi^hi) < 0 {
		return saturated65(a.hi < 0)
	}
	return I65F63{hi, lo}
}

// Sub returns a - b, saturating.
func (a I65F63) Sub(b I65F63) I65F63 {
	lo, borrow := bits.Sub64(a.lo, b.lo, 0)
	hi := a.hi - b.hi - int64(borrow)
	if (a.hi^b.hi)&(a.hi^hi) < 0 {
		return saturated65(a.hi < 0)
	}
	return I65F63{hi, lo}
}

// Mul returns a * b rounded toward minus infinity, saturating.
func (a I65F63) Mul(b I65F63) I65F63 {
	if a.hi|b.hi == 0 { // shares, the common case
		hi, lo := bits.Mul64(a.lo, b.lo)
		return I65F63{int64(hi >> 63), hi<<1 | lo>>63}
	}
	negative := (a.hi < 0) != (b.hi < 0)
	x, y := a.magnitude(), b.magnitude()
	p3, p2, p1, p0 := x.times(y)
	q := magnitude65{p2<<1 | p1>>63, p1<<1 | p0>>63}
	fits := p3 == 0 && p2>>63 == 0
	if negative && p0<<1 != 0 { // a remainder: one further down
		var carry uint64
		q.lo, carry = bits.Add64(q.lo, 1, 0)
		q.hi, carry = bits.Add64(q.hi, 0, carry)
		fits = fits && carry == 0
	}
	if r, ok := q.signed(negative); ok && fits {
		return r
	}
	return saturated65(negative)
}

// Div returns a / b truncated toward zero and whether it is defined and in range.
func (a I65F63) Div(b I65F63) (q I65F63, ok bool) {
	n, d := a.magnitude(), b.magnitude()
	n2, n1, n0 := n.hi>>1, n.hi<<63|n.lo>>1, n.lo<<63 // n 2^63
	negative := (a.hi < 0) != (b.hi < 0)
	switch {
	case d.hi|d.lo == 0, d.hi == 0 && n2 >= d.lo:
		return I65F63{}, false
	case d.hi == 0:
		q1, r := bits.Div64(n2, n1, d.lo)
		q0, _ := bits.Div64(r, n0, d.lo)
		return magnitude65{q1, q0}.signed(negative)
	}
	shift := uint(bits.LeadingZeros64(d.hi))
	d = magnitude65{d.hi<<shift | d.lo>>(64-shift), d.lo << shift}
	top := n2 >> (64 - shift)
	n2, n1, n0 = n2<<shift|n1>>(64-shift), n1<<shift|n0>>(64-shift), n0<<shift
	q1, rest := d.into(magnitude65{top, n2}, n1)
	q0, _ := d.into(rest, n0)
	return magnitude65{q1, q0}.signed(negative)
}

// SafeDiv returns a / b truncated toward zero, and 0 when b is 0 or the quotient out of range.
func (a I65F63) SafeDiv(b I65F63) I65F63 {
	if q, ok := a.Div(b); ok {
		return q
	}
	return I65F63{}
}

// Of returns floor(a * amount); 0 for negative a, saturating.
func (a I65F63) Of(amount uint64) uint64 {
	if a.hi < 0 {
		return 0
	}
	p2, p1 := bits.Mul64(uint64(a.hi), amount)
	high, low := bits.Mul64(a.lo, amount)
	p1, carry := bits.Add64(p1, high, 0)
	if p2+carry != 0 || p1>>63 != 0 {
		return 1<<64 - 1
	}
	return p1<<1 | low>>63
}

// U64 returns floor(a * (2^64 - 1)) clamped to 64 bits, the form in which the chain stored shares
// in 2022.
func (a I65F63) U64() uint64 { return a.Of(1<<64 - 1) }

// Floor returns the integer part of a; 0 for negative a.
func (a I65F63) Floor() uint64 { return a.Of(1) }

// IsWhole reports whether a has no fraction.
func (a I65F63) IsWhole() bool { return a.lo<<1 == 0 }

// Exp returns e^x by the original's power series of 62 terms, and the largest number, or 0 for
// negative x, where a term or their sum passes the range: beyond about 43, where the original
// stopped the chain. Unlike the narrow one it was never clamped.
func (x I65F63) Exp() I65F63 {
	switch x {
	case I65F63{}:
		return one65
	case one65:
		return I65F63{1, 0x5BF0_A800_0000_0000} // e cut to 23 fraction bits, as in the original
	}
	negative := x.hi < 0
	if negative {
		x = I65F63{}.Sub(x)
	}
	sum, term := x.Add(one65), x
	for i := uint64(2); i < 63 && term != (I65F63{}); i++ {
		if term = term.Mul(x); term == max65 {
			sum = max65
			break
		}
		hi, rest := uint64(term.hi)/i, uint64(term.hi)%i
		lo, _ := bits.Div64(rest, term.lo, i)
		term = I65F63{int64(hi), lo}
		sum = sum.Add(term)
	}
	if negative {
		return one65.SafeDiv(sum)
	}
	return sum
}

// Sigmoid returns 1 / (1 + exp(-rho (x - kappa))), every step saturating.
func (x I65F63) Sigmoid(rho, kappa I65F63) I65F63 {
	exponent := I65F63{}.Sub(x.Sub(kappa).Mul(rho))
	return one65.SafeDiv(one65.Add(exponent.Exp()))
}

// magnitude65 is an unsigned number of 128 bits.
type magnitude65 struct{ hi, lo uint64 }

func (a I65F63) magnitude() magnitude65 {
	if a.hi >= 0 {
		return magnitude65{uint64(a.hi), a.lo}
	}
	lo, borrow := bits.Sub64(0, a.lo, 0)
	return magnitude65{-uint64(a.hi) - borrow, lo}
}

// signed gives a magnitude its sign and reports whether it fits.
func (m magnitude65) signed(negative bool) (I65F63, bool) {
	if !negative {
		return I65F63{int64(m.hi), m.lo}, m.hi>>63 == 0
	}
	lo, borrow := bits.Sub64(0, m.lo, 0)
	return I65F63{int64(-m.hi - borrow), lo}, m.hi < 1<<63 || m.hi == 1<<63 && m.lo == 0
}

// times returns the four words of a product, the highest first.
func (m magnitude65) times(n magnitude65) (p3, p2, p1, p0 uint64) {
	var carry uint64
	h1, p0 := bits.Mul64(m.lo, n.lo)
	h2, l2 := bits.Mul64(m.hi, n.lo)
	h3, l3 := bits.Mul64(m.lo, n.hi)
	h4, l4 := bits.Mul64(m.hi, n.hi)
	p1, carry = bits.Add64(h1, l2, 0)
	p2, carry = bits.Add64(h2, l4, carry)
	p3 = h4 + carry
	p1, carry = bits.Add64(p1, l3, 0)
	p2, carry = bits.Add64(p2, h3, carry)
	return p3 + carry, p2, p1, p0
}

// into divides the three words (u, next) by d, whose highest bit is set and which is larger than
// u: schoolbook long division, whose estimate of a digit is at most two too large.
func (d magnitude65) into(u magnitude65, next uint64) (q uint64, rest magnitude65) {
	var r, over uint64
	if u.hi == d.hi {
		q = 1<<64 - 1
		r, over = bits.Add64(u.lo, d.hi, 0)
	} else {
		q, r = bits.Div64(u.hi, u.lo, d.hi)
	}
	for over == 0 {
		hi, lo := bits.Mul64(q, d.lo)
		if hi < r || hi == r && lo <= next {
			break
		}
		q--
		r, over = bits.Add64(r, d.hi, 0)
	}
	hi, lo := bits.Mul64(q, d.lo)
	lo, borrow := bits.Sub64(next, lo, 0)
	return q, magnitude65{u.lo - q*d.hi - hi - borrow, lo}
}

func saturated65(negative bool) I65F63 {
	if negative {
		return min65
	}
	return max65
}
