package lm

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"taolab/model/lm/kernel"
	"taolab/model/num"
)

var sizes = []struct {
	name       string
	config     Config
	rows, cols int
}{
	{"A", Config{Vocab: 256, Context: 64, Width: 64, Layers: 2, Heads: 4}, 8, 64},
	{"A-batch1", Config{Vocab: 256, Context: 64, Width: 64, Layers: 2, Heads: 4}, 1, 64},
	{"B", Config{Vocab: 512, Context: 128, Width: 128, Layers: 4, Heads: 4}, 8, 128},
	{"d32", Config{Vocab: 512, Context: 32, Width: 32, Layers: 2, Heads: 2}, 8, 32},
}

var adamW = AdamW{Rate: 1e-3, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.01, ClipNorm: 1}

// report gives tokens per second of processor time, and what a run of some work is of the peak that
// multiply-adds in registers reach right after it.
func report(b *testing.B, used time.Duration, tokens int, work int64) {
	peak := 0.0
	for range 5 {
		start := cpuTime()
		operations := kernel.Peak(kernel.Active(), 100_000)
		peak = max(peak, float64(operations)/(cpuTime()-start).Seconds())
	}
	runs := float64(b.N) / used.Seconds()
	b.ReportMetric(float64(tokens)*runs, "tokens/cpu-s")
	b.ReportMetric(100*float64(work)*runs/peak, "%peak")
}

type benched struct {
	w               Workspace
	m               *Model
	st              AdamState
	tokens, targets []uint16
	rows, cols      int
	losses          []float32
}

func benchmark(b *testing.B, work func(c Config, rows, cols int) int64, run func(*benched)) {
	for _, size := range sizes {
		b.Run(size.name, func(b *testing.B) {
			s, n := num.NewStream(1, "bench"), size.rows*size.cols
			x := &benched{m: New(size.config, s), rows: size.rows, cols: size.cols, losses: make([]float32, n)}
			x.tokens, x.targets = randomTokens(n, size.config.Vocab, s), randomTokens(n, size.config.Vocab, s)
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			run(x)
			start := cpuTime()
			for b.Loop() {
				run(x)
			}
			report(b, cpuTime()-start, n, work(size.config, size.rows, size.cols))
		})
	}
}

func BenchmarkTrain(b *testing.B) {
	benchmark(b, Config.TrainFLOP, func(x *benched) {
		x.w.Train(x.m, adamW, &x.st, x.tokens, x.targets, x.rows, x.cols)
	})
}

func BenchmarkForward(b *testing.B) {
	all := func(c Config, rows, cols int) int64 { return c.ForwardFLOP(rows, cols, false) }
	benchmark(b, all, func(x *benched) { x.w.Losses(x.m, x.tokens, x.targets, x.rows, x.cols, x.losses) })
}

func BenchmarkNext(b *testing.B) {
	last := func(c Config, rows, cols int) int64 { return c.ForwardFLOP(rows, cols, true) }
	benchmark(b, last, func(x *benched) { x.w.Next(x.m, x.tokens, x.rows, x.cols) })
}

// BenchmarkTrain512 trains 512 models in turn, a step each: none is in cache when its turn comes. Rounds
// of one model alone alternate with them; loss is the difference of the medians.
func BenchmarkTrain512(b *testing.B) {
	size := sizes[0]
	for _, name := range []string{"AdamW", "AdamW16", "Momentum"} {
		b.Run(name, func(b *testing.B) {
			s, n := num.NewStream(1, "bench"), size.rows*size.cols
			tokens, targets := randomTokens(n, size.config.Vocab, s), randomTokens(n, size.config.Vocab, s)
			const agents = 512
			var models [agents]*Model
			var adam [agents]AdamState
			var adam16 [agents]AdamState16
			var momenta [agents]Momentum
			w := new(Workspace)
			for i := range models {
				models[i] = New(size.config, s)
			}
			step := func(i int) {
				switch name {
				case "AdamW":
					w.Train(models[i], adamW, &adam[i], tokens, targets, size.rows, size.cols)
				case "AdamW16":
					w.Train16(models[i], adamW, &adam16[i], tokens, targets, size.rows, size.cols)
				case "Momentum":
					w.TrainSGD(models[i], SGD{Rate: 1e-3, Momentum: 0.9}, &momenta[i], tokens, targets,
						size.rows, size.cols)
				}
			}
			for i := range models { // the memory is touched for the first time
				step(i)
			}
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			var one, many []time.Duration
			for b.Loop() {
				for part := range 8 {
					step(0)
					start := cpuTime()
					for range 64 {
						step(0)
					}
					middle := cpuTime()
					for i := range 64 {
						step(part*64 + i)
					}
					one, many = append(one, middle-start), append(many, cpuTime()-middle)
				}
			}
			slices.Sort(one)
			slices.Sort(many)
			middle := len(one) / 2
			b.ReportMetric(64*float64(n)/many[middle].Seconds(), "tokens/cpu-s")
			b.ReportMetric(100*(1-float64(one[middle])/float64(many[middle])), "%loss")
		})
	}
}

// BenchmarkTrainTwoWorkers trains two models side by side, each on a thread of its own: speedup is what
// both do in a second of processor time each, relative to one by itself.
func BenchmarkTrainTwoWorkers(b *testing.B) {
	size := sizes[2]
	work := func(seed uint64) time.Duration {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		s, n := num.NewStream(seed, "bench"), size.rows*size.cols
		m, st, w := New(size.config, s), new(AdamState), new(Workspace)
		tokens, targets := randomTokens(n, size.config.Vocab, s), randomTokens(n, size.config.Vocab, s)
		w.Train(m, adamW, st, tokens, targets, size.rows, size.cols)
		start := cpuTime()
		for range 20 {
			w.Train(m, adamW, st, tokens, targets, size.rows, size.cols)
		}
		return cpuTime() - start
	}
	var speedups []float64
	for b.Loop() {
		alone, both := work(1), make(chan time.Duration)
		for seed := range 2 {
			go func() { both <- work(uint64(seed)) }()
		}
		first, second := <-both, <-both
		speedups = append(speedups, alone.Seconds()/first.Seconds()+alone.Seconds()/second.Seconds())
	}
	slices.Sort(speedups)
	b.ReportMetric(speedups[len(speedups)/2], "speedup")
}

// BenchmarkDecode feeds eight sequences token by token.
func BenchmarkDecode(b *testing.B) {
	benchmark(b, func(c Config, rows, cols int) int64 { return c.ForwardFLOP(rows, cols, false) },
		func(x *benched) {
			d := NewDecoder(x.m, x.rows)
			for i := range x.cols {
				d.Feed(x.tokens[i*x.rows : (i+1)*x.rows])
			}
		})
}

func BenchmarkRoute(b *testing.B) {
	for _, size := range sizes {
		b.Run(size.name, func(b *testing.B) {
			s, dst := num.NewStream(1, "bench"), make([]float32, 256)
			r, w := NewRouter(size.config, len(dst), s), new(Workspace)
			tokens := randomTokens(size.rows*size.cols, size.config.Vocab, s)
			w.Route(r, tokens, size.rows, size.cols, dst)
			start := cpuTime()
			for b.Loop() {
				w.Route(r, tokens, size.rows, size.cols, dst)
			}
			report(b, cpuTime()-start, len(tokens), r.ForwardFLOP(size.rows, size.cols))
		})
	}
}
