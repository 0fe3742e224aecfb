package agents

import (
	"slices"

	"taolab/agents/score"
	"taolab/agents/wire"
	"taolab/sim/host"
)

// step is one round of a validator: one batch, a few peers, their answers.
type step struct {
	phase   phase
	timer   host.TimerID // while pausing
	job     host.JobID   // while routing or learning
	began   host.Time
	self    uint16    // own uid when it began
	tokens  []uint16  // sent, [Rows x Cols]
	phrases []uint16  // kept back, [Rows x phraseTokens]
	subsets []uint16  // of each row
	gates   []float32 // the routing model's scores: by uid, under gated routing by row and uid
	asks    []ask     // of the scoring lane in uid order, then of the service lane
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
	losses  []float64 // of each of the rows, nats per token; of a usable answer alone
}

func (a *ask) answered() bool { return len(a.losses) > 0 }

// commonRows is how many rows two answers of a gated step need in common to have synergy.
const commonRows = 8

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
	v.draw(env)
	s := &v.step
	s.self = uint16(env.Self().UID)
	s.phase = routing
	s.job = env.Compute(v.brain.route(v.batch()))
}

// draw takes a batch from the text.
func (v *Validator) draw(env host.Env) {
	c, s := v.config, &v.step
	width := c.Cols + phraseTokens
	text := make([]uint16, c.Rows*width)
	s.subsets = make([]uint16, c.Rows)
	if c.Batch == OneSubset {
		subset := c.Mix.Batch1(env.Rand("text"), c.Rows, width, text)
		for row := range s.subsets {
			s.subsets[row] = uint16(subset)
		}
	} else {
		c.Mix.BatchOf(env.Rand("text"), c.Rows, width, text, s.subsets)
	}
	s.tokens = make([]uint16, 0, c.Rows*c.Cols)
	s.phrases = make([]uint16, 0, c.Rows*phraseTokens)
	for ; len(text) > 0; text = text[width:] {
		s.tokens = append(s.tokens, text[:c.Cols]...)
		s.phrases = append(s.phrases, text[c.Cols:width]...)
	}
}

// batch is the step's text for the routing model, with the table of means as it stands.
func (v *Validator) batch() batch {
	s := &v.step
	b := batch{tokens: s.tokens, rows: v.config.Rows, cols: v.config.Cols}
	if v.config.labels() {
		b.means = v.means.Targets(v.config.gates())
		for _, subset := range s.subsets {
			b.labels = append(b.labels, uint16(v.column(subset)))
		}
	}
	return b
}

// column is the place of a subset among those that the validator reads.
func (v *Validator) column(subset uint16) int {
	at, _ := slices.BinarySearch(v.reads, subset)
	return at
}

// gate is the routing model's score of a uid on a row; false for a uid beyond its gates.
func (v *Validator) gate(row int, uid uint16) (float32, bool) {
	n := v.config.gates()
	if int(uid) >= n {
		return 0, false
	}
	if v.config.Routing == Uniform {
		row = 0
	}
	return v.step.gates[row*n+int(uid)], true
}

// computed goes on after a job of the routing model.
func (v *Validator) computed(env host.Env, e host.Done) {
	s := &v.step
	switch {
	case s.phase == routing && e.ID == s.job:
		s.gates = wire.DecodeFloats(e.Result)
		v.ask(env)
	case s.phase == learning && e.ID == s.job:
		v.endStep(env)
	}
}

// ask sends the batch to the step's peers.
func (v *Validator) ask(env host.Env) {
	c, s := v.config, &v.step
	s.asks = v.choose(env)
	for i := range s.asks {
		a := &s.asks[i]
		p := &v.peers[a.uid]
		if a.lane == score.ScoringLane {
			p.askedAt = env.Chain().Height()
			p.standing = min(p.standing, score.Quiet)
		}
		body := wire.EncodeNextRequest(wire.NextRequest{
			Rows: len(a.rows), Cols: c.Cols, TopK: c.TopK, Tokens: rowsOf(s.tokens, c.Cols, a.rows),
		})
		request := host.Request{Synapse: host.TextCausalLMNext, Dir: host.Forward, Body: body, MaxReplies: 1}
		a.open, a.sent = true, env.Now()
		a.call = env.Call(p.axon, request, c.TimeoutNs)
	}
	s.phase = asking
	if len(s.asks) == 0 {
		v.endStep(env)
	}
}

// rowsOf picks rows of width elements each.
func rowsOf(from []uint16, width int, rows []uint16) []uint16 {
	picked := make([]uint16, 0, len(rows)*width)
	for _, row := range rows {
		picked = append(picked, from[int(row)*width:(int(row)+1)*width]...)
	}
	return picked
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
	answer, err := v.reader.Read(r.Body, wire.NextShape{
		Rows: len(a.rows), TopK: c.TopK, Vocab: c.Vocab, LooseRange: v.era.LooseRange,
	})
	if err != nil {
		a.code = host.InvalidResponse
		return
	}
	phrases := rowsOf(v.step.phrases, phraseTokens, a.rows)
	for _, l := range score.PhraseLosses(answer.Rows, phrases, c.Vocab, c.TopK) {
		a.losses = append(a.losses, l.Phrase)
	}
	if a.lane == score.ScoringLane {
		v.peers[a.uid].standing = score.Responsive
	}
}

// close scores the answers of a step, records them and trains the routing model on them.
func (v *Validator) close(env host.Env) {
	b := v.batch() // before the answers move the table's means
	credits := v.credit()
	var lessons []lesson
	for i := range v.step.asks {
		a := &v.step.asks[i]
		credit := credits.next(a)
		targets := v.targetsOf(a)
		v.observe(a, credit, targets)
		v.record(env, a, credit, targets)
		if _, gated := v.gate(0, a.uid); gated && len(targets) > 0 {
			lessons = append(lessons, lesson{a.uid, a.rows, targets})
		}
	}
	job := v.brain.train(b, lessons)
	if job == nil {
		v.endStep(env)
		return
	}
	v.step.phase = learning
	v.step.job = env.Compute(job)
}

// credits are what the answers of a scoring lane earned, in uid order.
type credits []score.Credit

// next is the credit of a question, which are asked for in order; nil for one that earned nothing.
func (c *credits) next(a *ask) *score.Credit {
	if a.lane != score.ScoringLane || len(*c) == 0 || (*c)[0].UID != a.uid {
		return nil
	}
	first := &(*c)[0]
	*c = (*c)[1:]
	return first
}

// credit scores the scoring lane.
func (v *Validator) credit() credits {
	var answers []score.Answer
	for _, a := range v.step.asks {
		if a.lane == score.ScoringLane && a.answered() {
			answers = append(answers, score.Answer{UID: a.uid, RowLoss: a.losses})
		}
	}
	earned := score.Shapley(answers, v.powers)
	for i := range earned {
		c := &earned[i]
		loss := v.averages.MeanLoss(c.UID, v.peers[c.UID].hotkey, c.Loss)
		if v.era.MeanLoss {
			c.Base = v.powers.BaseScore(loss)
		}
	}
	return earned
}

// targetsOf is what the gate should have said of the rows of a question; nil where nothing is learned.
// Uniform routing has one target for the batch. A row of the service lane that stays unanswered is
// worth nothing.
func (v *Validator) targetsOf(a *ask) []float32 {
	if !a.answered() {
		if a.lane == score.ServiceLane {
			return make([]float32, len(a.rows))
		}
		return nil
	}
	if v.config.Routing == Uniform {
		return slices.Repeat([]float32{v.target(mean(a.losses))}, len(a.rows))
	}
	targets := make([]float32, len(a.rows))
	for i, loss := range a.losses {
		targets[i] = v.target(loss)
	}
	return targets
}

func (v *Validator) target(loss float64) float32 { return float32(v.powers.RoutingTarget(loss)) }

// observe takes a question into the averages.
func (v *Validator) observe(a *ask, credit *score.Credit, targets []float32) {
	hotkey := v.peers[a.uid].hotkey
	switch {
	case a.lane == score.ServiceLane:
		v.averages.Served(a.uid, hotkey, len(a.rows), a.answered())
	case credit != nil:
		v.averages.Answered(hotkey, *credit, v.meanGate(a), int64(a.latency))
	default:
		v.averages.Silent(a.uid, hotkey)
	}
	for i := range targets {
		subset := v.column(v.step.subsets[a.rows[i]])
		gate, _ := v.gate(int(a.rows[i]), a.uid)
		if a.answered() {
			v.means.Answered(a.uid, a.lane, subset, float32(a.losses[i]), gate, targets[i])
		} else {
			v.means.Unanswered(a.uid, subset, gate)
		}
	}
}

// meanGate is the routing model's mean score of a question's rows.
func (v *Validator) meanGate(a *ask) float64 {
	sum := 0.0
	for _, row := range a.rows {
		gate, _ := v.gate(int(row), a.uid)
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
