package mind

import (
	"fmt"
	"math"
	"slices"

	"taolab/agents/score"
	"taolab/agents/state"
	"taolab/agents/wire"
	"taolab/model/num"
	"taolab/sim/host"
)

// Subsets are what the questions of a run without text are about.
type Subsets struct {
	Names   []string
	Weights []float64 // how often a row is of each; 0: never
}

// Validate returns an error if no row could be drawn.
func (s Subsets) Validate() error {
	sum := 0.0
	for i, w := range s.Weights {
		if !(w >= 0 && w <= math.MaxFloat32) {
			return fmt.Errorf("subset %d has weight %g, expected a finite one from 0 on", i, w)
		}
		sum += w
	}
	if len(s.Names) != len(s.Weights) || len(s.Names) > math.MaxUint16 || sum == 0 {
		return fmt.Errorf("%d subsets with %d weights that sum to %g, expected a weight for each, one of them above 0",
			len(s.Names), len(s.Weights), sum)
	}
	return nil
}

// shares are the weights, made to sum to 1.
func (s Subsets) shares() []float64 {
	sum := 0.0
	for _, w := range s.Weights {
		sum += w
	}
	shares := make([]float64, len(s.Weights))
	for i, w := range s.Weights {
		shares[i] = w / sum
	}
	return shares
}

// pick draws a subset by weight.
func (s Subsets) pick(stream *num.Stream) uint16 {
	cumulative, sum := make([]float64, len(s.Weights)), 0.0
	for i, w := range s.Weights {
		sum += w
		cumulative[i] = sum
	}
	return uint16(stream.Pick(cumulative))
}

// QualityJudgeConfig is a judge of stated losses before its first batch.
type QualityJudgeConfig struct {
	Subsets Subsets
	Batch   Batch
	Rows    int // rows of a batch
	Gates   int // uids that gated routing may name; 0: no uid has a gate
}

// Validate returns an error if the config is unusable.
func (c QualityJudgeConfig) Validate() error {
	if err := c.Subsets.Validate(); err != nil {
		return fmt.Errorf("judge of stated losses: %w", err)
	}
	if c.Rows < 1 || c.Rows > math.MaxUint16 || c.Batch > OneSubset || c.Gates < 0 || c.Gates > 1<<16 {
		return fmt.Errorf("judge of stated losses: %d rows of batch %d, %d gates; expected 1 to %d rows, "+
			"a known batch, and 0 to 65,536 gates", c.Rows, c.Batch, c.Gates, math.MaxUint16)
	}
	return nil
}

// QualityJudge asks for losses and believes them. Its gate is the mean of what a uid was worth on a subset.
type QualityJudge struct {
	config QualityJudgeConfig
	means  *score.SubsetMeans
	rows   []uint16  // the subset of each row of the batch
	gates  []float32 // of the batch, [gates x subsets]
}

// NewQualityJudge returns a judge. It panics when the config is not valid.
func NewQualityJudge(c QualityJudgeConfig) *QualityJudge {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	return &QualityJudge{config: c, means: score.NewSubsetMeans(len(c.Subsets.Names), score.ServiceLane, c.Gates)}
}

// Subsets implements Judge.
func (j *QualityJudge) Subsets() []string { return j.config.Subsets.Names }

// Demand implements Judge.
func (j *QualityJudge) Demand() []float64 { return j.config.Subsets.shares() }

// LossScale implements Judge: losses are stated per GPT-2-equivalent token.
func (j *QualityJudge) LossScale() float64 { return 1 }

// Draw implements Judge.
func (j *QualityJudge) Draw(env host.Env) {
	stream := env.Rand("text")
	j.rows, j.gates = make([]uint16, j.config.Rows), nil
	for row := range j.rows {
		if row > 0 && j.config.Batch == OneSubset {
			j.rows[row] = j.rows[0]
			continue
		}
		j.rows[row] = j.config.Subsets.pick(stream)
	}
}

// Rows implements Judge.
func (j *QualityJudge) Rows() []uint16 { return j.rows }

// Drop implements Judge.
func (j *QualityJudge) Drop() { j.rows, j.gates = nil, nil }

// Route implements Judge.
func (j *QualityJudge) Route() host.Job {
	if j.config.Gates > 0 {
		j.gates = j.means.Targets(j.config.Gates)
	}
	return nil
}

// Routed implements Judge.
func (j *QualityJudge) Routed([]byte) {}

// Gate implements Judge.
func (j *QualityJudge) Gate(row int, uid uint16) (float32, bool) {
	at := int(uid)*len(j.config.Subsets.Names) + int(j.rows[row])
	if at >= len(j.gates) {
		return 0, false
	}
	return j.gates[at], true
}

// Ask implements Judge.
func (j *QualityJudge) Ask(rows []uint16) host.Request {
	body := wire.EncodeStatedRequest(wire.StatedRequest{Subsets: rowsOf(j.rows, 1, rows)})
	return host.Request{Synapse: host.StatedLoss, Dir: host.Forward, Body: body, MaxReplies: 1}
}

// AnswerBytes implements Judge.
func (j *QualityJudge) AnswerBytes(rows int) int { return wire.StatedBytes(rows) }

// Read implements Judge.
func (j *QualityJudge) Read(answers []Answer) (host.Job, [][]float64) {
	losses := make([][]float64, len(answers))
	for i, a := range answers {
		stated, err := wire.DecodeStated(a.Body, len(a.Rows))
		if err != nil {
			continue
		}
		losses[i] = make([]float64, len(a.Rows))
		for row, loss := range stated.Losses {
			losses[i][row] = float64(loss)
		}
	}
	return nil, losses
}

// Learn implements Judge.
func (j *QualityJudge) Learn(lessons []Lesson) host.Job {
	for _, l := range lessons {
		if int(l.UID) < j.config.Gates {
			take(j.means, j.rows, l)
		}
	}
	return nil
}

// StartEpoch implements Judge.
func (j *QualityJudge) StartEpoch() {}

// Forget implements Judge.
func (j *QualityJudge) Forget(uid uint16) { j.means.Forget(uid) }

// AppendState implements Judge.
func (j *QualityJudge) AppendState(b []byte) []byte {
	return state.AppendF32s(state.AppendU16s(state.AppendPart(b, j.means), j.rows), j.gates)
}

// Fresh implements Judge.
func (j *QualityJudge) Fresh() Judge { return NewQualityJudge(j.config) }

// Restore implements Judge.
func (j *QualityJudge) Restore(c *state.Cursor) {
	c.Part("means by subset", func(b []byte) error { return restoreMeans(j.means, b) })
	j.rows, j.gates = c.U16s("rows"), c.F32s("gates")
	subsets := len(j.config.Subsets.Names)
	beyond := func(subset uint16) bool { return int(subset) >= subsets }
	switch rows, gates := len(j.rows), len(j.gates); {
	case rows != 0 && rows != j.config.Rows || slices.ContainsFunc(j.rows, beyond):
		c.Fail("a batch of subsets %d, expected none or %d below %d", j.rows, j.config.Rows, subsets)
	case gates != 0 && (rows == 0 || gates != j.config.Gates*subsets):
		c.Fail("%d gates' scores of %d rows, expected none or %d", gates, rows, j.config.Gates*subsets)
	}
}
