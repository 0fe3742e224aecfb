package agents

import (
	"fmt"
	"slices"

	"taolab/agents/state"
	"taolab/agents/wire"
	"taolab/model/lm"
	"taolab/model/pile"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// Behaviour is what a miner does with its model.
type Behaviour uint8

// The behaviours.
const (
	Honest Behaviour = iota // trains and serves
	Frozen                  // serves its base model as it is and never trains
	Random                  // answers with random tokens and probabilities, without any model
)

// Training is how an honest miner spends its compute unit between requests.
type Training struct {
	Mix       *pile.Mix // text it learns from (pile.Train); a specialist's mix favours some subsets
	Optimizer lm.AdamW
	Rows      int // windows per step
	Cols      int // tokens per window, at most the model's context
	Steps     int // optimiser steps per visit
	// Duty is the share of its time spent training, 0 (never) to 1: after a visit of duration d
	// it rests d*(1-Duty)/Duty.
	Duty float64
}

// MinerConfig is a miner before its first event.
type MinerConfig struct {
	Behaviour Behaviour
	Base      *lm.Model // shared and read-only: a miner clones it before its first training visit
	Training  Training  // ignored unless honest
	TopK      int       // most tokens it answers with per row, below the vocabulary
	MaxRows   int       // largest request it serves
	MaxCols   int       // longest request it serves, at most the model's context
	Waiting   int       // requests that may wait for the compute unit; more are told Backoff

	Evaluation          *Evaluation // shared and read-only; nil: never measures itself
	EvaluateEveryBlocks uint64      // after the measurement at its start; 0: only that one
}

// Validate says what a miner cannot work with.
func (c MinerConfig) Validate() error {
	switch {
	case c.Behaviour > Random:
		return fmt.Errorf("miner: behaviour %d is unknown; use Honest, Frozen or Random", c.Behaviour)
	case c.Base == nil:
		return fmt.Errorf("miner: no base model; give one (a random answerer takes its vocabulary from it)")
	case c.TopK < 1 || c.TopK >= c.Base.Config.Vocab:
		return fmt.Errorf("miner: topk %d, expected 1 to %d", c.TopK, c.Base.Config.Vocab-1)
	case c.MaxRows < 1:
		return fmt.Errorf("miner: requests of at most %d rows, expected at least 1", c.MaxRows)
	case c.MaxCols < 1 || c.MaxCols > c.Base.Config.Context:
		return fmt.Errorf("miner: requests of at most %d tokens, expected 1 to the model's context %d",
			c.MaxCols, c.Base.Config.Context)
	case c.Waiting < 1:
		return fmt.Errorf("miner: %d requests may wait, expected at least 1", c.Waiting)
	case c.Evaluation != nil && c.Evaluation.Cols > c.Base.Config.Context:
		return fmt.Errorf("miner: evaluation windows of %d tokens exceed the model's context %d",
			c.Evaluation.Cols, c.Base.Config.Context)
	}
	if !c.trains() {
		return nil
	}
	t := c.Training
	switch {
	case !(t.Duty > 0 && t.Duty <= 1):
		return fmt.Errorf("miner: duty %g, expected 0 to 1", t.Duty)
	case t.Mix == nil:
		return fmt.Errorf("miner: duty %g without text to train on", t.Duty)
	case t.Rows < 1 || t.Steps < 1:
		return fmt.Errorf("miner: visits of %d steps on %d rows, expected at least 1 each", t.Steps, t.Rows)
	case t.Cols < 1 || t.Cols > c.Base.Config.Context:
		return fmt.Errorf("miner: training windows of %d tokens, expected 1 to the model's context %d",
			t.Cols, c.Base.Config.Context)
	}
	if err := t.Optimizer.Validate(); err != nil {
		return fmt.Errorf("miner: %w", err)
	}
	return nil
}

func (c MinerConfig) trains() bool { return c.Behaviour == Honest && c.Training.Duty != 0 }

// maxRest bounds a pause, however small the duty or rare the arrivals: it must fit the clock.
const maxRest = 365 * 24 * host.Hour

// occupation is what the compute unit is busy with.
type occupation uint8

const (
	idle occupation = iota
	training
	measuring
	serving
)

// request is a question that waits for the compute unit.
type request struct {
	call     host.CallID
	deadline host.Time
	synapse  host.Synapse
	wire.Question
}

// Miner trains a language model between requests and answers TextCausalLMNext and TextCausalLM
// with it. One thing at a time has the compute unit: a request waits for the end of the visit
// before it, goes before a measurement, and a measurement before more training.
type Miner struct {
	config MinerConfig
	model  *lm.Model // the shared base until something is trained

	adam    lm.AdamState // counts the optimiser steps since the fork
	lossSum float64
	losses  uint64 // in lossSum, since the last measurement

	// What a crash forgets.
	busy     occupation
	job      host.JobID
	began    host.Time    // of the job
	serves   host.CallID  // while serving
	waiting  []request    // first come, first served; at most config.Waiting
	measures bool         // a measurement is due
	resting  bool         // between training visits
	rest     host.TimerID // ends the resting
}

// NewMiner returns a miner. It panics when the config is not valid.
func NewMiner(c MinerConfig) *Miner {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	return &Miner{config: c, model: c.Base}
}

// Handle implements host.Agent.
func (m *Miner) Handle(env host.Env, event host.Event) {
	switch e := event.(type) {
	case host.Start:
		m.busy, m.waiting, m.resting = idle, nil, false
		m.measures = true
		m.awaitMeasurement(env)
	case host.Block:
		m.measures = true
		m.awaitMeasurement(env)
	case host.Timer:
		if m.resting && e.ID == m.rest {
			m.resting = false
		}
	case host.Incoming:
		m.take(env, e)
	case host.Done:
		if m.busy != idle && e.ID == m.job {
			m.finish(env, e.Result)
		}
	}
	m.next(env)
}

// awaitMeasurement sets the timer of the next multiple of the period, so that all miners measure
// at the same heights.
func (m *Miner) awaitMeasurement(env host.Env) {
	if period := m.config.EvaluateEveryBlocks; period > 0 && m.canMeasure() {
		env.AtBlock((env.Chain().Height()/period+1)*period, 0)
	}
}

func (m *Miner) canMeasure() bool {
	return m.config.Evaluation != nil && m.config.Behaviour != Random
}

// take lets a request wait for the compute unit, or answers at once where none is needed.
func (m *Miner) take(env host.Env, e host.Incoming) {
	q, code := m.read(e.Request)
	switch {
	case code != host.Success:
		env.Reply(e.Call, host.Response{Code: code})
	case m.config.Behaviour == Random:
		body := randomAnswer(env.Rand("answers"), e.Request.Synapse, q, m.config.Base.Config.Vocab)
		env.Reply(e.Call, host.Response{Code: host.Success, Body: body})
	case len(m.waiting) >= m.config.Waiting && !m.dropOverdue(env):
		env.Reply(e.Call, host.Response{Code: host.Backoff})
	default:
		m.waiting = append(m.waiting, request{e.Call, e.Deadline, e.Request.Synapse, q})
	}
}

// read decodes a request, or says with which code it is refused.
func (m *Miner) read(r host.Request) (q wire.Question, code host.Code) {
	if r.Dir != host.Forward || r.Synapse != host.TextCausalLMNext && r.Synapse != host.TextCausalLM {
		return q, host.NotImplemented
	}
	c := m.config
	q, err := wire.DecodeQuestion(r, wire.Bounds{
		Vocab: c.Base.Config.Vocab, Rows: c.MaxRows, Cols: c.MaxCols, TopK: c.TopK,
	})
	if err != nil || q.Rows < 1 || q.Cols < 1 || q.TopK < 1 ||
		c.Base.Config.CheckBatch(q.Tokens, q.Rows, q.Cols) != nil {
		return q, host.InvalidRequest
	}
	return q, host.Success
}

// next gives a free compute unit its next job.
func (m *Miner) next(env host.Env) {
	if m.busy != idle {
		return
	}
	m.dropOverdue(env)
	switch {
	case len(m.waiting) > 0:
		r := m.waiting[0]
		m.waiting = slices.Delete(m.waiting, 0, 1)
		m.serves = r.call
		m.start(env, serving, predict{m.model, r.synapse, r.Question})
	case m.measures && m.canMeasure():
		m.measures = false
		m.start(env, measuring, measure{m.model, m.config.Evaluation})
	case m.config.trains() && !m.resting:
		if m.model == m.config.Base {
			m.model = m.model.Clone()
		}
		t := m.config.Training
		m.start(env, training, trainVisit{
			model: m.model, state: &m.adam, optimizer: t.Optimizer, mix: t.Mix,
			seed: env.Rand("training").Uint64(), rows: t.Rows, cols: t.Cols, steps: t.Steps,
		})
	}
}

// dropOverdue forgets the requests whose callers have given up, wherever they wait, and says
// whether there were any.
func (m *Miner) dropOverdue(env host.Env) bool {
	before := len(m.waiting)
	m.waiting = slices.DeleteFunc(m.waiting, func(r request) bool {
		overdue := r.deadline <= env.Now()
		if overdue {
			env.Reply(r.call, host.Response{Code: host.Timeout})
		}
		return overdue
	})
	return len(m.waiting) < before
}

func (m *Miner) start(env host.Env, as occupation, job host.Job) {
	m.busy, m.began = as, env.Now()
	m.job = env.Compute(job)
}

// finish takes the result of the job that ran.
func (m *Miner) finish(env host.Env, result []byte) {
	was := m.busy
	m.busy = idle
	switch was {
	case serving:
		env.Reply(m.serves, host.Response{Code: host.Success, Body: result})
	case measuring:
		m.record(env, wire.DecodeFloats(result))
	case training:
		for _, l := range wire.DecodeFloats(result) {
			m.lossSum += float64(l)
			m.losses++
		}
		if rest := restAfter(env.Now()-m.began, m.config.Training.Duty); rest > 0 {
			m.resting, m.rest = true, env.After(rest, 0)
		}
	}
}

// restAfter is the pause after a training visit that keeps the duty.
func restAfter(visit host.Time, duty float64) host.Time {
	rest := float64(float64(visit)*(1-duty)) / duty
	return host.Time(min(rest, float64(maxRest)))
}

// record writes a measurement: a row for each subset, and one for all.
func (m *Miner) record(env host.Env, heldOut []float32) {
	self := env.Self()
	on := m.config.Evaluation
	row := trace.Train{
		TimeNs: int64(env.Now()), Block: env.Chain().Height(), Node: self.Node, Steps: m.adam.Step,
		Tokens: m.adam.Step * uint64(m.config.Training.Rows) * uint64(m.config.Training.Cols),
	}
	if m.losses > 0 {
		row.TrainLoss = trace.Some(float32(m.lossSum / float64(m.losses)))
	}
	m.lossSum, m.losses = 0, 0
	if self.HasUID {
		row.UID = trace.Some(uint16(self.UID))
	}
	all := 0.0
	for i, loss := range heldOut {
		row.Subset, row.HeldOutLoss = on.Subsets[i], loss
		env.Record(row)
		all += float64(on.Weights[i] * float64(loss))
	}
	row.Subset, row.HeldOutLoss = "all", float32(all)
	env.Record(row)
}

// AppendState implements host.Agent.
func (m *Miner) AppendState(b []byte) []byte {
	b = state.Begin(b, "miner")
	if m.config.trains() {
		b = state.AppendPart(b, m.model)
		b = state.AppendPart(b, &m.adam)
	}
	b = state.AppendF64(b, m.lossSum)
	b = state.AppendU64(b, m.losses)
	b = append(b, byte(m.busy))
	b = state.AppendU64(b, uint64(m.job))
	b = state.AppendU64(b, uint64(m.began))
	b = state.AppendU64(b, uint64(m.serves))
	b = state.AppendU32(b, uint32(len(m.waiting)))
	for _, r := range m.waiting {
		b = state.AppendU64(b, uint64(r.call))
		b = state.AppendU64(b, uint64(r.deadline))
		b = append(b, byte(r.synapse))
		b = state.AppendU32(b, uint32(r.Rows))
		b = state.AppendU32(b, uint32(r.Cols))
		b = state.AppendU32(b, uint32(r.TopK))
		b = state.AppendU16s(b, r.Tokens)
	}
	b = state.AppendBool(b, m.measures)
	b = state.AppendBool(b, m.resting)
	return state.AppendU64(b, uint64(m.rest))
}

// RestoreState implements host.Agent. After an error the miner is as it was.
func (m *Miner) RestoreState(b []byte) error {
	c := state.Open("miner", b)
	r := Miner{config: m.config, model: m.config.Base}
	if m.config.trains() {
		r.model = new(lm.Model)
		c.Part("model", r.model.UnmarshalBinary)
		c.Part("optimiser", r.adam.UnmarshalBinary)
	}
	r.lossSum = c.F64("sum of losses")
	r.losses = c.U64("number of losses")
	r.busy = occupation(c.U8("occupation"))
	r.job = host.JobID(c.U64("job"))
	r.began = host.Time(c.U64("start of job"))
	r.serves = host.CallID(c.U64("served call"))
	for n := c.Count("waiting requests", 33); n > 0; n-- {
		r.waiting = append(r.waiting, request{
			host.CallID(c.U64("call")), host.Time(c.U64("deadline")), host.Synapse(c.U8("synapse")),
			wire.Question{
				Rows: int(c.U32("rows")), Cols: int(c.U32("cols")), TopK: int(c.U32("topk")), Tokens: c.U16s("tokens"),
			},
		})
	}
	r.measures = c.Bool("measurement due")
	r.resting = c.Bool("resting")
	r.rest = host.TimerID(c.U64("rest timer"))
	if err := c.End(); err != nil {
		return err
	}
	if err := r.consistent(); err != nil {
		return fmt.Errorf("agents: state of a miner: %w", err)
	}
	*m = r
	return nil
}

// consistent says whether a restored state can be this miner's.
func (m *Miner) consistent() error {
	switch {
	case m.model.Config != m.config.Base.Config:
		return fmt.Errorf("a model of shape %+v, expected %+v", m.model.Config, m.config.Base.Config)
	case len(m.adam.M) != 0 && len(m.adam.M) != len(m.model.Weights):
		return fmt.Errorf("an optimiser of %d weights, expected %d", len(m.adam.M), len(m.model.Weights))
	case m.busy > serving:
		return fmt.Errorf("occupation %d is unknown", m.busy)
	case len(m.waiting) > m.config.Waiting:
		return fmt.Errorf("%d waiting requests, expected at most %d", len(m.waiting), m.config.Waiting)
	}
	for _, r := range m.waiting {
		if err := m.model.Config.CheckBatch(r.Tokens, r.Rows, r.Cols); err != nil {
			return fmt.Errorf("waiting request: %w", err)
		}
		if r.TopK < 1 || r.TopK > m.config.TopK {
			return fmt.Errorf("waiting request for %d tokens, expected 1 to %d", r.TopK, m.config.TopK)
		}
	}
	return nil
}
