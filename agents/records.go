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
func (v *Validator) record(env host.Env, a *ask, credit *score.Credit, targets []float32) {
	parts := v.parts(a, targets)
	of := v.origin(env, a)
	env.Record(v.query(of, a, credit, parts))
	if v.config.RecordAnswers {
		v.recordAnswers(env, of, a, parts)
	}
	if v.config.RecordRows {
		v.recordRows(env, of, a, parts)
	}
}

// origin holds the columns that all rows of a question share.
type origin struct {
	timeNs int64
	block  uint64
	node   uint32
	peer   *uint32
	lane   string
}

func (v *Validator) origin(env host.Env, a *ask) origin {
	return origin{
		int64(env.Now()), env.Chain().Height(), env.Self().Node, env.NodeOf(v.peers[a.uid].axon), laneName(a.lane),
	}
}

// part is one row of a question.
type part struct {
	row, subset  uint16 // the subset by its place among the judge's
	loss         float64
	gate, target float32
}

// parts are the rows of a question in order.
func (v *Validator) parts(a *ask, targets []float32) []part {
	parts := make([]part, len(a.rows))
	subsets := v.judge.Rows()
	for i, row := range a.rows {
		p := part{row: row, subset: subsets[row]}
		p.gate, _ = v.judge.Gate(int(row), a.uid)
		if a.answered() {
			p.loss = a.losses[i]
		}
		if targets != nil {
			p.target = targets[i]
		}
		parts[i] = p
	}
	return parts
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

// query is the trace row of a whole question.
func (v *Validator) query(of origin, a *ask, credit *score.Credit, parts []part) trace.Query {
	row := trace.Query{
		TimeNs: of.timeNs, Block: of.block, Step: v.steps,
		Node: of.node, Validator: v.step.self, Peer: of.peer, UID: a.uid,
		Lane: of.lane, Rows: uint32(len(a.rows)), Code: a.code.String(),
		LatencyNs: int64(a.latency), AnswerBytes: a.bytes,
	}
	var all sums
	single := true
	for _, p := range parts {
		all.add(p)
		single = single && p.subset == parts[0].subset
	}
	if single {
		row.Subset = trace.Some(v.judge.Subsets()[parts[0].subset])
	}
	_, gated := v.judge.Gate(0, a.uid)
	row.Route = all.share(all.gate, gated)
	row.RoutingLoss = all.share(all.miss, gated && v.learns(a))
	if a.answered() {
		loss := mean(a.losses)
		row.Loss = trace.Some(float32(loss))
		row.EquivLoss = trace.Some(float32(float64(loss * v.powers.LossScale)))
	}
	if credit != nil {
		row.Base, row.Synergy = trace.Some(credit.Base), trace.Some(credit.Synergy)
	}
	return row
}

// learns reports whether the gate learns from a question.
func (v *Validator) learns(a *ask) bool { return a.answered() || a.lane == score.ServiceLane }

// recordAnswers writes a row for each subset of a question, in the store's order.
func (v *Validator) recordAnswers(env host.Env, of origin, a *ask, parts []part) {
	names := v.judge.Subsets()
	by := make([]sums, len(names))
	for _, p := range parts {
		by[p.subset].add(p)
	}
	_, gated := v.judge.Gate(0, a.uid)
	for i, s := range by {
		if s.rows == 0 {
			continue
		}
		env.Record(trace.Answer{
			TimeNs: of.timeNs, Block: of.block, Step: v.steps,
			Node: of.node, Validator: v.step.self, Peer: of.peer, UID: a.uid,
			Lane: of.lane, Subset: names[i], Rows: s.rows,
			Loss: s.share(s.loss, a.answered()), Gate: s.share(s.gate, gated), Target: s.share(s.target, v.learns(a)),
		})
	}
}

// recordRows writes a row for each row of text of a question.
func (v *Validator) recordRows(env host.Env, of origin, a *ask, parts []part) {
	names := v.judge.Subsets()
	_, gated := v.judge.Gate(0, a.uid)
	for _, p := range parts {
		row := trace.Score{
			Step: v.steps, Node: of.node, Validator: v.step.self,
			Peer: of.peer, UID: a.uid, Lane: of.lane,
			Row: uint32(p.row), Subset: names[p.subset],
		}
		if a.answered() {
			row.Loss = trace.Some(float32(p.loss))
		}
		if gated {
			row.Gate = trace.Some(p.gate)
		}
		if v.learns(a) {
			row.Target = trace.Some(p.target)
		}
		env.Record(row)
	}
}
