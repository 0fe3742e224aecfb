package agents

import (
	"taolab/agents/score"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// step is one round of a validator: one batch, a few peers, their answers.
type step struct {
	phase   phase
	timer   host.TimerID // while pausing
	job     host.JobID   // while routing or learning
	began   host.Time
	self    uint16 // own uid when it began
	subset  int
	tokens  []uint16  // sent, [Rows x Cols]
	phrases []uint16  // kept back, [Rows x phraseTokens]
	gates   []float32 // the routing model's score by uid
	asks    []ask     // in uid order
}

// ask is one question of a step.
type ask struct {
	uid     uint16
	open    bool
	call    host.CallID
	sent    host.Time
	code    host.Code
	latency host.Time
	bytes   uint32
	losses  []float64 // by row, nats per token; of a usable answer alone
}

// gate is the routing model's score of a uid; 0 for uids beyond its gates.
func (s *step) gate(uid uint16) float64 {
	if int(uid) < len(s.gates) {
		return float64(s.gates[uid])
	}
	return 0
}

// begin draws a batch and has it scored by the routing model, unless this validator has no uid.
func (v *Validator) begin(env host.Env) {
	v.step = step{began: env.Now()}
	if !env.Self().HasUID {
		v.pause(env)
		return
	}
	if !v.synced {
		v.startEpoch(env)
	}
	c, s := v.config, &v.step
	s.self = uint16(env.Self().UID)
	width := c.Cols + phraseTokens
	batch := make([]uint16, c.Rows*width)
	s.subset = c.Mix.Batch1(env.Rand("text"), c.Rows, width, batch)
	s.tokens = make([]uint16, 0, c.Rows*c.Cols)
	s.phrases = make([]uint16, 0, c.Rows*phraseTokens)
	for row := range c.Rows {
		line := batch[row*width : (row+1)*width]
		s.tokens = append(s.tokens, line[:c.Cols]...)
		s.phrases = append(s.phrases, line[c.Cols:]...)
	}
	s.phase = routing
	s.job = env.Compute(routeBatch{v.router, s.tokens, c.Rows, c.Cols})
}

// computed goes on after a job of the routing model.
func (v *Validator) computed(env host.Env, e host.Done) {
	s := &v.step
	switch {
	case s.phase == routing && e.ID == s.job:
		s.gates = decodeFloats(e.Result)
		v.ask(env)
	case s.phase == learning && e.ID == s.job:
		v.endStep(env)
	}
}

// ask sends the batch to the step's peers.
func (v *Validator) ask(env host.Env) {
	c, s := v.config, &v.step
	body := EncodeNextRequest(NextRequest{Rows: c.Rows, Cols: c.Cols, TopK: c.TopK, Tokens: s.tokens})
	request := host.Request{Synapse: host.TextCausalLMNext, Dir: host.Forward, Body: body, MaxReplies: 1}
	for _, uid := range v.choose(env) {
		p := &v.peers[uid]
		p.askedAt = env.Chain().Height()
		p.standing = min(p.standing, score.Quiet)
		call := env.Call(p.axon, request, c.TimeoutNs)
		s.asks = append(s.asks, ask{uid: uid, open: true, call: call, sent: env.Now()})
	}
	s.phase = asking
	if len(s.asks) == 0 {
		v.endStep(env)
	}
}

// answered takes one answer, and closes the step after the last one.
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
			v.read(a, e.Response)
		}
		if a.open {
			open++
		}
	}
	if open == 0 {
		v.close(env)
	}
}

// read turns an answer into losses. What cannot be decoded counts as no answer.
func (v *Validator) read(a *ask, r host.Response) {
	c := v.config
	a.code, a.bytes = r.Code, uint32(len(r.Body))
	if r.Code != host.Success {
		return
	}
	answer, err := v.reader.read(r.Body, NextShape{
		Rows: c.Rows, TopK: c.TopK, Vocab: c.Vocab, LooseRange: v.era.LooseRange,
	})
	if err != nil {
		a.code = host.InvalidResponse
		return
	}
	for _, l := range score.PhraseLosses(answer.Rows, v.step.phrases, c.Vocab, c.TopK) {
		a.losses = append(a.losses, l.Phrase)
	}
	v.peers[a.uid].standing = score.Responsive
}

// close scores the answers of a step, records them and trains the routing model on them.
func (v *Validator) close(env host.Env) {
	s := &v.step
	var answers []score.Answer
	for i := range s.asks {
		if a := &s.asks[i]; len(a.losses) > 0 {
			answers = append(answers, score.Answer{UID: a.uid, RowLoss: a.losses})
		}
	}
	credits := score.Shapley(answers, v.powers)
	var uids []uint16
	var targets []float32
	for i := range s.asks {
		a := &s.asks[i]
		row := v.row(env, a)
		if len(credits) == 0 || credits[0].UID != a.uid {
			v.averages.Silent(a.uid, v.peers[a.uid].hotkey)
			env.Record(row)
			continue
		}
		c := credits[0]
		credits = credits[1:]
		v.averages.Answered(v.peers[a.uid].hotkey, c, s.gate(a.uid), int64(a.latency))
		equivalent := float64(c.Loss * v.powers.LossScale)
		target := v.powers.RoutingTarget(c.Loss)
		row.Loss, row.EquivLoss = trace.Some(float32(c.Loss)), trace.Some(float32(equivalent))
		row.Base, row.Synergy = trace.Some(c.Base), trace.Some(c.Synergy)
		if int(a.uid) < len(s.gates) {
			miss := s.gate(a.uid) - target
			row.RoutingLoss = trace.Some(float32(float64(miss * miss)))
			uids, targets = append(uids, a.uid), append(targets, float32(target))
		}
		env.Record(row)
	}
	if len(uids) == 0 {
		v.endStep(env)
		return
	}
	s.phase = learning
	s.job = env.Compute(trainRouter{
		v.router, &v.training, v.config.Training, s.tokens, v.config.Rows, v.config.Cols, uids, targets,
	})
}

// row is the record of one question of the step that closes.
func (v *Validator) row(env host.Env, a *ask) trace.Query {
	row := trace.Query{
		TimeNs: int64(env.Now()), Block: env.Chain().Height(), Step: v.steps,
		Node: env.Self().Node, Validator: v.step.self, Peer: env.NodeOf(v.peers[a.uid].axon), UID: a.uid,
		Lane: trace.ScoringLane, Rows: uint32(v.config.Rows), Subset: trace.Some(v.config.Subsets[v.step.subset]),
		Code: a.code.String(), LatencyNs: int64(a.latency), AnswerBytes: a.bytes,
	}
	if int(a.uid) < len(v.step.gates) {
		row.Route = trace.Some(v.step.gates[a.uid])
	}
	return row
}

// endStep sets weights when the epoch is over and waits for the next step's turn.
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
	v.step.timer = env.After(max(0, v.step.began+v.config.StepNs-env.Now()), 0)
}
