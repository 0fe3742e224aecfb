package lm

import "fmt"

// Workspace holds the activations, the gradients and the scratch of one model at a time. It grows to
// the largest shape seen and then allocates nothing. The zero Workspace is ready. One per worker: it
// is not safe for concurrent use, and keeps nothing from call to call that a result depends on.
//
// Its methods panic on a batch that [Config.CheckBatch] refuses, and on slices of the wrong length.
type Workspace struct {
	shape  shape
	arena  []float32
	used   int
	blocks []activations

	x, hidden          []float32 // [n x d] residual stream; [kept x d] after the last layer norm
	lastHat, lastScale []float32 // [kept x d], [kept]
	logits             []float32 // [kept x vocab]
	losses, sums       []float32 // [kept] of the cross-entropy
	turned             []float32 // one weight matrix, transposed
	ones               []float32
	attention          attention

	grads                    []float32 // [params]
	dx, dwide, dnarrow, dqkv []float32 // [n x d], [kept x 4d], [n x d], [n x 3d]
	gates                    gateBuffers
}

// shape is what the buffers of a pass depend on.
type shape struct {
	config     Config
	rows, cols int
	purpose    purpose
	gates      int // of a router, 0 for a model with a head
	working    int // how many of them the pass looks at
}

type purpose uint8

const (
	predictLast purpose = iota // the last position of each row
	predictAll                 // all positions
	train
	trainLast
)

func (s shape) trains() bool   { return s.purpose >= train }
func (s shape) lastOnly() bool { return s.purpose == predictLast || s.purpose == trainLast }
func (s shape) keeps() int     { return int(kept(s.rows, s.cols, s.lastOnly())) }

// activations are what a block leaves for its backward pass. Without one, all blocks share them.
// n = rows*cols positions enter, kept leave: the last block may drop all but the last of each row.
type activations struct {
	hat1, scale1, norm1 []float32 // [n x d], [n], [n x d]
	qkv                 []float32 // [n x 3d]
	att                 []float32 // [rows x heads x kept/rows x cols]
	mixed               []float32 // [kept x d]
	hat2, scale2, norm2 []float32 // [kept x d], [kept], [kept x d]
	wide, gate, act     []float32 // [kept x 4d]
}

// prepare lays the buffers out for a pass, growing the arena where it is too small.
func (w *Workspace) prepare(m *Model, s shape, tokens []uint16) {
	checkLen("weights", len(m.Weights), s.config.Params())
	if err := s.config.CheckBatch(tokens, s.rows, s.cols); err != nil {
		panic(err)
	}
	if s == w.shape {
		return
	}
	w.shape = s
	w.layout()
	if w.used > len(w.arena) {
		w.arena = make([]float32, w.used)
		w.layout()
	}
}

// take cuts the next n floats off the arena, from a multiple of 16; nil where the arena is too small.
func (w *Workspace) take(n int) []float32 {
	start := w.used
	w.used += (n + 15) &^ 15
	if w.used > len(w.arena) {
		return nil
	}
	return w.arena[start : start+n : start+n]
}

func (w *Workspace) layout() {
	s, c := w.shape, w.shape.config
	n, left, d := s.rows*s.cols, s.keeps(), c.Width
	w.used = 0
	w.x, w.hidden = w.take(n*d), w.take(left*d)
	w.lastHat, w.lastScale = w.take(left*d), w.take(left)
	w.turned = w.take(max(4*d, c.Vocab) * d)
	w.attention = attention{rows: s.rows, cols: s.cols, heads: c.Heads, width: d}
	w.attention.keys = w.take(d / c.Heads * s.cols)
	if s.gates > 0 {
		w.gates.layout(w, s)
	} else {
		w.logits, w.losses, w.sums = w.take(left*c.Vocab), w.take(left), w.take(left)
	}
	if len(w.blocks) < c.Layers {
		w.blocks = make([]activations, c.Layers)
	}
	for l := range c.Layers {
		switch {
		case l == c.Layers-1 && s.lastOnly():
			w.blocks[l] = w.takeBlock(left)
		case l == 0 || s.trains():
			w.blocks[l] = w.takeBlock(n)
		default:
			w.blocks[l] = w.blocks[0]
		}
	}
	if s.trains() {
		w.grads = w.take(c.Params())
		w.dx, w.dnarrow = w.take(n*d), w.take(n*d)
		w.dqkv, w.dwide = w.take(3*n*d), w.take(4*n*d)
		w.attention.dscores = w.take(s.cols * s.cols)
	}
}

// takeBlock lays out the activations of a block that left positions leave.
func (w *Workspace) takeBlock(left int) (a activations) {
	s, d := w.shape, w.shape.config.Width
	n := s.rows * s.cols
	a.norm1, a.scale1 = w.take(n*d), w.take(n)
	a.qkv = w.take(3 * n * d)
	a.att = w.take(left * s.config.Heads * s.cols)
	a.mixed = w.take(left * d)
	a.norm2, a.scale2 = w.take(left*d), w.take(left)
	a.wide, a.gate = w.take(4*left*d), w.take(4*left*d)
	if s.trains() {
		a.hat1, a.hat2, a.act = w.take(n*d), w.take(left*d), w.take(4*left*d)
	} else {
		a.hat1, a.hat2, a.act = a.norm1, a.norm2, a.gate
	}
	return a
}

func checkLen(what string, got, want int) {
	if got != want {
		panic(fmt.Sprintf("lm: %d %s, expected %d", got, what, want))
	}
}
