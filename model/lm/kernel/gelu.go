package kernel

import "taolab/model/num"

// GELU in the tanh form: x*s with s = 1/(1+exp(x*(geluLinear + geluCubic*x*x))).
const (
	geluLinear = -1.5957691216057308  // -2*sqrt(2/pi)
	geluCubic  = -0.07135481282682213 // 0.044715 times that
)

// GELU writes the gaussian error linear unit of x, in its tanh form, to y, and the factor between x
// and y to gate, which the backward pass wants:
//
//	gate = 1/(1 + exp(x*(a + b*(x*x)))), y = x*gate, a = -2*sqrt(2/pi), b = 0.044715*a
//
// gate and y may be the same slice, for those who want only y; neither may share memory with x. It
// panics if gate or y is shorter than x.
func GELU(x, gate, y []float32) {
	atLeast("GELU: gate", len(gate), len(x))
	atLeast("GELU: y", len(y), len(x))
	if active != Generic && len(x) > 0 {
		geluVector(len(x), &x[0], &gate[0], &y[0])
		return
	}
	gate, y = gate[:len(x)], y[:len(x)]
	for i, v := range x {
		e := num.Exp32(float32(v * (geluLinear + float32(geluCubic*float32(v*v)))))
		g := 1 / (1 + e)
		gate[i] = g
		y[i] = float32(v * g)
	}
}

// GELUBackward turns dy, the gradient of y, into that of x, given what [GELU] wrote:
//
//	dy = dy*(gate + y*((1-gate)*(-a - (3b)*(x*x))))
//
// It panics if gate, y or dy is shorter than x.
func GELUBackward(x, gate, y, dy []float32) {
	atLeast("GELUBackward: gate", len(gate), len(x))
	atLeast("GELUBackward: y", len(y), len(x))
	atLeast("GELUBackward: dy", len(dy), len(x))
	if active != Generic && len(x) > 0 {
		geluBackwardVector(len(x), &x[0], &gate[0], &y[0], &dy[0])
		return
	}
	gate, y, dy = gate[:len(x)], y[:len(x)], dy[:len(x)]
	for i, v := range x {
		slope := -geluLinear - float32(3*geluCubic*float32(v*v))
		g := gate[i]
		dy[i] = float32(dy[i] * (g + float32(y[i]*float32((1-g)*slope))))
	}
}
