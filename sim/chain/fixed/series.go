package fixed

import "math/bits"

const (
	e        I32F32 = 0x2_B7E1_5000 // 2.718..., cut to 23 fraction bits as in the original
	log2OfE  I32F32 = 0x1_7154_7600 // 1.442..., likewise
	expLimit I32F32 = 20 << 32
)

// inverses[i] is 2^64/i rounded up. The upper half of a product with it is exactly a division by i,
// for the terms of the series of numbers below 16.
var inverses = func() (v [32]uint64) {
	for i := range v[2:] {
		v[i+2] = (1<<64-1)/uint64(i+2) + 1
	}
	return v
}()

// Exp returns e^x for x clamped to [-20, 20] by the original's power series of 30 terms, which
// falls short by half a percent at 20.
func Exp(x I32F32) I32F32 {
	x = x.Clamp(-expLimit, expLimit)
	sum, _ := powers(magnitude(x))
	return signed(x, sum)
}

// powers returns 1 + x + x^2/2! + ... + x^31/31! of x >= 0, every term truncated. It is not ok where
// a sum, or a term before its division, needs more than 31 integer bits, from x of 20.8885 on.
func powers(x uint64) (sum uint64, ok bool) {
	sum, term := x+1<<32, x
	for i := uint64(2); i < 32; i++ {
		hi, lo := bits.Mul64(term, x)
		if hi>>31 != 0 {
			return 0, false
		}
		term = (hi<<32 | lo>>32) / i
		if sum += term; sum>>63 != 0 {
			return 0, false
		}
	}
	return sum, true
}

// powers4 does the same to four numbers below 16 at once, so that none waits for another: a step
// is two multiplications, of a term by x and by the inverse of i.
func powers4(v *[4]uint64) {
	x, y, z, w := v[0], v[1], v[2], v[3]
	sumX, sumY, sumZ, sumW := x+1<<32, y+1<<32, z+1<<32, w+1<<32
	byX, byY, byZ, byW := x<<28, y<<28, z<<28, w<<28
	for _, inverse := range inverses[2:] {
		x, _ = bits.Mul64(x<<4, byX)
		y, _ = bits.Mul64(y<<4, byY)
		z, _ = bits.Mul64(z<<4, byZ)
		w, _ = bits.Mul64(w<<4, byW)
		x, _ = bits.Mul64(x, inverse)
		y, _ = bits.Mul64(y, inverse)
		z, _ = bits.Mul64(z, inverse)
		w, _ = bits.Mul64(w, inverse)
		if x|y|z|w == 0 {
			break
		}
		sumX += x
		sumY += y
		sumZ += z
		sumW += w
	}
	v[0], v[1], v[2], v[3] = sumX, sumY, sumZ, sumW
}

// signed makes e^x of the series of its magnitude.
func signed(x I32F32, sum uint64) I32F32 {
	switch {
	case x == One:
		return e
	case x < 0:
		return inverse(sum)
	}
	return I32F32(sum)
}

// inverse returns 1 / x of x >= 1: 2^64/x of the bits, which a division of 2^64-1 misses by one
// where x is a power of two.
func inverse(x uint64) I32F32 {
	q := (1<<64 - 1) / x
	if q*x+x == 0 {
		q++
	}
	return I32F32(q)
}

// Logistics replaces every x of v by 1 / (1 + exp(x)), with x clamped to [-20, 20].
func Logistics(v []I32F32) { logistics(v, expLimit) }

// OpenLogistics is Logistics without the clamp. Where the series of exp does not fit, on either side
// of 0, the exponential counts as 0 as in the original, so that the result is 1.
func OpenLogistics(v []I32F32) { logistics(v, Max) }

func logistics(v []I32F32, limit I32F32) {
	for ; len(v) > 0; v = v[min(4, len(v)):] {
		var x [4]I32F32
		copy(x[:], v)
		var sums [4]uint64
		large := false
		for i := range x {
			x[i] = x[i].Clamp(-limit, limit)
			sums[i] = magnitude(x[i])
			large = large || sums[i] >= 16<<32
		}
		if large {
			for i := range min(4, len(v)) {
				v[i] = slowLogistic(x[i], sums[i])
			}
			continue
		}
		powers4(&sums)
		for i := range min(4, len(v)) {
			v[i] = inverse(uint64(One + signed(x[i], sums[i])))
		}
	}
}

// slowLogistic returns 1 / (1 + exp(x)) of an x of any magnitude.
func slowLogistic(x I32F32, magnitude uint64) I32F32 {
	sum, ok := powers(magnitude)
	if !ok {
		return One
	}
	return inverse(uint64(One.Add(signed(x, sum))))
}

// Ln returns the natural logarithm by repeated squaring; 0 where it is not defined.
func Ln(x I32F32) I32F32 {
	if x <= 0 {
		return 0
	}
	if x < One {
		inverse, ok := One.Div(x)
		if !ok {
			return 0
		}
		return (-log2(inverse)).SafeDiv(log2OfE)
	}
	return log2(x).SafeDiv(log2OfE)
}

// log2 wants x >= 1.
func log2(x I32F32) I32F32 {
	var whole I32F32
	for x >= 2*One {
		whole++
		x = halve(x)
	}
	if x == One {
		return whole << 32
	}
	for range 32 {
		x = x.Mul(x)
		whole <<= 1
		if x >= 2*One {
			whole |= 1
			x = halve(x)
		}
	}
	return whole
}

func halve(x I32F32) I32F32 { return x>>1 + x&1 }

// Sigmoid returns 1 / (1 + exp(-rho (x - kappa))), every step saturating.
func Sigmoid(x, rho, kappa I32F32) I32F32 {
	exponent := rho.Mul(-One).Mul(x.Sub(kappa))
	return One.SafeDiv(Exp(exponent).Add(One))
}
