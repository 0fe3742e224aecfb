package fixed

import (
	"math"
	"math/big"
	"slices"
	"testing"
)

// expTwin is the series in integers of unlimited size.
func expTwin(x I32F32) *big.Int {
	limit := I32F32(20 << 32)
	v := value(min(max(x, -limit), limit))
	switch {
	case v.Sign() == 0:
		return value(One)
	case v.Cmp(scale) == 0:
		return value(e)
	}
	positive := new(big.Int).Abs(v)
	sum := new(big.Int).Add(scale, positive)
	term := positive
	for i := int64(2); i <= 31; i++ {
		term = product(term, positive)
		term.Quo(term, big.NewInt(i))
		sum.Add(sum, term)
	}
	if v.Sign() < 0 {
		return safeQuotient(value(One), sum)
	}
	return sum
}

// openExpTwin is the original's function in checked numbers of 31 integer bits, 0 where it fails.
func openExpTwin(x I32F32) *big.Int {
	v := value(x)
	switch {
	case v.Sign() == 0:
		return value(One)
	case v.Cmp(scale) == 0:
		return value(e)
	}
	fits := func(v *big.Int) bool { return v.BitLen() <= 63 }
	positive := new(big.Int).Abs(v)
	sum := new(big.Int).Add(scale, positive)
	term := positive
	for i := int64(2); i <= 31; i++ {
		if term = product(term, positive); !fits(term) {
			return new(big.Int)
		}
		term.Quo(term, big.NewInt(i))
		if sum.Add(sum, term); !fits(sum) {
			return new(big.Int)
		}
	}
	if v.Sign() < 0 {
		return safeQuotient(value(One), sum)
	}
	return sum
}

func openLogisticTwin(x I32F32) *big.Int {
	return safeQuotient(value(One), value(saturate(new(big.Int).Add(value(One), openExpTwin(x)))))
}

func logisticTwin(x I32F32) *big.Int {
	return safeQuotient(value(One), new(big.Int).Add(value(One), expTwin(x)))
}

func FuzzExp(f *testing.F) {
	for x := int64(-21); x <= 21; x++ {
		f.Add(x<<32, x<<31)
		f.Add(x<<32+1, x<<28-1)
	}
	f.Add(int64(math.MaxInt64), int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, x, y int64) {
		same(t, Exp(I32F32(x)), expTwin(I32F32(x)), "exp %d", x)
		same(t, Exp(I32F32(y%(21<<32))), expTwin(I32F32(y%(21<<32))), "exp %d", y%(21<<32))
		// Alone, among others, and next to numbers that need the slow series.
		v := []I32F32{I32F32(x), I32F32(y), I32F32(x >> 24), I32F32(y >> 27), I32F32(x % (6 << 32))}
		for n := range len(v) + 1 {
			got := slices.Clone(v[len(v)-n:])
			Logistics(got)
			for i, x := range v[len(v)-n:] {
				same(t, got[i], logisticTwin(x), "the logistic function of %d", x)
			}
			open := slices.Clone(v[len(v)-n:])
			OpenLogistics(open)
			for i, x := range v[len(v)-n:] {
				same(t, open[i], openLogisticTwin(x), "the open logistic function of %d", x)
			}
		}
	})
}

// The original's exponential fails from 20.8885 on, before e^x itself leaves 31 bits: a term before
// its division does. It then counts as 0 on both sides of 0.
func TestOpenLogisticsAreOneWhereTheSeriesFails(t *testing.T) {
	const last = 20<<32 + 3816099477 // 20.8885...
	for _, c := range []struct{ x, want I32F32 }{
		{20 << 32, 8}, {last, 3}, {last + 1, One}, {25 << 32, One}, {Max, One},
		{-20 << 32, One - 8}, {-last, One - 3}, {-last - 1, One}, {Min, One},
	} {
		v := []I32F32{0, c.x}
		OpenLogistics(v)
		if v[0] != Half || v[1] != c.want {
			t.Errorf("%d: %d, want %d", c.x, v[1], c.want)
		}
		same(t, v[1], openLogisticTwin(c.x), "open logistic of %d", c.x)
	}
}

func FuzzSigmoid(f *testing.F) {
	f.Add(int64(1<<31), int64(10<<32), int64(1<<31))
	f.Add(int64(math.MinInt64), int64(math.MaxInt64), int64(math.MaxInt64))
	f.Add(int64(0), int64(math.MinInt64), int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, x, rho, kappa int64) {
		minus := saturate(new(big.Int).Neg(big.NewInt(rho)))
		distance := saturate(new(big.Int).Sub(big.NewInt(x), big.NewInt(kappa)))
		exponent := saturate(product(value(minus), value(distance)))
		same(t, Sigmoid(I32F32(x), I32F32(rho), I32F32(kappa)), logisticTwin(exponent),
			"sigmoid of %d, rho %d, kappa %d", x, rho, kappa)
	})
}

// log2Twin finds the bits of a logarithm of at least 0 by squaring.
func log2Twin(x *big.Int) *big.Int {
	two := big.NewInt(2 << 32)
	half := func() { // halves round up
		x.Add(x, big.NewInt(1))
		x.Rsh(x, 1)
	}
	log := new(big.Int)
	for x.Cmp(two) >= 0 {
		log.Add(log, big.NewInt(1))
		half()
	}
	if x.Cmp(scale) == 0 {
		return log.Lsh(log, 32)
	}
	for range 32 {
		x = product(x, x)
		log.Lsh(log, 1)
		if x.Cmp(two) >= 0 {
			log.SetBit(log, 0, 1)
			half()
		}
	}
	return log
}

func FuzzLn(f *testing.F) {
	for k := range 63 {
		f.Add(int64(1) << k)
		f.Add(int64(3)<<k - 1)
	}
	f.Add(int64(-1))
	f.Add(int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, x int64) {
		want := new(big.Int)
		switch log2OfE := big.NewInt(0x1_7154_7600); {
		case x >= 1<<32:
			want = safeQuotient(log2Twin(big.NewInt(x)), log2OfE)
		case x > 2: // the inverse of less does not fit
			inverse := quotient(scale, big.NewInt(x))
			want = safeQuotient(new(big.Int).Neg(log2Twin(inverse)), log2OfE)
		}
		same(t, Ln(I32F32(x)), want, "ln %d", x)
	})
}

// The fast series multiplies by inverses that are rounded up, by less than i/2^64 of themselves.
// That divides exactly as long as the product with the excess stays below 2^64. Terms grow with x.
func TestInversesDivideEveryTermBelow16(t *testing.T) {
	x := natural(16<<32 - 1)
	term := new(big.Int).Set(x)
	for i := uint64(2); i < 32; i++ {
		term = product(term, x)
		excess := natural(inverses[i])
		excess.Mul(excess, natural(i))
		excess.Sub(excess, new(big.Int).Lsh(big.NewInt(1), 64))
		if excess.Sign() < 0 || excess.Mul(excess, term).BitLen() > 64 {
			t.Errorf("term %d of %d: the inverse of %d is off by too much", term, x, i)
		}
		if term.Quo(term, natural(i)); term.BitLen() > 60 {
			t.Errorf("term %d of %d does not leave the bits by which it is shifted", i, x)
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

func BenchmarkLogistics(b *testing.B) {
	v := make([]I32F32, 256)
	for b.Loop() {
		for i := range v {
			v[i] = I32F32(i-64) * (One / 24)
		}
		Logistics(v)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(v)), "ns/number")
}
