package num

import "math"

// Constants of Exp32. The products n*exp32Ln2Hi are exact, since 355/512 has 9 significant bits and n
// has 7. The polynomial is the minimax one, in relative error of the exponential, over
// |r| <= ln(2)/2, its coefficients fitted one after another so that each is a float32: 3.2e-9.
const (
	exp32Min = -87
	exp32Max = 88

	exp32Log2e = float32(math.Log2E)
	exp32Round = float32(3 << 22) // 1.5 * 2**23: adding it rounds to an integer
	exp32Ln2Hi = float32(355.0 / 512)
	exp32Ln2Lo = float32(math.Ln2 - 355.0/512)

	exp32Q0 = float32(0x1.fffffcp-2)
	exp32Q1 = float32(0x1.55548cp-3)
	exp32Q2 = float32(0x1.555858p-5)
	exp32Q3 = float32(0x1.123de0p-7)
	exp32Q4 = float32(0x1.6ac6b2p-10)
)

// Exp32 returns e**x with x clamped to [-87, 88], within a relative error of 1.5e-7. The bits of a
// NaN's exponential are unspecified: callers keep NaN out.
//
// Normative, each operation a float32 one that rounds once to nearest even, none fused:
//
//	x = -87 if x < -87; 88 if x > 88
//	t = x*log2(e) + 1.5*2**23              log2(e) as float32
//	n = t - 1.5*2**23                      x*log2(e) rounded to the nearest integer, ties to even
//	r = (x - n*355/512) - n*lo             lo = ln(2) - 355/512 as float32
//	q = (((q4*r + q3)*r + q2)*r + q1)*r + q0
//	y = 1 + (r + (r*r)*q)
//
// with q0 = 0x1.fffffcp-2, q1 = 0x1.55548cp-3, q2 = 0x1.555858p-5, q3 = 0x1.123dep-7 and
// q4 = 0x1.6ac6b2p-10. The result is y*2**n, made by adding the low nine bits of t, which are n
// modulo 512, to y's exponent: the sum of the words of y and t<<23, modulo 2**32.
func Exp32(x float32) float32 {
	if x < exp32Min {
		x = exp32Min
	}
	if x > exp32Max {
		x = exp32Max
	}
	t := float32(x*exp32Log2e) + exp32Round
	n := t - exp32Round
	r := (x - float32(n*exp32Ln2Hi)) - float32(n*exp32Ln2Lo)
	q := float32(exp32Q4*r) + exp32Q3
	q = float32(q*r) + exp32Q2
	q = float32(q*r) + exp32Q1
	q = float32(q*r) + exp32Q0
	y := 1 + (r + float32(float32(r*r)*q))
	return math.Float32frombits(math.Float32bits(y) + math.Float32bits(t)<<23)
}

// Log32 returns Log(x) rounded to float32.
func Log32(x float32) float32 { return float32(Log(float64(x))) }

// Tanh32 returns Tanh(x) rounded to float32.
func Tanh32(x float32) float32 { return float32(Tanh(float64(x))) }

// Pow32 returns Pow(x, y) rounded to float32.
func Pow32(x, y float32) float32 { return float32(Pow(float64(x), float64(y))) }
