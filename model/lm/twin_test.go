package lm

import (
	"fmt"
	"math"
	"testing"

	"taolab/model/num"
)

// twin is a second implementation of the model, in float64 and as plain as can be: no blocks,
// no workspace.
type twin struct {
	config  Config
	weights map[string][]float64
}

func newTwin(m *Model) *twin {
	t := &twin{m.Config, map[string][]float64{}}
	for _, tensor := range m.Tensors() {
		w := make([]float64, len(tensor.Data))
		for i, v := range tensor.Data {
			w[i] = float64(v)
		}
		t.weights[tensor.Name] = w
	}
	return t
}

func (t *twin) linear(x []float64, name string) []float64 {
	w, b := t.weights[name+".weight"], t.weights[name+".bias"]
	y := append([]float64(nil), b...)
	for j := range y {
		for k, v := range x {
			y[j] += v * w[k*len(b)+j]
		}
	}
	return y
}

func (t *twin) norm(x []float64, name string) []float64 {
	g, b := t.weights[name+".weight"], t.weights[name+".bias"]
	var mean, variance float64
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(len(x))
	}
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = (v-mean)/math.Sqrt(variance+1e-5)*g[i] + b[i]
	}
	return y
}

func softmax64(x []float64) []float64 {
	top := math.Inf(-1)
	for _, v := range x {
		top = max(top, v)
	}
	var sum float64
	p := make([]float64, len(x))
	for i, v := range x {
		p[i] = num.Exp(v - top)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

func gelu64(x float64) float64 {
	return 0.5 * x * (1 + num.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
}

func add64(x, y []float64) {
	for i := range x {
		x[i] += y[i]
	}
}

// hidden is the final layer norm of one sequence, [cols][d].
func (t *twin) hidden(tokens []uint16) [][]float64 {
	c := t.config
	d, size := c.Width, c.Width/c.Heads
	x := make([][]float64, len(tokens))
	for p, token := range tokens {
		x[p] = append([]float64(nil), t.weights["wte.weight"][int(token)*d:][:d]...)
		add64(x[p], t.weights["wpe.weight"][p*d:][:d])
	}
	for l := range c.Layers {
		block := fmt.Sprintf("h.%d.", l)
		qkv := make([][]float64, len(x))
		for p := range x {
			qkv[p] = t.linear(t.norm(x[p], block+"ln_1"), block+"attn.c_attn")
		}
		for p := range x {
			y := make([]float64, d)
			for h := range c.Heads {
				scores := make([]float64, p+1)
				for k := range scores {
					for i := h * size; i < (h+1)*size; i++ {
						scores[k] += qkv[p][i] * qkv[k][d+i] / math.Sqrt(float64(size))
					}
				}
				for k, weight := range softmax64(scores) {
					for i := h * size; i < (h+1)*size; i++ {
						y[i] += weight * qkv[k][2*d+i]
					}
				}
			}
			add64(x[p], t.linear(y, block+"attn.c_proj"))
		}
		for p := range x {
			wide := t.linear(t.norm(x[p], block+"ln_2"), block+"mlp.c_fc")
			for i, v := range wide {
				wide[i] = gelu64(v)
			}
			add64(x[p], t.linear(wide, block+"mlp.c_proj"))
		}
	}
	for p := range x {
		x[p] = t.norm(x[p], "ln_f")
	}
	return x
}

// probs are the probabilities at each position of one sequence, [cols][vocab].
func (t *twin) probs(tokens []uint16) [][]float64 {
	c := t.config
	out := t.hidden(tokens)
	for p, h := range out {
		logits := make([]float64, c.Vocab)
		for v := range logits {
			for i, x := range h {
				logits[v] += x * t.weights["wte.weight"][v*c.Width+i]
			}
		}
		out[p] = softmax64(logits)
	}
	return out
}

func (t *twin) loss(tokens, targets []uint16, cols int) float64 {
	var sum float64
	for from := 0; from < len(tokens); from += cols {
		for p, probs := range t.probs(tokens[from : from+cols]) {
			sum -= num.Log(probs[targets[from+p]])
		}
	}
	return sum / float64(len(tokens))
}

// roughen gives every weight a value at which no gradient vanishes.
func roughen(x []float32, s *num.Stream) {
	for i := range x {
		x[i] += float32(0.2 * s.Normal())
	}
}

func roughModel(c Config, seed uint64) *Model {
	s := num.NewStream(seed, "rough")
	m := New(c, s)
	roughen(m.Weights, s)
	return m
}

func randomTokens(n, vocab int, s *num.Stream) []uint16 {
	tokens := make([]uint16, n)
	for i := range tokens {
		tokens[i] = uint16(s.IntN(vocab))
	}
	return tokens
}

var batches = []struct {
	config     Config
	rows, cols int
}{
	{Config{Vocab: 11, Context: 6, Width: 8, Layers: 2, Heads: 2}, 3, 5},
	{Config{Vocab: 37, Context: 21, Width: 20, Layers: 1, Heads: 5}, 1, 21},
	{Config{Vocab: 24, Context: 40, Width: 12, Layers: 2, Heads: 1}, 1, 35},
	{Config{Vocab: 2, Context: 1, Width: 1, Layers: 1, Heads: 1}, 2, 1},
}

func near(got float32, want, relative, absolute float64) bool {
	return math.Abs(float64(got)-want) <= absolute+relative*math.Abs(want)
}

func TestProbabilitiesAreThoseOfThePlainModel(t *testing.T) {
	for _, b := range batches {
		s := num.NewStream(1, "twin")
		m := roughModel(b.config, 2)
		tokens := randomTokens(b.rows*b.cols, b.config.Vocab, s)
		targets := randomTokens(b.rows*b.cols, b.config.Vocab, s)
		var w, last Workspace
		probs := w.Probs(m, tokens, b.rows, b.cols)
		next := last.Next(m, tokens, b.rows, b.cols)
		losses := make([]float32, len(tokens))
		new(Workspace).Losses(m, tokens, targets, b.rows, b.cols, losses)
		v := b.config.Vocab
		for r := range b.rows {
			for p, row := range newTwin(m).probs(tokens[r*b.cols : (r+1)*b.cols]) {
				at := r*b.cols + p
				for i, want := range row {
					if got := probs[at*v+i]; !near(got, want, 1e-4, 1e-6) {
						t.Fatalf("%+v: probability %d at row %d, position %d is %g, expected %g",
							b.config, i, r, p, got, want)
					}
				}
				if want := -num.Log(row[targets[at]]); !near(losses[at], want, 1e-4, 1e-5) {
					t.Errorf("%+v: loss at row %d, position %d is %g, expected %g",
						b.config, r, p, losses[at], want)
				}
			}
			end := (r + 1) * b.cols * v
			for i, got := range next[r*v : (r+1)*v] {
				if want := probs[end-v+i]; math.Float32bits(got) != math.Float32bits(want) {
					t.Fatalf("%+v: row %d: Next gives %g for token %d, Probs %g", b.config, r, got, i, want)
				}
			}
		}
	}
}

// difference is the central difference of f along w[i].
func difference(w []float64, i int, f func() float64) float64 {
	const h = 1e-5
	old := w[i]
	w[i] = old + h
	up := f()
	w[i] = old - h
	down := f()
	w[i] = old
	return (up - down) / (2 * h)
}

// compareGradient compares the gradient of one tensor with central differences at some 12
// places of it.
func compareGradient(t *testing.T, name string, got []float32, w []float64, f func() float64) {
	t.Helper()
	moved := false
	for i := 0; i < len(got); i += 1 + len(got)/12 {
		want := difference(w, i, f)
		moved = moved || want > 1e-6 || want < -1e-6
		if !near(got[i], want, 1e-3, 2e-6) {
			t.Errorf("%s[%d]: gradient %g, central difference %g", name, i, got[i], want)
		}
	}
	if !moved {
		t.Errorf("%s: the gradient vanishes everywhere; the comparison says nothing", name)
	}
}

func TestGradientsAreCentralDifferencesOfThePlainModel(t *testing.T) {
	for _, b := range batches[:3] {
		s := num.NewStream(3, "gradient")
		m := roughModel(b.config, 4)
		tokens := randomTokens(b.rows*b.cols, b.config.Vocab, s)
		targets := randomTokens(b.rows*b.cols, b.config.Vocab, s)
		var w Workspace
		loss := w.gradient(m, tokens, targets, b.rows, b.cols)
		plain := newTwin(m)
		f := func() float64 { return plain.loss(tokens, targets, b.cols) }
		if want := f(); !near(loss, want, 1e-5, 0) {
			t.Errorf("%+v: mean loss %g, expected %g", b.config, loss, want)
		}
		grads := Model{m.Config, w.grads}
		for _, tensor := range grads.Tensors() {
			compareGradient(t, tensor.Name, tensor.Data, plain.weights[tensor.Name], f)
		}
	}
}

func TestRouterGradientsAreCentralDifferences(t *testing.T) {
	for _, b := range batches[:3] {
		s := num.NewStream(5, "router")
		r := NewRouter(b.config, 7, s)
		roughen(r.Trunk.Weights, s)
		roughen(r.Gates, s)
		roughen(r.Bias, s)
		tokens := randomTokens(b.rows*b.cols, b.config.Vocab, s)
		uids, targets := []uint16{5, 0, 3, 5}, []float32{0.9, 0.1, 0.4, 0.2}
		plain := newTwin(r.Trunk)
		gates, bias := make([]float64, len(r.Gates)), make([]float64, len(r.Bias))
		for i, v := range r.Gates {
			gates[i] = float64(v)
		}
		for i, v := range r.Bias {
			bias[i] = float64(v)
		}
		scores := func() []float64 {
			out := make([]float64, len(bias))
			for row := range b.rows {
				h := plain.hidden(tokens[row*b.cols : (row+1)*b.cols])[b.cols-1]
				for u := range out {
					z := bias[u]
					for i, x := range h {
						z += x * gates[u*len(h)+i]
					}
					out[u] += 1 / (1 + num.Exp(-z)) / float64(b.rows)
				}
			}
			return out
		}
		f := func() (sum float64) {
			s := scores()
			for i, u := range uids {
				off := s[u] - float64(targets[i])
				sum += off * off
			}
			return sum
		}
		var w Workspace
		got := make([]float32, len(bias))
		w.Route(r, tokens, b.rows, b.cols, got)
		for u, want := range scores() {
			if !near(got[u], want, 1e-5, 0) {
				t.Errorf("%+v: gate %d scores %g, expected %g", b.config, u, got[u], want)
			}
		}
		if loss := w.routerGradient(r, tokens, b.rows, b.cols, uids, targets); !near(loss, f(), 1e-4, 0) {
			t.Errorf("%+v: sum of squares %g, expected %g", b.config, loss, f())
		}
		compareGradient(t, "gates", w.gates.dgates, gates, f)
		compareGradient(t, "bias", w.gates.dbias, bias, f)
		grads := Model{r.Trunk.Config, w.grads}
		for _, tensor := range grads.Tensors() {
			compareGradient(t, tensor.Name, tensor.Data, plain.weights[tensor.Name], f)
		}
	}
}
