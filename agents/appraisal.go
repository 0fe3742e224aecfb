package agents

import (
	"taolab/agents/mind"
	"taolab/agents/score"
	"taolab/agents/state"
	"taolab/sim/host"
)

// appraisal is the worth of a step's answers.
type appraisal struct {
	losses  [][]float64    // of each answer, by row of its question; none where it cannot be decoded
	targets [][]float32    // of each answer that has losses: what the gate should have said of each row
	credits []score.Credit // of the scoring lane, in uid order
}

// terms are all that a validator needs to appraise the answers to some questions: plain data, for a job.
type terms struct {
	powers    score.Powers
	whole     bool // one target for all rows of a question
	questions []question
}

// question is the part of a question that an appraisal needs.
type question struct {
	uid  uint16
	lane score.Lane
	rows int
}

// terms are those of the answers that wait to be read.
func (v *Validator) terms() terms {
	t := terms{powers: v.powers, whole: v.config.Routing == Uniform}
	for i := range v.step.asks {
		if a := &v.step.asks[i]; a.reads() {
			t.questions = append(t.questions, question{a.uid, a.lane, len(a.rows)})
		}
	}
	return t
}

// appraise scores answers by their losses.
func (t terms) appraise(losses [][]float64) appraisal {
	a := appraisal{losses: losses, targets: make([][]float32, len(losses))}
	var scored []score.Answer
	for i, q := range t.questions {
		if len(losses[i]) != q.rows {
			losses[i] = nil
			continue
		}
		a.targets[i] = t.targets(losses[i])
		if q.lane == score.ScoringLane {
			scored = append(scored, score.Answer{UID: q.uid, RowLoss: losses[i]})
		}
	}
	a.credits = score.Shapley(scored, t.powers)
	return a
}

// targets are what the gate should have said of the rows of an answer.
func (t terms) targets(losses []float64) []float32 {
	targets := make([]float32, len(losses))
	for i, loss := range losses {
		switch {
		case !t.whole:
			targets[i] = float32(t.powers.RoutingTarget(loss))
		case i == 0:
			targets[i] = float32(t.powers.RoutingTarget(mean(losses)))
		default:
			targets[i] = targets[0]
		}
	}
	return targets
}

// functionFLOP is the work of an exponential or a logarithm.
const functionFLOP = 20

// work is that of an appraisal: each row of an answer has a target and a probability, each row of a pair a
// logarithm, each score a logarithm and an exponential.
func (t terms) work() int64 {
	functions, answers, rows := 0, 0, 0
	for _, q := range t.questions {
		functions += 2 * q.rows
		if q.lane == score.ScoringLane {
			answers, rows = answers+1, q.rows
		}
	}
	pairs := answers * (answers - 1) / 2
	return functionFLOP * int64(functions+4*answers+pairs*(rows+2))
}

// appraiseAnswers reads answers and appraises them. Its result is the appraisal.
type appraiseAnswers struct {
	reading host.Job
	terms
}

func (j appraiseAnswers) Work() int64 { return j.reading.Work() + j.work() }

func (j appraiseAnswers) Run(s *host.Scratch) []byte {
	losses := mind.Losses(j.reading.Run(s), len(j.questions))
	return j.appraise(losses).append(beginAppraisal())
}

// appraisalKind names the result of a job that appraises answers.
const appraisalKind = "appraisal"

func beginAppraisal() []byte { return state.Begin(nil, appraisalKind) }

func (a appraisal) append(b []byte) []byte {
	for i, losses := range a.losses {
		b = state.AppendF64s(b, losses)
		b = state.AppendF32s(b, a.targets[i])
	}
	b = state.AppendU32(b, uint32(len(a.credits)))
	for _, c := range a.credits {
		b = state.AppendU16(b, c.UID)
		for _, x := range []float64{c.Loss, c.Base, c.Synergy, c.SynergyLoss} {
			b = state.AppendF64(b, x)
		}
	}
	return b
}

// creditBytes is the length of a credit in an appraisal.
const creditBytes = 2 + 4*8

// appraised decodes the appraisal of n answers, which count as unreadable where it is damaged.
func appraised(result []byte, n int) appraisal {
	a := appraisal{losses: make([][]float64, n), targets: make([][]float32, n)}
	c := state.Open(appraisalKind, result)
	for i := range n {
		a.losses[i], a.targets[i] = c.F64s("losses of an answer"), c.F32s("targets of an answer")
	}
	a.credits = make([]score.Credit, c.Count("credits", creditBytes))
	for i := range a.credits {
		a.credits[i] = score.Credit{
			UID: c.U16("uid"), Loss: c.F64("loss"), Base: c.F64("base"),
			Synergy: c.F64("synergy"), SynergyLoss: c.F64("synergy in loss"),
		}
	}
	if c.End() != nil {
		return appraisal{losses: make([][]float64, n), targets: make([][]float32, n)}
	}
	return a
}
