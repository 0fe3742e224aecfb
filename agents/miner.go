package agents

import (
	"fmt"
	"slices"

	"taolab/agents/mind"
	"taolab/agents/state"
	"taolab/sim/host"
)

// MinerConfig holds the settings of a miner.
type MinerConfig struct {
	Mind func() mind.Server // makes the mind that computes its answers
	// Duty is the share of its time spent training, 0 (never) to 1: after a visit of duration d
	// it rests d*(1-Duty)/Duty.
	Duty                float64
	EvaluateEveryBlocks uint64 // after the measurement at its start; 0: only that one
}

// Validate returns an error if the config is unusable.
func (c MinerConfig) Validate() error {
	switch {
	case c.Mind == nil:
		return fmt.Errorf("miner: no mind; set Mind, which computes its answers")
	case !(c.Duty >= 0 && c.Duty <= 1):
		return fmt.Errorf("miner: duty %g, expected 0 to 1", c.Duty)
	}
	return nil
}

// maxRest bounds a pause, however small the duty or rare the arrivals: it must fit the clock.
const maxRest = 365 * 24 * host.Hour

// occupation is the job that the compute unit is busy with.
type occupation uint8

const (
	idle occupation = iota
	training
	measuring
	serving
)

// request waits for the compute unit.
type request struct {
	call     host.CallID
	request  host.Request  // as received; part of the state
	question mind.Question // the same, parsed by the mind
}

// Miner serves the answers of its mind, and lets it train between requests. The compute unit does one
// job at a time: a request waits for the running job to end, a measurement waits for the requests, and
// training for both.
type Miner struct {
	config MinerConfig
	mind   mind.Server

	// State that a crash loses.
	busy     occupation
	job      host.JobID
	began    host.Time    // of the job
	serves   host.CallID  // while serving
	waiting  []request    // first come, first served; the admission rules bound them by their slots
	measures bool         // a measurement is due
	resting  bool         // between training visits
	rest     host.TimerID // ends the resting
}

// NewMiner returns a miner. It panics when the config is not valid.
func NewMiner(c MinerConfig) *Miner {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	return &Miner{config: c, mind: c.Mind()}
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
	case host.Cancelled:
		m.waiting = slices.DeleteFunc(m.waiting, func(r request) bool { return r.call == e.Call })
	case host.Done:
		if m.busy != idle && e.ID == m.job {
			m.finish(env, e.Result)
		}
	}
	m.next(env)
}

// SetDuty implements Worker.
func (m *Miner) SetDuty(now host.Time, share float64) {
	m.config.Duty = share
	if d, ok := m.mind.(mind.Diligent); ok {
		d.SetDuty(now, share)
	}
}

// SetMix implements Worker.
func (m *Miner) SetMix(weights []float64) {
	if l, ok := m.mind.(mind.Learner); ok {
		l.SetMix(weights)
	}
}

// Reflects implements Worker.
func (m *Miner) Reflects() mind.Reflective {
	r, _ := m.mind.(mind.Reflective)
	return r
}

// Busy implements Worker.
func (m *Miner) Busy() bool { return m.busy != idle }

// awaitMeasurement sets the timer of the next multiple of the period, so that all miners measure
// at the same heights.
func (m *Miner) awaitMeasurement(env host.Env) {
	if period := m.config.EvaluateEveryBlocks; period > 0 && m.mind.Measure(env) != nil {
		env.AtBlock((env.Chain().Height()/period+1)*period, 0)
	}
}

// take queues a request for the compute unit, or answers at once if it needs none.
func (m *Miner) take(env host.Env, e host.Incoming) {
	question, code := m.mind.Read(e.Request)
	if code != host.Success {
		env.Reply(e.Call, host.Response{Code: code})
		return
	}
	if m.busy != idle {
		m.waiting = append(m.waiting, request{e.Call, e.Request, question})
		return
	}
	m.serve(env, e.Call, question)
}

// serve answers a request, on the compute unit if it needs that.
func (m *Miner) serve(env host.Env, call host.CallID, q mind.Question) {
	job, body := m.mind.Answer(env, q)
	if job == nil {
		env.Reply(call, host.Response{Code: host.Success, Body: body})
		return
	}
	m.serves = call
	m.start(env, serving, job)
}

// next gives a free compute unit its next job.
func (m *Miner) next(env host.Env) {
	if m.busy != idle {
		return
	}
	for m.busy == idle && len(m.waiting) > 0 {
		r := m.waiting[0]
		m.waiting = slices.Delete(m.waiting, 0, 1)
		m.serve(env, r.call, r.question)
	}
	if m.busy != idle {
		return
	}
	if job := m.mind.Measure(env); m.measures && job != nil {
		m.measures = false
		m.start(env, measuring, job)
		return
	}
	if m.config.Duty == 0 || m.resting {
		return
	}
	if job := m.mind.Train(env); job != nil {
		m.start(env, training, job)
	}
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
		m.mind.Measured(env, result)
	case training:
		m.mind.Trained(result)
		if m.config.Duty == 0 { // its owner ended the training
			return
		}
		if rest := restAfter(env.Now()-m.began, m.config.Duty); rest > 0 {
			m.resting, m.rest = true, env.After(rest, 0)
		}
	}
}

// restAfter is the pause after a training visit that keeps the share of training at duty.
func restAfter(visit host.Time, duty float64) host.Time {
	rest := float64(float64(visit)*(1-duty)) / duty
	return host.Time(min(rest, float64(maxRest)))
}

// AppendState implements host.Agent.
func (m *Miner) AppendState(b []byte) []byte {
	b = m.mind.AppendState(state.Begin(b, "miner"))
	b = append(b, byte(m.busy))
	b = state.AppendU64(b, uint64(m.job))
	b = state.AppendU64(b, uint64(m.began))
	b = state.AppendU64(b, uint64(m.serves))
	b = state.AppendU32(b, uint32(len(m.waiting)))
	for _, r := range m.waiting {
		b = state.AppendU64(b, uint64(r.call))
		b = append(b, byte(r.request.Synapse), byte(r.request.Dir))
		b = state.AppendU32(b, r.request.MaxReplies)
		b = state.AppendU64(b, uint64(len(r.request.Body)))
		b = append(b, r.request.Body...)
	}
	b = state.AppendBool(b, m.measures)
	b = state.AppendBool(b, m.resting)
	return state.AppendU64(b, uint64(m.rest))
}

// requestBytes is the length of a waiting request's state without its body.
const requestBytes = 8 + 1 + 1 + 4 + 8

// RestoreState implements host.Agent. After an error the miner is as it was.
func (m *Miner) RestoreState(b []byte) error {
	c := state.Open("miner", b)
	r := Miner{config: m.config, mind: m.mind.Fresh()}
	r.mind.Restore(c)
	if r.busy = occupation(c.U8("occupation")); r.busy > serving {
		c.Fail("occupation %d is unknown", r.busy)
	}
	r.job = host.JobID(c.U64("job"))
	r.began = host.Time(c.U64("start of job"))
	r.serves = host.CallID(c.U64("served call"))
	n := c.Count("waiting requests", requestBytes)
	if n > host.MaxSlots {
		c.Fail("%d waiting requests, expected at most %d", n, host.MaxSlots)
		n = 0
	}
	for range n {
		w := request{call: host.CallID(c.U64("call"))}
		w.request.Synapse, w.request.Dir = host.Synapse(c.U8("synapse")), host.Dir(c.U8("direction"))
		w.request.MaxReplies = c.U32("replies")
		c.Part("request", func(body []byte) error { w.request.Body = slices.Clone(body); return nil })
		var code host.Code
		if w.question, code = r.mind.Read(w.request); code != host.Success {
			c.Fail("a waiting request that would be refused with %v", code)
		}
		r.waiting = append(r.waiting, w)
	}
	r.measures = c.Bool("measurement due")
	r.resting = c.Bool("resting")
	r.rest = host.TimerID(c.U64("rest timer"))
	if err := c.End(); err != nil {
		return err
	}
	*m = r
	return nil
}
