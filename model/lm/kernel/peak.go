package kernel

import (
	"runtime"

	"taolab/model/num"
)

// Peak runs multiply-adds of an instruction set in registers only, in enough independent chains to
// keep the units busy, and returns the number of operations, two per multiply-add: divided by the
// time it took, the most that a product can reach. A round is 96 vector instructions, some 10 to 20
// ns; of [Generic] it is 96 times four of num.FMA32, some 2 us. It panics if the processor lacks
// the instructions.
func Peak(isa ISA, rounds int) (operations int) {
	mustSupport("Peak", isa)
	if rounds <= 0 {
		return 0
	}
	peak(isa, rounds, 0.5, 0.25)
	return 2 * 96 * isa.lanes() * rounds
}

func peakGeneric(rounds int, x, y float32) {
	var sums [4]float32
	for range rounds * 24 {
		for i := range sums {
			sums[i] = num.FMA32(x, y, sums[i])
		}
	}
	runtime.KeepAlive(sums[0] + sums[1] + sums[2] + sums[3]) // or the compiler leaves the work out
}
