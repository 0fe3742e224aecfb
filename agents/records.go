package agents

import (
	"taolab/agents/score"
	"taolab/sim/host"
	"taolab/sim/trace"
)

func laneName(l score.Lane) string {
	if l == score.ServiceLane {
		return trace.ServiceLane
	}
	return trace.ScoringLane
}

// record writes the rows of one question of the closing step: one for the whole, and, if the
// settings ask for them, one for each subset and each row of text. Targets are nil where the gate
// learns nothing.
func (v *Validator) record(env host.Env, at moment, a *ask, credit *score.Credit, targets []float32) {
	o := v.outcome(at, a, credit, targets)
	o.peer = env.NodeOf(v.peers[a.uid].axon)
	env.Record((*outcomeWhole)(o))
	if v.config.RecordAnswers {
		env.Record((*outcomeBySubset)(o))
	}
	if v.config.RecordRows {
		env.Record((*outcomeByRow)(o))
	}
}

// moment is what all rows of a step have in common.
type moment struct {
	timeNs int64
	block  uint64
	node   uint32
}

func momentOf(env host.Env) moment {
	return moment{int64(env.Now()), env.Chain().Height(), env.Self().Node}
}

// outcome is what became of a question. Another thread makes the rows of it while the agent goes on, so it
// shares nothing with the agent that changes.
type outcome struct {
	moment
	step      uint32
	validator uint16
	peer      *uint32
	uid       uint16
	lane      string
	code      host.Code
	latency   host.Time
	bytes     uint32

	answered, gated, learns bool
	scored                  bool
	credit                  score.Credit // where scored
	lossScale               float64
	subsets                 []string // of the judge; never changed
	parts                   []part
}

// part is one row of a question.
type part struct {
	row, subset  uint16 // the subset by its place among the judge's
	loss         float64
	gate, target float32
}

func (v *Validator) outcome(at moment, a *ask, credit *score.Credit, targets []float32) *outcome {
	o := &outcome{
		moment: at, step: v.steps, validator: v.step.self, uid: a.uid,
		lane: laneName(a.lane), code: a.code, latency: a.latency, bytes: a.bytes,
		answered: a.answered(), learns: a.answered() || a.lane == score.ServiceLane,
		lossScale: v.powers.LossScale, subsets: v.judge.Subsets(), parts: make([]part, len(a.rows)),
	}
	_, o.gated = v.judge.Gate(0, a.uid)
	if credit != nil {
		o.scored, o.credit = true, *credit
	}
	subsets := v.judge.Rows()
	for i, row := range a.rows {
		p := &o.parts[i]
		p.row, p.subset = row, subsets[row]
		p.gate, _ = v.judge.Gate(int(row), a.uid)
		if o.answered {
			p.loss = a.losses[i]
		}
		if targets != nil {
			p.target = targets[i]
		}
	}
	return o
}

// sums are totals over rows of a question.
type sums struct {
	rows               uint32
	loss               float64
	gate, target, miss float64 // the gate's score, its target, the squared error between them
}

func (s *sums) add(p part) {
	s.rows++
	s.loss += p.loss
	s.gate += float64(p.gate)
	s.target += float64(p.target)
	off := float64(p.gate) - float64(p.target)
	s.miss += float64(off * off)
}

// share is the mean of a sum over the rows, nil where it has no value.
func (s *sums) share(sum float64, has bool) *float32 {
	if !has {
		return nil
	}
	return trace.Some(float32(sum / float64(s.rows)))
}

// outcomeWhole is the row of a whole question.
type outcomeWhole outcome

// Table implements trace.Row.
func (*outcomeWhole) Table() trace.Table { return trace.Queries }

// Len implements trace.Rows.
func (*outcomeWhole) Len() int { return 1 }

// Each implements trace.Rows.
func (o *outcomeWhole) Each(to func(trace.Row)) {
	row := trace.Query{
		TimeNs: o.timeNs, Block: o.block, Step: o.step,
		Node: o.node, Validator: o.validator, Peer: o.peer, UID: o.uid,
		Lane: o.lane, Rows: uint32(len(o.parts)), Code: o.code.String(),
		LatencyNs: int64(o.latency), AnswerBytes: o.bytes,
	}
	var all sums
	single := true
	for _, p := range o.parts {
		all.add(p)
		single = single && p.subset == o.parts[0].subset
	}
	if single {
		row.Subset = trace.Some(o.subsets[o.parts[0].subset])
	}
	row.Route = all.share(all.gate, o.gated)
	row.RoutingLoss = all.share(all.miss, o.gated && o.learns)
	row.Loss = all.share(all.loss, o.answered)
	if o.answered {
		loss := all.loss / float64(all.rows)
		row.EquivLoss = trace.Some(float32(float64(loss * o.lossScale)))
	}
	if o.scored {
		row.Base, row.Synergy = trace.Some(o.credit.Base), trace.Some(o.credit.Synergy)
	}
	to(row)
}

// outcomeBySubset is a row for each subset of a question, in the store's order.
type outcomeBySubset outcome

// Table implements trace.Row.
func (*outcomeBySubset) Table() trace.Table { return trace.Answers }

// Len implements trace.Rows.
func (o *outcomeBySubset) Len() int { return min(len(o.parts), len(o.subsets)) }

// Each implements trace.Rows.
func (o *outcomeBySubset) Each(to func(trace.Row)) {
	by := make([]sums, len(o.subsets))
	for _, p := range o.parts {
		by[p.subset].add(p)
	}
	for i, s := range by {
		if s.rows == 0 {
			continue
		}
		to(trace.Answer{
			TimeNs: o.timeNs, Block: o.block, Step: o.step,
			Node: o.node, Validator: o.validator, Peer: o.peer, UID: o.uid,
			Lane: o.lane, Subset: o.subsets[i], Rows: s.rows,
			Loss: s.share(s.loss, o.answered), Gate: s.share(s.gate, o.gated), Target: s.share(s.target, o.learns),
		})
	}
}

// outcomeByRow is a row for each row of text of a question.
type outcomeByRow outcome

// Table implements trace.Row.
func (*outcomeByRow) Table() trace.Table { return trace.Scores }

// Len implements trace.Rows.
func (o *outcomeByRow) Len() int { return len(o.parts) }

// Each implements trace.Rows.
func (o *outcomeByRow) Each(to func(trace.Row)) {
	for _, p := range o.parts {
		row := trace.Score{
			Step: o.step, Node: o.node, Validator: o.validator,
			Peer: o.peer, UID: o.uid, Lane: o.lane,
			Row: uint32(p.row), Subset: o.subsets[p.subset],
		}
		if o.answered {
			row.Loss = trace.Some(float32(p.loss))
		}
		if o.gated {
			row.Gate = trace.Some(p.gate)
		}
		if o.learns {
			row.Target = trace.Some(p.target)
		}
		to(row)
	}
}
