package decide

import "math"

// GainLimit is the largest gain per decision at which a loop comes to rest that reads a signal so many
// decisions old: 2 sin(pi / (2 (2 d + 1))). The gain is the share of those who decide at a time, times the
// relative answer of each, where the signal falls by 1 for each unit of answer, in logarithms.
func GainLimit(delay int) float64 {
	return float64(2 * sine(math.Pi/float64(2*(2*delay+1))))
}

// sine is the sine of x from 0 to pi/2, by its series.
func sine(x float64) float64 {
	sum, term := 0.0, x
	for n := 1.0; n < 30; n += 2 {
		sum += term
		term = -float64(term*float64(x*x)) / float64((n+1)*(n+2))
	}
	return sum
}
