package scenarios

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"taolab/agents/mind"
	"taolab/model/base"
	"taolab/model/lm"
	"taolab/model/num"
	"taolab/model/pile"
	"taolab/report"
	"taolab/sim/chain"
)

// Material is what the agents of a run share and only read: text, tokenizer, held-out windows and
// the base models that miners start from.
type Material struct {
	*base.Text
	Evaluation *mind.Evaluation
	Bases      []Base
	BigramLoss float64 // nats per token of an add-one-smoothed bigram model on the held-out windows
	Warnings   []string
}

// Base is one base model with its loss on the held-out windows.
type Base struct {
	Model       *lm.Model
	HeldOutLoss float64 // nats per token
}

// Stage is told what the preparation is busy with: done out of total, in the stage's own unit.
type Stage func(name string, done, total int64)

// Prepare reads or synthesises the corpus, trains the tokenizer and the base models, or takes them
// from the cache. Workers base models are trained side by side.
func (f *File) Prepare(ctx context.Context, cache base.Cache, workers int, stage Stage) (*Material, error) {
	if stage == nil {
		stage = func(string, int64, int64) {}
	}
	m := new(Material)
	var mutex sync.Mutex
	cache.Warn = func(text string) {
		mutex.Lock()
		defer mutex.Unlock()
		m.Warnings = append(m.Warnings, text)
	}
	stage("reading the corpus", 0, 1)
	open := func() (pile.Source, error) {
		source, err := f.source()
		if err == nil {
			warnOfReplaced(source, cache.Warn)
		}
		return source, err
	}
	var err error
	if m.Text, err = base.Read(ctx, open, f.Corpus.Vocab, cache); err != nil {
		return nil, err
	}
	stage("reading the corpus", 1, 1)
	if err := f.checkSubsets(m.Store.Subsets()); err != nil {
		return nil, err
	}
	m.Evaluation, err = mind.NewEvaluation(m.Store, f.evaluationRows(m.Store), f.smallestContext(), f.Seed)
	if err != nil {
		return nil, &Error{Where: f.Origin, Key: "evaluation", Fault: err.Error(), Want: "held-out text in every subset"}
	}
	m.BigramLoss = m.bigram()
	total, done := int64(len(f.shapes())*f.Base.Steps), int64(0)
	models, err := base.Models(ctx, m.Store, f.recipes(), workers, cache, func() {
		mutex.Lock()
		defer mutex.Unlock()
		done++
		stage("training base models", done, total)
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(m.Warnings) // they come from several goroutines
	work := new(lm.Workspace)
	for _, model := range models {
		m.Bases = append(m.Bases, Base{model, m.heldOut(work, model)})
	}
	if f.Base.Steps > 0 {
		m.warnOfDivergence(f)
	}
	return m, nil
}

// warnOfDivergence tells which base models know less than one to which all tokens are alike.
func (m *Material) warnOfDivergence(f *File) {
	uniform := num.Log(float64(f.Corpus.Vocab))
	for _, made := range m.Bases {
		if made.HeldOutLoss > uniform {
			m.Warnings = append(m.Warnings, fmt.Sprintf("base: after %d steps the model %s has a loss of %.4f nats/token, above the %.4f "+
				"of a uniform guess: the training diverged, or is too short; lower base.learning_rate, %g, or raise base.steps",
				f.Base.Steps, base.ShapeName(made.Model.Config), made.HeldOutLoss, uniform, f.Base.LearningRate))
		}
	}
}

// contents are the digests of all that the network starts from besides its scenario: the bytes of
// tokenizer, store and every base model, not their recipes.
func (m *Material) contents() []report.Content {
	list := []report.Content{content("tokenizer", m.Tokenizer.Digest()), content("store", m.Store.Digest())}
	for _, made := range m.Bases {
		list = append(list, content("base "+base.ShapeName(made.Model.Config), made.Model.Digest()))
	}
	return list
}

func content(name string, digest [32]byte) report.Content {
	return report.Content{Name: name, Digest: hex.EncodeToString(digest[:])}
}

// Origin is the digest of the contents, with which the run digest begins.
func (m *Material) Origin() chain.Digest {
	h := sha256.New()
	h.Write([]byte("taolab origin 1\n"))
	for _, c := range m.contents() {
		fmt.Fprintf(h, "%s %s\n", c.Name, c.Digest)
	}
	return chain.Digest(h.Sum(nil))
}

// checkSubsets finds subsets that a group wants and the corpus has not. Of shards that is known only
// once they are read.
func (f *File) checkSubsets(names []string) error {
	check := func(key string, wanted []string) error {
		for _, want := range wanted {
			if !slices.Contains(names, want) {
				return f.noSubset(key, want, names)
			}
		}
		return nil
	}
	for i, g := range f.Miners {
		if err := check(fmt.Sprintf("miners[%d].subsets", i), g.Subsets); err != nil {
			return err
		}
	}
	for i, g := range f.Validators {
		if err := check(fmt.Sprintf("validators[%d].subsets", i), g.Subsets); err != nil {
			return err
		}
	}
	return nil
}

func (f *File) noSubset(key, want string, names []string) error {
	where := f.Origin
	if line := f.Line(key); line > 0 {
		where = fmt.Sprintf("%s:%d", where, line)
	}
	return &Error{Where: where, Key: key, Fault: fmt.Sprintf("the corpus has no subset %q", want),
		Want: fmt.Sprintf("one of %q", names), Hint: meant(want, names)}
}

// source opens the corpus that the scenario names.
func (f *File) source() (pile.Source, error) {
	limit := int64(float64(f.Corpus.Megabytes * 1e6))
	if f.Corpus.Kind == "synthetic" {
		return pile.NewSynthetic(f.Seed, limit, f.Corpus.Subsets)
	}
	invalid := pile.RefuseInvalid
	if f.Corpus.InvalidUTF8 == "replace" {
		invalid = pile.ReplaceInvalid
	}
	return pile.Open(f.shardPath(), limit, f.Corpus.Subsets, invalid)
}

// warnOfReplaced tells how much of a corpus reads otherwise than it is written.
func warnOfReplaced(source pile.Source, warn func(string)) {
	shards, ok := source.(*pile.Shards)
	if !ok {
		return
	}
	replaced := int64(0)
	for _, subset := range shards.Subsets() {
		replaced += shards.Replaced(subset.Name)
	}
	if replaced > 0 {
		warn(fmt.Sprintf("corpus: %d bytes are not UTF-8 and read as U+FFFD", replaced))
	}
}

// shardPath is where the shards are: relative to the file, or to where the user is for --set.
func (f *File) shardPath() string {
	path := f.Corpus.Path
	if !filepath.IsAbs(path) && !f.setsKey("corpus.path") {
		path = filepath.Join(f.Dir, path)
	}
	return path
}

// corpusPath is the absolute path of the shards, by which a run can be repeated from elsewhere.
func (f *File) corpusPath() string {
	if f.Corpus.Kind != "shards" {
		return ""
	}
	path, err := filepath.Abs(f.shardPath())
	if err != nil {
		return f.shardPath()
	}
	return path
}

// shape is what one base model is trained for.
func (f *File) shape(g MinerGroup) lm.Config {
	return lm.Config{Vocab: f.Corpus.Vocab, Context: g.Context, Width: g.Width, Layers: g.Layers, Heads: g.Heads}
}

// routerShape is the trunk of a validator's routing model.
func (f *File) routerShape(g ValidatorGroup) lm.Config {
	return lm.Config{Vocab: f.Corpus.Vocab, Context: g.Tokens, Width: g.RouterWidth, Layers: 1, Heads: g.RouterHeads}
}

// minerShapes lists the different model shapes in the order of their first miner.
func (f *File) minerShapes() []lm.Config {
	var shapes []lm.Config
	for _, g := range f.Miners {
		if shape := f.shape(g); g.Behaviour != "random" && !slices.Contains(shapes, shape) {
			shapes = append(shapes, shape)
		}
	}
	return shapes
}

// shapes lists the shapes of base models: those of miners, then those at which routing models begin.
func (f *File) shapes() []lm.Config {
	shapes := f.minerShapes()
	for _, g := range f.Validators {
		shape := f.routerShape(g)
		if g.Behaviour == "honest" && g.Routing == "gated" && g.RouterBase && !slices.Contains(shapes, shape) {
			shapes = append(shapes, shape)
		}
	}
	return shapes
}

// recipes are the base models that the run needs, one for each shape.
func (f *File) recipes() []base.Recipe {
	var recipes []base.Recipe
	for _, shape := range f.shapes() {
		recipes = append(recipes, base.Recipe{
			Shape: shape, Seed: f.Seed, Steps: f.Base.Steps, Rows: f.Base.Rows, Rate: f.Base.LearningRate,
		})
	}
	return recipes
}

// heldOut is a model's mean loss over the evaluation windows, weighted as the corpus is. A routing
// model's context may be shorter than a window: it reads the beginning.
func (m *Material) heldOut(work *lm.Workspace, model *lm.Model) float64 {
	e := m.Evaluation
	cols := min(e.Cols, model.Config.Context)
	losses := make([]float32, e.Rows*cols)
	total := 0.0
	for i, weight := range e.Weights {
		work.Losses(model, heads(e.Tokens[i], e.Cols, cols), heads(e.Targets[i], e.Cols, cols), e.Rows, cols, losses)
		sum := 0.0
		for _, loss := range losses {
			sum += float64(loss)
		}
		total += float64(weight * (sum / float64(len(losses))))
	}
	return total
}

// heads is the first cols elements of each row of width.
func heads(rows []uint16, width, cols int) []uint16 {
	var cut []uint16
	for ; len(rows) > 0; rows = rows[width:] {
		cut = append(cut, rows[:cols]...)
	}
	return cut
}

// bigram is the loss of the add-one-smoothed bigram model on the same windows.
func (m *Material) bigram() float64 {
	e := m.Evaluation
	model := pile.NewBigram(m.Store)
	total := 0.0
	for i, weight := range e.Weights {
		total += float64(weight * model.Loss(e.Tokens[i], e.Targets[i]))
	}
	return total
}

func (f *File) smallestContext() int {
	context := f.Miners[0].Context
	for _, g := range f.Miners {
		context = min(context, g.Context)
	}
	return context
}

// evaluationRows shares the rows out over the subsets, at least one each.
func (f *File) evaluationRows(store *pile.Store) int {
	return max(f.Evaluation.Rows/len(store.Subsets()), 1)
}

// context is the longest request that a miner without a model serves: as long as the first base
// model's, or as smallest where there is none.
func (m *Material) context(smallest int) int {
	if len(m.Bases) > 0 {
		return m.Bases[0].Model.Config.Context
	}
	return smallest
}
