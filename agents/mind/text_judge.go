package mind

import (
	"fmt"
	"slices"

	"taolab/agents/score"
	"taolab/agents/state"
	"taolab/agents/wire"
	"taolab/model/lm"
	"taolab/model/pile"
	"taolab/sim/host"
)

// phraseTokens is how much of each row a judge of text keeps back as the answer.
const phraseTokens = 8

// Batch is what the rows of a judge's batch have in common.
type Batch uint8

// The batches.
const (
	Mixed     Batch = iota // nothing: each row is of a subset drawn by weight
	OneSubset              // their subset, drawn by weight
)

// TextJudgeConfig is a judge of continued text before its first batch.
type TextJudgeConfig struct {
	Mix           *pile.Mix // text it scores on (pile.Score); its weights are the subsets it cares for
	Later         []Growth  // what takes its place as the corpus grows: each reads what the one before it reads, and more behind
	Subsets       []string  // names of the store's subsets
	Vocab         int       // of the standard tokenizer
	BytesPerToken float64   // of the standard tokenizer on the scoring corpus

	Batch      Batch
	Rows       int  // rows of a batch
	Cols       int  // tokens sent per row; the next 8 stay here as the answer
	TopK       int  // phrases asked per row, at most Vocab/8
	LooseRange bool // probabilities are checked as before release 3.4.3, as score.Era has it

	// The routing model, of which the judge trains a copy: one gate per uid. Exactly one is set.
	Router        *lm.Router // gives each uid one score for a whole batch, as in 2022
	BatchTraining lm.RouterTraining
	RowRouter     *lm.RowRouter // gives each uid a score for each row
	RowTraining   lm.RowTraining
}

// trunk is the shape of the routing model's trunk; the zero Config without a model.
func (c TextJudgeConfig) trunk() lm.Config {
	switch {
	case c.RowRouter != nil:
		return c.RowRouter.Trunk.Config
	case c.Router != nil:
		return c.Router.Trunk.Config
	}
	return lm.Config{}
}

// Validate returns an error if the config is unusable.
func (c TextJudgeConfig) Validate() error {
	if err := c.validateRouter(); err != nil {
		return fmt.Errorf("judge of text: %w", err)
	}
	switch {
	case c.Mix == nil || len(c.Subsets) == 0:
		return fmt.Errorf("judge of text: no text to score on, or no names of its subsets")
	case !extending(c.Mix, c.Later):
		return fmt.Errorf("judge of text: a later mix does not read what the one before it reads, with further subsets behind")
	case c.Vocab < 2 || c.Vocab > c.trunk().Vocab:
		return fmt.Errorf("judge of text: vocabulary of %d, expected 2 to the routing model's %d", c.Vocab, c.trunk().Vocab)
	case c.Rows < 1 || c.Batch > OneSubset:
		return fmt.Errorf("judge of text: %d rows of batch %d, expected at least 1 and a known batch", c.Rows, c.Batch)
	case c.Cols < 1 || c.Cols > c.trunk().Context:
		return fmt.Errorf("judge of text: rows of %d tokens, expected 1 to the routing model's context %d",
			c.Cols, c.trunk().Context)
	case c.TopK < 1 || c.TopK > c.Vocab/8:
		return fmt.Errorf("judge of text: topk %d, expected 1 to vocabulary/8 = %d", c.TopK, c.Vocab/8)
	case !(c.BytesPerToken > 0):
		return fmt.Errorf("judge of text: %g bytes per token, expected the corpus' figure", c.BytesPerToken)
	case c.labelCount() > 0 && c.labelCount() != len(c.Mix.Reads()):
		return fmt.Errorf("judge of text: a routing model for %d subsets, expected %d, those that it reads",
			c.labelCount(), len(c.Mix.Reads()))
	}
	return nil
}

func (c TextJudgeConfig) validateRouter() error {
	switch {
	case (c.Router == nil) == (c.RowRouter == nil):
		return fmt.Errorf("expected one routing model, of batches or of rows; each judge trains one")
	case c.RowRouter != nil:
		return c.RowTraining.Validate()
	}
	return c.BatchTraining.Validate()
}

// labelCount is how many subsets the routing model tells apart.
func (c TextJudgeConfig) labelCount() int {
	if c.RowRouter == nil {
		return 0
	}
	return len(c.RowRouter.Subsets) / (c.RowRouter.Trunk.Config.Width + 1)
}

// TextJudge sends text and scores how well it is continued. A language model of its own says who is worth
// asking.
type TextJudge struct {
	config TextJudgeConfig
	grown  int // growths that have come
	mix    *pile.Mix
	reads  []uint16 // numbers in the store of the subsets that it reads
	names  []string // of the same
	router router
	batch
	phrases []uint16  // kept back, [rows x phraseTokens]
	gates   []float32 // the routing model's scores of the batch: by uid, or by row and uid
}

// NewTextJudge returns a judge. It panics when the config is not valid.
func NewTextJudge(c TextJudgeConfig) *TextJudge {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	j := &TextJudge{config: c, router: newRouter(c)}
	j.read(0)
	return j
}

// read makes the mix the one after n growths.
func (j *TextJudge) read(n int) {
	j.grown, j.mix = n, mixAfter(j.config.Mix, j.config.Later, n)
	j.reads, j.names = j.mix.Reads(), nil
	for _, subset := range j.reads {
		j.names = append(j.names, j.config.Subsets[subset])
	}
}

// grow reads what was appended since.
func (j *TextJudge) grow(env host.Env) {
	if n := grown(j.config.Later, env); n > j.grown {
		before := len(j.reads)
		j.read(n)
		j.router.addSubsets(len(j.reads) - before)
	}
}

// Subsets implements Judge: those that it reads.
func (j *TextJudge) Subsets() []string { return j.names }

// Demand implements Judge.
func (j *TextJudge) Demand() []float64 { return j.mix.Shares() }

// LossScale implements Judge.
func (j *TextJudge) LossScale() float64 { return score.LossScale(j.config.BytesPerToken) }

// Draw implements Judge.
func (j *TextJudge) Draw(env host.Env) {
	c := j.config
	j.grow(env)
	width := c.Cols + phraseTokens
	text, subsets := make([]uint16, c.Rows*width), make([]uint16, c.Rows)
	if c.Batch == OneSubset {
		subset := j.mix.Batch1(env.Rand("text"), c.Rows, width, text)
		for row := range subsets {
			subsets[row] = uint16(subset)
		}
	} else {
		j.mix.BatchOf(env.Rand("text"), c.Rows, width, text, subsets)
	}
	j.Drop()
	j.batch = batch{tokens: make([]uint16, 0, c.Rows*c.Cols), rows: c.Rows, cols: c.Cols}
	j.phrases = make([]uint16, 0, c.Rows*phraseTokens)
	for row, subset := range subsets {
		window := text[row*width : (row+1)*width]
		j.tokens = append(j.tokens, window[:c.Cols]...)
		j.phrases = append(j.phrases, window[c.Cols:]...)
		place, _ := slices.BinarySearch(j.reads, subset)
		j.labels = append(j.labels, uint16(place))
	}
}

// Rows implements Judge.
func (j *TextJudge) Rows() []uint16 { return j.labels }

// Drop implements Judge.
func (j *TextJudge) Drop() { j.batch, j.phrases, j.gates = batch{}, nil, nil }

// Route implements Judge.
func (j *TextJudge) Route() host.Job { return j.router.route(j.batch) }

// Routed implements Judge.
func (j *TextJudge) Routed(result []byte) { j.gates = wire.DecodeFloats(result) }

// Gate implements Judge.
func (j *TextJudge) Gate(row int, uid uint16) (float32, bool) {
	n := j.router.gates()
	if !j.router.byRow() {
		row = 0
	}
	if int(uid) >= n || len(j.gates) == 0 {
		return 0, false
	}
	return j.gates[row*n+int(uid)], true
}

// Ask implements Judge.
func (j *TextJudge) Ask(rows []uint16) host.Request {
	body := wire.EncodeNextRequest(wire.NextRequest{
		Rows: len(rows), Cols: j.cols, TopK: j.config.TopK, Tokens: rowsOf(j.tokens, j.cols, rows),
	})
	return host.Request{Synapse: host.TextCausalLMNext, Dir: host.Forward, Body: body, MaxReplies: 1}
}

// AnswerBytes implements Judge.
func (j *TextJudge) AnswerBytes(rows int) int { return wire.NextBytes(rows, j.config.TopK) }

// Read implements Judge.
func (j *TextJudge) Read(answers []Answer) (host.Job, [][]float64) {
	c := j.config
	shape := wire.NextShape{TopK: c.TopK, Vocab: c.Vocab, LooseRange: c.LooseRange}
	return readPhrases{answers, j.phrases, shape}, nil
}

// rowsOf picks rows of width elements each.
func rowsOf(from []uint16, width int, rows []uint16) []uint16 {
	picked := make([]uint16, 0, len(rows)*width)
	for _, row := range rows {
		picked = append(picked, from[int(row)*width:(int(row)+1)*width]...)
	}
	return picked
}

// Learn implements Judge.
func (j *TextJudge) Learn(lessons []Lesson) host.Job { return j.router.learn(j.batch, lessons) }

// StartEpoch implements Judge.
func (j *TextJudge) StartEpoch() { j.router.startEpoch() }

// Forget implements Judge.
func (j *TextJudge) Forget(uid uint16) { j.router.forget(uid) }

// AppendState implements Judge.
func (j *TextJudge) AppendState(b []byte) []byte {
	if len(j.config.Later) > 0 {
		b = state.AppendU16(b, uint16(j.grown))
	}
	b = j.router.append(b)
	b = state.AppendU16s(b, j.tokens)
	b = state.AppendU16s(b, j.labels)
	b = state.AppendU16s(b, j.phrases)
	return state.AppendF32s(b, j.gates)
}

// Fresh implements Judge.
func (j *TextJudge) Fresh() Judge {
	fresh := &TextJudge{config: j.config, router: j.router.fresh()}
	fresh.read(0)
	return fresh
}

// Restore implements Judge.
func (j *TextJudge) Restore(c *state.Cursor) {
	if later := len(j.config.Later); later > 0 {
		n := int(c.U16("growths"))
		if n > later {
			c.Fail("%d growths of the corpus, expected at most %d", n, later)
			n = later
		}
		j.read(n)
	}
	j.router.restore(c, j.config, len(j.reads)-len(j.config.Mix.Reads()))
	j.tokens, j.labels = c.U16s("batch"), c.U16s("subsets")
	j.phrases, j.gates = c.U16s("phrases"), c.F32s("scores of the routing model")
	if err := j.consistent(); err != nil {
		c.Fail("%v", err)
	}
}

// consistent says whether a restored batch can be this judge's.
func (j *TextJudge) consistent() error {
	c := j.config
	if len(j.labels) == 0 {
		if left := len(j.tokens) + len(j.phrases) + len(j.gates); left > 0 {
			return fmt.Errorf("%d elements of a batch without rows", left)
		}
		j.Drop()
		return nil
	}
	if err := c.trunk().CheckBatch(j.tokens, c.Rows, c.Cols); err != nil {
		return err
	}
	j.rows, j.cols = c.Rows, c.Cols
	if want := c.Rows * phraseTokens; len(j.phrases) != want || len(j.labels) != c.Rows {
		return fmt.Errorf("%d tokens kept back and %d subsets, expected %d and %d",
			len(j.phrases), len(j.labels), want, c.Rows)
	}
	for _, place := range j.labels {
		if int(place) >= len(j.reads) {
			return fmt.Errorf("a row of subset %d, expected one below %d", place, len(j.reads))
		}
	}
	want := j.router.gates()
	if j.router.byRow() {
		want *= c.Rows
	}
	if len(j.gates) != 0 && len(j.gates) != want {
		return fmt.Errorf("%d scores of the routing model, expected %d", len(j.gates), want)
	}
	return nil
}
