package lm

import (
	"fmt"

	"taolab/model/lm/kernel"
	"taolab/model/num"
)

// Router scores peers by what they are asked to read: a trunk of one block and a gate per peer. Peer u
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
	kernel.Transpose(rows, d, w.hidden, d, w.gates.turned, rows)
	open := w.gates.open[:k*rows]
	kernel.MatMul(k, rows, d, gates, d, 1, w.gates.turned, rows, open, rows, true)
	kernel.Sigmoid(open)
}

// copyRows fills row i of dst [k x cols] with src[i].
func copyRows(dst, src []float32, cols int) {
	for i, v := range src {
		fill(dst[i*cols:(i+1)*cols], v)
	}
}

func mean16(x []float32) float32 { return kernel.Sum(x) / float32(len(x)) }

// TrainRouter takes one step down the gradient of the sum over i of (score of uids[i] - targets[i])^2,
// for tokens [rows x cols], and returns that sum as it was before the step. Where the gradient is too
// long for a float32 the step is left out.
func (w *Workspace) TrainRouter(r *Router, o SGD, mom *Momentum, tokens []uint16, rows, cols int,
	uids []uint16, targets []float32) float32 {
	if err := o.Validate(); err != nil {
		panic(err)
	}
	loss := w.routerGradient(r, tokens, rows, cols, uids, targets)
	clip, ok := clipFactor(o.ClipNorm, w.grads, w.gates.dgates, w.gates.dbias)
	if !ok {
		return loss
	}
	trunk, gates, n := len(r.Trunk.Weights), len(r.Gates), len(r.Bias)
	if len(*mom) == 0 {
		*mom = make(Momentum, trunk+gates+n)
	}
	u := *mom
	checkLen("momenta", len(u), trunk+gates+n)
	k := o.step(clip)
	k.Apply(r.Trunk.Weights, w.grads, u[:trunk])
	k.Apply(r.Gates, w.gates.dgates, u[trunk:trunk+gates])
	k.Apply(r.Bias, w.gates.dbias, u[trunk+gates:])
	return loss
}

// routerGradient leaves the gradient of the sum of squares in w.grads and w.gates and returns the sum.
func (w *Workspace) routerGradient(r *Router, tokens []uint16, rows, cols int,
	uids []uint16, targets []float32) float32 {
	k, n, d := len(uids), len(r.Bias), r.Trunk.Config.Width
	checkLen("targets", len(targets), k)
	checkLen("gate weights", len(r.Gates), n*d)
	w.prepare(r.Trunk, shape{r.Trunk.Config, rows, cols, trainLast, oneScore, n, k, 0}, tokens)
	g := &w.gates
	for i, u := range uids {
		if int(u) >= n {
			panic(fmt.Sprintf("lm: uid %d of a router with %d gates", u, n))
		}
		copy(g.picked[i*d:(i+1)*d], r.Gates[int(u)*d:])
		fill(g.open[i*rows:(i+1)*rows], r.Bias[u])
	}
	w.hiddens(r.Trunk, tokens)
	w.openGates(g.picked, k)
	clear(g.dgates)
	clear(g.dbias)
	var loss float32
	for i, target := range targets {
		open := g.open[i*rows : (i+1)*rows]
		off := mean16(open) - target
		loss += float32(off * off)
		slope := float32(2*off) / float32(rows)
		for j, s := range open {
			open[j] = float32(slope * float32(s*(1-s)))
		}
		g.dbias[uids[i]] += kernel.Sum(open)
	}
	kernel.MatMul(k, d, rows, g.open, rows, 1, w.hidden, d, g.dpicked, d, false)
	for i, u := range uids {
		kernel.Add(g.dgates[int(u)*d:][:d], g.dpicked[i*d:])
	}
	kernel.MatMul(rows, d, k, g.open, 1, rows, g.picked, d, w.dnarrow, d, false)
	w.backward(r.Trunk, len(tokens), w.dx, true)
	dwte, dwpe := r.Trunk.Config.embeddings(w.grads)
	clear(dwte)
	tokensBackward(d, tokens, w.dx, dwte)
	positionsBackward(rows, cols, d, w.dx, dwpe)
	return loss
}
