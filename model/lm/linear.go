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
	kernel.MatMul(&kernel.Product{C: kernel.View(y, n, out, yRow), A: kernel.View(x, n, in, in),
		B: kernel.View(weight, in, out, out), Start: kernel.Bias, Bias: bias})
}

// residualForward: y [n x out] = (y + bias [out]) + x [n x in] * weight [in x out]; rows of x lie xRow
// apart.
func residualForward(n, in, out int, x []float32, xRow int, weight, bias, y []float32) {
	kernel.MatMul(&kernel.Product{C: kernel.View(y, n, out, out), A: kernel.View(x, n, in, xRow),
		B: kernel.View(weight, in, out, out), Start: kernel.KeepPlusBias, Bias: bias})
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
// dweight = x^T * dy and dbias, the column sums, are added to the old values unless fresh.
func (w *Workspace) linearBackward(n int, l layer, dy []float32, dyRow int, dx []float32, fresh bool) {
	kernel.Transpose(kernel.View(w.turned, l.out, l.in, l.in), kernel.View(l.weight, l.in, l.out, l.out))
	kernel.MatMul(&kernel.Product{C: kernel.View(dx, n, l.in, l.xRow), A: kernel.View(dy, n, l.out, dyRow),
		B: kernel.View(w.turned, l.out, l.in, l.in)})
	kernel.MatMul(&kernel.Product{
		C: kernel.View(l.dweight, l.in, l.out, l.out),
		A: kernel.View(l.x, n, l.in, l.xRow), TransposeA: true,
		B: kernel.View(dy, n, l.out, dyRow), Start: addUnless(fresh),
	})
	if fresh {
		kernel.ColumnSums(n, dy, dyRow, l.dbias)
		return
	}
	kernel.MatMul(&kernel.Product{C: kernel.View(l.dbias, 1, l.out, l.out), A: kernel.View(w.ones, 1, n, 1),
		B: kernel.View(dy, n, l.out, dyRow), Start: kernel.Keep})
}

// addUnless returns the start of a gradient's sums: the old values unless it is fresh.
func addUnless(fresh bool) kernel.Start {
	if fresh {
		return kernel.Zero
	}
	return kernel.Keep
}
