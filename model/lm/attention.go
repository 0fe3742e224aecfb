package lm

import (
	"math"

	"taolab/model/lm/kernel"
)

// attentionRows is the height of the blocks in which the causal triangle is computed. Position i reads
// the positions below its block's end, those after i with probability zero.
const attentionRows = 16

// attentionPanel is the width of the columns in which scores are made, and the height of the softmax:
// rows are padded with zeros to the next multiple of it.
const attentionPanel = 2 * attentionRows

// attention is one attention layer over sequences of cols positions. The positions from first on
// are computed, kept of them in each row; the rest serve as keys and values only.
type attention struct {
	cols, heads, width int
	first, kept        int
	turned             []float32 // [width x cols] scratch: the keys, or the values, of a row
	dscores            []float32 // [kept x cols] scratch
}

func (a *attention) size() int      { return a.width / a.heads }
func (a *attention) scale() float32 { return float32(1 / math.Sqrt(float64(a.size()))) }

// keep sets how many positions of each row are computed.
func (a *attention) keep(n int) { a.first, a.kept = a.cols-n, n }

// blockEnd is the end of the block of position i, of blocks of some height.
func (a *attention) blockEnd(i, height int) int { return min(a.cols, i-i%height+height) }

// forward: from qkv [rows*cols x 3*width] the probabilities att [rows x heads x kept x cols], each
// head's step floats after the last's, and their means of the values, y [rows*kept x width].
func (a *attention) forward(rows int, qkv, att []float32, step int, y []float32) {
	d := a.width
	for r := range rows {
		row := qkv[r*a.cols*3*d:]
		kernel.Transpose(kernel.View(a.turned, d, a.cols, a.cols), kernel.View(row[d:], a.cols, d, 3*d))
		for h := range a.heads {
			a.head(h, row[a.first*3*d:], a.turned, a.cols, row[2*d:], 3*d, att[(r*a.heads+h)*step:],
				y[r*a.kept*d:])
		}
	}
}

// head: from the queries q of the positions that are computed, 3*width floats apart, keys turned
// [width x cols], keysRow floats apart, and values, valuesRow floats apart, of one row to head h's
// probabilities p [kept x cols] and to its channels of y [kept x width].
func (a *attention) head(h int, q, keys []float32, keysRow int, values []float32, valuesRow int,
	p, y []float32) {
	d, size, scale := a.width, a.size(), a.scale()
	a.triangle(q[h*size:], 3*d, keys[h*size*keysRow:], keysRow, p)
	for from := a.first; from < a.cols; {
		to := a.blockEnd(from, attentionPanel)
		kernel.CausalSoftmax(to-from, from, to, p[(from-a.first)*a.cols:], a.cols, scale)
		from = to
	}
	for from := a.first; from < a.cols; {
		to, at := a.blockEnd(from, attentionRows), from-a.first
		kernel.MatMul(&kernel.Product{
			C: kernel.View(y[at*d+h*size:], to-from, size, d),
			A: kernel.View(p[at*a.cols:], to-from, to, a.cols),
			B: kernel.View(values[h*size:], to, size, valuesRow),
		})
		from = to
	}
}

// triangle: out [kept x cols] = x [kept x size] * y [size x cols], on and below the diagonal and a
// little above.
func (a *attention) triangle(x []float32, xRow int, y []float32, yRow int, out []float32) {
	for from := 0; from < a.cols; from += attentionPanel {
		start := max(from, a.first)
		at := start - a.first
		kernel.MatMul(&kernel.Product{
			C: kernel.View(out[at*a.cols+from:], a.cols-start, min(attentionPanel, a.cols-from), a.cols),
			A: kernel.View(x[at*xRow:], a.cols-start, a.size(), xRow),
			B: kernel.View(y[from:], a.size(), min(attentionPanel, a.cols-from), yRow),
		})
	}
}

// backward: dqkv [rows*cols x 3*width] of dy [rows*kept x width].
func (a *attention) backward(rows int, qkv, att []float32, step int, dy, dqkv []float32) {
	d, size := a.width, a.size()
	for r := range rows {
		at := r * a.cols * 3 * d
		kernel.Transpose(kernel.View(a.turned, d, a.cols, a.cols), kernel.View(qkv[at+2*d:], a.cols, d, 3*d))
		for h := range a.heads {
			p, out := att[(r*a.heads+h)*step:], dy[r*a.kept*d+h*size:]
			a.backwardScores(h, qkv[at+h*size:], p, out, dqkv[at+h*size:])
			a.backwardKeys(qkv[at+h*size:], p, out, dqkv[at+h*size:])
		}
	}
}

// backwardScores: of head h, dscores [kept x cols] and the gradient of the queries.
func (a *attention) backwardScores(h int, q, p, dy, dq []float32) {
	d, size, scale := a.width, a.size(), a.scale()
	for i := range a.first {
		clear(dq[i*3*d : i*3*d+size])
	}
	a.triangle(dy, d, a.turned[h*size*a.cols:], a.cols, a.dscores)
	for from := a.first; from < a.cols; {
		to, at := a.blockEnd(from, attentionPanel), (from-a.first)*a.cols
		kernel.CausalSoftmaxBackward(to-from, from, to, p[at:], a.cols, a.dscores[at:], a.cols, scale)
		from = to
	}
	for from := a.first; from < a.cols; {
		to, at := a.blockEnd(from, attentionRows), (from-a.first)*a.cols
		kernel.MatMul(&kernel.Product{
			C: kernel.View(dq[from*3*d:], to-from, size, 3*d),
			A: kernel.View(a.dscores[at:], to-from, to, a.cols),
			B: kernel.View(q[d:], to, size, 3*d),
		})
		from = to
	}
}

// backwardKeys: of one head, the gradients of the keys and of the values. The terms of positions before
// a column's own block are zeros that a sum from +0 does not notice.
func (a *attention) backwardKeys(q, p, dy, dq []float32) {
	d, size := a.width, a.size()
	for from := 0; from < a.cols; {
		to := a.blockEnd(from, attentionPanel)
		start := max(from, a.first)
		at, n := start-a.first, a.cols-start
		corner := at*a.cols + from
		kernel.MatMul(&kernel.Product{
			C: kernel.View(dq[from*3*d+d:], to-from, size, 3*d),
			A: kernel.View(a.dscores[corner:], n, to-from, a.cols), TransposeA: true,
			B: kernel.View(q[start*3*d:], n, size, 3*d),
		})
		kernel.MatMul(&kernel.Product{
			C: kernel.View(dq[from*3*d+2*d:], to-from, size, 3*d),
			A: kernel.View(p[corner:], n, to-from, a.cols), TransposeA: true,
			B: kernel.View(dy[at*d:], n, size, d),
		})
		from = to
	}
}
