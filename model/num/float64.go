package num

import "math"

// ln(2) in two parts: the first has 32 significant bits, so that its product with an exponent is
// exact; the second is the rest, rounded.
const (
	ln2Hi = 0xb17217f7p-32
	ln2Lo = math.Ln2 - ln2Hi

	roundToInteger = 3 << 51 // 1.5 * 2**52: adding it rounds to an integer
)

// Exp returns e**x within 1 unit in the last place: +Inf above 709.78, 0 below -745.13, NaN for NaN.
//
// Normative, in float64, each operation rounded once to nearest even:
//
//	n  = x*log2(e) rounded to the nearest integer, by adding and subtracting 1.5*2**52
//	r  = (x - n*ln2Hi) - n*ln2Lo           and its rounding error r' (see expReduced)
//	q  = 1/2! + r/3! + ... + r**12/14!     by Horner, coefficients rounded to float64
//	h  = 1 + r                             and l = ((1-h) + r) + (r' + (r*r)*q)
//	y  = (h + l)*2**n                      two products by powers of two, n>>1 first
func Exp(x float64) float64 {
	switch {
	case math.IsNaN(x):
		return x
	case x > 710:
		return math.Inf(1)
	case x < -746:
		return 0
	}
	return expSum(x, 0)
}

// expSum returns e**(x+tail) for x in [-746, 710] and a tail far below x's last place.
func expSum(x, tail float64) float64 {
	n, high, low := expReduced(x, tail)
	half := n >> 1
	return float64(float64((high+low)*pow2(half)) * pow2(n-half))
}

// expReduced returns n, high and low with e**(x+tail) = (high+low) * 2**n.
func expReduced(x, tail float64) (n int, high, low float64) {
	whole := float64(x*math.Log2E) + roundToInteger - roundToInteger
	exact := x - float64(whole*ln2Hi)
	tail -= float64(whole * ln2Lo)
	r := exact + tail
	rest := (exact - r) + tail

	q := 1.0 / 87178291200
	for _, inverse := range [...]float64{1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800,
		1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24,
		1.0 / 6, 1.0 / 2} {
		q = float64(q*r) + inverse
	}
	high = 1 + r
	low = ((1 - high) + r) + (rest + float64(float64(r*r)*q))
	return int(whole), high, low
}

// pow2 returns 2**n for n in [-1022, 1023].
func pow2(n int) float64 { return math.Float64frombits(uint64(n+1023) << 52) }

// Log returns the natural logarithm of x within 1 unit in the last place: -Inf for 0, NaN for
// negative numbers and NaN, +Inf for +Inf.
//
// Normative: the upper half of the two-part logarithm of logParts, which Pow needs in full.
func Log(x float64) float64 {
	switch {
	case math.IsNaN(x) || x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	case math.IsInf(x, 1):
		return x
	}
	high, _ := logParts(x)
	return high
}

// logParts returns the natural logarithm of a positive finite x as high + low, to about 2**-64 of
// itself.
//
// Normative: x = m * 2**n with m in [sqrt(1/2), sqrt(2)); s = (m-1)/(m+1); log(x) = n*ln(2) +
// 2*atanh(s), where atanh(s) = s*(1 + z/3 + z*z*p(z)), z = s*s and p is the Taylor series
// 1/5 + z/7 + ... + z**10/25 by Horner. s, z, z/3 and the sums carry their rounding errors along, in
// the order written here; math.FMA, which rounds once, gives those of products and the quotient.
func logParts(x float64) (high, low float64) {
	m, exponent := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m += m
		exponent--
	}
	above, below := m-1, m+1 // m-1 is exact
	belowLow := m - (below - 1)
	s := above / below
	sLow := (math.FMA(-s, below, above) - float64(s*belowLow)) / below
	z := float64(s * s)
	zLow := math.FMA(s, s, -z) + float64((s+s)*sLow)

	p := 1.0 / 25
	for _, inverse := range [...]float64{1.0 / 23, 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15,
		1.0 / 13, 1.0 / 11, 1.0 / 9, 1.0 / 7, 1.0 / 5} {
		p = float64(p*z) + inverse
	}
	const third, thirdLow = 1.0 / 3, 0x1p-54 / 3 // 1/3 is 0x1.5555555555555p-2 and a third of 2**-54
	u := float64(z * third)
	uLow := math.FMA(z, third, -u) + float64(z*thirdLow) + float64(zLow*third)
	uLow += float64(float64(z*z) * p)

	s, sLow = s+s, sLow+sLow
	v := float64(s * u)
	vLow := math.FMA(s, u, -v) + float64(s*uLow) + float64(sLow*u)
	high, low = sumParts(s, v)
	low += sLow + vLow

	n := float64(exponent)
	sum, lost := sumParts(float64(n*ln2Hi), high)
	return sumParts(sum, lost+(low+float64(n*ln2Lo)))
}

// sumParts returns x + y as a rounded sum and the error of the rounding, exact where x is 0 or
// |x| >= |y|.
func sumParts(x, y float64) (sum, lost float64) {
	sum = x + y
	return sum, (x - sum) + y
}

// Pow returns x**y within 1 unit in the last place. The special cases are those of C99 and math.Pow;
// among them Pow(x, 0) = Pow(1, y) = 1 even for NaN, and NaN for a finite x < 0 and a y that is not
// an integer.
//
// Normative: e**(y*log|x|), the logarithm in two parts of logParts, their product with y in two parts
// (upper part rounded, its error by math.FMA, plus y times the lower part), the exponential as in Exp
// with the lower part as the tail; negated where x is negative and y an odd integer.
func Pow(x, y float64) float64 {
	switch {
	case y == 0 || x == 1:
		return 1
	case math.IsNaN(x) || math.IsNaN(y):
		return math.NaN()
	case math.IsInf(y, 0) && math.Abs(x) == 1:
		return 1
	case math.IsInf(y, 0):
		if (math.Abs(x) > 1) == (y > 0) {
			return math.Inf(1)
		}
		return 0
	}
	sign := 1.0
	if math.Signbit(x) {
		if x < 0 && y != math.Trunc(y) && !math.IsInf(x, 0) {
			return math.NaN()
		}
		if half := y / 2; y == math.Trunc(y) && half != math.Trunc(half) {
			sign = -1
		}
	}
	return math.Copysign(powPositive(math.Abs(x), y), sign)
}

// powPositive returns x**y for x in [0, +Inf] and a finite y other than 0.
func powPositive(x, y float64) float64 {
	if x == 0 || math.IsInf(x, 1) {
		if (x == 0) == (y > 0) {
			return 0
		}
		return math.Inf(1)
	}
	high, low := logParts(x)
	power := float64(y * high)
	switch {
	case power > 710:
		return math.Inf(1)
	case power < -746:
		return 0
	}
	return expSum(power, math.FMA(y, high, -power)+float64(y*low))
}

// Tanh returns the hyperbolic tangent of x within 2 units in the last place.
//
// Normative: with 2|x| for x, e = ((h*2**n - 1) + l*2**n) in the names of Exp; the result is e/(e+2)
// with the sign of x, and 1 with that sign for |x| > 22.
func Tanh(x float64) float64 {
	switch {
	case math.IsNaN(x):
		return x
	case math.Abs(x) > 22:
		return math.Copysign(1, x)
	}
	n, high, low := expReduced(math.Abs(x+x), 0)
	scale := pow2(n)
	e := (float64(high*scale) - 1) + float64(low*scale)
	return math.Copysign(e/(e+2), x)
}
