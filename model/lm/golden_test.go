package lm

import (
	"encoding/binary"
	"flag"
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"strings"
	"testing"

	"taolab/model/lm/kernel"
	"taolab/model/num"
)

var update = flag.Bool("update", false, "rewrite the golden files")

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

		r, mom := NewRouter(size.config, 9, s), new(Momentum)
		sgd := SGD{Rate: 0.1, Momentum: 0.8, ClipNorm: 0.5}
		for step := range losses {
			tokens := randomTokens(n, size.config.Vocab, s)
			uids := []uint16{uint16(s.IntN(9)), uint16(s.IntN(9)), uint16(s.IntN(9))}
			losses[step] = w.TrainRouter(r, sgd, mom, tokens, size.rows, size.cols, uids, []float32{.9, .2, .6})
		}
		scores := make([]float32, 9)
		w.Route(r, tokens, size.rows, size.cols, scores)
		fmt.Fprintf(&out, "router losses %016x, scores %016x, trunk %x, gates %016x, momentum %016x\n\n",
			hashOf(losses), hashOf(scores), r.Trunk.Digest(), hashOf(r.Gates), hashOf(*mom))
	}
	return out.String()
}

func TestBitsAreTheSameOnEveryMachine(t *testing.T) {
	const file = "testdata/golden.txt"
	if *update {
		if err := os.WriteFile(file, []byte(goldenRuns()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, isa := range kernel.Supported() {
		t.Run(isa.String(), func(t *testing.T) {
			defer kernel.Force(isa)()
			if got := goldenRuns(); got != string(want) {
				t.Errorf("got\n%s\nexpected\n%s", got, want)
			}
		})
	}
}
