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

// SigmoidFrom is [Sigmoid] of x plus the logit of prior, which is first kept within low..high:
//
//	x = prior / (prior + (1-prior)*num.Exp32(-x))
//
// Of a prior of 1/2 it is Sigmoid(x). It panics if prior is shorter than x.
func SigmoidFrom(x, prior []float32, low, high float32) {
	atLeast("SigmoidFrom: prior", len(prior), len(x))
	if active != Generic && len(x) > 0 {
		sigmoidFromVector(len(x), &x[0], &prior[0], low, high)
		return
	}
	prior = prior[:len(x)]
	for i, v := range x {
		m := min(max(prior[i], low), high)
		prior[i] = m
		x[i] = m / (m + float32((1-m)*num.Exp32(-v)))
	}
}
