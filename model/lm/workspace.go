package lm

import "fmt"

// Workspace holds the activations, the gradients and the scratch of one model at a time. It grows to the
// largest shape seen and then allocates nothing. The zero Workspace is ready for use. It is not safe for
// concurrent use, so each worker has its own; no result depends on an earlier call.
//
// Its methods panic on a batch that [Config.CheckBatch] refuses, and on slices of the wrong length.
type Workspace struct {
	shape  shape
	arena  []float32
	used   int
	blocks []activations

	positions int // of a part, 0 for Config.partPositions; tests change it

	x, hidden          []float32 // [n x d] residual stream; [kept x d] after the last layer norm
	lastHat, lastScale []float32 // [kept x d], [kept]
	logits             []float32 // [kept x vocab]
	losses, sums       []float32 // [kept] of the cross-entropy; losses of the whole batch
	turnedHead, turned []float32 // the token embedding and one matrix of a block, transposed
	attention          attention

	grads                []float32 // [params]
	dx                   []float32 // [n x d] of the whole batch
	dwide, dnarrow, dqkv []float32 // [kept x 4d], [n x d], [n x 3d]
	ones                 []float32 // [n]
	gates                gateBuffers
	byRow                rowBuffers
}

// shape is what the buffers of a pass depend on.
type shape struct {
	config     Config
	rows, cols int
	purpose    purpose
	head       head
	gates      int // of a router
	working    int // how many of them the pass looks at together
	subsets    int // of a row router
}

type head uint8

const (
	vocabulary head = iota // the token embedding
	oneScore               // a gate per peer, averaged over the rows: Router
	rowScores              // RowRouter
)

type purpose uint8

const (
	predictLast purpose = iota // the last position of each row
	predictAll                 // all positions
	measureAll                 // all positions, only for their losses
	decode                     // the last position of each row; earlier ones were read before
	train
	trainLast
)

func (s shape) trains() bool { return s.purpose >= train }
func (s shape) lastOnly() bool {
	return s.purpose == predictLast || s.purpose == decode || s.purpose == trainLast
}

// keeps is how many of n positions reach the head.
func (s shape) keeps(n int) int { return int(kept(n/s.cols, s.cols, s.lastOnly())) }

// partPositions is about how many positions pass through the model together: enough for the products
// that make the gradients of the weights, few enough for their activations to stay in cache. A batch
// of more goes in parts.
func (c Config) partPositions() int { return min(max(128, 4*c.Width), 1024) }

// partRows is how many rows of a batch make a part. Decoding and a router's step need all of
// them at once.
func (w *Workspace) partRows() int {
	s := w.shape
	if s.purpose == trainLast || s.purpose == decode {
		return s.rows
	}
	positions := s.config.partPositions()
	if w.positions > 0 {
		positions = w.positions
	}
	most := max(1, positions/s.cols)
	parts := (s.rows + most - 1) / most
	return (s.rows + parts - 1) / parts
}

// partEnd is the end of the part of the batch that begins at position start.
func (w *Workspace) partEnd(start int) int {
	return min(start+w.partRows()*w.shape.cols, w.shape.rows*w.shape.cols)
}

// reach is how many positions a position may read.
func (s shape) reach() int {
	if s.purpose == decode {
		return s.config.Context
	}
	return s.cols
}

// activations are what a block leaves for its backward pass. Without one, all blocks share them.
// n = rows*cols positions enter, kept leave: the last block may drop all but the last of each row.
type activations struct {
	hat1, scale1, norm1 []float32 // [n x d], [n], [n x d]
	qkv                 []float32 // [n x 3d]
	att                 []float32 // [rows x heads x kept/rows x cols], or one head's for all
	attStep             int       // from head to head
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

// take cuts the next n floats off the arena, aligned to a multiple of 16; nil where the arena is too
// small.
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
	all, n, d := s.rows*s.cols, w.partRows()*s.cols, c.Width
	left := s.keeps(n)
	w.used = 0
	w.x, w.lastHat, w.lastScale = w.take(n*d), w.take(left*d), w.take(left)
	w.attention = attention{cols: s.cols, heads: c.Heads, width: d}
	w.attention.turned = w.take(d * s.cols)
	switch s.head {
	case vocabulary:
		w.hidden = w.take(left * d)
		w.layoutVocabulary(all, left)
	case oneScore:
		w.hidden = w.take(s.keeps(all) * d)
		w.gates.layout(w, s)
	case rowScores:
		w.hidden = w.take(s.keeps(all) * d)
		w.byRow.layout(w, s)
	}
	w.layoutBlocks(n, left)
	if s.trains() {
		w.turned = w.take(4 * d * d)
		w.grads = w.take(c.Params())
		w.dx, w.dnarrow = w.take(all*d), w.take(n*d)
		w.dqkv, w.dwide = w.take(3*n*d), w.takeWide(n)
		w.attention.dscores = w.take(s.cols * s.cols)
		w.ones = w.take(n)
		fill(w.ones, 1) // nothing as long as the arena is too small
	}
}

// layoutVocabulary: all is the number of positions of the batch, left those of a part that reach the head.
func (w *Workspace) layoutVocabulary(all, left int) {
	s, c := w.shape, w.shape.config
	if s.purpose != decode {
		w.turnedHead = w.take(c.Width * c.Vocab)
	}
	switch s.purpose {
	case predictLast, predictAll, decode:
		w.logits = w.take(s.keeps(all) * c.Vocab)
	default:
		w.logits, w.sums, w.losses = w.take(left*c.Vocab), w.take(left), w.take(all)
	}
}

// layoutBlocks: every block has its own activations where a backward pass follows; else all share
// one set, whose size does not depend on the number of layers.
func (w *Workspace) layoutBlocks(n, left int) {
	w.blocks = w.blocks[:0]
	last := w.shape.config.Layers - 1
	if !w.shape.trains() {
		w.blocks = append(w.blocks, w.takeBlock(n, n))
		return
	}
	for range last {
		w.blocks = append(w.blocks, w.takeBlock(n, n))
	}
	w.blocks = append(w.blocks, w.takeBlock(n, left))
}

// block is the place of block l's activations.
func (w *Workspace) block(l int) *activations { return &w.blocks[min(l, len(w.blocks)-1)] }

// takeBlock lays out the activations of a block that n positions enter and left positions leave. A
// forward pass alone reuses what it can.
func (w *Workspace) takeBlock(n, left int) (a activations) {
	s, d := w.shape, w.shape.config.Width
	heads := s.config.Heads
	a.norm1, a.scale1 = w.take(n*d), w.take(n)
	a.qkv = w.take(3 * n * d)
	a.mixed = w.take(left * d)
	a.norm2, a.scale2 = w.take(left*d), w.take(left)
	a.wide = w.takeWide(left)
	if !s.trains() {
		a.att = w.take(s.cols * s.reach())
		a.hat1, a.hat2, a.act = a.norm1, a.norm2, w.takeWide(left)
		a.gate = a.act
		return a
	}
	a.attStep = left / (n / s.cols) * s.cols
	a.att = w.take(left * heads * s.cols)
	a.hat1, a.hat2, a.gate, a.act = w.take(n*d), w.take(left*d), w.takeWide(left), w.takeWide(left)
	return a
}

// takeWide cuts activations of the MLP off the arena, [n x 4d] with wideRow floats from row to row. The
// padding between rows passes through GELU with them, which zeros do quickly.
func (w *Workspace) takeWide(n int) []float32 {
	d, row := w.shape.config.Width, w.shape.config.wideRow()
	x := w.take(n * row)
	for i := 4 * d; row > 4*d && i < len(x); i += row {
		clear(x[i : i+row-4*d])
	}
	return x
}

func checkLen(what string, got, want int) {
	if got != want {
		panic(fmt.Sprintf("lm: %d %s, expected %d", got, what, want))
	}
}
