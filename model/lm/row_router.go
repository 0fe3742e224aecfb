package lm

import (
	"fmt"
	"math"
	"slices"

	"taolab/model/lm/kernel"
)

// RowRouter scores every peer on every row of a batch. It reads a row twice: the row's last position,
// after the trunk's final layer norm, tells how hard the row is for all peers, and its bag, the scaled
// mean of its tokens' embeddings, tells its subject. Peer u scores on row r
//
//	m / (m + (1-m)*exp(-z)),  z = Bias[u] + Gates[u] . bag[r] + Common . last[r]
//
// which is the sigmoid of logit(m) + z, where m is the target expected of the peer on the row, from a
// table of means per peer and subset, or 1/2 without a table. A separate head predicts the row's subset.
type RowRouter struct {
	Trunk   *Model    // one block
	Gates   []float32 // [n x width], read the bag
	Bias    []float32 // [n]
	Common  []float32 // [width + 1], reads the row's last position; its bias stands last
	Subsets []float32 // [s x (width + 1)], read the bag, biases last; empty: subsets are not told apart
}

const (
	bagScale  = 10   // of the mean of a row's embeddings, whose entries are small
	meanLeast = 0.01 // of a table's means where they become logits
	meanMost  = 0.99
	gateBlock = 256 // gates that are scored together
)

// NewRowRouter makes a router of n gates on a copy of trunk, which must have one layer. It tells subsets
// kinds of rows apart, 0 for none. All heads are zero: every score is the table's mean, or 1/2.
func NewRowRouter(trunk *Model, gates, subsets int) *RowRouter {
	if err := checkRowRouter(trunk.Config, gates, subsets); err != nil {
		panic(err)
	}
	d := trunk.Config.Width
	return &RowRouter{
		Trunk: trunk.Clone(),
		Gates: make([]float32, gates*d), Bias: make([]float32, gates),
		Common: make([]float32, d+1), Subsets: make([]float32, subsets*(d+1)),
	}
}

func checkRowRouter(trunk Config, gates, subsets int) error {
	switch {
	case trunk.Layers != 1:
		return fmt.Errorf("lm: a row router on a trunk of %d layers; there must be 1", trunk.Layers)
	case gates < 1 || gates > maxVocab:
		return fmt.Errorf("lm: a row router of %d gates; there must be 1 to %d", gates, maxVocab)
	case subsets < 0 || subsets > maxVocab:
		return fmt.Errorf("lm: a row router for %d subsets; there must be 0 to %d", subsets, maxVocab)
	}
	return nil
}

// Clone returns a router of its own with the same weights.
func (r *RowRouter) Clone() *RowRouter {
	return &RowRouter{r.Trunk.Clone(), slices.Clone(r.Gates), slices.Clone(r.Bias),
		slices.Clone(r.Common), slices.Clone(r.Subsets)}
}

// subsets is the number of subsets that the router tells apart.
func (r *RowRouter) subsets() int { return len(r.Subsets) / (r.Trunk.Config.Width + 1) }

// weights is the number of all weights.
func (r *RowRouter) weights() int {
	return len(r.Trunk.Weights) + len(r.Gates) + len(r.Bias) + len(r.Common) + len(r.Subsets)
}

// ForwardFLOP is the work of [Workspace.RouteRows], counted as in [Config.ForwardFLOP].
func (r *RowRouter) ForwardFLOP(rows, cols int) int64 {
	each := len(r.Gates) + len(r.Bias)*r.subsets()
	return 2 * (r.sharedMuls(rows, cols) + int64(rows)*int64(each))
}

// TrainFLOP is the work of [Workspace.TrainRows] with a number of pairs: three times that of their scores.
func (r *RowRouter) TrainFLOP(rows, cols, pairs int) int64 {
	each := r.Trunk.Config.Width + r.subsets()
	return 6 * (r.sharedMuls(rows, cols) + int64(pairs)*int64(each))
}

// sharedMuls counts the multiply-adds that do not depend on the number of gates.
func (r *RowRouter) sharedMuls(rows, cols int) int64 {
	return r.Trunk.Config.trunkMuls(rows, cols, true) + int64(rows)*int64(len(r.Common)+len(r.Subsets))
}

// rowBuffers are a row router's part of a workspace, for rows of a batch, s subsets and k gates at work.
type rowBuffers struct {
	bag, turnedBag       []float32 // [rows x (width+1)], a 1 standing last; the same transposed
	kinds, turnedKinds   []float32 // [rows x s] probabilities of the subsets; the same transposed
	turnedHead           []float32 // [(width+1) x s] the subset head, transposed
	common               []float32 // [rows] logits
	scores, prior        []float32 // [k x rows] logits that become scores, and the table's means
	picked, means        []float32 // [k x width] gates, [k x s] rows of the table
	dgates, dbias        []float32 // [k x width], [k]
	dcommon, dsubsets    []float32 // as RowRouter's
	dscores, dlast, dbag []float32 // [k x rows], [rows], [rows x width]
	uids                 []uint16  // at work, ascending
	places               []int     // of the pairs, in scores
	losses               []float32 // of the pairs
}

func (g *rowBuffers) layout(w *Workspace, s shape) {
	rows, d, k := s.rows, s.config.Width, s.working
	g.bag, g.turnedBag = w.take(rows*(d+1)), w.take(rows*(d+1))
	g.kinds, g.turnedKinds = w.take(rows*s.subsets), w.take(rows*s.subsets)
	g.turnedHead = w.take(s.subsets * (d + 1))
	g.common = w.take(rows)
	g.scores, g.prior = w.take(k*rows), w.take(k*rows)
	if s.trains() {
		g.picked, g.means = w.take(k*d), w.take(k*s.subsets)
		g.dgates, g.dbias = w.take(k*d), w.take(k)
		g.dcommon, g.dsubsets = w.take(d+1), w.take(s.subsets*(d+1))
		g.dscores, g.dlast, g.dbag = w.take(k*rows), w.take(rows), w.take(rows*d)
	}
}

// RouteRows writes the score of every gate on every row to dst [rows x n], for tokens [rows x cols].
// means [n x s] are the table: each peer's mean target on each subset. Without a table means are nil.
func (w *Workspace) RouteRows(r *RowRouter, tokens []uint16, rows, cols int, means, dst []float32) {
	n, d, s := len(r.Bias), r.Trunk.Config.Width, r.subsets()
	checkLen("scores", len(dst), rows*n)
	w.prepareRows(r, shape{r.Trunk.Config, rows, cols, predictLast, rowScores, n, min(n, gateBlock), s},
		tokens, means)
	checkMeans(means)
	w.readRows(r, tokens)
	for from := 0; from < n; from += gateBlock {
		to := min(n, from+gateBlock)
		var table []float32
		if len(means) > 0 {
			table = means[from*s : to*s]
		}
		w.logitsByRow(r.Gates[from*d:to*d], r.Bias[from:to])
		w.scoresByRow(to-from, table)
		kernel.Transpose(kernel.View(dst[from:], rows, to-from, n), kernel.View(w.byRow.scores, to-from, rows, rows))
	}
}

func (w *Workspace) prepareRows(r *RowRouter, s shape, tokens []uint16, means []float32) {
	checkLen("gate weights", len(r.Gates), s.gates*s.config.Width)
	checkLen("common weights", len(r.Common), s.config.Width+1)
	checkLen("subset weights", len(r.Subsets), s.subsets*(s.config.Width+1))
	if len(means) > 0 {
		checkLen("means", len(means), s.gates*s.subsets)
	}
	w.prepare(r.Trunk, s, tokens)
}

// readRows: from tokens to what the heads read, the common logits and the probabilities of the subsets.
func (w *Workspace) readRows(r *RowRouter, tokens []uint16) {
	rows, cols, d, s, g := w.shape.rows, w.shape.cols, w.shape.config.Width, w.shape.subsets, &w.byRow
	w.hiddens(r.Trunk, tokens)
	for row := range g.common {
		g.common[row] = kernel.Dot(r.Common[:d], w.hidden[row*d:]) + r.Common[d]
	}
	wte, _ := r.Trunk.Config.embeddings(r.Trunk.Weights)
	fillBags(cols, d, tokens, wte, g.bag)
	kernel.Transpose(kernel.View(g.turnedBag, d+1, rows, rows), kernel.View(g.bag, rows, d+1, d+1))
	if s > 0 {
		kernel.Transpose(kernel.View(g.turnedHead, d+1, s, s), kernel.View(r.Subsets, s, d+1, d+1))
		kernel.MatMul(&kernel.Product{C: kernel.View(g.kinds, rows, s, s), A: kernel.View(g.bag, rows, d+1, d+1),
			B: kernel.View(g.turnedHead, d+1, s, s)})
		kernel.Softmax(rows, s, g.kinds, s, 1)
		kernel.Transpose(kernel.View(g.turnedKinds, s, rows, rows), kernel.View(g.kinds, rows, s, s))
	}
}

// fillBags writes the bag of each row, and a 1 behind it, to bag [rows x (d+1)].
func fillBags(cols, d int, tokens []uint16, wte, bag []float32) {
	scale := bagFactor(cols)
	for ; len(tokens) > 0; tokens, bag = tokens[cols:], bag[d+1:] {
		sum := bag[:d]
		clear(sum)
		for _, token := range tokens[:cols] {
			kernel.Add(sum, wte[int(token)*d:])
		}
		for i, v := range sum {
			sum[i] = float32(v * scale)
		}
		bag[d] = 1
	}
}

// bagFactor is what a sum of cols embeddings is multiplied by.
func bagFactor(cols int) float32 { return bagScale / float32(cols) }

// logitsByRow leaves the logits of k gates [k x width] with their biases, less the table's, in scores
// [k x rows].
func (w *Workspace) logitsByRow(gates, bias []float32) {
	rows, d, g, k := w.shape.rows, w.shape.config.Width, &w.byRow, len(bias)
	ones := g.turnedBag[d*rows:]
	kernel.MatMul(&kernel.Product{C: kernel.View(g.scores, k, rows, rows), A: kernel.View(bias, k, 1, 1),
		B: kernel.View(ones, 1, rows, rows), Start: kernel.Bias, Bias: g.common})
	kernel.MatMul(&kernel.Product{C: kernel.View(g.scores, k, rows, rows), A: kernel.View(gates, k, d, d),
		B: kernel.View(g.turnedBag, d, rows, rows), Start: kernel.Keep})
}

// scoresByRow turns the logits of k gates into scores, and leaves the table's means in prior where there
// is a table; means [k x s] are the gates' part of it.
func (w *Workspace) scoresByRow(k int, means []float32) {
	rows, s, g := w.shape.rows, w.shape.subsets, &w.byRow
	scores := g.scores[:k*rows]
	if means == nil {
		kernel.Sigmoid(scores)
		return
	}
	kernel.MatMul(&kernel.Product{C: kernel.View(g.prior, k, rows, rows), A: kernel.View(means, k, s, s),
		B: kernel.View(g.turnedKinds, s, rows, rows)})
	kernel.SigmoidFrom(scores, g.prior, meanLeast, meanMost)
}

// checkMeans panics unless all means of a table are numbers.
func checkMeans(means []float32) {
	if sum := kernel.Sum(means); !within(sum, -math.MaxFloat32, math.MaxFloat32) {
		panic(fmt.Sprintf("lm: means of peers whose sum is %v; they must lie in 0..1", sum))
	}
}
