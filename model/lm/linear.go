package lm

import "taolab/model/lm/kernel"

// linearForward: y [n x out] = bias [out] + x [n x in] * weight [in x out].
func linearForward(n, in, out int, x, weight, bias, y []float32) {
	kernel.MatMulFrom(kernel.Bias, bias, n, out, in, x, in, 1, weight, out, y, out)
}

// residualForward: y [n x out] = (y + bias [out]) + x [n x in] * weight [in x out].
func residualForward(n, in, out int, x, weight, bias, y []float32) {
	kernel.MatMulFrom(kernel.KeepPlusBias, bias, n, out, in, x, in, 1, weight, out, y, out)
}

// linearBackward: of dy [n x out], dx [n x in] = dy * weight^T, dweight [in x out] = x^T * dy and
// dbias [out], the column sums. turned [in*out] is scratch.
func linearBackward(n, in, out int, x, weight, dy, dx, dweight, dbias, turned []float32) {
	kernel.Transpose(in, out, weight, out, turned, in)
	kernel.MatMul(n, in, out, dy, out, 1, turned, in, dx, in, false)
	kernel.MatMul(in, out, n, x, 1, in, dy, out, dweight, out, false)
	kernel.ColumnSums(n, dy, out, dbias)
}
