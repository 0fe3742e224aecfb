package lm

import (
	"cmp"
	"fmt"
	"math"

	"taolab/model/lm/kernel"
)

// RouterTraining are the settings of [Workspace.TrainRouter].
type RouterTraining struct {
	SGD
	Batches int // a step goes down the mean of their gradients; at least 1
}

// maxBatches is far more than a validator would use.
const maxBatches = 1 << 10

// Validate returns an error unless a router can be trained with o.
func (o RouterTraining) Validate() error {
	if o.Batches < 1 || o.Batches > maxBatches {
		return fmt.Errorf("lm: %d batches to a router's step; there must be 1 to %d", o.Batches, maxBatches)
	}
	return o.SGD.Validate()
}

// RouterState is the training state of one router, for the trunk's weights, the gates and their biases, in
// this order. Its zero value is a fresh state.
type RouterState struct {
	Momentum Momentum
	Sum      []float32 // of the gradients since the last step; empty where every batch makes one
	Waiting  int       // batches since the last step
}

// Check returns an error unless st can be the state of r's training.
func (st *RouterState) Check(r *Router) error {
	momenta, sums, n := len(st.Momentum), len(st.Sum), r.weights()
	if momenta != 0 && momenta != n || sums != 0 && sums != n {
		return fmt.Errorf("lm: a router's state of %d momenta and %d sums, expected %d of each or none",
			momenta, sums, n)
	}
	return nil
}

// TrainRouter takes the gradient of the sum over i of (score of uids[i] - targets[i])^2, for tokens [rows
// x cols], and returns that sum. When o.Batches have come since the last step, it takes one down the mean
// of their gradients. A batch that makes the norm of the gradient overflow float32 is dropped together
// with those that wait.
//
// The validator of 2022 stepped on steps 1, 4, 7 and so on of an epoch: set Waiting to o.Batches-1 where
// an epoch begins.
func (w *Workspace) TrainRouter(r *Router, o RouterTraining, st *RouterState, tokens []uint16,
	rows, cols int, uids []uint16, targets []float32) float32 {
	if err := cmp.Or(o.Validate(), st.Check(r)); err != nil {
		panic(err)
	}
	loss := w.routerGradient(r, tokens, rows, cols, uids, targets)
	sums := [3][]float32{w.grads, w.gates.dgates, w.gates.dbias}
	if o.Batches > 1 || len(st.Sum) > 0 {
		sums = st.add(r, sums)
	}
	length := norm(sums[:]...)
	finite := length <= math.MaxFloat32
	if st.Waiting++; finite && st.Waiting < o.Batches {
		return loss
	}
	if finite {
		st.step(r, o, sums, length)
	}
	clear(st.Sum)
	st.Waiting = 0
	return loss
}

// add adds gradients to the sums, and returns those.
func (st *RouterState) add(r *Router, grads [3][]float32) [3][]float32 {
	if len(st.Sum) == 0 {
		st.Sum = make([]float32, r.weights())
	}
	sums := r.parts(st.Sum)
	for i, g := range grads {
		kernel.Add(sums[i], g)
	}
	return sums
}

// step is one step along sums of gradients, length long, divided by the number of batches.
func (st *RouterState) step(r *Router, o RouterTraining, sums [3][]float32, length float64) {
	if len(st.Momentum) == 0 {
		st.Momentum = make(Momentum, r.weights())
	}
	factor := 1 / float64(o.Batches)
	if mean := float64(length * factor); o.ClipNorm > 0 && mean > float64(o.ClipNorm) {
		factor = float64(o.ClipNorm) / length
	}
	k, momenta := o.SGD.step(float32(factor)), r.parts(st.Momentum)
	for i, weights := range [...][]float32{r.Trunk.Weights, r.Gates, r.Bias} {
		k.Apply(weights, sums[i], momenta[i])
	}
}

// weights is the number of all weights.
func (r *Router) weights() int { return len(r.Trunk.Weights) + len(r.Gates) + len(r.Bias) }

// parts cuts an arena into trunk, gates and biases.
func (r *Router) parts(arena []float32) [3][]float32 {
	trunk, gates := len(r.Trunk.Weights), len(r.Trunk.Weights)+len(r.Gates)
	return [...][]float32{arena[:trunk], arena[trunk:gates], arena[gates:]}
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
	kernel.MatMul(&kernel.Product{C: kernel.View(g.dpicked, k, d, d), A: kernel.View(g.open, k, rows, rows),
		B: kernel.View(w.hidden, rows, d, d)})
	for i, u := range uids {
		kernel.Add(g.dgates[int(u)*d:][:d], g.dpicked[i*d:])
	}
	kernel.MatMul(&kernel.Product{
		C: kernel.View(w.dnarrow, rows, d, d),
		A: kernel.View(g.open, k, rows, rows), TransposeA: true,
		B: kernel.View(g.picked, k, d, d),
	})
	w.backward(r.Trunk, len(tokens), w.dx, true)
	dwte, dwpe := r.Trunk.Config.embeddings(w.grads)
	clear(dwte)
	tokensBackward(d, tokens, w.dx, dwte)
	positionsBackward(rows, cols, d, w.dx, dwpe)
	return loss
}
