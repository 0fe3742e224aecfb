package lm

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"taolab/model/golden"
	"taolab/model/lm/kernel"
	"taolab/model/num"
)

func hashOf(x []float32) uint64 {
	h := fnv.New64a()
	var b [4]byte
	for _, v := range x {
		binary.LittleEndian.PutUint32(b[:], math.Float32bits(v))
		h.Write(b[:])
	}
	return h.Sum64()
}

// goldenRuns trains, predicts and routes at three shapes, one with no round number in it.
func goldenRuns() string {
	var out strings.Builder
	for i, size := range []struct {
		config     Config
		rows, cols int
	}{
		{Config{Vocab: 64, Context: 40, Width: 32, Layers: 2, Heads: 2}, 4, 24},
		{Config{Vocab: 37, Context: 19, Width: 21, Layers: 3, Heads: 3}, 3, 19},
		{Config{Vocab: 300, Context: 8, Width: 16, Layers: 1, Heads: 4}, 2, 7},
	} {
		s := num.NewStream(uint64(i), "golden")
		m, st, w := New(size.config, s), new(AdamState), new(Workspace)
		n := size.rows * size.cols
		fmt.Fprintf(&out, "%+v, %d x %d\n", size.config, size.rows, size.cols)
		losses := make([]float32, 20)
		for step := range losses {
			tokens, targets := randomTokens(n, size.config.Vocab, s), randomTokens(n, size.config.Vocab, s)
			losses[step] = w.Train(m, adamW, st, tokens, targets, size.rows, size.cols)
		}
		tokens, targets := randomTokens(n, size.config.Vocab, s), randomTokens(n, size.config.Vocab, s)
		fmt.Fprintf(&out, "training losses %016x\n", hashOf(losses))
		fmt.Fprintf(&out, "model %x\n", m.Digest())
		fmt.Fprintf(&out, "moments %016x %016x\n", hashOf(st.M), hashOf(st.V))
		fmt.Fprintf(&out, "Next %016x\n", hashOf(w.Next(m, tokens, size.rows, size.cols)))
		fmt.Fprintf(&out, "Probs %016x\n", hashOf(w.Probs(m, tokens, size.rows, size.cols)))
		each := make([]float32, n)
		w.Losses(m, tokens, targets, size.rows, size.cols, each)
		fmt.Fprintf(&out, "Losses %016x\n", hashOf(each))

		r, mom := NewRouter(size.config, 9, s), new(RouterState)
		sgd := RouterTraining{SGD{Rate: 0.1, Momentum: 0.8, ClipNorm: 0.5}, 1}
		for step := range losses {
			tokens := randomTokens(n, size.config.Vocab, s)
			uids := []uint16{uint16(s.IntN(9)), uint16(s.IntN(9)), uint16(s.IntN(9))}
			losses[step] = w.TrainRouter(r, sgd, mom, tokens, size.rows, size.cols, uids, []float32{.9, .2, .6})
		}
		scores := make([]float32, 9)
		w.Route(r, tokens, size.rows, size.cols, scores)
		fmt.Fprintf(&out, "router losses %016x, scores %016x, trunk %x, gates %016x, momentum %016x\n\n",
			hashOf(losses), hashOf(scores), r.Trunk.Digest(), hashOf(r.Gates), hashOf(mom.Momentum))
	}
	return out.String()
}

// goldenVariants trains with every optimiser, on a batch that goes in parts, and lets a decoder
// generate.
func goldenVariants() string {
	c, rows, cols := Config{Vocab: 50, Context: 48, Width: 24, Layers: 2, Heads: 3}, 3, 40
	var st AdamState
	var st16 AdamState16
	var mom Momentum
	var out strings.Builder
	for _, variant := range []struct {
		name  string
		train func(w *Workspace, m *Model, tokens, targets []uint16) float32
		state func() string
	}{
		{"AdamW", func(w *Workspace, m *Model, tokens, targets []uint16) float32 {
			return w.Train(m, adamW, &st, tokens, targets, rows, cols)
		}, func() string { return fmt.Sprintf("%016x %016x", hashOf(st.M), hashOf(st.V)) }},
		{"AdamW in bfloat16", func(w *Workspace, m *Model, tokens, targets []uint16) float32 {
			return w.Train16(m, adamW, &st16, tokens, targets, rows, cols)
		}, func() string { data, _ := st16.AppendBinary(nil); return fmt.Sprintf("%x", sha256.Sum256(data)) }},
		{"SGD", func(w *Workspace, m *Model, tokens, targets []uint16) float32 {
			return w.TrainSGD(m, SGD{Rate: 0.1, Momentum: 0.9, ClipNorm: 1}, &mom, tokens, targets, rows, cols)
		}, func() string { return fmt.Sprintf("%016x", hashOf(mom)) }},
	} {
		s := num.NewStream(7, "golden variants")
		m, w, losses := New(c, s), &Workspace{positions: 2 * cols}, make([]float32, 20)
		for step := range losses {
			tokens, targets := counting(rows, cols, c.Vocab, s)
			losses[step] = variant.train(w, m, tokens, targets)
		}
		fmt.Fprintf(&out, "%s: losses %016x, model %x\nstate %s\n", variant.name, hashOf(losses), m.Digest(),
			variant.state())
		d, text := NewDecoder(m, 2), make([]uint16, 2*30)
		random := []*num.Stream{s.Sub("a"), s.Sub("b")}
		d.Generate(randomTokens(2*17, c.Vocab, s), text, Sampling{Temperature: 0.7, TopK: 20}, random)
		fmt.Fprintf(&out, "says %v\nthen %016x\n", text, hashOf(d.Feed([]uint16{1, 2})))
	}
	// Rows of activations that do not follow one another without a gap.
	c = Config{Vocab: 20, Context: 10, Width: 128, Layers: 1, Heads: 4}
	s := num.NewStream(8, "golden width")
	m, w := New(c, s), new(Workspace)
	for range 3 {
		tokens, targets := counting(2, 10, c.Vocab, s)
		w.Train(m, adamW, new(AdamState), tokens, targets, 2, 10)
	}
	fmt.Fprintf(&out, "width 128: model %x\n", m.Digest())
	return out.String()
}

// goldenRows trains row routers with and without labels and table, and a router that gathers batches.
func goldenRows() string {
	var out strings.Builder
	for i, size := range []struct {
		config        Config
		rows, cols    int
		gates, labels int
	}{
		{Config{Vocab: 64, Context: 40, Width: 32, Layers: 1, Heads: 2}, 16, 24, 300, 4},
		{Config{Vocab: 37, Context: 19, Width: 21, Layers: 1, Heads: 3}, 3, 19, 9, 17},
		{Config{Vocab: 300, Context: 8, Width: 16, Layers: 1, Heads: 4}, 21, 7, 33, 1},
	} {
		fmt.Fprintf(&out, "%+v, %d x %d, %d gates, %d subsets\n", size.config, size.rows, size.cols, size.gates,
			size.labels)
		s, n, w := num.NewStream(uint64(i), "golden rows"), size.rows*size.cols, new(Workspace)
		means := make([]float32, size.gates*size.labels)
		for i := range means {
			means[i] = float32(s.Float64())
		}
		for _, table := range [][]float32{nil, means} {
			r, st := NewRowRouter(New(size.config, s), size.gates, size.labels), new(RowAdam)
			losses := make([]float32, 20)
			for step := range losses {
				var labels []uint16
				if step%3 > 0 {
					labels = randomTokens(size.rows, size.labels, s)
				}
				pairs := make([]RowPair, 3*size.rows)
				for i := range pairs {
					pairs[i] = RowPair{s.IntN(size.rows), uint16(s.IntN(size.gates)), float32(s.Float64())}
				}
				losses[step] = w.TrainRows(r, DefaultRowTraining, st, randomTokens(n, size.config.Vocab, s),
					size.rows, size.cols, labels, table, pairs)
			}
			scores := make([]float32, size.rows*size.gates)
			w.RouteRows(r, randomTokens(n, size.config.Vocab, s), size.rows, size.cols, table, scores)
			router, _ := r.AppendBinary(nil)
			state, _ := st.AppendBinary(nil)
			fmt.Fprintf(&out, "losses %016x, scores %016x\nrouter %x\nstate %x\n", hashOf(losses), hashOf(scores),
				sha256.Sum256(router), sha256.Sum256(state))
		}
		r, st := NewRouter(size.config, 9, s), new(RouterState)
		o := RouterTraining{SGD{Rate: 0.1, Momentum: 0.8, ClipNorm: 0.5}, 3}
		for range 11 {
			w.TrainRouter(r, o, st, randomTokens(n, size.config.Vocab, s), size.rows, size.cols,
				[]uint16{uint16(s.IntN(9)), uint16(s.IntN(9))}, []float32{.9, .2})
		}
		router, _ := r.AppendBinary(nil)
		state, _ := st.AppendBinary(nil)
		fmt.Fprintf(&out, "three batches a step: router %x\nstate %x\n\n", sha256.Sum256(router),
			sha256.Sum256(state))
	}
	return out.String()
}

func TestBitsAreTheSameOnEveryMachine(t *testing.T) {
	for _, g := range []struct {
		file string
		runs func() string
	}{
		{"testdata/golden.txt", goldenRuns},
		{"testdata/variants.txt", goldenVariants},
		{"testdata/rows.txt", goldenRows},
	} {
		if golden.Updating() {
			if err := os.WriteFile(g.file, []byte(g.runs()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(g.file)
		if err != nil {
			t.Fatal(err)
		}
		for _, isa := range kernel.Supported() {
			t.Run(g.file+"/"+isa.String(), func(t *testing.T) {
				defer kernel.Force(isa)()
				if diff := cmp.Diff(string(want), g.runs()); diff != "" {
					t.Errorf("the runs (+) are not those of %s (-):\n%s", g.file, diff)
				}
			})
		}
	}
}
