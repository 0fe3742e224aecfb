package mind

import (
	"fmt"

	"taolab/agents/state"
	"taolab/agents/wire"
	"taolab/model/lm"
	"taolab/model/pile"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// Training holds the settings of a transformer's training.
type Training struct {
	Mix       *pile.Mix   // text it learns from (pile.Train); a specialist's mix favours some subsets
	Later     []Growth    // mixes that replace it as the corpus grows
	Store     *pile.Store // of the run's first subsets, from which its owner may set other mixes; nil: none
	Optimizer Optimizer
	Rows      int // windows per step
	Cols      int // tokens per window, at most the model's context
	Steps     int // optimiser steps per visit
}

// TransformerConfig holds the settings of a transformer.
type TransformerConfig struct {
	Base       *lm.Model   // shared and read-only: cloned in the first training visit
	Training   *Training   // nil: never trains
	TopK       int         // most tokens it answers with per row, below the vocabulary
	MaxRows    int         // largest request it serves
	MaxCols    int         // longest request it serves, at most the model's context
	Evaluation *Evaluation // shared and read-only; nil: never measured

	// Translation is between the standard tokens and the model's own; nil: they are the same. Training and
	// Evaluation are in the model's own tokens.
	Translation *Translation
}

// Validate returns an error if the config is unusable.
func (c TransformerConfig) Validate() error {
	switch {
	case c.Base == nil:
		return fmt.Errorf("miner: no base model; set Base")
	case c.TopK < 1 || c.TopK >= c.Base.Config.Vocab:
		return fmt.Errorf("miner: topk %d, expected 1 to %d", c.TopK, c.Base.Config.Vocab-1)
	case c.MaxRows < 1:
		return fmt.Errorf("miner: requests of at most %d rows, expected at least 1", c.MaxRows)
	case c.MaxCols < 1 || c.MaxCols > c.Base.Config.Context:
		return fmt.Errorf("miner: requests of at most %d tokens, expected 1 to the model's context %d",
			c.MaxCols, c.Base.Config.Context)
	case c.Evaluation != nil && c.Evaluation.Cols > c.Base.Config.Context:
		return fmt.Errorf("miner: evaluation windows of %d tokens exceed the model's context %d",
			c.Evaluation.Cols, c.Base.Config.Context)
	}
	if c.Translation != nil {
		if err := c.Translation.validate(c.Base); err != nil {
			return err
		}
	}
	t := c.Training
	switch {
	case t == nil:
		return nil
	case t.Mix == nil:
		return fmt.Errorf("miner: training without text to train on")
	case t.Rows < 1 || t.Steps < 1:
		return fmt.Errorf("miner: visits of %d steps on %d rows, expected at least 1 each", t.Steps, t.Rows)
	case t.Cols < 1 || t.Cols > c.Base.Config.Context:
		return fmt.Errorf("miner: training windows of %d tokens, expected 1 to the model's context %d",
			t.Cols, c.Base.Config.Context)
	}
	if t.Optimizer == nil {
		return fmt.Errorf("miner: training without an optimiser")
	}
	if err := t.Optimizer.Validate(); err != nil {
		return fmt.Errorf("miner: %w", err)
	}
	return nil
}

// fork is a model that is copied when it is first trained. While a job runs, only the job uses it.
type fork struct {
	base *lm.Model // shared and read-only
	own  *lm.Model // nil until something is trained
}

func (f *fork) model() *lm.Model {
	if f.own == nil {
		return f.base
	}
	return f.own
}

// owned is the model to train. Jobs call it, for copying the models of thousands of nodes would hold up the
// loop.
func (f *fork) owned() *lm.Model {
	if f.own == nil {
		f.own = f.base.Clone()
	}
	return f.own
}

// Transformer answers with a language model of its own.
type Transformer struct {
	config  TransformerConfig
	fork    *fork
	learns  training // counts the optimiser steps since the fork; nil: it does not train
	lossSum float64
	losses  uint64    // in lossSum, since the last measurement
	told    *pile.Mix // the mix that its owner set; nil: that of its settings
}

// NewTransformer returns a transformer. It panics when the config is not valid.
func NewTransformer(c TransformerConfig) *Transformer {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	t := &Transformer{config: c, fork: &fork{base: c.Base}}
	if c.Training != nil {
		t.learns = c.Training.Optimizer.begin()
	}
	return t
}

// asked is a parsed request for distributions of the next token.
type asked struct {
	synapse host.Synapse
	wire.Question
}

// readText decodes a request for distributions of the next token.
func readText(r host.Request, most wire.Bounds) (asked, host.Code) {
	if r.Dir != host.Forward || r.Synapse != host.TextCausalLMNext && r.Synapse != host.TextCausalLM {
		return asked{}, host.NotImplemented
	}
	q, err := wire.DecodeQuestion(r, most)
	if err != nil {
		return asked{}, host.InvalidRequest
	}
	return asked{r.Synapse, q}, host.Success
}

// Read implements Server.
func (t *Transformer) Read(r host.Request) (Question, host.Code) {
	c := t.config
	most := wire.Bounds{Vocab: c.Base.Config.Vocab, Rows: c.MaxRows, Cols: c.MaxCols, TopK: c.TopK}
	if c.Translation != nil {
		most.Vocab = c.Translation.standard.Vocab()
		return readText(r, most)
	}
	q, code := readText(r, most)
	if code == host.Success && c.Base.Config.CheckBatch(q.Tokens, q.Rows, q.Cols) != nil {
		code = host.InvalidRequest
	}
	return q, code
}

// Answer implements Server.
func (t *Transformer) Answer(_ host.Env, q Question) (host.Job, []byte) {
	if by := t.config.Translation; by != nil {
		return translated{t.fork, by, t.config.MaxCols, q.(asked)}, nil
	}
	return predict{t.fork, q.(asked)}, nil
}

// Train implements Server.
func (t *Transformer) Train(env host.Env) host.Job {
	c := t.config.Training
	if c == nil {
		return nil
	}
	return trainVisit{
		fork: t.fork, by: t.learns, mix: t.mix(env),
		seed: env.Rand("training").Uint64(), rows: c.Rows, cols: c.Cols, steps: c.Steps,
	}
}

// mix is the mix that it learns from.
func (t *Transformer) mix(env host.Env) *pile.Mix {
	if t.told != nil {
		return t.told
	}
	c := t.config.Training
	return mixAfter(c.Mix, c.Later, grown(c.Later, env))
}

// SetMix implements Learner. It ignores weights of subsets beyond those of its text, and keeps the old mix
// if the weights leave nothing to draw.
func (t *Transformer) SetMix(weights []float64) {
	c := t.config.Training
	if c == nil || c.Store == nil {
		return
	}
	if mix, err := c.Store.NewMix(pile.Train, weights[:min(len(weights), len(c.Store.Subsets()))]); err == nil {
		t.told = mix
	}
}

// Trained implements Server.
func (t *Transformer) Trained(result []byte) {
	for _, l := range wire.DecodeFloats(result) {
		t.lossSum += float64(l)
		t.losses++
	}
}

// Measure implements Server.
func (t *Transformer) Measure(env host.Env) host.Job {
	on := t.config.Evaluation
	if on == nil {
		return nil
	}
	return measure{t.fork, on, on.there(env.Chain().Height())}
}

// Measured implements Server: it records a row for each subset, and one for all.
func (t *Transformer) Measured(env host.Env, result []byte) {
	self := env.Self()
	on := t.config.Evaluation
	row := trace.Train{
		TimeNs: int64(env.Now()), Block: env.Chain().Height(), Node: self.Node,
	}
	if c := t.config.Training; c != nil {
		row.Steps = t.learns.taken()
		row.Tokens = row.Steps * uint64(c.Rows) * uint64(c.Cols)
	}
	if t.losses > 0 {
		row.TrainLoss = trace.Some(float32(t.lossSum / float64(t.losses)))
	}
	t.lossSum, t.losses = 0, 0
	if self.HasUID {
		row.UID = trace.Some(uint16(self.UID))
	}
	all := 0.0
	for i, loss := range wire.DecodeFloats(result) {
		row.Subset, row.HeldOutLoss = on.Subsets[i], loss
		env.Record(row)
		if i < len(on.Weights) {
			all += float64(on.Weights[i] * float64(loss))
		}
	}
	row.Subset, row.HeldOutLoss = "all", float32(all)
	env.Record(row)
}

// AppendState implements Server.
func (t *Transformer) AppendState(b []byte) []byte {
	if t.config.Training != nil {
		b = state.AppendPart(b, t.fork.model())
		b = state.AppendPart(b, t.learns)
	}
	b = state.AppendF64(b, t.lossSum)
	return state.AppendU64(b, t.losses)
}

// Fresh implements Server.
func (t *Transformer) Fresh() Server { return NewTransformer(t.config) }

// Restore implements Server.
func (t *Transformer) Restore(c *state.Cursor) {
	if t.config.Training != nil {
		own := new(lm.Model)
		c.Part("model", own.UnmarshalBinary)
		c.Part("optimiser", t.learns.UnmarshalBinary)
		switch want := t.config.Base; {
		case own.Config != want.Config:
			c.Fail("a model of shape %+v, expected %+v", own.Config, want.Config)
		case t.learns.weights() != 0 && t.learns.weights() != len(own.Weights):
			c.Fail("an optimiser of %d weights, expected %d", t.learns.weights(), len(own.Weights))
		}
		t.fork.own = own
	}
	t.lossSum = c.F64("sum of losses")
	t.losses = c.U64("number of losses")
}
