package registration

import "math/bits"

// Adjust moves x, a price in rao or a difficulty, once an interval toward the value at which
// target registrations come in one:
//
//	x' = a x + (1 - a) x (registrations + target) / (2 target), with a = alpha / (2^64 - 1)
//
// in numbers of 18 fraction bits, each step floored, the result within lo and hi. Counts are those
// of a 16-bit counter: what is more counts as 65535. A target of 0 makes the second summand 0.
func Adjust(x, registrations, target, alpha, lo, hi uint64) uint64 {
	const fraction = 18
	const one = uint64(1) << fraction
	const most = 1<<16 - 1
	a := product(alpha, one).over(1<<64 - 1).lo
	r, t := min(registrations, most), min(target, most)
	var moved wide
	if t > 0 {
		moved = product(x, one).times(min(r+t, most)).over(min(2*t, most))
	}
	next := moved.times(one - a).shifted(fraction).plus(product(a, x)).shifted(fraction)
	if next.hi > 0 {
		return hi
	}
	return clamp(next.lo, lo, hi)
}

// wide is an unsigned number of 128 bits. The numbers above stay below 2^117.
type wide struct{ hi, lo uint64 }

func product(a, b uint64) wide {
	hi, lo := bits.Mul64(a, b)
	return wide{hi, lo}
}

func (w wide) times(f uint64) wide {
	hi, lo := bits.Mul64(w.lo, f)
	return wide{hi + w.hi*f, lo}
}

func (w wide) over(d uint64) wide {
	hi := w.hi / d
	lo, _ := bits.Div64(w.hi%d, w.lo, d)
	return wide{hi, lo}
}

func (w wide) plus(v wide) wide {
	lo, carry := bits.Add64(w.lo, v.lo, 0)
	hi, _ := bits.Add64(w.hi, v.hi, carry)
	return wide{hi, lo}
}

// shifted returns w / 2^n, for n from 1 to 63.
func (w wide) shifted(n uint) wide { return wide{w.hi >> n, w.hi<<(64-n) | w.lo>>n} }

func clamp(x, lo, hi uint64) uint64 { return min(max(x, lo), hi) }

// Moved says which of the two prices an interval with these many registrations by work and by burn
// moves. After too many the one that more came by rises, after too few (or just enough) the other
// one falls; both move if as many came by either.
func Moved(work, burn, target uint64) (difficulty, price bool) {
	if work == burn {
		return true, true
	}
	more := work > target || burn > target-work
	difficulty = (work > burn) == more
	return difficulty, !difficulty
}

// Moved2023 is Moved as the chain had it in May 2023, which then compared the burns with themselves: after
// an interval with too few the price never falls without the difficulty.
func Moved2023(work, burn, target uint64) (difficulty, price bool) {
	if few := work <= target && burn <= target-work; few && work > burn {
		return true, true
	}
	return Moved(work, burn, target)
}

// DoubleOrHalve returns the difficulty after an interval: twice as much if more than target
// registrations came, else half, within lo and hi.
func DoubleOrHalve(difficulty, registrations, target, lo, hi uint64) uint64 {
	switch {
	case registrations <= target:
		difficulty /= 2
	case difficulty >= 1<<63:
		return hi
	default:
		difficulty *= 2
	}
	return clamp(difficulty, lo, hi)
}
