package registration

import (
	"math/big"
	"testing"
)

const all = 1<<64 - 1

func number(v uint64) *big.Int { return new(big.Int).SetUint64(v) }

// adjustTwin is Adjust in whole numbers of any size, every fraction in units of 2^-18.
func adjustTwin(x, registrations, target, alpha, lo, hi uint64) uint64 {
	fraction := func(v *big.Int) *big.Int { return new(big.Int).Lsh(v, 18) }
	times := func(a, b *big.Int) *big.Int { return new(big.Int).Rsh(new(big.Int).Mul(a, b), 18) }
	r, t := min(registrations, 65535), min(target, 65535)
	current := fraction(number(x))
	moved := new(big.Int)
	if t > 0 {
		moved.Mul(current, number(min(r+t, 65535)))
		moved.Div(moved, number(min(2*t, 65535)))
	}
	kept := new(big.Int).Div(fraction(number(alpha)), number(all))
	rest := new(big.Int).Sub(fraction(number(1)), kept)
	next := new(big.Int).Rsh(new(big.Int).Add(times(kept, current), times(rest, moved)), 18)
	switch {
	case next.Cmp(number(hi)) >= 0:
		return hi
	case next.Cmp(number(lo)) <= 0:
		return lo
	}
	return next.Uint64()
}

func FuzzAdjustEqualsItsTwin(f *testing.F) {
	f.Add(uint64(5000), uint64(4), uint64(3), uint64(58000), uint64(1), uint64(10000))
	f.Add(uint64(all), uint64(all), uint64(1), uint64(0), uint64(0), uint64(all))
	f.Add(uint64(all), uint64(0), uint64(40000), uint64(all), uint64(0), uint64(all))
	f.Add(uint64(1<<63), uint64(3), uint64(0), uint64(1<<46-1), uint64(7), uint64(1<<62))
	f.Fuzz(func(t *testing.T, x, registrations, target, alpha, lo, hi uint64) {
		if lo > hi {
			lo, hi = hi, lo
		}
		got := Adjust(x, registrations, target, alpha, lo, hi)
		if want := adjustTwin(x, registrations, target, alpha, lo, hi); got != want {
			t.Errorf("Adjust(%d, %d, %d, %d, %d, %d) = %d, want %d", x, registrations, target, alpha, lo, hi,
				got, want)
		}
	})
}

func TestAdjustKeepsWhatIsOnTarget(t *testing.T) {
	for _, x := range []uint64{0, 1, 1e7, 1e9, 1<<62 + 1, all} {
		for _, alpha := range []uint64{0, all} {
			if got := Adjust(x, 2, 2, alpha, 0, all); got != x {
				t.Errorf("%d at alpha %d became %d", x, alpha, got)
			}
		}
	}
}

func TestAdjustMovesAtMostByHalfDownAndByTheLimitUp(t *testing.T) {
	for _, c := range []struct{ registrations, want uint64 }{
		{0, 500}, {1, 750}, {2, 1000}, {3, 1250}, {4, 1500}, {6, 2000}, {10, 3000},
	} {
		if got := Adjust(1000, c.registrations, 2, 0, 1, all); got != c.want {
			t.Errorf("after %d registrations of 2: %d, want %d", c.registrations, got, c.want)
		}
	}
}

func TestMovedNamesWhatMoreCameByOrWhatFewerCameBy(t *testing.T) {
	for _, c := range []struct {
		work, burn, target uint64
		difficulty, price  bool
	}{
		{3, 0, 2, true, false}, // too many, most by work: more work
		{0, 3, 2, false, true}, // too many, most by burn: a higher price
		{2, 2, 2, true, true},
		{2, 0, 2, false, true}, // enough or too few, most by work: a lower price
		{0, 2, 2, true, false}, // most by burn: less work
		{1, 1, 2, true, true},
		{0, 0, 2, true, true},
		{2, 1, 2, true, false}, // one above the target
		{1, 2, 2, false, true},
		{all, all - 1, 2, true, false},
		{all - 1, all, all, false, true},
	} {
		difficulty, price := Moved(c.work, c.burn, c.target)
		if difficulty != c.difficulty || price != c.price {
			t.Errorf("%d by work, %d by burn of %d: difficulty %v, price %v", c.work, c.burn, c.target,
				difficulty, price)
		}
	}
}

func TestDoubleOrHalveStaysWithinItsBounds(t *testing.T) {
	for _, c := range []struct{ x, registrations, lo, hi, want uint64 }{
		{100, 3, 10, 1000, 200},
		{100, 2, 10, 1000, 50}, // as many as wanted is not more
		{100, 0, 10, 1000, 50},
		{15, 0, 10, 1000, 10},
		{501, 3, 10, 1000, 1000},
		{500, 3, 10, 1000, 1000},
		{1 << 63, 3, 10, all, all},
		{1<<63 - 1, 3, 10, all, all - 1},
	} {
		if got := DoubleOrHalve(c.x, c.registrations, 2, c.lo, c.hi); got != c.want {
			t.Errorf("%d after %d registrations: %d, want %d", c.x, c.registrations, got, c.want)
		}
	}
}

// powTwin returns f^n in 1/2^32 by squaring, floors included.
func powTwin(f, n uint64) *big.Int {
	result, square := number(oneQ32), number(f)
	for ; n > 0; n /= 2 {
		if n%2 == 1 {
			result = new(big.Int).Rsh(new(big.Int).Mul(result, square), 32)
		}
		square = new(big.Int).Rsh(new(big.Int).Mul(square, square), 32)
	}
	return result
}

func FuzzTheDecayFactorIsTheLargestThatHalves(f *testing.F) {
	for _, blocks := range []uint64{1, 2, 360, 1000, 1 << 24, all} {
		f.Add(blocks)
	}
	f.Fuzz(func(t *testing.T, blocks uint64) {
		factor := DecayFactor(blocks)
		if blocks == 0 {
			if factor != 0 {
				t.Errorf("no half-life: %d", factor)
			}
			return
		}
		half := number(oneQ32 / 2)
		if powTwin(factor, blocks).Cmp(half) > 0 {
			t.Errorf("%d blocks: factor %d leaves more than a half", blocks, factor)
		}
		if factor < oneQ32 && powTwin(factor+1, blocks).Cmp(half) <= 0 {
			t.Errorf("%d blocks: %d is not the largest factor", blocks, factor)
		}
	})
}

func FuzzPricesByDemandEqualTheirTwins(f *testing.F) {
	f.Add(uint64(100_000_000), uint64(4286705684), uint64(126), uint64(500_000), uint64(100e9))
	f.Add(uint64(all), uint64(all), uint64(all), uint64(0), uint64(all))
	f.Fuzz(func(t *testing.T, price, factor, percent, lo, hi uint64) {
		if lo > hi {
			lo, hi = hi, lo
		}
		within := func(v *big.Int) uint64 {
			switch {
			case v.Cmp(number(hi)) >= 0:
				return hi
			case v.Cmp(number(lo)) <= 0:
				return lo
			}
			return v.Uint64()
		}
		fallen := new(big.Int).Mul(number(price), number(min(factor, oneQ32)))
		if got, want := Decayed(price, factor, lo, hi), within(fallen.Rsh(fallen, 32)); got != want {
			t.Errorf("Decayed(%d, %d, %d, %d) = %d, want %d", price, factor, lo, hi, got, want)
		}
		risen := new(big.Int).Mul(number(price), number(percent))
		if got, want := Raise(price, percent, lo, hi), within(risen.Div(risen, number(100))); got != want {
			t.Errorf("Raise(%d, %d, %d, %d) = %d, want %d", price, percent, lo, hi, got, want)
		}
	})
}
