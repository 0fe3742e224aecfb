package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"taolab/model/lm"
	"taolab/model/lm/kernel"
	"taolab/model/num"
	"taolab/scenarios/retention"
	"taolab/sim/chain/consensus"
	"taolab/sim/virtual"
)

// The two sizes of models that are measured, and the rows of a batch.
var (
	configA = lm.Config{Vocab: 256, Context: 64, Width: 64, Layers: 2, Heads: 4}
	configB = lm.Config{Vocab: 512, Context: 128, Width: 128, Layers: 4, Heads: 4}
)

const benchRows = 8

// benches lists everything that can be measured here: on the instruction set in use, and products on
// the lesser ones too.
func benches() []bench {
	active := kernel.Active()
	var list []bench
	for _, isa := range slices.Backward(kernel.Supported()) {
		if isa <= active {
			list = append(list, benchPeak(isa))
		}
	}
	for _, isa := range slices.Backward(kernel.Supported()) {
		if isa == active || isa < active && isa != kernel.Generic {
			list = append(list, benchProducts(isa)...)
		}
	}
	return append(append(list, benchModels()...),
		benchQueue(1e3), benchQueue(1e5), benchQueue(1e6),
		benchEpoch(consensus.Yuma3, 512, 64, 448), benchEpoch(consensus.Yuma2, 4096, 128, 1024),
		benchRetention())
}

func giga(perSecond float64) float64 { return perSecond / 1e9 }
func mega(perSecond float64) float64 { return perSecond / 1e6 }
func same(perSecond float64) float64 { return perSecond }

// milliseconds is the time of one unit of work.
func milliseconds(perSecond float64) float64 { return 1e3 / perSecond }

func benchPeak(isa kernel.ISA) bench {
	return bench{
		name: "peak." + isa.String(), unit: "GFLOP/s", isa: isa, value: giga, short: true,
		doc:   "multiply-adds in registers only, two operations each: the most that a matrix product can reach",
		begin: func() measurement { return peakOf(isa) },
	}
}

// products are sizes that occur in the models: positions, inner, outer; of gradients of weights, which
// read the left side transposed, channels, positions, channels.
var products = []struct {
	m, k, n  int
	gradient bool
}{
	{64, 64, 64, false}, {64, 32, 32, false}, {128, 64, 256, false}, {512, 64, 64, false}, {512, 64, 192, false},
	{512, 64, 256, false}, {512, 256, 64, false}, {512, 128, 128, false}, {512, 128, 384, false},
	{512, 128, 512, false}, {512, 512, 512, false}, {64, 16, 64, false}, {64, 64, 16, false}, {128, 512, 512, false},
	{64, 512, 256, true}, {128, 1024, 512, true}, {512, 1024, 128, true},
}

func benchProducts(isa kernel.ISA) []bench {
	var list []bench
	for _, p := range products {
		size := fmt.Sprintf("%dx%dx%d", p.m, p.k, p.n)
		b := bench{
			name: fmt.Sprintf("matmul.%v.%s", isa, size), unit: "GFLOP/s", isa: isa, flop: 1, value: giga, short: true,
			doc: fmt.Sprintf("a %d x %d matrix times one of %d x %d", p.m, p.k, p.k, p.n),
		}
		if p.gradient {
			b.name = fmt.Sprintf("matmul.%v.dw-%s", isa, size)
			b.doc = fmt.Sprintf("a gradient of weights: a %d x %d matrix, transposed, times one of %d x %d", p.k, p.m, p.k, p.n)
		}
		b.begin = func() measurement {
			s := num.NewStream(1, size)
			x, y, z := noise(s, p.m*p.k), noise(s, p.k*p.n), make([]float32, p.m*p.n)
			product := kernel.Product{
				C: kernel.View(z, p.m, p.n, p.n), A: kernel.View(x, p.m, p.k, p.k), B: kernel.View(y, p.k, p.n, p.n),
			}
			if p.gradient {
				product.A, product.TransposeA = kernel.View(x, p.k, p.m, p.m), true
			}
			return loop(func() float64 {
				kernel.MatMul(&product)
				return float64(2 * p.m * p.k * p.n)
			})
		}
		list = append(list, b)
	}
	return list
}

func noise(s *num.Stream, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = s.Float32() - 0.5
	}
	return x
}

// learner is a model with what its training needs.
type learner struct {
	model *lm.Model
	state lm.AdamState
}

func newLearner(c lm.Config, name string) *learner {
	return &learner{model: lm.New(c, num.NewStream(1, name))}
}

// batch is text for a model: noise, which costs the same as any other.
type batch struct {
	rows, cols      int
	tokens, targets []uint16
	losses          []float32
	work            lm.Workspace
}

func newBatch(c lm.Config, rows int) *batch {
	n := rows * c.Context
	b := &batch{rows: rows, cols: c.Context, losses: make([]float32, n)}
	s := num.NewStream(1, "text")
	for range n {
		b.tokens = append(b.tokens, uint16(s.IntN(c.Vocab)))
		b.targets = append(b.targets, uint16(s.IntN(c.Vocab)))
	}
	return b
}

// train takes a step and returns its tokens.
func (b *batch) train(l *learner) float64 {
	o := lm.AdamW{Rate: 1e-3, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, WeightDecay: 0.01, ClipNorm: 1}
	b.work.Train(l.model, o, &l.state, b.tokens, b.targets, b.rows, b.cols)
	return float64(len(b.tokens))
}

func (b *batch) score(l *learner) float64 {
	b.work.Losses(l.model, b.tokens, b.targets, b.rows, b.cols, b.losses)
	return float64(len(b.tokens))
}

// benchModels are training and inference of the two models. What is compared stands side by side.
func benchModels() []bench {
	many := trainOne("train.a.models512", "training steps of 512 models A in turn, whose weights do not fit into the "+
		"nearer caches, 8 rows; takes 750 MB", configA, benchRows)
	many.slow = true
	many.begin = func() measurement { return trainMany(configA, 512) }
	two := trainOne("train.b.workers2", "two workers, each training a model B of its own, 8 rows; both together, % of two peaks",
		configB, benchRows)
	two.flop /= 2
	two.cores = 2
	two.begin = func() measurement { return trainBeside(configB, 2) }
	return []bench{
		trainOne("train.a", "training steps of model A, 8 rows", configA, benchRows),
		many,
		trainOne("train.a.batch1", "training steps of model A, 1 row", configA, 1),
		trainOne("train.b", "training steps of model B, 8 rows", configB, benchRows),
		two,
		scoreOne("score.a", "losses of 8 rows by model A, forward only", configA, benchRows),
		scoreOne("score.a.batch1", "losses of 1 row by model A, forward only", configA, 1),
		scoreOne("score.b", "losses of 8 rows by model B, forward only", configB, benchRows),
		decodeOne("generate.a", configA, benchRows),
		decodeOne("generate.a.batch1", configA, 1),
	}
}

// benchRatios are measurements whose proportion is printed too.
var benchRatios = []struct{ above, below, doc string }{
	{"train.a.models512", "train.a", "what is left of the speed of one model"},
	{"train.b.workers2", "train.b", "how much faster two workers are than one"},
}

func trainOne(name, doc string, c lm.Config, rows int) bench {
	return bench{
		name: name, unit: "tokens/s", doc: doc, value: same, isa: kernel.Active(),
		flop: float64(c.TrainFLOP(rows, c.Context)) / float64(rows*c.Context),
		begin: func() measurement {
			l, b := newLearner(c, name), newBatch(c, rows)
			return loop(func() float64 { return b.train(l) })
		},
	}
}

func scoreOne(name, doc string, c lm.Config, rows int) bench {
	return bench{
		name: name, unit: "tokens/s", doc: doc, value: same, isa: kernel.Active(),
		flop: float64(c.ForwardFLOP(rows, c.Context, false)) / float64(rows*c.Context),
		begin: func() measurement {
			l, b := newLearner(c, name), newBatch(c, rows)
			return loop(func() float64 { return b.score(l) })
		},
	}
}

// decodeOne fills contexts token by token. Keys and values of earlier tokens are kept, not computed again.
func decodeOne(name string, c lm.Config, rows int) bench {
	return bench{
		name: name, unit: "tokens/s", value: same, isa: kernel.Active(),
		doc:  fmt.Sprintf("tokens that model A adds to %d texts, one at a time, from the first to the end of the context", rows),
		flop: float64(c.ForwardFLOP(rows, c.Context, false)) / float64(rows*c.Context),
		begin: func() measurement {
			l := newLearner(c, name)
			d, random := lm.NewDecoder(l.model, rows), make([]*num.Stream, rows)
			for i := range random {
				random[i] = num.NewStream(1, fmt.Sprint(i))
			}
			prompt, dst := make([]uint16, rows), make([]uint16, rows*c.Context)
			return loop(func() float64 {
				d.Reset()
				d.Generate(prompt, dst, lm.Sampling{}, random)
				return float64(len(dst))
			})
		},
	}
}

// trainMany takes a step of one model after the other.
func trainMany(c lm.Config, count int) measurement {
	b, models, next := newBatch(c, benchRows), make([]*learner, count), 0
	for i := range models {
		models[i] = newLearner(c, fmt.Sprint(i))
		b.train(models[i]) // makes the moments
	}
	return loop(func() float64 {
		next = (next + 1) % count
		return b.train(models[next])
	})
}

// trainBeside trains a model on each of some threads, at the same time.
func trainBeside(c lm.Config, workers int) measurement {
	each := make([]measurement, workers)
	for i := range each {
		l, b := newLearner(c, fmt.Sprint(i)), newBatch(c, benchRows)
		each[i] = loop(func() float64 { return b.train(l) })
	}
	return func(length time.Duration) float64 {
		rates := make([]float64, workers)
		var group sync.WaitGroup
		for i := range each {
			group.Go(func() {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				rates[i] = each[i](length)
			})
		}
		group.Wait()
		sum := 0.0
		for _, r := range rates {
			sum += r
		}
		return sum
	}
}

func benchQueue(pending int) bench {
	return bench{
		name: fmt.Sprintf("queue.hold.%d", pending), unit: "M events/s", value: mega, isa: kernel.Active(),
		doc: fmt.Sprintf("the hold model: with %d events pending, take the earliest and put one in an exponential time later", pending),
		begin: func() measurement {
			h := virtual.NewHold(pending)
			return loop(func() float64 {
				h.Run(10_000)
				return 10_000
			})
		},
	}
}

func benchEpoch(rule consensus.Name, neurons, validators, weights int) bench {
	return bench{
		name: fmt.Sprintf("epoch.%s.%dx%dx%d", rule, neurons, validators, weights), unit: "ms", value: milliseconds,
		isa: kernel.Active(),
		doc: fmt.Sprintf("an epoch of the ledger by %s: %d neurons, %d validators with %d weights each", rule, neurons,
			validators, weights),
		begin: func() measurement {
			r, err := consensus.Lookup(rule)
			if err != nil {
				panic(err) // one of the package's own
			}
			in, ws := crowd(r, neurons, validators, weights), new(consensus.Workspace)
			return loop(func() float64 {
				r.Epoch(ws, in, 1e9)
				return 1
			})
		},
	}
}

// benchRetention goes round points of a retention map: some cost half as much again as others.
func benchRetention() bench {
	return bench{
		name: "epoch.retention", unit: "ms", value: milliseconds, isa: kernel.Active(),
		doc: "an epoch of the retention map, the mean over coarse maps of three stakes: 512 neurons, 64 validators with 448 weights each",
		begin: func() measurement {
			var round []func()
			for _, stake := range []float64{0.5, 0.7, 0.9} {
				n := retention.Draw(retention.Published(), stake, 1, 0)
				for _, utility := range []float64{0.5, 0.6, 0.7, 0.8, 0.9, 1} {
					for _, self := range []float64{0, 0.2, 0.4, 0.6, 0.8, 1} {
						round = append(round, func() { n.Retained(utility, self) })
					}
				}
			}
			for _, point := range round {
				point() // makes the rows
			}
			next := 0
			return loop(func() float64 {
				round[next]()
				next = (next + 7) % len(round) // no divisor of 108
				return 1
			})
		},
	}
}

// crowd is a network in its steady state: all validators weigh the same miners, so that there is
// consensus, and bonds have followed the weights for some epochs.
func crowd(rule consensus.Rule, neurons, validators, weights int) *consensus.Input {
	s := num.NewStream(1, "crowd")
	in := &consensus.Input{Block: 1000, LastEpochBlock: 640, Params: consensus.Params{
		TempoBlocks: 360, Kappa: 32767, BondsPenalty: 65535, BondsMovingAveragePPM: 900_000, ActivityCutoffBlocks: 5000,
		MaxValidators: validators,
	}}
	for i := range neurons {
		stakeRao := uint64(0)
		if i < validators {
			stakeRao = 1e12 + uint64(s.IntN(1e9))
		}
		in.StakesRao = append(in.StakesRao, stakeRao)
		in.LastUpdate, in.RegisteredAt = append(in.LastUpdate, 900), append(in.RegisteredAt, 1)
		in.Permits = append(in.Permits, i < validators)
	}
	in.Weights, in.Bonds = make([][]consensus.WeightEntry, neurons), make([][]consensus.BondEntry, neurons)
	miners := s.Perm(neurons - validators)[:min(weights, neurons-validators)]
	slices.Sort(miners)
	for i := range validators {
		for _, miner := range miners {
			quality := 1 + 60_000*(miner%97)/97 + s.IntN(5000)
			in.Weights[i] = append(in.Weights[i],
				consensus.WeightEntry{UID: consensus.UID(validators + miner), Weight: uint32(quality)})
		}
	}
	ws := new(consensus.Workspace)
	for range 8 {
		for i, row := range rule.Epoch(ws, in, 1e9).Bonds {
			in.Bonds[i] = slices.Clone(row)
		}
	}
	return in
}

// benchReference is the page that says what the names mean. ISA stands for an instruction set.
func benchReference() string {
	var b strings.Builder
	b.WriteString(benchIntroduction)
	seen := map[string]bool{}
	line := func(name, unit string, share bool, doc string) {
		percent := ""
		if share {
			percent = "yes"
		}
		if !seen[name] {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, unit, percent, doc)
		}
		seen[name] = true
	}
	for _, m := range benches() {
		name := strings.Replace(m.name, "."+m.isa.String(), ".ISA", 1)
		line(name, m.unit, m.flop > 0, m.doc)
	}
	line("matmul.ISA.mean", "GFLOP/s", true, "geometric mean of the products")
	for _, r := range benchRatios {
		line(r.above+".ratio", "x", false, r.doc)
	}
	return b.String()
}

const benchIntroduction = `# Measurements

` + "`taolab bench`" + ` prints a line for each of these, with the median, the lowest and the highest of seven rounds;
with --quick, of three shorter ones, and without what takes much memory. A round measures everything once, so
that no measurement has a better hour than another. On Linux time is the processor time of the measuring thread, which other
programs do not change; elsewhere it is wall time.

% of peak is the share of the multiply-add peak, measured on the same instruction set directly before, in
floating-point operations: two for each multiply-add of the matrix products, attention counted over the
causal triangle, elementwise work not at all; a training step is three forward passes.

Model A has width 64, 2 layers, 4 heads, context 64 and a vocabulary of 256; model B has width 128, 4 layers,
4 heads, context 128 and a vocabulary of 512. ISA stands for avx512, avx2, neon or generic; the models, the queue
and the ledger run on the one in use, which TAOLAB_ISA chooses.

With --json the names are those below and stay. ` + "`value`, `low` and `high`" + ` are in ` + "`unit`" + `; ` + "`percent_of_peak`" + ` is null
where a share makes no sense.

| name | unit | % of peak | meaning |
| --- | --- | --- | --- |
`
