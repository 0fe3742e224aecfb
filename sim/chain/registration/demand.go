package registration

import "math/bits"

// oneQ32 is 1 with 32 fraction bits.
const oneQ32 = 1 << 32

// DecayFactor returns what a price is multiplied by in a block, in 1/2^32, so that it halves in
// halfLifeBlocks: the largest f with f^halfLife <= 1/2 in arithmetic that floors every product.
// For a half-life of 0 it is 0.
func DecayFactor(halfLifeBlocks uint64) uint64 {
	if halfLifeBlocks == 0 {
		return 0
	}
	lo, hi := uint64(0), uint64(oneQ32)
	for lo < hi {
		f := (lo + hi + 1) / 2
		if powQ32(f, halfLifeBlocks) <= oneQ32/2 {
			lo = f
		} else {
			hi = f - 1
		}
	}
	return lo
}

// powQ32 returns f^n for f of at most one.
func powQ32(f, n uint64) uint64 {
	result := uint64(oneQ32)
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			result = mulQ32(result, f)
		}
		f = mulQ32(f, f)
	}
	return result
}

// mulQ32 returns a*f/2^32 for f of at most one.
func mulQ32(a, f uint64) uint64 {
	return a>>32*f + (a&(1<<32-1))*f>>32
}

// Decayed returns the price in rao one block later, within lo and hi. Factors above 1 count as 1.
func Decayed(priceRao, factorQ32, lo, hi uint64) uint64 {
	return clamp(mulQ32(priceRao, min(factorQ32, oneQ32)), lo, hi)
}

// Raise returns the price in rao after a registration, percent of what it was, within lo and hi.
func Raise(priceRao, percent, lo, hi uint64) uint64 {
	over, low := bits.Mul64(priceRao, percent)
	if over >= 100 {
		return hi
	}
	rao, _ := bits.Div64(over, low, 100)
	return clamp(rao, lo, hi)
}
