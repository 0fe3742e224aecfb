package lm

import (
	"fmt"
	"math"
	"slices"

	"taolab/model/lm/kernel"
	"taolab/model/num"
)

// RowTraining are the settings of [Workspace.TrainRows], which uses Adam (Kingma and Ba, 2014).
type RowTraining struct {
	TrunkRate, HeadRate float32 // learning rates, at most 1
	Beta1, Beta2        float32 // in [0, 1)
	Epsilon             float32 // above 0, added to the root of the second moment
	ClipNorm            float32 // longest gradient, 0 for no limit
}

// DefaultRowTraining are the settings with which routing was tested.
var DefaultRowTraining = RowTraining{
	TrunkRate: 0.001, HeadRate: 0.003, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, ClipNorm: 1,
}

// Validate returns an error unless a router can be trained with o. No setting that passes makes a NaN.
func (o RowTraining) Validate() error {
	switch {
	case !within(o.TrunkRate, 0, 1) || !within(o.HeadRate, 0, 1):
		return fmt.Errorf("lm: row router's rates %v and %v; they must lie in 0..1", o.TrunkRate, o.HeadRate)
	case !within(o.Beta1, 0, 1) || !within(o.Beta2, 0, 1) || o.Beta1 == 1 || o.Beta2 == 1:
		return fmt.Errorf("lm: row router's betas %v and %v; they must lie in [0, 1)", o.Beta1, o.Beta2)
	case !within(o.Epsilon, math.SmallestNonzeroFloat32, 1):
		return fmt.Errorf("lm: row router's epsilon %v; it must lie above 0 and at most at 1", o.Epsilon)
	case !within(o.ClipNorm, 0, math.MaxFloat32):
		return fmt.Errorf("lm: row router's clip norm %v; it must be positive, or 0 for none", o.ClipNorm)
	}
	return nil
}

// RowAdam is what Adam remembers between the steps of one row router. Its zero value is a fresh one. A
// gate that no pair of a step names takes no part in the step: its moments stay, and so does its count.
type RowAdam struct {
	Steps     uint64    // of the trunk and of the heads that all peers share
	GateSteps []uint64  // [n], of each gate and its bias
	M, V      []float32 // moments of the gradient: trunk, gates, biases, common and subset heads
}

// Check returns an error unless st can be the state of r's training.
func (st *RowAdam) Check(r *RowRouter) error {
	n, weights := len(r.Bias), r.weights()
	fresh := st.Steps == 0 && len(st.M) == 0 && len(st.V) == 0 && len(st.GateSteps) == 0
	if !fresh && (len(st.GateSteps) != n || len(st.M) != weights || len(st.V) != weights) {
		return fmt.Errorf("lm: row router's Adam has %d counts and %d and %d moments; expected %d and %d of each",
			len(st.GateSteps), len(st.M), len(st.V), n, weights)
	}
	return nil
}

// begin sizes a fresh state for r.
func (st *RowAdam) begin(r *RowRouter) {
	if err := st.Check(r); err != nil {
		panic(err)
	}
	if len(st.M) == 0 {
		st.GateSteps = make([]uint64, len(r.Bias))
		st.M, st.V = make([]float32, r.weights()), make([]float32, r.weights())
	}
}

// rowParts are the parts of an arena laid out as RowAdam's.
type rowParts struct{ trunk, gates, bias, common, subsets []float32 }

func (r *RowRouter) parts(arena []float32) (p rowParts) {
	cut := func(like []float32) []float32 {
		head := arena[:len(like):len(like)]
		arena = arena[len(like):]
		return head
	}
	return rowParts{cut(r.Trunk.Weights), cut(r.Gates), cut(r.Bias), cut(r.Common), cut(r.Subsets)}
}

// Forget clears a uid in r and st: its gate and bias, their moments and their count.
func (r *RowRouter) Forget(uid int, st *RowAdam) {
	d := r.Trunk.Config.Width
	st.begin(r)
	for _, p := range [...]rowParts{{gates: r.Gates, bias: r.Bias}, r.parts(st.M), r.parts(st.V)} {
		clear(p.gates[uid*d : (uid+1)*d])
		p.bias[uid] = 0
	}
	st.GateSteps[uid] = 0
}

// AddSubsets makes room in r and st for n further subsets, whose head and moments begin at zero.
func (r *RowRouter) AddSubsets(n int, st *RowAdam) {
	if err := checkRowRouter(r.Trunk.Config, len(r.Bias), r.subsets()+n); err != nil {
		panic(err)
	}
	st.begin(r)
	zeros := make([]float32, n*(r.Trunk.Config.Width+1))
	r.Subsets = append(slices.Clip(r.Subsets), zeros...)
	st.M, st.V = append(slices.Clip(st.M), zeros...), append(slices.Clip(st.V), zeros...)
}

// RowPair is one answer to learn from: the target that a peer reached on a row.
type RowPair struct {
	Row    int
	UID    uint16
	Target float32 // in 0..1
}

const pairWeight = 8 // of the pairs' loss, besides 1 of the subset head's

// TrainRows takes one step down the gradient of
//
//	8 * mean over pairs of the cross-entropy between score and target
//	+ mean over rows of the cross-entropy between the predicted subset and subsets
//
// for tokens [rows x cols], and returns the first mean as it was before the step, in nats, 0 without
// pairs. subsets is the subset of each row; nil leaves the second line out. means are as for
// [Workspace.RouteRows]; no gradient goes through them. Where there is nothing to learn, or the norm of
// the gradient overflows float32, the step is skipped.
func (w *Workspace) TrainRows(r *RowRouter, o RowTraining, st *RowAdam, tokens []uint16, rows, cols int,
	subsets []uint16, means []float32, pairs []RowPair) float32 {
	if err := o.Validate(); err != nil {
		panic(err)
	}
	st.begin(r)
	if len(pairs) == 0 && subsets == nil {
		return 0
	}
	loss := w.rowGradient(r, tokens, rows, cols, subsets, means, pairs)
	g := &w.byRow
	if clip, ok := clipFactor(o.ClipNorm, w.grads, g.dgates, g.dbias, g.dcommon, g.dsubsets); ok {
		w.stepRows(r, o, st, clip)
	}
	return loss
}

// rowGradient leaves the gradient of the loss in w.grads and w.byRow and returns the pairs' mean.
func (w *Workspace) rowGradient(r *RowRouter, tokens []uint16, rows, cols int, subsets []uint16,
	means []float32, pairs []RowPair) float32 {
	n, d, s, g := len(r.Bias), r.Trunk.Config.Width, r.subsets(), &w.byRow
	checkPairs(pairs, rows, n)
	checkSubsets(subsets, rows, s)
	g.listUIDs(pairs, rows)
	k := len(g.uids)
	w.prepareRows(r, shape{r.Trunk.Config, rows, cols, trainLast, rowScores, n, k, s}, tokens, means)
	for i, u := range g.uids {
		copy(g.picked[i*d:(i+1)*d], r.Gates[int(u)*d:])
		g.dbias[i] = r.Bias[u]
		if len(means) > 0 {
			copy(g.means[i*s:(i+1)*s], means[int(u)*s:])
		}
	}
	if len(means) > 0 {
		checkMeans(g.means)
	}
	w.readRows(r, tokens)
	w.logitsByRow(g.picked, g.dbias)
	loss := w.pairsBackward(len(means) > 0, pairs)
	w.headsBackward(r, subsets)
	w.backward(r.Trunk, len(tokens), w.dx, true)
	w.embeddingsBackward(r, tokens)
	return loss
}

func checkPairs(pairs []RowPair, rows, gates int) {
	for _, p := range pairs {
		if p.Row < 0 || p.Row >= rows || int(p.UID) >= gates || !within(p.Target, 0, 1) {
			panic(fmt.Sprintf("lm: a pair of row %d of %d, uid %d of %d gates and target %v, expected in 0..1",
				p.Row, rows, p.UID, gates, p.Target))
		}
	}
}

func checkSubsets(subsets []uint16, rows, s int) {
	if subsets == nil {
		return
	}
	checkLen("subsets of rows", len(subsets), rows)
	for r, k := range subsets {
		if int(k) >= s {
			panic(fmt.Sprintf("lm: row %d is of subset %d; the router tells %d apart", r, k, s))
		}
	}
}

// listUIDs lists the uids of the pairs, each once, ascending, and the places of the pairs in scores.
func (g *rowBuffers) listUIDs(pairs []RowPair, rows int) {
	g.uids, g.places = g.uids[:0], g.places[:0]
	for _, p := range pairs {
		g.uids = append(g.uids, p.UID)
	}
	slices.Sort(g.uids)
	g.uids = slices.Compact(g.uids)
	for _, p := range pairs {
		i, _ := slices.BinarySearch(g.uids, p.UID)
		g.places = append(g.places, i*rows+p.Row)
	}
	g.losses = slices.Grow(g.losses[:0], len(pairs))[:len(pairs)]
}

// pairsBackward turns logits into scores, leaves the gradient of the pairs' loss by the logits in dscores
// [k x rows] and returns the mean of the pairs' cross-entropies.
func (w *Workspace) pairsBackward(table bool, pairs []RowPair) float32 {
	g, k := &w.byRow, len(w.byRow.uids)
	clear(g.dscores)
	if k == 0 {
		return 0
	}
	for i, at := range g.places {
		g.losses[i] = g.scores[at] // the logit, as yet
	}
	var means []float32
	if table {
		means = g.means
	}
	w.scoresByRow(k, means)
	total := float32(len(pairs))
	slope := pairWeight / total
	for i, at := range g.places {
		logit, target := g.losses[i], pairs[i].Target
		if table {
			m := g.prior[at]
			logit += num.Log32(m / (1 - m))
		}
		g.losses[i] = crossEntropy(logit, target)
		g.dscores[at] += float32(slope * (g.scores[at] - target))
	}
	return kernel.Sum(g.losses) / total
}

// crossEntropy is that of a target in 0..1 and the sigmoid of z.
func crossEntropy(z, target float32) float32 {
	return num.Log32(1+num.Exp32(-max(z, -z))) + (max(z, 0) - float32(target*z))
}

// headsBackward: from dscores to the gradients of the heads, of the last positions in w.dnarrow, and of
// the bags in dbag.
func (w *Workspace) headsBackward(r *RowRouter, subsets []uint16) {
	rows, d, s, g, k := w.shape.rows, w.shape.config.Width, w.shape.subsets, &w.byRow, len(w.byRow.uids)
	for i := range g.uids {
		g.dbias[i] = kernel.Sum(g.dscores[i*rows : (i+1)*rows])
	}
	kernel.MatMul(&kernel.Product{C: kernel.View(g.dgates, k, d, d), A: kernel.View(g.dscores, k, rows, rows),
		B: kernel.View(g.bag, rows, d, d+1)})
	kernel.MatMul(&kernel.Product{
		C: kernel.View(g.dbag, rows, d, d),
		A: kernel.View(g.dscores, k, rows, rows), TransposeA: true,
		B: kernel.View(g.picked, k, d, d),
	})

	kernel.ColumnSums(k, g.dscores, rows, g.dlast)
	kernel.MatMul(&kernel.Product{C: kernel.View(g.dcommon, 1, d, d), A: kernel.View(g.dlast, 1, rows, rows),
		B: kernel.View(w.hidden, rows, d, d)})
	g.dcommon[d] = kernel.Sum(g.dlast)
	kernel.MatMul(&kernel.Product{C: kernel.View(w.dnarrow, rows, d, d), A: kernel.View(g.dlast, rows, 1, 1),
		B: kernel.View(r.Common, 1, d, d)})

	clear(g.dsubsets)
	if subsets == nil {
		return
	}
	share := 1 / float32(rows)
	for row, label := range subsets {
		kinds := g.kinds[row*s : (row+1)*s]
		kinds[label]--
		for i, p := range kinds {
			kinds[i] = float32(p * share)
		}
	}
	kernel.MatMul(&kernel.Product{
		C: kernel.View(g.dsubsets, s, d+1, d+1),
		A: kernel.View(g.kinds, rows, s, s), TransposeA: true,
		B: kernel.View(g.bag, rows, d+1, d+1),
	})
	kernel.MatMul(&kernel.Product{C: kernel.View(g.dbag, rows, d, d), A: kernel.View(g.kinds, rows, s, s),
		B: kernel.View(r.Subsets, s, d, d+1), Start: kernel.Keep})
}

// embeddingsBackward: from dx and dbag to the gradients of both embeddings.
func (w *Workspace) embeddingsBackward(r *RowRouter, tokens []uint16) {
	rows, cols, d, g := w.shape.rows, w.shape.cols, w.shape.config.Width, &w.byRow
	dwte, dwpe := r.Trunk.Config.embeddings(w.grads)
	positionsBackward(rows, cols, d, w.dx, dwpe)
	scale := bagFactor(cols)
	for i, v := range g.dbag {
		g.dbag[i] = float32(v * scale)
	}
	for row := range rows {
		kernel.AddRow(cols, w.dx[row*cols*d:], d, g.dbag[row*d:(row+1)*d])
	}
	clear(dwte)
	tokensBackward(d, tokens, w.dx, dwte)
}

// stepRows is one step of Adam along the gradient * clip.
func (w *Workspace) stepRows(r *RowRouter, o RowTraining, st *RowAdam, clip float32) {
	g, d := &w.byRow, r.Trunk.Config.Width
	m, v := r.parts(st.M), r.parts(st.V)
	st.Steps++
	k := o.constants(o.TrunkRate, st.Steps, clip)
	k.Apply(r.Trunk.Weights, w.grads, m.trunk, v.trunk)
	k = o.constants(o.HeadRate, st.Steps, clip)
	k.Apply(r.Common, g.dcommon, m.common, v.common)
	k.Apply(r.Subsets, g.dsubsets, m.subsets, v.subsets)
	for i, u := range g.uids {
		uid, from, to := int(u), int(u)*d, (int(u)+1)*d
		st.GateSteps[uid]++
		k = o.constants(o.HeadRate, st.GateSteps[uid], clip)
		k.Apply(r.Gates[from:to], g.dgates[i*d:], m.gates[from:to], v.gates[from:to])
		k.Apply(r.Bias[uid:uid+1], g.dbias[i:], m.bias[uid:], v.bias[uid:])
	}
}

// constants are those of a step with some rate, the steps-th of its weights.
func (o RowTraining) constants(rate float32, steps uint64, clip float32) kernel.AdamWStep {
	return kernel.AdamWStep{
		Clip: clip, Beta1: o.Beta1, Beta2: o.Beta2, Rest1: 1 - o.Beta1, Rest2: 1 - o.Beta2,
		Rate:    float32(float64(rate) / (1 - power(o.Beta1, steps))),
		Root:    float32(1 / math.Sqrt(1-power(o.Beta2, steps))),
		Epsilon: o.Epsilon,
		Keep:    1,
		Limit:   WeightLimit,
	}
}

// power is beta to the power n, by squaring.
func power(beta float32, n uint64) float64 {
	result := 1.0
	for square := float64(beta); n > 0; n >>= 1 {
		if n&1 == 1 {
			result = float64(result * square)
		}
		square = float64(square * square)
	}
	return result
}
