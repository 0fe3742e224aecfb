package scenarios

import (
	"io"

	"taolab/agents/settings"
	"taolab/model/base"
	"taolab/model/lm"
	"taolab/model/num"
	"taolab/model/pile"
)

// Work is an estimate of a run's computation, made only from the scenario: miners train for their duty
// share of the time and answer every question, and nothing is refused or lost. The numbers are
// floats, because they may exceed 64 bits.
type Work struct {
	BaseTokens, TrainTokens, ServeTokens, MeasureTokens float64
	FLOP                                                float64
}

// Work estimates the run's tokens and FLOP.
func (f *File) Work() Work {
	var w Work
	for _, shape := range f.shapes() {
		steps := float64(f.Base.Steps)
		w.BaseTokens += float64(steps * float64(f.Base.Rows*shape.Context))
		w.FLOP += float64(steps * float64(shape.TrainFLOP(f.Base.Rows, shape.Context)))
	}
	spanS := float64(f.Time.Hours * 3600)
	questions, tokens := f.questions(spanS)
	if f.Economy() {
		return w
	}
	served := float64(questions / float64(f.MinerCount()) * tokens)
	measured := float64(float64(f.BlockCount()/f.Evaluation.PeriodBlocks+1) * float64(f.Evaluation.Rows*f.smallestContext()))
	for _, g := range f.Miners {
		if !g.Acts().Model {
			continue
		}
		shape := g.Shape(f.Corpus.Vocab)
		members := float64(g.Count)
		if g.Acts().Trains {
			busy := 0.0 // FLOP of the members in their training time
			for i := range g.Count {
				busy += float64(float64(spanS*g.Duty.At(i, g.Count)) * float64(g.HardwareMFLOPS.At(i, g.Count)*1e6))
			}
			w.FLOP += busy
			w.TrainTokens += float64(busy / float64(shape.TrainFLOP(g.Rows, g.Context)) * float64(g.Rows*g.Context))
		}
		asked := float64(served * float64(g.UIDs))
		w.ServeTokens += float64(members * asked)
		w.MeasureTokens += float64(members * measured)
		perToken := float64(shape.ForwardFLOP(1, g.Context, true)) / float64(g.Context)
		w.FLOP += float64(members * float64(asked*perToken))
		perToken = float64(shape.ForwardFLOP(1, g.Context, false)) / float64(g.Context)
		w.FLOP += float64(members * float64(measured*perToken))
	}
	for _, g := range f.Validators {
		if g.Acts().Asks {
			steps := float64(float64(g.Count) * float64(spanS/g.StepS))
			w.FLOP += float64(steps * float64(f.routerFLOP(&g)))
		}
	}
	return w
}

// routerFLOP is the work of a validator's routing model in one step: scoring and training.
func (f *File) routerFLOP(g *ValidatorGroup) int64 {
	trunk, uids := &lm.Model{Config: g.RouterShape(f.Corpus.Vocab)}, f.seats()
	gates, bias := make([]float32, uids*g.RouterWidth), make([]float32, uids)
	if g.Routing != "gated" {
		router := lm.Router{Trunk: trunk, Gates: gates, Bias: bias}
		return router.ForwardFLOP(g.Rows, g.Tokens) + router.TrainFLOP(g.Rows, g.Tokens)
	}
	router := lm.RowRouter{Trunk: trunk, Gates: gates, Bias: bias, Common: make([]float32, g.RouterWidth+1)}
	if g.RouterLabels {
		router.Subsets = make([]float32, f.subsetsRead(g)*(g.RouterWidth+1))
	}
	return router.ForwardFLOP(g.Rows, g.Tokens) + router.TrainFLOP(g.Rows, g.Tokens, g.Rows*g.Peers)
}

// seats is the number of uids, or 1 where the parameters are refused.
func (sc *Scenario) seats() int {
	p, err := sc.Params()
	if err != nil {
		return 1
	}
	return int(p.MaxUIDs)
}

// subsetsRead is the number of subsets that a validator reads, as far as it is known before shards
// are read.
func (sc *Scenario) subsetsRead(g *ValidatorGroup) int {
	switch {
	case len(g.Subsets) > 0:
		return len(g.Subsets)
	case len(sc.Corpus.Subsets) > 0:
		return len(sc.Corpus.Subsets)
	}
	return len(pile.SubsetNames())
}

// questions is the number of questions that validators ask, and the mean number of tokens in one.
func (f *File) questions(spanS float64) (count, tokens float64) {
	sum := 0.0
	for _, g := range f.Validators {
		if !g.Acts().Asks {
			continue
		}
		n := float64(float64(g.Count*g.Peers) * (spanS / g.StepS))
		count += n
		sum += float64(n * float64(g.Rows*g.Tokens))
	}
	if count == 0 {
		return 0, 0
	}
	return count, sum / count
}

// Probe returns a function that does one training step of the scenario's largest model and returns
// its FLOP, for timing this machine.
func (f *File) Probe() func() int64 {
	shapes := f.shapes()
	if len(shapes) == 0 {
		return func() int64 { return 0 }
	}
	largest := shapes[0]
	for _, shape := range shapes {
		if shape.Params() > largest.Params() {
			largest = shape
		}
	}
	const rows = 8
	model, work, state := lm.New(largest, num.NewStream(0, "probe")), new(lm.Workspace), new(lm.AdamState)
	tokens := make([]uint16, rows*largest.Context)
	for i := range tokens {
		tokens[i] = uint16(i * 7 % largest.Vocab)
	}
	return func() int64 {
		work.Train(model, base.Optimizer(1e-3), state, tokens, tokens, rows, largest.Context)
		return largest.TrainFLOP(rows, largest.Context)
	}
}

// WriteTOML writes the scenario with every key resolved, in the order of the reference, each with
// its unit and meaning when comments is set.
func (sc *Scenario) WriteTOML(w io.Writer, comments bool) error {
	return settings.Write(w, *sc, comments)
}
