package kernel

import "taolab/model/num"

// Exp replaces every element of x by num.Exp32((x-shift)*scale). Infinities are clamped as large
// numbers are.
func Exp(x []float32, shift, scale float32) {
	if active != Generic && len(x) > 0 {
		expVector(len(x), &x[0], shift, scale)
		return
	}
	expGeneric(x, shift, scale)
}

func expGeneric(x []float32, shift, scale float32) {
	for i, v := range x {
		x[i] = num.Exp32(float32((v - shift) * scale))
	}
}

// Sigmoid replaces every element of x by 1/(1+num.Exp32(-x)).
func Sigmoid(x []float32) {
	if active != Generic && len(x) > 0 {
		sigmoidVector(len(x), &x[0])
		return
	}
	for i, v := range x {
		x[i] = 1 / (1 + num.Exp32(-v))
	}
}
