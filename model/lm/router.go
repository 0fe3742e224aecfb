package lm

import (
	"fmt"

	"taolab/model/lm/kernel"
	"taolab/model/num"
)

// Router scores peers by the text of a request: a trunk of one block and a gate per peer. Peer u
// scores the mean over the rows of a batch of sigmoid(Bias[u] + Gates[u] . h), h being the trunk's
// final layer norm at a row's last position.
type Router struct {
	Trunk *Model
	Gates []float32 // [n x width]
	Bias  []float32 // [n]
}

// NewRouter makes a router of n gates whose trunk has the shape cfg, with one layer whatever
// cfg.Layers says. Gates are normal with deviation 0.02, their biases 0: every peer starts near 1/2.
func NewRouter(cfg Config, n int, s *num.Stream) *Router {
	cfg.Layers = 1
	if n < 1 || n > maxVocab {
		panic(fmt.Sprintf("lm: a router of %d gates; there must be 1 to %d", n, maxVocab))
	}
	r := &Router{New(cfg, s.Sub("trunk")), make([]float32, n*cfg.Width), make([]float32, n)}
	drawNormal(r.Gates, 0.02, s.Sub("gates"))
	return r
}

// ForwardFLOP is the work of [Workspace.Route], counted as in [Config.ForwardFLOP].
func (r *Router) ForwardFLOP(rows, cols int) int64 {
	return 2 * (r.Trunk.Config.trunkMuls(rows, cols, true) + int64(rows)*int64(len(r.Gates)))
}

// TrainFLOP is the work of [Workspace.TrainRouter] if every gate is trained: three times ForwardFLOP.
func (r *Router) TrainFLOP(rows, cols int) int64 { return 3 * r.ForwardFLOP(rows, cols) }

// gateBuffers are a router's part of a workspace, for rows of a batch and k gates at work out of n.
type gateBuffers struct {
	turned          []float32 // [width x rows] hidden, transposed
	open            []float32 // [k x rows] sigmoids
	picked, dpicked []float32 // [k x width]
	dgates, dbias   []float32 // [n x width], [n]
}

func (g *gateBuffers) layout(w *Workspace, s shape) {
	d := s.config.Width
	g.turned = w.take(d * s.rows)
	g.open = w.take(s.working * s.rows)
	if s.trains() {
		g.picked, g.dpicked = w.take(s.working*d), w.take(s.working*d)
		g.dgates, g.dbias = w.take(s.gates*d), w.take(s.gates)
	}
}

// Route writes the score of every gate to dst [n], for tokens [rows x cols].
func (w *Workspace) Route(r *Router, tokens []uint16, rows, cols int, dst []float32) {
	n := len(r.Bias)
	checkLen("scores", len(dst), n)
	checkLen("gate weights", len(r.Gates), n*r.Trunk.Config.Width)
	w.prepare(r.Trunk, shape{r.Trunk.Config, rows, cols, predictLast, oneScore, n, n, 0}, tokens)
	w.hiddens(r.Trunk, tokens)
	copyRows(w.gates.open, r.Bias, rows)
	w.openGates(r.Gates, n)
	for u := range dst {
		dst[u] = mean16(w.gates.open[u*rows : (u+1)*rows])
	}
}

// hiddens leaves the final layer norm of each row's last position in w.hidden [rows x d].
func (w *Workspace) hiddens(trunk *Model, tokens []uint16) {
	at := 0
	for start, end := 0, 0; start < len(tokens); start = end {
		end = w.partEnd(start)
		w.forward(trunk, tokens[start:end], w.hidden[at:])
		at += w.shape.keeps(end-start) * trunk.Config.Width
	}
}

// openGates: from the biases in open [k x rows] and gates [k x width] to the sigmoids in open.
func (w *Workspace) openGates(gates []float32, k int) {
	rows, d := w.shape.rows, w.shape.config.Width
	kernel.Transpose(kernel.View(w.gates.turned, d, rows, rows), kernel.View(w.hidden, rows, d, d))
	open := w.gates.open[:k*rows]
	kernel.MatMul(&kernel.Product{C: kernel.View(open, k, rows, rows), A: kernel.View(gates, k, d, d),
		B: kernel.View(w.gates.turned, d, rows, rows), Start: kernel.Keep})
	kernel.Sigmoid(open)
}

// copyRows fills row i of dst [k x cols] with src[i].
func copyRows(dst, src []float32, cols int) {
	for i, v := range src {
		fill(dst[i*cols:(i+1)*cols], v)
	}
}

func mean16(x []float32) float32 { return kernel.Sum(x) / float32(len(x)) }
