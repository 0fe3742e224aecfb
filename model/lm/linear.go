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

// linearBackward: of dy [n x out], dx [n x in] = dy * turned [out x in], the weight transposed, and
// dweight [in x out] = x^T * dy and dbias [out], the column sums, added to what is there unless fresh.
func (w *Workspace) linearBackward(n, in, out int, x, turned, dy, dx, dweight, dbias []float32, fresh bool) {
	kernel.MatMul(n, in, out, dy, out, 1, turned, in, dx, in, false)
	kernel.MatMul(in, out, n, x, 1, in, dy, out, dweight, out, !fresh)
	if fresh {
		kernel.ColumnSums(n, dy, out, dbias)
		return
	}
	kernel.MatMul(1, out, n, w.ones, 1, 1, dy, out, dbias, out, true)
}
