package agents

import (
	"slices"

	"taolab/agents/mind"
	"taolab/agents/score"
	"taolab/model/lm"
	"taolab/model/pile"
	"taolab/sim/host"
)

// The tests' judge of text withholds phrases of this many tokens.
const phraseTokens = 8

// testConfig is a validator and its judge of text.
type testConfig struct {
	ValidatorConfig
	text mind.TextJudgeConfig
}

func testValidator(n int) testConfig {
	return testConfig{
		ValidatorConfig: ValidatorConfig{Peers: 2, StepNs: 20 * host.Second, EpochBlocks: 10},
		text: mind.TextJudgeConfig{
			Mix: mixOf(pile.Score), Subsets: corpus().Subsets(), Vocab: tinyVocab, Rows: 2, Cols: 8, TopK: 4,
			LooseRange: true, BytesPerToken: 3.409, Router: smallRouter(n),
			BatchTraining: lm.RouterTraining{SGD: lm.SGD{Rate: 0.1, Momentum: 0.8, ClipNorm: 1}, Batches: 3},
		},
	}
}

// gatedValidator is a config under gated routing, with one peer in the scoring lane.
func gatedValidator(n int, c testConfig) testConfig {
	c.Routing, c.Gate = Gated, Gate{ScorePeers: 1}
	c.text.Router = nil
	c.text.RowRouter, c.text.RowTraining = lm.NewRowRouter(smallModel(), n, len(corpus().Subsets())), lm.DefaultRowTraining
	return c
}

// config is the validator with a judge that tests see into.
func (c testConfig) config() ValidatorConfig {
	seen := &seen{}
	c.Judge = func() mind.Judge { return openJudge{mind.NewTextJudge(c.text), c.text, seen} }
	return c.ValidatorConfig
}

func (c testConfig) validator() *Validator { return NewValidator(c.config()) }

// seen is the part of a judge that tests observe and control.
type seen struct {
	next    []uint16 // the true next token of each row of the batch
	lessons []mind.Lesson
	gates   [][]float32 // instead of the router's: of each row, or of all rows where there is one list
}

// openJudge is a judge of text that tests see into. The parts they see survive a restored state.
type openJudge struct {
	mind.Judge
	config mind.TextJudgeConfig
	*seen
}

func (j openJudge) Draw(env host.Env) {
	again := *env.Rand("text")
	j.Judge.Draw(env)
	rows, width := j.config.Rows, j.config.Cols+phraseTokens
	text := make([]uint16, rows*width)
	if j.config.Batch == mind.OneSubset {
		j.config.Mix.Batch1(&again, rows, width, text)
	} else {
		j.config.Mix.BatchOf(&again, rows, width, text, make([]uint16, rows))
	}
	j.seen.next = nil
	for row := range rows {
		j.seen.next = append(j.seen.next, text[row*width+j.config.Cols])
	}
}

func (j openJudge) Gate(row int, uid uint16) (float32, bool) {
	if n := len(j.gates); n > 0 {
		return j.gates[row%n][uid], true
	}
	return j.Judge.Gate(row, uid)
}

func (j openJudge) Learn(lessons []mind.Lesson) host.Job {
	j.seen.lessons = slices.Clone(lessons)
	return j.Judge.Learn(lessons)
}

func (j openJudge) Fresh() mind.Judge { return openJudge{j.Judge.Fresh(), j.config, j.seen} }

// asked lists the uids of a lane in the order of their questions.
func asked(asks []ask, lane score.Lane) (uids []uint16) {
	for _, a := range asks {
		if a.lane == lane {
			uids = append(uids, a.uid)
		}
	}
	return uids
}
