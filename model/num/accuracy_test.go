package num

import (
	"math"
	"math/big"
	"testing"
)

const bigBits = 160

func bigFloat(x float64) *big.Float { return new(big.Float).SetPrec(bigBits).SetFloat64(x) }

// bigExp is the plain twin of Exp: the Taylor series of x/2**k, squared k times.
func bigExp(x *big.Float) *big.Float {
	const halvings = 24
	r := new(big.Float).SetPrec(bigBits + 32).Set(x)
	r.SetMantExp(r, -halvings)
	sum, term := bigFloat(1).SetPrec(bigBits+32), bigFloat(1).SetPrec(bigBits+32)
	for i := 1; i <= 16; i++ {
		term.Mul(term, r).Quo(term, bigFloat(float64(i)))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum
}

// bigLog solves e**y = x by Newton's method. It starts from the logarithms of fraction and exponent:
// math.Log is wrong for subnormal numbers on amd64.
func bigLog(x float64) *big.Float {
	fraction, exponent := math.Frexp(x)
	y := bigFloat(math.Log(fraction) + float64(exponent)*math.Ln2)
	for range 3 {
		step := bigExp(new(big.Float).Neg(y))
		step.Mul(step, bigFloat(x)).Sub(step, bigFloat(1))
		y.Add(y, step)
	}
	return y
}

// ulps returns the distance of got from want in units of want's last place.
func ulps(got float64, want *big.Float) float64 {
	w, _ := want.Float64()
	place := math.Nextafter(math.Abs(w), math.Inf(1)) - math.Abs(w)
	far, _ := new(big.Float).Sub(bigFloat(got), want).Float64()
	return math.Abs(far) / place
}

// worst runs a measurement many times and fails where its largest value passes the limit.
func worst(t *testing.T, name string, rounds int, limit float64, measure func() (x, ulps float64)) {
	t.Helper()
	var most, at float64
	for range rounds {
		if x, u := measure(); !(u <= most) {
			most, at = u, x
		}
	}
	t.Logf("%s: at most %.3g, at %v", name, most, at)
	if !(most <= limit) {
		t.Errorf("%s is wrong by %v at %v, more than %v", name, most, at, limit)
	}
}

func TestFloat64FunctionsAreWithinTheirStatedUnitsInTheLastPlace(t *testing.T) {
	s := NewStream(1, "accuracy")
	uniform := func(low, high float64) float64 { return low + float64((high-low)*s.Float64()) }
	const rounds = 3000
	worst(t, "exp", rounds, 0.8, func() (float64, float64) {
		x := uniform(-708, 709)
		return x, ulps(Exp(x), bigExp(bigFloat(x)))
	})
	worst(t, "exp near 0", rounds, 0.8, func() (float64, float64) {
		x := uniform(-1, 1)
		return x, ulps(Exp(x), bigExp(bigFloat(x)))
	})
	worst(t, "log", rounds, 0.6, func() (float64, float64) {
		x := math.Ldexp(uniform(0.5, 1), s.IntN(2080)-1060)
		return x, ulps(Log(x), bigLog(x))
	})
	worst(t, "log near 1", rounds, 0.6, func() (float64, float64) {
		x := 1 + math.Ldexp(uniform(-1, 1), -s.IntN(45))
		if x <= 0 || x == 1 {
			return 1, math.Abs(Log(1))
		}
		return x, ulps(Log(x), bigLog(x))
	})
	worst(t, "pow", rounds, 0.8, func() (float64, float64) {
		x := math.Ldexp(uniform(0.5, 1), s.IntN(200)-100)
		y := uniform(-700, 700) / max(1, math.Abs(math.Log(x)))
		return x, ulps(Pow(x, y), bigExp(new(big.Float).Mul(bigFloat(y), bigLog(x))))
	})
	worst(t, "tanh", rounds, 2, func() (float64, float64) {
		x := math.Ldexp(uniform(-1, 1), 4-s.IntN(40))
		e := bigExp(new(big.Float).Mul(bigFloat(2), bigFloat(x)))
		below := new(big.Float).Add(e, bigFloat(1))
		return x, ulps(Tanh(x), e.Sub(e, bigFloat(1)).Quo(e, below))
	})
}

func TestExp32StaysWithinItsStatedRelativeError(t *testing.T) {
	s := NewStream(1, "accuracy of exp32")
	worst(t, "exp32", 400_000, 1.5e-7, func() (float64, float64) {
		x := -87 + 175*s.Float32()
		if s.Uint32()&1 == 0 {
			x = s.Float32() - 0.5
		}
		want := math.Exp(float64(x))
		return float64(x), math.Abs(float64(Exp32(x))-want) / want
	})
	if Exp32(0) != 1 || Exp32(-1000) != Exp32(-87) || Exp32(1000) != Exp32(88) {
		t.Error("exp32 of 0 is not 1, or arguments beyond [-87, 88] are not clamped")
	}
}

// The standard library agrees on every special case, and to a few units elsewhere.
func TestSpecialCasesAreThoseOfTheStandardLibrary(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	odd := []float64{0, math.Copysign(0, -1), 1, -1, 0.5, -0.5, 2, -2, 3, -3, 2.5, -2.5, 1e300, -1e300,
		1e-307, -1e-307, math.MaxFloat64, -math.MaxFloat64, 709, 709.8, -745.2, -740,
		1 << 53, -(1 << 53), 1<<53 - 1, 22.5, 1e-200, inf, -inf, nan}
	same := func(name string, x, y, got, want float64) {
		t.Helper()
		near := math.Abs(got-want) <= 1e-13*math.Abs(want) || math.Abs(got-want) <= 5e-324
		exact := got == want && math.Signbit(got) == math.Signbit(want)
		special := want == 0 || math.IsInf(want, 0) || math.IsNaN(want)
		if math.IsNaN(got) && math.IsNaN(want) || exact || near && !special {
			return
		}
		t.Errorf("%s(%v, %v) = %v, want %v", name, x, y, got, want)
	}
	for _, x := range odd {
		same("Exp", x, 0, Exp(x), math.Exp(x))
		same("Log", x, 0, Log(x), math.Log(x))
		same("Tanh", x, 0, Tanh(x), math.Tanh(x))
		for _, y := range odd {
			same("Pow", x, y, Pow(x, y), math.Pow(x, y))
		}
	}
	// Where the library's own assembly goes wrong at the ends of the range, the true values.
	same("Log", 5e-324, 0, Log(5e-324), -744.4400719213812)
	same("Exp", 709.782712893384, 0, Exp(709.782712893384), 1.797693134862273e308)
	same("Pow", 5e-324, 0.5, Pow(5e-324, 0.5), 0x1p-537)
}

func TestPowersOfSmallIntegersAreExact(t *testing.T) {
	for base := 1; base <= 60; base++ {
		want := 1.0
		for power := 0; want < 1<<53; power++ {
			if got := Pow(float64(base), float64(power)); got != want {
				t.Errorf("%d**%d = %v, want %v", base, power, got, want)
			}
			if want = float64(want * float64(base)); base == 1 && power == 60 {
				break
			}
		}
	}
}

func TestFloat32FunctionsAreTheFloat64OnesRounded(t *testing.T) {
	s := NewStream(1, "float32")
	for range 1000 {
		x, y := 10*s.Float32(), 4*s.Float32()-2
		if got, want := Log32(x), float32(Log(float64(x))); got != want {
			t.Errorf("Log32(%v) = %v, want %v", x, got, want)
		}
		if got, want := Tanh32(y), float32(Tanh(float64(y))); got != want {
			t.Errorf("Tanh32(%v) = %v, want %v", y, got, want)
		}
		if got, want := Pow32(x, y), float32(Pow(float64(x), float64(y))); got != want {
			t.Errorf("Pow32(%v, %v) = %v, want %v", x, y, got, want)
		}
	}
}
