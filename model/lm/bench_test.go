package lm

import (
	"testing"

	"taolab/model/num"
)

var sizes = []struct {
	name       string
	config     Config
	rows, cols int
}{
	{"d64", Config{Vocab: 256, Context: 64, Width: 64, Layers: 2, Heads: 4}, 8, 64},
	{"d32", Config{Vocab: 512, Context: 32, Width: 32, Layers: 2, Heads: 2}, 8, 32},
}

var adamW = AdamW{Rate: 1e-3, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.01, ClipNorm: 1}

func benchmark(b *testing.B, run func(w *Workspace, m *Model, tokens, targets []uint16, rows, cols int)) {
	for _, size := range sizes {
		b.Run(size.name, func(b *testing.B) {
			s := num.NewStream(1, "bench")
			m := New(size.config, s)
			n := size.rows * size.cols
			tokens, targets := randomTokens(n, size.config.Vocab, s), randomTokens(n, size.config.Vocab, s)
			var w Workspace
			for b.Loop() {
				run(&w, m, tokens, targets, size.rows, size.cols)
			}
			b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}

func BenchmarkTrain(b *testing.B) {
	var st *AdamState
	var of *Model
	benchmark(b, func(w *Workspace, m *Model, tokens, targets []uint16, rows, cols int) {
		if of != m {
			of, st = m, new(AdamState)
		}
		w.Train(m, adamW, st, tokens, targets, rows, cols)
	})
}

func BenchmarkLosses(b *testing.B) {
	dst := make([]float32, 1024)
	benchmark(b, func(w *Workspace, m *Model, tokens, targets []uint16, rows, cols int) {
		w.Losses(m, tokens, targets, rows, cols, dst[:len(tokens)])
	})
}

func BenchmarkNext(b *testing.B) {
	benchmark(b, func(w *Workspace, m *Model, tokens, _ []uint16, rows, cols int) {
		w.Next(m, tokens, rows, cols)
	})
}

func BenchmarkRoute(b *testing.B) {
	var r *Router
	dst := make([]float32, 256)
	benchmark(b, func(w *Workspace, m *Model, tokens, _ []uint16, rows, cols int) {
		if r == nil || r.Trunk.Config.Width != m.Config.Width {
			r = NewRouter(m.Config, len(dst), num.NewStream(1, "router"))
		}
		w.Route(r, tokens, rows, cols, dst)
	})
}
