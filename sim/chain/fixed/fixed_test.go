package fixed

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"
)

// The twins compute with integers of unlimited size: big.Int's Div rounds down for a positive
// divisor, Quo truncates.

var scale = big.NewInt(1 << 32)

func value(x I32F32) *big.Int { return big.NewInt(int64(x)) }

func natural(x uint64) *big.Int { return new(big.Int).SetUint64(x) }

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

// product is floor(a * b), quotient trunc(a / b), of raw bits.
func product(a, b *big.Int) *big.Int {
	p := new(big.Int).Mul(a, b)
	return p.Div(p, scale)
}

func quotient(a, b *big.Int) *big.Int {
	q := new(big.Int).Mul(a, scale)
	return q.Quo(q, b)
}

// safeQuotient is 0 where the quotient does not exist or fit.
func safeQuotient(a, b *big.Int) *big.Int {
	if b.Sign() == 0 {
		return new(big.Int)
	}
	if q := quotient(a, b); value(saturate(q)).Cmp(q) == 0 {
		return q
	}
	return new(big.Int)
}

func same(t *testing.T, got I32F32, want *big.Int, format string, args ...any) {
	t.Helper()
	if value(got).Cmp(want) != 0 {
		t.Errorf("%s: %d, want %d", fmt.Sprintf(format, args...), got, want)
	}
}

// pairs adds pairs of the numbers where something happens.
func pairs(f *testing.F) {
	numbers := []int64{0, 1, -1, 2, 65535, 1 << 16, 1 << 31, 1<<32 - 1, 1 << 32, -1 << 32, 1<<32 + 1,
		3 << 40, -5 << 35, math.MaxInt64, math.MaxInt64 - 1, math.MinInt64, math.MinInt64 + 1}
	for _, x := range numbers {
		for _, y := range numbers {
			f.Add(x, y)
		}
	}
}

func FuzzAddAndSub(f *testing.F) {
	pairs(f)
	f.Fuzz(func(t *testing.T, x, y int64) {
		a, b := I32F32(x), I32F32(y)
		sum := new(big.Int).Add(value(a), value(b))
		same(t, a.Add(b), value(saturate(sum)), "%d + %d", a, b)
		difference := new(big.Int).Sub(value(a), value(b))
		same(t, a.Sub(b), value(saturate(difference)), "%d - %d", a, b)
	})
}

func FuzzMul(f *testing.F) {
	pairs(f)
	f.Fuzz(func(t *testing.T, x, y int64) {
		a, b := I32F32(x), I32F32(y)
		want := product(value(a), value(b))
		same(t, a.Mul(b), value(saturate(want)), "%d * %d", a, b)
		if a >= 0 && b >= 0 && want.Cmp(value(Max)) <= 0 {
			same(t, a.MulShare(b), want, "shares %d * %d", a, b)
		}
	})
}

func FuzzDiv(f *testing.F) {
	pairs(f)
	f.Fuzz(func(t *testing.T, x, y int64) {
		a, b := I32F32(x), I32F32(y)
		want := safeQuotient(value(a), value(b))
		same(t, a.SafeDiv(b), want, "%d / %d", a, b)
		q, ok := a.Div(b)
		if exists := b != 0 && quotient(value(a), value(b)).Cmp(want) == 0; ok != exists {
			t.Errorf("%d / %d: defined %v, want %v", a, b, ok, exists)
		} else if ok {
			same(t, q, want, "%d / %d", a, b)
		}
	})
}

func FuzzDivisor(f *testing.F) {
	pairs(f)
	for k := range 33 {
		f.Add(int64(1)<<k, int64(1)<<k)
		f.Add(int64(1)<<32, int64(1)<<k+1)
	}
	f.Fuzz(func(t *testing.T, x, y int64) {
		share, by := I32F32(x).Clamp(Zero, One), I32F32(y)
		want := new(big.Int)
		if by > 0 {
			want = quotient(value(share), value(by))
		}
		if want.IsInt64() { // one by an ulp needs 65 bits
			same(t, NewDivisor(by).Divide(share), want, "%d / %d", share, by)
		}
	})
}

func FuzzShareAndOf(f *testing.F) {
	pairs(f)
	f.Fuzz(func(t *testing.T, x, y int64) {
		part, whole := uint64(x), uint64(y)
		want := new(big.Int)
		if whole > 0 {
			want.Mul(natural(min(part, whole)), scale)
			want.Quo(want, natural(whole))
		}
		same(t, Share(part, whole), want, "%d of %d", part, whole)
		paid := product(value(max(I32F32(x), 0)), natural(whole))
		if !paid.IsUint64() {
			paid.SetUint64(math.MaxUint64)
		}
		if got := I32F32(x).Of(whole); got != paid.Uint64() {
			t.Errorf("%d of %d rao: %d, want %d", x, whole, got, paid)
		}
	})
}

func FuzzConversions(f *testing.F) {
	pairs(f)
	f.Fuzz(func(t *testing.T, x, y int64) {
		a, u, ppm := I32F32(x), uint16(y), uint32(y)
		full := big.NewInt(65535)
		stored := product(value(a), new(big.Int).Mul(full, scale))
		stored.Div(stored, scale)
		if stored.Sign() < 0 {
			stored.SetInt64(0)
		} else if stored.Cmp(full) > 0 {
			stored = full
		}
		same(t, I32F32(a.U16()), stored, "%d in 1/65535", a)
		same(t, FromU16(u), quotient(natural(uint64(u)), full), "%d/65535", u)
		same(t, FromInt(x), value(saturate(new(big.Int).Mul(big.NewInt(x), scale))), "the integer %d", x)
		left := new(big.Int).Sub(scale, quotient(natural(uint64(min(ppm, 1e6))), big.NewInt(1e6)))
		same(t, Complement(ppm), left, "1 - %d ppm", ppm)
		half := value(Half)
		if a < 0 {
			half.Neg(half)
		}
		rounded := new(big.Int).Add(value(a), half)
		same(t, I32F32(a.Round()), rounded.Quo(rounded, scale), "round %d", a)
	})
}

// vector makes numbers from bytes; wide ones are anywhere, others shares.
func vector(b []byte, wide bool) []I32F32 {
	var v []I32F32
	for ; len(b) >= 4; b = b[4:] {
		x := I32F32(b[0]) | I32F32(b[1])<<8 | I32F32(b[2])<<16 | I32F32(b[3])<<24
		if wide {
			x <<= b[0] % 20
		}
		v = append(v, x)
	}
	return v
}

func FuzzNormalize(f *testing.F) {
	f.Add([]byte("one sum of 32 bytes, eight numbers"), false)
	f.Add([]byte("\x00\x00\x00\x00"), false)
	f.Fuzz(func(t *testing.T, b []byte, wide bool) {
		v := vector(b, wide)
		sum := new(big.Int)
		for _, x := range v {
			sum.Add(sum, value(x))
		}
		same(t, Sum(v), sum, "the sum of %d", v)
		got := slices.Clone(v)
		Normalize(got)
		for i, x := range v {
			want := value(x)
			if sum.Sign() != 0 {
				want = safeQuotient(want, sum)
			}
			same(t, got[i], want, "%d by the sum of %d", x, v)
		}
	})
}

// scaled is round(x * 65535 / largest) as the original computes it: small numbers are multiplied
// first, large ones by the quotient, because the product would not fit.
func scaled(x, largest *big.Int) *big.Int {
	full := new(big.Int).Lsh(big.NewInt(65535), 32)
	var y *big.Int
	switch limit := new(big.Int).Lsh(big.NewInt(32768), 32); {
	case largest.Sign() == 0:
		y = new(big.Int).Set(x)
	case largest.Cmp(limit) > 0:
		y = product(x, safeQuotient(full, largest))
	default:
		y = safeQuotient(product(x, full), largest)
	}
	if largest.Sign() != 0 {
		y.Add(y, value(Half))
	}
	y.Div(y, scale)
	if y.Cmp(big.NewInt(65535)) > 0 {
		y.SetInt64(65535)
	}
	return y
}

func FuzzUpscale(f *testing.F) {
	f.Add([]byte("some numbers that are shares"), false)
	f.Add([]byte("and some that are far above, or so"), true)
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x00"), true)
	f.Fuzz(func(t *testing.T, b []byte, wide bool) {
		v := vector(b, wide)
		if len(v) == 0 {
			return
		}
		got := make([]uint16, len(v))
		Upscale(got, v)
		small := make([]uint16, len(v))
		for i, x := range v {
			small[i] = uint16(x)
		}
		stored := slices.Clone(small)
		UpscaleU16(stored)
		for i, x := range v {
			same(t, I32F32(got[i]), scaled(value(x), value(slices.Max(v))), "%d among %d", x, v)
			want := scaled(value(FromInt(int64(small[i]))), value(FromInt(int64(slices.Max(small)))))
			same(t, I32F32(stored[i]), want, "%d among %d", small[i], small)
		}
	})
}

func FuzzWithinLimit(f *testing.F) {
	f.Add([]byte("a row of weights as the chain has it"), uint16(20000))
	f.Add([]byte("\xff\xff\xff\x7f"), uint16(65535))
	f.Fuzz(func(t *testing.T, b []byte, limit uint16) {
		var row []uint16
		for _, x := range vector(b, false) {
			row = append(row, uint16(x))
		}
		sum, largest := 0, 0
		for _, x := range row {
			sum += int(x)
			largest = max(largest, int(x))
		}
		// largest/sum and limit/65535 are both cut to 32 bits before they are compared.
		want := sum == 0 || quotient(natural(uint64(largest)), natural(uint64(sum))).
			Cmp(quotient(natural(uint64(limit)), big.NewInt(65535))) <= 0
		if got := WithinLimit(row, limit); got != want {
			t.Errorf("%d within %d/65535: %v, want %v", row, limit, got, want)
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
		{"by nothing is nothing", int64(NewDivisor(0).Divide(One)), 0},
		{"one by one is one", int64(NewDivisor(One).Divide(One)), int64(One)},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %d, want %d", tc.what, tc.got, tc.want)
		}
	}
}

func ExampleI32F32() {
	third := One.SafeDiv(FromInt(3))
	fmt.Println(third.U16(), third.Of(1_000_000_000), third.Mul(FromInt(3)) == One, third.SafeDiv(0))
	// Output: 21844 333333333 false 0
}

func ExampleDivisor() {
	row := []I32F32{1, 1, 2} // weights of a row, which become shares of their sum
	by := NewDivisor(Sum(row))
	for _, w := range row {
		fmt.Print(by.Divide(w).U16(), " ")
	}
	// Output: 16383 16383 32767
}
