package lm

import "taolab/model/lm/kernel"

// wideRow is how far apart the rows of the MLP's activations, [n x 4d], lie. Rows whose distance is a
// multiple of 2,048 bytes would compete for the same few places of the first-level cache; where 4d
// floats are one, 64 bytes lie between them.
func (c Config) wideRow() int {
	if c.Width%128 == 0 {
		return 4*c.Width + 16
	}
	return 4 * c.Width
}

// linearForward: y [n x out] = bias [out] + x [n x in] * weight [in x out]; rows of y lie yRow apart.
func linearForward(n, in, out int, x, weight, bias, y []float32, yRow int) {
	kernel.MatMulFrom(kernel.Bias, bias, n, out, in, x, in, 1, weight, out, y, yRow)
}

// residualForward: y [n x out] = (y + bias [out]) + x [n x in] * weight [in x out]; rows of x lie xRow
// apart.
func residualForward(n, in, out int, x []float32, xRow int, weight, bias, y []float32) {
	kernel.MatMulFrom(kernel.KeepPlusBias, bias, n, out, in, x, xRow, 1, weight, out, y, out)
}

// layer is what the backward pass of a linear layer reads, but the gradient of its output, and where it
// writes the gradients of its weight [in x out] and its bias [out].
type layer struct {
	in, out        int
	x              []float32 // [n x in], rows xRow apart
	xRow           int
	weight         []float32
	dweight, dbias []float32
}

// linearBackward: of dy [n x out], rows dyRow apart, dx [n x in] = dy * weight^T, rows as those of x;
// dweight = x^T * dy and dbias, the column sums, are added to what is there unless fresh.
func (w *Workspace) linearBackward(n int, l layer, dy []float32, dyRow int, dx []float32, fresh bool) {
	kernel.Transpose(l.in, l.out, l.weight, l.out, w.turned, l.in)
	kernel.MatMul(n, l.in, l.out, dy, dyRow, 1, w.turned, l.in, dx, l.xRow, false)
	kernel.MatMul(l.in, l.out, n, l.x, 1, l.xRow, dy, dyRow, l.dweight, l.out, !fresh)
	if fresh {
		kernel.ColumnSums(n, dy, dyRow, l.dbias)
		return
	}
	kernel.MatMul(1, l.out, n, w.ones, 1, 1, dy, dyRow, l.dbias, l.out, true)
}
