package lm

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"taolab/model/num"
)

// rowTwin is a second implementation of a row router, in float64, with every logit and every logarithm
// written out.
type rowTwin struct {
	trunk                        *twin
	gates, bias, common, subsets []float64
	table                        [][]float64 // logits by row and uid: they stay when weights move
}

func newRowTwin(b rowBatch) *rowTwin {
	r := b.router
	t := &rowTwin{trunk: newTwin(r.Trunk), gates: float64s(r.Gates), bias: float64s(r.Bias),
		common: float64s(r.Common), subsets: float64s(r.Subsets)}
	for row := range b.rows {
		logits := make([]float64, len(r.Bias))
		if b.means != nil {
			_, kinds := t.read(b.row(row))
			for u := range logits {
				m := min(max(dot64(kinds, float64s(b.means[u*len(kinds):])), 0.01), 0.99)
				logits[u] = num.Log(m / (1 - m))
			}
		}
		t.table = append(t.table, logits)
	}
	return t
}

func float64s(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

func dot64(x, y []float64) (sum float64) {
	for i, v := range x {
		sum += v * y[i]
	}
	return sum
}

// read returns a row's logits by uid, without the table's, and the probabilities of the subsets.
func (t *rowTwin) read(tokens []uint16) (logits, kinds []float64) {
	d := t.trunk.config.Width
	last := t.trunk.hidden(tokens)[len(tokens)-1]
	bag := make([]float64, d)
	for _, token := range tokens {
		for i := range bag {
			bag[i] += 10 * t.trunk.weights["wte.weight"][int(token)*d+i] / float64(len(tokens))
		}
	}
	for u, bias := range t.bias {
		logits = append(logits, dot64(last, t.common)+t.common[d]+bias+dot64(bag, t.gates[u*d:]))
	}
	for at := 0; at < len(t.subsets); at += d + 1 {
		kinds = append(kinds, t.subsets[at+d]+dot64(bag, t.subsets[at:]))
	}
	if kinds != nil {
		kinds = softmax64(kinds)
	}
	return logits, kinds
}

func sigmoid64(z float64) float64 { return 1 / (1 + num.Exp(-z)) }

// scores are those of every uid on every row, and the rows' probabilities of the subsets.
func (t *rowTwin) scores(b rowBatch) (scores, kinds [][]float64) {
	for row := range b.rows {
		each, guess := t.read(b.row(row))
		for u := range each {
			each[u] = sigmoid64(each[u] + t.table[row][u])
		}
		scores, kinds = append(scores, each), append(kinds, guess)
	}
	return scores, kinds
}

// losses are the two means of a step.
func (t *rowTwin) losses(b rowBatch) (pairs, kinds float64) {
	scores, guesses := t.scores(b)
	for _, p := range b.pairs {
		s, target := scores[p.Row][p.UID], float64(p.Target)
		pairs -= (target*num.Log(s) + (1-target)*num.Log(1-s)) / float64(len(b.pairs))
	}
	for row, label := range b.subsets {
		kinds -= num.Log(guesses[row][label]) / float64(b.rows)
	}
	return pairs, kinds
}

// rowBatch is a router and what a step of it is given.
type rowBatch struct {
	router     *RowRouter
	rows, cols int
	tokens     []uint16
	subsets    []uint16
	means      []float32
	pairs      []RowPair
}

func (b rowBatch) row(i int) []uint16 { return b.tokens[i*b.cols : (i+1)*b.cols] }

// rowBatches are batches of every kind: with and without labels, table and pairs; a pair that appears
// twice, a uid that no pair names, pairs in no order.
func rowBatches(seed uint64) (names []string, list []rowBatch) {
	shapes := append(batches[:3:3], batches[0])
	shapes[3].rows, shapes[3].cols = 19, 4
	for i, b := range shapes {
		c := b.config
		c.Layers = 1
		for _, kind := range []string{"labels and table", "labels", "table", "neither", "no pairs"} {
			s := num.NewStream(seed+uint64(i), "row batch")
			n, kinds := 7, 3
			if kind == "neither" {
				kinds = 0
			}
			r := NewRowRouter(roughModel(c, seed), n, kinds)
			for _, head := range [][]float32{r.Gates, r.Bias, r.Common, r.Subsets} {
				roughen(head, s)
			}
			x := rowBatch{router: r, rows: b.rows, cols: b.cols,
				tokens: randomTokens(b.rows*b.cols, c.Vocab, s), pairs: []RowPair{{0, 5, 0.9}, {b.rows - 1, 0, 0.1},
					{b.rows / 2, 3, 0.4}, {0, 5, 0.2}, {b.rows - 1, 5, 1}, {0, 3, 0}}}
			switch kind {
			case "labels and table", "labels":
				x.subsets = randomTokens(b.rows, kinds, s)
			case "no pairs":
				x.subsets, x.pairs = randomTokens(b.rows, kinds, s), nil
			}
			if kind == "labels and table" || kind == "table" {
				x.means = make([]float32, n*kinds)
				for i := range x.means {
					x.means[i] = float32(s.Float64())
				}
			}
			names = append(names, fmt.Sprintf("%+v, %s", c, kind))
			list = append(list, x)
		}
	}
	return names, list
}

func TestRowScoresAreThoseOfThePlainRouter(t *testing.T) {
	names, list := rowBatches(11)
	for i, b := range list {
		n := len(b.router.Bias)
		scores := make([]float32, b.rows*n)
		new(Workspace).RouteRows(b.router, b.tokens, b.rows, b.cols, b.means, scores)
		plain, _ := newRowTwin(b).scores(b)
		for at, got := range scores {
			if want := plain[at/n][at%n]; !near(got, want, 1e-4, 1e-6) {
				t.Errorf("%s: row %d, uid %d scores %g, expected %g", names[i], at/n, at%n, got, want)
			}
		}
	}
}

func TestRowRouterGradientsAreCentralDifferences(t *testing.T) {
	names, list := rowBatches(12)
	for i, b := range list {
		t.Run(names[i], func(t *testing.T) {
			r, d := b.router, b.router.Trunk.Config.Width
			var w Workspace
			got := w.rowGradient(r, b.tokens, b.rows, b.cols, b.subsets, b.means, b.pairs)
			plain := newRowTwin(b)
			if want, _ := plain.losses(b); !near(got, want, 1e-5, 1e-7) {
				t.Errorf("mean cross-entropy %g, expected %g", got, want)
			}
			f := func() float64 {
				pairs, kinds := plain.losses(b)
				return 8*pairs + kinds
			}
			dgates, dbias := make([]float32, len(r.Gates)), make([]float32, len(r.Bias))
			for k, u := range w.byRow.uids {
				copy(dgates[int(u)*d:], w.byRow.dgates[k*d:(k+1)*d])
				dbias[u] = w.byRow.dbias[k]
			}
			if b.pairs != nil {
				compareGradient(t, "gates", dgates, plain.gates, f)
				compareGradient(t, "bias", dbias, plain.bias, f)
				compareGradient(t, "common", w.byRow.dcommon, plain.common, f)
			}
			if b.subsets != nil {
				compareGradient(t, "subsets", w.byRow.dsubsets, plain.subsets, f)
			}
			grads := Model{r.Trunk.Config, w.grads}
			for _, tensor := range grads.Tensors() {
				if b.pairs != nil || tensor.Name == "wte.weight" {
					compareGradient(t, tensor.Name, tensor.Data, plain.trunk.weights[tensor.Name], f)
				} else if slices.ContainsFunc(tensor.Data, func(g float32) bool { return g != 0 }) {
					t.Errorf("%s has a gradient; labels are guessed only from the bag", tensor.Name)
				}
			}
		})
	}
}

// One step of Adam on every part, each with its own rate, and on gates with their own number of steps.
func TestARowRoutersStepFollowsItsDefinition(t *testing.T) {
	_, list := rowBatches(13)
	b := list[0]
	r, o, st := b.router, DefaultRowTraining, new(RowAdam)
	o.TrunkRate, o.HeadRate, o.Epsilon, o.ClipNorm = 0.02, 0.03, 1e-4, 0.5
	type weight struct{ x, m, v, b1, b2 float64 }
	twins := make([]weight, r.weights())
	flat := func() (all []float32) {
		return slices.Concat(r.Trunk.Weights, r.Gates, r.Bias, r.Common, r.Subsets)
	}
	for i, v := range flat() {
		twins[i] = weight{x: float64(v), b1: 1, b2: 1}
	}
	var w Workspace
	d, trunk, gates, bias := r.Trunk.Config.Width, len(r.Trunk.Weights), len(r.Gates), len(r.Bias)
	for step := range 6 {
		pairs := b.pairs[:1+step%4] // other uids every time
		w.rowGradient(r, b.tokens, b.rows, b.cols, b.subsets, b.means, pairs)
		g := &w.byRow
		grads := make([]float32, len(twins))
		named := make([]bool, len(twins))
		copy(grads, w.grads)
		copy(grads[trunk+gates+bias:], slices.Concat(g.dcommon, g.dsubsets))
		for i := range twins {
			named[i] = i < trunk || i >= trunk+gates+bias
		}
		for k, u := range g.uids {
			for i := range d {
				at := trunk + int(u)*d + i
				grads[at], named[at] = g.dgates[k*d+i], true
			}
			grads[trunk+gates+int(u)], named[trunk+gates+int(u)] = g.dbias[k], true
		}
		length := 0.0
		for _, v := range grads {
			length += float64(v) * float64(v)
		}
		factor := min(1, 0.5/math.Sqrt(length))
		w.TrainRows(r, o, st, b.tokens, b.rows, b.cols, b.subsets, b.means, pairs)
		for i, got := range flat() {
			x := &twins[i]
			if named[i] {
				slope, rate := factor*float64(grads[i]), 0.03
				if i < trunk {
					rate = 0.02
				}
				x.b1, x.b2 = x.b1*0.9, x.b2*0.99
				x.m, x.v = 0.9*x.m+0.1*slope, 0.99*x.v+0.01*slope*slope
				x.x -= rate * (x.m / (1 - x.b1)) / (math.Sqrt(x.v/(1-x.b2)) + 1e-4)
			}
			if !near(got, x.x, 1e-4, 1e-5) {
				t.Fatalf("step %d: weight %d is %g, expected %g", step, i, got, x.x)
			}
			x.x = float64(got)
		}
	}
}
