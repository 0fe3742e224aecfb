package fixed

import (
	"fmt"
	"math"
	"math/big"
	"testing"
)

var scale = big.NewInt(1 << 32)

func value(x I32F32) *big.Int { return big.NewInt(int64(x)) }

// saturate cuts an integer of unlimited size to the range of raw bits.
func saturate(x *big.Int) I32F32 {
	if x.Cmp(value(Max)) > 0 {
		return Max
	}
	if x.Cmp(value(Min)) < 0 {
		return Min
	}
	return I32F32(x.Int64())
}

// FuzzArithmetic compares with integers of unlimited size: big.Int's Div rounds down for a
// positive divisor, Quo truncates.
func FuzzArithmetic(f *testing.F) {
	for _, x := range []int64{0, 1, -1, 1 << 31, 1 << 32, -1 << 32, math.MaxInt64, math.MinInt64} {
		for _, y := range []int64{0, 1, -1, 1<<32 - 1, 1 << 32, 3 << 40, math.MaxInt64, math.MinInt64} {
			f.Add(x, y)
		}
	}
	f.Fuzz(func(t *testing.T, x, y int64) {
		a, b := I32F32(x), I32F32(y)
		if got, want := a.Add(b), saturate(new(big.Int).Add(value(a), value(b))); got != want {
			t.Errorf("%d + %d: %d, want %d", a, b, got, want)
		}
		if got, want := a.Sub(b), saturate(new(big.Int).Sub(value(a), value(b))); got != want {
			t.Errorf("%d - %d: %d, want %d", a, b, got, want)
		}
		product := new(big.Int).Mul(value(a), value(b))
		if got, want := a.Mul(b), saturate(product.Div(product, scale)); got != want {
			t.Errorf("%d * %d: %d, want %d", a, b, got, want)
		}
		var want I32F32
		if b != 0 {
			q := new(big.Int).Mul(value(a), scale)
			q.Quo(q, value(b))
			if want = saturate(q); value(want).Cmp(q) != 0 {
				want = 0
			}
		}
		if got := a.SafeDiv(b); got != want {
			t.Errorf("%d / %d: %d, want %d", a, b, got, want)
		}
		if a >= 0 {
			part := new(big.Int).Mul(value(a), new(big.Int).SetUint64(uint64(y)))
			part.Div(part, scale)
			want := uint64(math.MaxUint64)
			if part.IsUint64() {
				want = part.Uint64()
			}
			if got := a.Of(uint64(y)); got != want {
				t.Errorf("%d of %d: %d, want %d", a, uint64(y), got, want)
			}
		}
		if s, whole := uint64(x)&(1<<62-1), uint64(y)&(1<<62-1); s <= whole && whole > 0 {
			q := new(big.Int).Mul(new(big.Int).SetUint64(s), scale)
			q.Quo(q, new(big.Int).SetUint64(whole))
			if got := Share(s, whole); got != I32F32(q.Int64()) {
				t.Errorf("share %d of %d: %d, want %d", s, whole, got, q)
			}
		}
	})
}

func TestSmallFormsRoundAsTheirNamesSay(t *testing.T) {
	for _, tc := range []struct {
		what      string
		got, want int64
	}{
		{"half rounds up", Half.Round(), 1},
		{"just below half rounds down", (Half - 1).Round(), 0},
		{"minus half rounds away from zero", (-Half).Round(), -1},
		{"the largest number rounds up beyond its integers", Max.Round(), 1 << 31},
		{"a whole is 65535", int64(One.U16()), 65535},
		{"one ulp less is not", int64((One - 1).U16()), 65534},
		{"negative shares are stored as none", int64((-One).U16()), 0},
		{"a negative share pays nothing", int64((-One).Of(10)), 0},
		{"32 bits do not fit", int64(FromInt(1 << 31)), int64(Max)},
		{"nor below", int64(FromInt(-1<<31 - 1)), int64(Min)},
		{"nine tenths leave a tenth and an ulp", int64(Complement(900_000)), 429496730},
		{"everything leaves nothing", int64(Complement(1_000_000)), 0},
		{"more than everything leaves nothing", int64(Complement(2_000_000)), 0},
		{"nothing leaves one", int64(Complement(0)), int64(One)},
		{"a share of nothing is nothing", int64(Share(5, 0)), 0},
		{"the whole is one", int64(Share(7, 7)), int64(One)},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %d, want %d", tc.what, tc.got, tc.want)
		}
	}
}

func TestTheSeriesAreNearTheirFunctions(t *testing.T) {
	for x := -10.0; x <= 10; x += 0.37 {
		in := I32F32(x * (1 << 32))
		got, want := float64(Exp(in))/(1<<32), math.Exp(x)
		if math.Abs(got-want) > 2e-6*want+2e-9 {
			t.Errorf("exp %g: %g, want %g", x, got, want)
		}
		if ln := float64(Ln(Exp(in))) / (1 << 32); math.Abs(ln-x) > 1e-5+3e-10*math.Exp(-x) {
			t.Errorf("ln of exp %g: %g", x, ln)
		}
	}
}

func ExampleI32F32() {
	third := One.SafeDiv(FromInt(3))
	fmt.Println(third.U16(), third.Of(1_000_000_000), third.Mul(FromInt(3)) == One, third.SafeDiv(0))
	// Output: 21844 333333333 false 0
}
