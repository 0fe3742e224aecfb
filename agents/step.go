package agents

import (
	"taolab/agents/mind"
	"taolab/agents/score"
	"taolab/sim/host"
)

// step is one round of a validator: one batch, a few peers, their answers.
type step struct {
	phase phase
	timer host.TimerID // while pausing
	job   host.JobID   // while routing, reading or learning
	began host.Time
	self  uint16 // own uid when it began
	asks  []ask  // of the scoring lane in uid order, then of the service lane
}

// ask is one question of a step.
type ask struct {
	uid     uint16
	lane    score.Lane
	rows    []uint16 // of the batch, ascending
	open    bool
	call    host.CallID
	sent    host.Time
	code    host.Code
	latency host.Time
	bytes   uint32
	body    []byte    // of an answer that waits to be read
	losses  []float64 // of each of the rows, nats per token; only of a usable answer
	targets []float32 // of each of the rows, for the gate; only of a usable answer, while its step closes
}

func (a *ask) answered() bool { return len(a.losses) > 0 }

// commonRows is how many rows two answers of a gated step need in common to have synergy.
const commonRows = 8

// begin draws a batch and has the judge score the peers for it, unless this validator has no uid.
func (v *Validator) begin(env host.Env) {
	v.step = step{began: env.Now()}
	if !env.Self().HasUID {
		v.pause(env)
		return
	}
	if !v.synced {
		v.startEpoch(env)
	}
	v.step.self = uint16(env.Self().UID)
	v.paid.made = false
	v.judge.Draw(env)
	v.step.phase = routing
	if job := v.judge.Route(); job != nil {
		v.step.job = env.Compute(job)
		return
	}
	v.ask(env)
}

// computed continues after a job of the judge.
func (v *Validator) computed(env host.Env, e host.Done) {
	s := &v.step
	switch {
	case s.phase == routing && e.ID == s.job:
		v.judge.Routed(e.Result)
		v.ask(env)
	case s.phase == reading && e.ID == s.job:
		v.close(env, appraised(e.Result, s.unread()))
	case s.phase == learning && e.ID == s.job:
		v.endStep(env)
	}
}

// ask sends the batch to the step's peers.
func (v *Validator) ask(env host.Env) {
	s := &v.step
	s.asks = v.choose(env)
	var question host.Request // the same for all of the scoring lane, which stands first
	for i := range s.asks {
		a := &s.asks[i]
		p := &v.peers[a.uid]
		if a.lane == score.ScoringLane {
			p.askedAt = env.Chain().Height()
			p.standing = min(p.standing, score.Quiet)
		}
		a.open, a.sent = true, env.Now()
		if i == 0 || a.lane != score.ScoringLane {
			question = v.judge.Ask(a.rows)
		}
		a.call = env.Call(p.axon, question, v.config.TimeoutNs)
	}
	s.phase = asking
	if len(s.asks) == 0 {
		v.endStep(env)
	}
}

// answered takes one answer; after the last one the judge reads them all.
func (v *Validator) answered(env host.Env, e host.Answer) {
	if v.step.phase != asking {
		return
	}
	open := 0
	for i := range v.step.asks {
		a := &v.step.asks[i]
		if a.open && a.call == e.Call {
			if e.Response.More { // the question asked for one part
				env.Cancel(a.call)
			}
			a.open, a.latency = false, env.Now()-a.sent
			a.code, a.bytes = e.Response.Code, uint32(len(e.Response.Body))
			switch {
			case a.code != host.Success:
			case len(e.Response.Body) > v.judge.AnswerBytes(len(a.rows)): // all are kept until the last one is there
				a.code = host.InvalidResponse
			default:
				a.body = e.Response.Body
			}
		}
		if a.open {
			open++
		}
	}
	if open == 0 {
		v.read(env)
	}
}

// reads reports whether an answer is to be turned into losses.
func (a *ask) reads() bool { return !a.open && a.code == host.Success && !a.answered() }

// unread counts the answers that are to be turned into losses.
func (s *step) unread() int {
	n := 0
	for i := range s.asks {
		if s.asks[i].reads() {
			n++
		}
	}
	return n
}

// read has the judge turn the answers into losses, and appraises them in the same job.
func (v *Validator) read(env host.Env) {
	s, terms := &v.step, v.terms()
	var answers []mind.Answer
	for i := range s.asks {
		if a := &s.asks[i]; a.reads() {
			answers = append(answers, mind.Answer{Rows: a.rows, Body: a.body})
			a.body = nil
		}
	}
	if len(answers) == 0 {
		v.close(env, appraisal{})
		return
	}
	job, losses := v.judge.Read(answers)
	if job == nil {
		v.close(env, terms.appraise(losses))
		return
	}
	s.phase, s.job = reading, env.Compute(appraiseAnswers{job, terms})
}

// take gives the answers their losses and targets. One that could not be decoded counts as no answer.
func (v *Validator) take(worth appraisal) {
	n := 0
	for i := range v.step.asks {
		a := &v.step.asks[i]
		if !a.reads() {
			continue
		}
		if len(worth.losses[n]) == len(a.rows) {
			a.losses, a.targets = worth.losses[n], worth.targets[n]
			if a.lane == score.ScoringLane {
				v.peers[a.uid].standing = score.Responsive
			}
		} else {
			a.code = host.InvalidResponse
		}
		n++
	}
}

// close takes what the answers of a step are worth into the averages, records it and has the judge learn from it.
func (v *Validator) close(env host.Env, worth appraisal) {
	v.paid.made = false
	v.take(worth)
	credits, at := v.credit(worth.credits), momentOf(env)
	var lessons []mind.Lesson
	for i := range v.step.asks {
		a := &v.step.asks[i]
		credit := credits.next(a)
		targets := a.learns()
		v.observe(a, credit)
		v.record(env, at, a, credit, targets)
		if len(targets) > 0 {
			lessons = append(lessons, mind.Lesson{UID: a.uid, Lane: a.lane, Rows: a.rows, Targets: targets})
		}
	}
	job := v.judge.Learn(lessons)
	if job == nil {
		v.endStep(env)
		return
	}
	v.step.phase = learning
	v.step.job = env.Compute(job)
}

// credits are the scores that the answers of a scoring lane earned, in uid order.
type credits []score.Credit

// next is the credit of a question, nil if it earned none. Calls must follow the order of the
// questions.
func (c *credits) next(a *ask) *score.Credit {
	if a.lane != score.ScoringLane || len(*c) == 0 || (*c)[0].UID != a.uid {
		return nil
	}
	first := &(*c)[0]
	*c = (*c)[1:]
	return first
}

// credit takes the losses of the scoring lane into their averages, which some releases score.
func (v *Validator) credit(earned credits) credits {
	for i := range earned {
		c := &earned[i]
		loss := v.averages.MeanLoss(c.UID, v.peers[c.UID].hotkey, c.Loss)
		if v.era.MeanLoss {
			c.Base = v.powers.BaseScore(loss)
		}
	}
	return earned
}

// learns is what the gate should have said of the rows of a question; nil where nothing is learned. A row of
// the service lane that stays unanswered is worth nothing.
func (a *ask) learns() []float32 {
	if !a.answered() && a.lane == score.ServiceLane {
		return make([]float32, len(a.rows))
	}
	return a.targets
}

// observe takes a question into the averages.
func (v *Validator) observe(a *ask, credit *score.Credit) {
	hotkey := v.peers[a.uid].hotkey
	if a.lane == score.ScoringLane {
		v.supplied(a, credit != nil)
	}
	switch {
	case a.lane == score.ServiceLane:
		v.averages.Served(a.uid, hotkey, len(a.rows), a.answered())
	case credit != nil:
		v.averages.Answered(hotkey, *credit, v.meanGate(a), int64(a.latency))
	default:
		v.averages.Silent(a.uid, hotkey)
	}
}

// meanGate is the gate's mean score of a question's rows.
func (v *Validator) meanGate(a *ask) float64 {
	sum := 0.0
	for _, row := range a.rows {
		gate, _ := v.judge.Gate(int(row), a.uid)
		sum += float64(gate)
	}
	return sum / float64(len(a.rows))
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// endStep sets weights if the epoch is over and waits for the time of the next step.
func (v *Validator) endStep(env host.Env) {
	v.steps++
	if env.Self().HasUID && v.epochOver(env) {
		v.endEpoch(env)
		v.startEpoch(env)
	}
	v.pause(env)
}

func (v *Validator) pause(env host.Env) {
	v.step = step{began: v.step.began}
	v.judge.Drop()
	v.step.timer = env.After(max(0, v.step.began+v.config.StepNs-env.Now()), 0)
}
