package lm

import (
	"math"

	"taolab/model/lm/kernel"
)

// attentionRows is the height of the blocks in which the causal triangle is worked off. Position i
// reads the positions below its block's end, those after i with probability zero.
const attentionRows = 16

// attention is one attention layer over rows sequences of cols positions. The positions from first on
// are computed, kept of them in each row; the rest serve as keys and values only.
type attention struct {
	rows, cols, heads, width int
	first, kept              int
	keys                     []float32 // [width/heads x cols] scratch: one head's keys, or values, turned
	dscores                  []float32 // [kept x cols] scratch
}

func (a *attention) size() int      { return a.width / a.heads }
func (a *attention) scale() float32 { return float32(1 / math.Sqrt(float64(a.size()))) }

// keep sets how many positions of each row are computed.
func (a *attention) keep(n int) { a.first, a.kept = a.cols-n, n }

// blockEnd is the end of the block of position i.
func (a *attention) blockEnd(i int) int {
	return min(a.cols, i-i%attentionRows+attentionRows)
}

// forward: from qkv [rows*cols x 3*width] the probabilities att [rows x heads x kept x cols]
// and their means of the values, y [rows*kept x width].
func (a *attention) forward(qkv, att, y []float32) {
	d, size, scale := a.width, a.size(), a.scale()
	for r := range a.rows {
		for h := range a.heads {
			q := qkv[r*a.cols*3*d+h*size:]
			k, v := q[d:], q[2*d:]
			out := y[r*a.kept*d+h*size:]
			p := att[(r*a.heads+h)*a.kept*a.cols:]
			kernel.Transpose(a.cols, size, k, 3*d, a.keys, a.cols)
			for from := a.first; from < a.cols; {
				to := a.blockEnd(from)
				rows, at := to-from, from-a.first
				kernel.MatMul(rows, to, size, q[from*3*d:], 3*d, 1, a.keys, a.cols, p[at*a.cols:], a.cols, false)
				kernel.CausalSoftmax(rows, from, to, p[at*a.cols:], a.cols, scale)
				kernel.MatMul(rows, size, to, p[at*a.cols:], a.cols, 1, v, 3*d, out[at*d:], d, false)
				from = to
			}
		}
	}
}

// backward: dqkv [rows*cols x 3*width] of dy [rows*kept x width].
func (a *attention) backward(qkv, att, dy, dqkv []float32) {
	d, size := a.width, a.size()
	for r := range a.rows {
		for h := range a.heads {
			at := r*a.cols*3*d + h*size
			p := att[(r*a.heads+h)*a.kept*a.cols:]
			out := dy[r*a.kept*d+h*size:]
			a.backwardScores(qkv[at:], p, out, dqkv[at:])
			a.backwardKeys(qkv[at:], p, out, dqkv[at:])
		}
	}
}

// backwardScores: of one head, dscores [kept x cols] and the gradient of the queries.
func (a *attention) backwardScores(q, p, dy, dq []float32) {
	d, size, scale := a.width, a.size(), a.scale()
	k, v := q[d:], q[2*d:]
	for i := range a.first {
		clear(dq[i*3*d : i*3*d+size])
	}
	kernel.Transpose(a.cols, size, v, 3*d, a.keys, a.cols)
	for from := a.first; from < a.cols; {
		to := a.blockEnd(from)
		rows, at := to-from, from-a.first
		ds := a.dscores[at*a.cols:]
		kernel.MatMul(rows, to, size, dy[at*d:], d, 1, a.keys, a.cols, ds, a.cols, false)
		kernel.CausalSoftmaxBackward(rows, from, to, p[at*a.cols:], a.cols, ds, a.cols, scale)
		kernel.MatMul(rows, size, to, ds, a.cols, 1, k, 3*d, dq[from*3*d:], 3*d, false)
		from = to
	}
}

// backwardKeys: of one head, the gradients of the keys and of the values.
func (a *attention) backwardKeys(q, p, dy, dq []float32) {
	d, size := a.width, a.size()
	for from := 0; from < a.cols; {
		to := a.blockEnd(from)
		start := max(from, a.first)
		at, n := start-a.first, a.cols-start
		corner := at*a.cols + from
		kernel.MatMul(to-from, size, n, a.dscores[corner:], 1, a.cols, q[start*3*d:], 3*d,
			dq[from*3*d+d:], 3*d, false)
		kernel.MatMul(to-from, size, n, p[corner:], 1, a.cols, dy[at*d:], d,
			dq[from*3*d+2*d:], 3*d, false)
		from = to
	}
}
