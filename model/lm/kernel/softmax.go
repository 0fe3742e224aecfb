package kernel

import "fmt"

// Softmax turns each of rows rows of x, cols elements that begin stride elements apart, into
// exp((x-max)*scale), by num.Exp32, times the inverse of their [Sum]. It panics as [MatMul] does, and
// if scale is negative. A row whose greatest element is infinite becomes NaN.
func Softmax(rows, cols int, x []float32, stride int, scale float32) {
	needRows("Softmax: x", len(x), rows, stride, cols)
	needScale("Softmax", scale)
	switch {
	case rows == 0 || cols == 0:
	case active == Generic:
		for i := range rows {
			softmaxGeneric(x[i*stride:][:cols], scale)
		}
	default:
		softmaxVector(rows, cols, &x[0], 4*stride, scale)
	}
}

// CausalSoftmax turns the first first+i+1 elements of row i of x into their [Softmax], and those from
// there to end into +0. It panics as Softmax does, and unless first+rows <= end.
func CausalSoftmax(rows, first, end int, x []float32, stride int, scale float32) {
	needRows("CausalSoftmax: x", len(x), rows, stride, end)
	needTriangle("CausalSoftmax", rows, first, end)
	needScale("CausalSoftmax", scale)
	switch {
	case rows == 0:
	case active == Generic:
		for i := range rows {
			row, last := x[i*stride:][:end], first+i+1
			softmaxGeneric(row[:last], scale)
			clear(row[last:])
		}
	default:
		causalSoftmaxVector(rows, first, end, &x[0], 4*stride, scale)
	}
}

// CausalSoftmaxBackward turns dp, the gradient of the probabilities p that [CausalSoftmax] made, into
// the gradient of what they were made of:
//
//	dp = (p*(dp - Dot(p, dp))) * scale
//
// over the first first+i+1 elements of row i, and +0 from there to end. It panics as CausalSoftmax
// does.
func CausalSoftmaxBackward(rows, first, end int, p []float32, pStride int,
	dp []float32, dpStride int, scale float32) {
	need("CausalSoftmaxBackward: p", len(p), rows, pStride, end, 1)
	needRows("CausalSoftmaxBackward: dp", len(dp), rows, dpStride, end)
	needTriangle("CausalSoftmaxBackward", rows, first, end)
	switch {
	case rows == 0:
	case active == Generic:
		for i := range rows {
			row, last := dp[i*dpStride:][:end], first+i+1
			softmaxBackwardGeneric(p[i*pStride:][:last], row[:last], scale)
			clear(row[last:])
		}
	default:
		causalSoftmaxBackwardVector(rows, first, end, &p[0], 4*pStride, &dp[0], 4*dpStride, scale)
	}
}

// needTriangle panics unless rows rows, the first of them with first+1 elements, end before end.
func needTriangle(what string, rows, first, end int) {
	if first < 0 || rows > end-first {
		panic(fmt.Sprintf("kernel: %s: %d rows from %d on end beyond %d", what, rows, first, end))
	}
}

// needScale panics unless a scale keeps the greatest element the greatest.
func needScale(what string, scale float32) {
	if !(scale >= 0) {
		panic(fmt.Sprintf("kernel: %s: scale %v; it must not be negative", what, scale))
	}
}

func softmaxGeneric(x []float32, scale float32) {
	expGeneric(x, largest(x), scale)
	scaleGeneric(x, 1/sumGeneric(x))
}

func softmaxBackwardGeneric(p, dp []float32, scale float32) {
	dp = dp[:len(p)]
	mean := dotGeneric(p, dp)
	for i, v := range p {
		dp[i] = float32(float32(v*(dp[i]-mean)) * scale)
	}
}

// largest returns the greatest element of x, which has one.
func largest(x []float32) float32 {
	top := x[0]
	for _, v := range x[1:] {
		if v > top {
			top = v
		}
	}
	return top
}

func scaleGeneric(x []float32, factor float32) {
	for i, v := range x {
		x[i] = float32(v * factor)
	}
}
