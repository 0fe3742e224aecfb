package mind

import (
	"slices"

	"taolab/agents/wire"
	"taolab/model/lm"
	"taolab/model/num"
	"taolab/model/pile"
	"taolab/sim/host"
)

// bench is memory that a worker reuses from job to job. No result depends on it.
type bench struct {
	lm      lm.Workspace
	tokens  []uint16
	targets []uint16
	losses  []float32
	ranking ranking
	reader  wire.NextReader
}

func benchOf(s *host.Scratch) *bench {
	b, ok := s.Local.(*bench)
	if !ok {
		b = new(bench)
		s.Local = b
	}
	return b
}

// Workspace is a worker's memory for models, which the jobs of all nodes share.
func Workspace(s *host.Scratch) *lm.Workspace { return &benchOf(s).lm }

func grow[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }

// trainVisit does a few optimiser steps on windows drawn from a seed. It changes model and
// state. Its result is the loss before each step.
type trainVisit struct {
	fork  *fork
	by    training
	mix   *pile.Mix
	seed  uint64
	rows  int
	cols  int
	steps int
}

func (j trainVisit) Work() int64 {
	return int64(j.steps) * j.fork.base.Config.TrainFLOP(j.rows, j.cols)
}

// Tokens implements host.Reader, as below.
func (j trainVisit) Tokens() int64 { return int64(j.steps * j.rows * j.cols) }

func (j trainVisit) Run(s *host.Scratch) []byte {
	b := benchOf(s)
	b.tokens, b.targets = grow(b.tokens, j.rows*j.cols), grow(b.targets, j.rows*j.cols)
	stream := num.NewStream(j.seed, "training visit")
	model, losses := j.fork.owned(), make([]float32, j.steps)
	for i := range losses {
		j.mix.Batch(stream, j.rows, j.cols, b.tokens, b.targets)
		losses[i] = j.by.train(&b.lm, model, b.tokens, b.targets, j.rows, j.cols)
	}
	return wire.EncodeFloats(losses)
}

// measure computes the losses of a model on held-out windows. Its result is one mean per
// subset.
type measure struct {
	fork    *fork
	on      *Evaluation
	subsets int // measures the first ones, this many
}

func (j measure) Work() int64 {
	return int64(j.subsets) * j.fork.base.Config.ForwardFLOP(j.on.Rows, j.on.Cols, false)
}

func (j measure) Tokens() int64 { return int64(j.subsets * j.on.Rows * j.on.Cols) }

func (j measure) Run(s *host.Scratch) []byte {
	b := benchOf(s)
	b.losses = grow(b.losses, j.on.Rows*j.on.Cols)
	means := make([]float32, j.subsets)
	for i := range means {
		b.lm.Losses(j.fork.model(), j.on.Tokens[i], j.on.Targets[i], j.on.Rows, j.on.Cols, b.losses)
		sum := 0.0
		for _, l := range b.losses {
			sum += float64(l)
		}
		mean := sum / float64(len(b.losses))
		if j.on.Scales != nil {
			mean = float64(mean * j.on.Scales[i])
		}
		means[i] = float32(mean)
	}
	return wire.EncodeFloats(means)
}

// predict answers a question. Its result is the body of the answer.
type predict struct {
	fork *fork
	asked
}

func (j predict) Work() int64 { return j.fork.base.Config.ForwardFLOP(j.Rows, j.Cols, true) }

func (j predict) Tokens() int64 { return int64(j.Rows * j.Cols) }

func (j predict) Run(s *host.Scratch) []byte {
	b := benchOf(s)
	probs := b.lm.Next(j.fork.model(), j.asked.Tokens, j.Rows, j.Cols)
	return wire.EncodeDists(j.synapse, b.ranking.top(probs, j.Rows, j.TopK), j.TopK, j.fork.base.Config.Vocab)
}
