package fixed

import (
	"fmt"
	"math"
	"math/big"
	"testing"
)

var (
	scale65 = new(big.Int).Lsh(big.NewInt(1), 63)
	word    = new(big.Int).Lsh(big.NewInt(1), 64)
)

func value65(x I65F63) *big.Int {
	v := new(big.Int).Mul(big.NewInt(x.hi), word)
	return v.Add(v, new(big.Int).SetUint64(x.lo))
}

// saturate65 cuts an integer of unlimited size to the range of raw bits.
func saturate65(x *big.Int) *big.Int {
	if x.Cmp(value65(max65)) > 0 {
		return value65(max65)
	}
	if x.Cmp(value65(min65)) < 0 {
		return value65(min65)
	}
	return x
}

func float65(x I65F63) float64 {
	f, _ := new(big.Float).Quo(new(big.Float).SetInt(value65(x)), new(big.Float).SetInt(scale65)).Float64()
	return f
}

func same65(t *testing.T, got I65F63, want *big.Int, format string, args ...any) {
	t.Helper()
	if value65(got).Cmp(want) != 0 {
		t.Errorf("%s: %d, want %d", fmt.Sprintf(format, args...), value65(got), want)
	}
}

var words = []struct {
	hi int64
	lo uint64
}{
	{0, 0}, {0, 1}, {-1, 1<<64 - 1}, {0, 1 << 63}, {-1, 1 << 63}, {0, 1<<63 - 1}, {1, 0}, {-1, 0}, {2, 5},
	{1 << 31, 7}, {-1 << 40, 9}, {1 << 31, 1<<64 - 1}, {1<<33 - 1, 1<<64 - 1},
	{1<<63 - 1, 1<<64 - 1}, {-1 << 63, 0}, {-1 << 63, 1}, {1 << 62, 1<<64 - 1},
}

// FuzzWideArithmetic compares with integers of unlimited size: big.Int's Div rounds down for a
// positive divisor, Quo truncates.
func FuzzWideArithmetic(f *testing.F) {
	for _, x := range words {
		for _, y := range words {
			f.Add(x.hi, x.lo, y.hi, y.lo)
		}
	}
	f.Fuzz(func(t *testing.T, hi int64, lo uint64, hi2 int64, lo2 uint64) {
		a, b := I65F63{hi, lo}, I65F63{hi2, lo2}
		same65(t, a.Add(b), saturate65(new(big.Int).Add(value65(a), value65(b))), "%v + %v", a, b)
		same65(t, a.Sub(b), saturate65(new(big.Int).Sub(value65(a), value65(b))), "%v - %v", a, b)
		product := new(big.Int).Mul(value65(a), value65(b))
		same65(t, a.Mul(b), saturate65(product.Div(product, scale65)), "%v * %v", a, b)
		want, defined := new(big.Int), b != I65F63{}
		if defined {
			want.Quo(want.Mul(value65(a), scale65), value65(b))
			defined = saturate65(want).Cmp(want) == 0
		}
		if _, ok := a.Div(b); ok != defined {
			t.Errorf("%v / %v is defined: %v", a, b, ok)
		}
		if !defined {
			want.SetInt64(0)
		}
		same65(t, a.SafeDiv(b), want, "%v / %v", a, b)
		for _, amount := range []uint64{lo2, uint64(hi2), 1, 1<<64 - 1} {
			part := new(big.Int).Mul(value65(a), new(big.Int).SetUint64(amount))
			part.Div(part, scale65)
			want := uint64(0)
			if part.IsUint64() {
				want = part.Uint64()
			} else if part.Sign() > 0 {
				want = math.MaxUint64
			}
			if got := a.Of(amount); got != want {
				t.Errorf("%v of %d: %d, want %d", a, amount, got, want)
			}
		}
		if got, want := a.IsWhole(), new(big.Int).Mod(value65(a), scale65).Sign() == 0; got != want {
			t.Errorf("%v is whole: %v, want %v", a, got, want)
		}
	})
}

func FuzzWideConversions(f *testing.F) {
	for _, x := range words {
		for _, y := range words {
			f.Add(x.lo, y.lo)
		}
	}
	f.Fuzz(func(t *testing.T, x, y uint64) {
		whole := new(big.Int).Mul(new(big.Int).SetUint64(x), scale65)
		same65(t, FromU64(x), whole, "from %d", x)
		if got := FromU64(x).Floor(); got != x || !FromU64(x).IsWhole() {
			t.Errorf("%d comes back as %d", x, got)
		}
		quotient := new(big.Int)
		if y > 0 {
			quotient.Quo(whole, new(big.Int).SetUint64(y))
		}
		same65(t, Ratio(x, y), quotient, "%d / %d", x, y)
		small := new(big.Int).Mul(big.NewInt(int64(uint32(x))), scale65)
		small.Quo(small, big.NewInt(math.MaxUint32))
		same65(t, FromU32(uint32(x)), small, "%d / (2^32 - 1)", uint32(x))
	})
}

// exp65 is the series in integers of unlimited size; nil where it leaves the range.
func exp65(x *big.Int) *big.Int {
	if x.Sign() == 0 {
		return scale65
	}
	if x.Cmp(scale65) == 0 {
		return new(big.Int).Lsh(big.NewInt(22802600), 40) // e 2^23, truncated
	}
	size := new(big.Int).Abs(x)
	sum, term := new(big.Int).Add(size, scale65), size
	for i := int64(2); i <= 62; i++ {
		term = new(big.Int).Rsh(new(big.Int).Mul(term, size), 63)
		if saturate65(term).Cmp(term) != 0 {
			return nil
		}
		term.Quo(term, big.NewInt(i))
		sum.Add(sum, term)
	}
	if saturate65(sum).Cmp(sum) != 0 {
		return nil
	}
	if x.Sign() < 0 {
		return sum.Quo(new(big.Int).Mul(scale65, scale65), sum)
	}
	return sum
}

func FuzzWideExp(f *testing.F) {
	for _, x := range words {
		f.Add(x.hi, x.lo)
	}
	for i := range int64(48) {
		f.Add(2*i, uint64(1))
		f.Add(-2*i, uint64(1))
	}
	f.Fuzz(func(t *testing.T, hi int64, lo uint64) {
		x := I65F63{hi % 128, lo} // most numbers leave the range: look where it is interesting
		for _, x := range []I65F63{x, {hi, lo}} {
			want := exp65(value65(x))
			switch {
			case want != nil:
			case x.hi < 0:
				want = new(big.Int)
			default:
				want = value65(max65)
			}
			same65(t, x.Exp(), want, "exp %v", x)
		}
	})
}

func FuzzWideSigmoid(f *testing.F) {
	for _, x := range words {
		f.Add(x.hi, x.lo, uint64(10), uint64(2))
		f.Add(int64(0), x.lo, uint64(20), uint64(3))
	}
	f.Fuzz(func(t *testing.T, hi int64, lo, rho, inverse uint64) {
		x, kappa := I65F63{hi, lo}, Ratio(1, inverse)
		distance := saturate65(new(big.Int).Sub(value65(x), value65(kappa)))
		product := new(big.Int).Mul(distance, new(big.Int).Mul(new(big.Int).SetUint64(rho), scale65))
		exponent := saturate65(new(big.Int).Div(product, scale65))
		exponent = saturate65(new(big.Int).Neg(exponent))
		e := exp65(exponent)
		switch {
		case e != nil:
		case exponent.Sign() < 0:
			e = new(big.Int)
		default:
			e = value65(max65)
		}
		want := saturate65(new(big.Int).Add(scale65, e))
		want = new(big.Int).Quo(new(big.Int).Mul(scale65, scale65), want)
		same65(t, x.Sigmoid(FromU64(rho), kappa), want, "sigmoid of %v, rho %d, kappa 1/%d", x, rho, inverse)
	})
}

func TestTheWideSeriesIsNearItsFunction(t *testing.T) {
	for x := -40; x <= 40; x++ {
		in := FromU64(uint64(max(x, -x)))
		if x < 0 {
			in = I65F63{}.Sub(in)
		}
		in = in.Add(Ratio(1, 3))
		got, want := float65(in.Exp()), math.Exp(float64(x)+1.0/3)
		// 62 terms fall short by half of the value at 40, by 1e-8 of it at 20.
		allowed := want/1e7 + 1e-18
		if max(x, -x) > 20 {
			allowed = want
		}
		if math.Abs(got-want) > allowed {
			t.Errorf("exp %d and a third: %g, want %g", x, got, want)
		}
	}
}

func TestTheWideExpEndsWhereTheOriginalStopped(t *testing.T) {
	last := uint64(0)
	for FromU64(last).Exp() != max65 {
		last++
	}
	if last != 44 {
		t.Errorf("the first power of e beyond the range is %d", last)
	}
	minus := I65F63{}.Sub(FromU64(last))
	if got := minus.Exp(); got != (I65F63{}) {
		t.Errorf("exp -%d: %v", last, got)
	}
	for _, x := range []I65F63{max65, min65} {
		if got := x.Sigmoid(FromU64(1<<64-1), I65F63{}); got != one65 && got != (I65F63{}) {
			t.Errorf("sigmoid of %v: %v", x, got)
		}
	}
}

func TestTheWideArithmeticAllocatesNothing(t *testing.T) {
	x := Ratio(7, 3)
	if n := testing.AllocsPerRun(10, func() { x = x.Sigmoid(FromU64(10), Ratio(1, 2)).Add(x) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkWide(b *testing.B) {
	share, number := Ratio(1, 3), Ratio(22, 3)
	b.Run("mul shares", func(b *testing.B) {
		for b.Loop() {
			share.Mul(share)
		}
	})
	b.Run("mul", func(b *testing.B) {
		for b.Loop() {
			number.Mul(number)
		}
	})
	b.Run("div", func(b *testing.B) {
		for b.Loop() {
			share.SafeDiv(number)
		}
	})
	b.Run("sigmoid", func(b *testing.B) {
		for b.Loop() {
			share.Sigmoid(FromU64(10), Ratio(1, 2))
		}
	})
}

func ExampleI65F63() {
	third := Ratio(1, 3)
	fmt.Println(third.U64(), third.Of(1_000_000_000), third.Mul(FromU64(3)) == FromU64(1))
	fmt.Println(Ratio(1, 0).U64(), Ratio(1, 2).Sigmoid(FromU64(10), Ratio(1, 2)) == Ratio(1, 2))
	// Output:
	// 6148914691236517203 333333333 false
	// 0 true
}
