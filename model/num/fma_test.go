package num

import (
	"math"
	"math/big"
	"testing"
)

// bigFMA is the plain twin of FMA32 for finite arguments: 700 bits hold the sum exactly.
func bigFMA(a, b, c float32) float32 {
	exact := func(x float32) *big.Float { return new(big.Float).SetPrec(700).SetFloat64(float64(x)) }
	sum := exact(a)
	sum.Mul(sum, exact(b)).Add(sum, exact(c))
	out, _ := sum.Float32()
	return out
}

func checkFMA(t *testing.T, a, b, c float32) {
	t.Helper()
	got, want := FMA32(a, b, c), bigFMA(a, b, c)
	if got != want { // the sign of a zero is checked apart
		t.Errorf("FMA32(%x, %x, %x) = %x, want %x", a, b, c, got, want)
	}
}

func TestFMA32RoundsOnce(t *testing.T) {
	// The first triple is the double-rounding trap: the exact sum lies just below a tie of float32,
	// but its float64 rounding is the tie itself, which then goes to even, upwards.
	trap := [3]float32{0x1.000002p0, 0x1.fffffcp-25, 0x1.000002p0}
	if twice := float32(math.FMA(float64(trap[0]), float64(trap[1]), float64(trap[2]))); twice ==
		bigFMA(trap[0], trap[1], trap[2]) {
		t.Error("the trap does not tell single from double rounding")
	}
	for _, x := range [][3]float32{
		trap,
		{-0x1.000002p0, 0x1.fffffcp-25, -0x1.000002p0},
		{0x1p-24, 1, 1}, {0x1p-24, 1, 0x1.000002p0}, // true ties, to even
		{0x1p-75, 0x1p-75, 0x1p-126}, {-0x1p-75, 0x1p-75, 0x1p-126}, // around the smallest normal
		{0x1p-75, 0x1p-75, 0}, {0x1.8p-75, 0x1p-75, 0}, {0x1.800002p-75, 0x1p-75, 0}, // subnormal ties
		{0x1.8p-75, 0x1p-75, 0x1p-149}, {0x1p-149, 0x1p-149, 0x1p-149}, {0x1p-149, -0x1p-149, 0x1p-126},
		{math.MaxFloat32, 1, 0x1p103}, {math.MaxFloat32, 1, 0x1.fffffep102}, // around overflow
		{0x1.000002p0, 0x1.000002p0, -0x1.000004p0}, {3, 5, -15}, {0, 5, 7},
	} {
		checkFMA(t, x[0], x[1], x[2])
	}
}

func TestFMA32HandlesZerosAndInfinities(t *testing.T) {
	inf, negative := float32(math.Inf(1)), float32(math.Copysign(0, -1))
	for _, x := range []struct {
		a, b, c, want float32
	}{
		{inf, 1, 5, inf}, {inf, -1, 5, -inf}, {1, 1, -inf, -inf}, {math.MaxFloat32, 2, 0, inf},
		{math.MaxFloat32, 2, -math.MaxFloat32, math.MaxFloat32},
		{0, 1, 0, 0}, {negative, 1, negative, negative}, {negative, 1, 0, 0}, {3, 5, -15, 0},
		{-0x1p-149, 0x1p-149, 0, negative},
	} {
		got := FMA32(x.a, x.b, x.c)
		if math.Float32bits(got) != math.Float32bits(x.want) {
			t.Errorf("FMA32(%v, %v, %v) = %v, want %v", x.a, x.b, x.c, got, x.want)
		}
	}
	for _, x := range [][3]float32{{inf, 0, 1}, {inf, 1, -inf}, {float32(math.NaN()), 1, 1}} {
		if got := FMA32(x[0], x[1], x[2]); got == got {
			t.Errorf("FMA32(%v, %v, %v) = %v, want NaN", x[0], x[1], x[2], got)
		}
	}
}

// Random triples hardly ever meet a tie, so these are built to lie on or next to one: c and a power of
// two that is half of c's last place, times 1 or a little more or less.
func TestFMA32RoundsOnceNextToTies(t *testing.T) {
	s := NewStream(1, "ties")
	for range 20_000 {
		c := math.Float32frombits(s.Uint32())
		if c != c || math.IsInf(float64(c), 0) {
			continue
		}
		_, exponent := math.Frexp(float64(c))
		a := 1 + float32(s.IntN(5)-2)*0x1p-23
		b := (1 + float32(s.IntN(5)-2)*0x1p-23) * float32(math.Ldexp(1, max(exponent-25, -149)))
		checkFMA(t, a, b, c)
		checkFMA(t, a, -b, c)
		checkFMA(t, float32(math.Ldexp(float64(a), -40)), b, c/2)
	}
}

func FuzzFMA32EqualsExactArithmetic(f *testing.F) {
	f.Add(uint32(0x3f800001), uint32(0x337ffffe), uint32(0x3f800001))
	f.Add(uint32(0x1a000000), uint32(0x1a400000), uint32(0x00000001))
	f.Add(uint32(0x00000001), uint32(0x3f000000), uint32(0x80000001))
	f.Fuzz(func(t *testing.T, a, b, c uint32) {
		const exponents = 0x7f800000
		if a&exponents == exponents || b&exponents == exponents || c&exponents == exponents {
			return // NaN and infinities have a test of their own
		}
		checkFMA(t, math.Float32frombits(a), math.Float32frombits(b), math.Float32frombits(c))
	})
}

func BenchmarkFMA32(b *testing.B) {
	sum := float32(0.5)
	for b.Loop() {
		sum = FMA32(0.99, 0.7, -sum)
	}
	sink = float64(sum)
}

var sink float64
