package scenarios

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"sync"

	"taolab/agents"
	"taolab/model/lm"
	"taolab/model/num"
	"taolab/model/pile"
	"taolab/model/token"
)

// Material is what the agents of a run share and only read: text, tokenizer, held-out windows and
// the base models that miners start from.
type Material struct {
	Tokenizer  *token.Tokenizer
	Store      *pile.Store
	Evaluation *agents.Evaluation
	Bases      []Base
	BigramLoss float64 // nats per token of an add-one-smoothed bigram model on the held-out windows
	Warnings   []string

	CorpusDigest [32]byte // of every document that the corpus yields
}

// Base is one base model with its loss on the held-out windows.
type Base struct {
	Model       *lm.Model
	HeldOutLoss float64 // nats per token
	Tokens      uint64  // tokens it was trained on
}

// arithmeticVersion names the arithmetic that base models are trained with. A change that moves
// any bit of a model raises it, so that no cached base model survives the change.
const arithmeticVersion = 1

// Stage is told what the preparation is busy with: done out of total, in the stage's own unit.
type Stage func(name string, done, total int64)

// Prepare reads or synthesises the corpus, trains the tokenizer and the base models, or takes them
// from the cache. Workers base models are trained side by side.
func (f *File) Prepare(ctx context.Context, cache Cache, workers int, stage Stage) (*Material, error) {
	if stage == nil {
		stage = func(string, int64, int64) {}
	}
	stage("reading the corpus", 0, 1)
	m, err := f.read(ctx, cache)
	if err != nil {
		return nil, err
	}
	stage("reading the corpus", 1, 1)
	if err := f.checkSubsets(m.Store.Subsets()); err != nil {
		return nil, err
	}
	m.Evaluation, err = agents.NewEvaluation(m.Store, f.evaluationRows(m.Store), f.smallestContext(), f.Seed)
	if err != nil {
		return nil, &Error{Where: f.Origin, Key: "evaluation", Fault: err.Error(), Want: "held-out text in every subset"}
	}
	m.BigramLoss = m.bigram()
	err = m.train(ctx, f, cache, workers, stage)
	if err == nil && f.Base.Steps > 0 {
		m.warnOfDivergence(f)
	}
	return m, err
}

// warnOfDivergence tells which base models know less than one to which all tokens are alike.
func (m *Material) warnOfDivergence(f *File) {
	uniform := num.Log(float64(f.Corpus.Vocab))
	for _, base := range m.Bases {
		if base.HeldOutLoss > uniform {
			m.Warnings = append(m.Warnings, fmt.Sprintf("base: after %d steps the model %s has a loss of %.4f nats/token, above the %.4f "+
				"of a uniform guess: the training diverged, or is too short; lower base.learning_rate, %g, or raise base.steps",
				f.Base.Steps, shapeName(base.Model.Config), base.HeldOutLoss, uniform, f.Base.LearningRate))
		}
	}
}

// read opens and reads the corpus. It returns as soon as ctx ends; what is being read then goes on
// to the next document and ends there.
func (f *File) read(ctx context.Context, cache Cache) (*Material, error) {
	m, ended := new(Material), make(chan error, 1)
	go func() {
		source, err := f.source()
		if err == nil {
			m.warnOfReplaced(source)
			err = m.read(f, interruptible{source, ctx}, cache)
		}
		ended <- err
	}()
	select {
	case err := <-ended:
		return m, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// interruptible is a corpus whose documents end with a context.
type interruptible struct {
	pile.Source
	ctx context.Context
}

func (s interruptible) Documents() iter.Seq2[pile.Document, error] {
	return func(yield func(pile.Document, error) bool) {
		for document, err := range s.Source.Documents() {
			if err == nil {
				err = s.ctx.Err()
			}
			if !yield(document, err) || err != nil {
				return
			}
		}
	}
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
		Want: fmt.Sprintf("one of %q", names), Hint: "did you mean " + nearest(want, names) + "?"}
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

// warnOfReplaced tells how much of the corpus reads otherwise than it is written.
func (m *Material) warnOfReplaced(source pile.Source) {
	shards, ok := source.(*pile.Shards)
	if !ok {
		return
	}
	replaced := int64(0)
	for _, subset := range shards.Subsets() {
		replaced += shards.Replaced(subset.Name)
	}
	if replaced > 0 {
		m.Warnings = append(m.Warnings, fmt.Sprintf("corpus: %d bytes are not UTF-8 and read as U+FFFD", replaced))
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

// read fills in tokenizer and store.
func (m *Material) read(f *File, source pile.Source, cache Cache) error {
	digest, err := source.Digest()
	if err != nil {
		return err
	}
	m.CorpusDigest = digest
	key := cacheKey("tokenizer", arithmeticVersion, digest, f.Corpus.Vocab)
	if data := cache.get("tokenizer", key); data != nil {
		m.Tokenizer, err = token.Load(data)
	}
	if m.Tokenizer == nil || err != nil {
		if m.Tokenizer, err = trainTokenizer(source, f.Corpus.Vocab); err != nil {
			return err
		}
		data, err := m.Tokenizer.MarshalJSON()
		if err == nil {
			err = cache.put("tokenizer", key, data)
		}
		m.warn(err)
	}
	key = cacheKey("store", arithmeticVersion, digest, m.Tokenizer.Digest())
	if data := cache.get("store", key); data != nil {
		store := new(pile.Store)
		if store.UnmarshalBinary(data) == nil {
			m.Store = store
			return nil
		}
	}
	if m.Store, err = pile.Build(source, m.Tokenizer); err != nil {
		return err
	}
	data, err := m.Store.AppendBinary(nil)
	if err == nil {
		err = cache.put("store", key, data)
	}
	m.warn(err)
	return nil
}

// warn notes that the cache could not be written; the run goes on without it.
func (m *Material) warn(err error) {
	if err != nil {
		m.Warnings = append(m.Warnings, "cache: "+err.Error())
	}
}

// shape is what one base model is trained for.
func (f *File) shape(g MinerGroup) lm.Config {
	return lm.Config{Vocab: f.Corpus.Vocab, Context: g.Context, Width: g.Width, Layers: g.Layers, Heads: g.Heads}
}

// shapes lists the different model shapes in the order of their first miner.
func (f *File) shapes() []lm.Config {
	var shapes []lm.Config
	for _, g := range f.Miners {
		if shape := f.shape(g); g.Behaviour != "random" && !slices.Contains(shapes, shape) {
			shapes = append(shapes, shape)
		}
	}
	return shapes
}

func shapeName(c lm.Config) string {
	return fmt.Sprintf("d%d-l%d-h%d-c%d-v%d", c.Width, c.Layers, c.Heads, c.Context, c.Vocab)
}

// train makes the base models, some side by side: each is a function of its own inputs alone.
func (m *Material) train(ctx context.Context, f *File, cache Cache, workers int, stage Stage) error {
	shapes := f.shapes()
	m.Bases = make([]Base, len(shapes))
	total := int64(len(shapes) * f.Base.Steps)
	var (
		group sync.WaitGroup
		mutex sync.Mutex
		done  int64
		slots = make(chan struct{}, max(workers, 1))
	)
	step := func() {
		mutex.Lock()
		done++
		stage("training base models", done, total)
		mutex.Unlock()
	}
	for i, shape := range shapes {
		group.Add(1)
		go func() {
			defer group.Done()
			slots <- struct{}{}
			m.Bases[i] = m.base(ctx, f, shape, cache, step)
			<-slots
		}()
	}
	group.Wait()
	return ctx.Err()
}

// base takes one base model from the cache, or trains it.
func (m *Material) base(ctx context.Context, f *File, shape lm.Config, cache Cache, step func()) Base {
	store := m.Store.Digest()
	key := cacheKey("base", arithmeticVersion, store, shape, f.Base, f.Seed)
	base := Base{Tokens: uint64(f.Base.Steps * f.Base.Rows * shape.Context)}
	work := new(lm.Workspace)
	if data := cache.get("base", key); data != nil {
		model := new(lm.Model)
		if model.UnmarshalBinary(data) == nil && model.Config == shape {
			base.Model = model
			base.HeldOutLoss = m.heldOut(work, model)
			return base
		}
	}
	streams := num.NewStream(f.Seed, "base/"+shapeName(shape))
	model := lm.New(shape, streams.Sub("weights"))
	text := streams.Sub("text")
	mix, err := m.Store.NewMix(pile.Train, nil)
	if err != nil {
		panic("scenarios: a store without training text was built: " + err.Error())
	}
	n := f.Base.Rows * shape.Context
	tokens, targets := make([]uint16, n), make([]uint16, n)
	state := new(lm.AdamState)
	for i := range f.Base.Steps {
		if ctx.Err() != nil {
			return base
		}
		mix.Batch(text, f.Base.Rows, shape.Context, tokens, targets)
		rate := float32(float64(f.Base.LearningRate * warmUp(i, f.Base.Steps)))
		work.Train(model, optimizer(rate), state, tokens, targets, f.Base.Rows, shape.Context)
		step()
	}
	base.Model = model
	base.HeldOutLoss = m.heldOut(work, model)
	if data, err := model.AppendBinary(nil); err == nil {
		_ = cache.put("base", key, data) // the run goes on without it
	}
	return base
}

// warmUp raises the rate over the first twentieth of the steps. It never falls again: a base model
// is where miners start, and what remains to be gained is theirs.
func warmUp(i, steps int) float64 {
	return min(float64(i+1)/float64(max(steps/20, 1)), 1)
}

// optimizer is AdamW with the usual constants.
func optimizer(rate float32) lm.AdamW {
	return lm.AdamW{Rate: rate, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, WeightDecay: 0.01, ClipNorm: 1}
}

// heldOut is a model's mean loss over the evaluation windows, weighted as the corpus is.
func (m *Material) heldOut(work *lm.Workspace, model *lm.Model) float64 {
	e := m.Evaluation
	losses := make([]float32, e.Rows*e.Cols)
	total := 0.0
	for i, weight := range e.Weights {
		work.Losses(model, e.Tokens[i], e.Targets[i], e.Rows, e.Cols, losses)
		sum := 0.0
		for _, loss := range losses {
			sum += float64(loss)
		}
		total += float64(weight * (sum / float64(len(losses))))
	}
	return total
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

// trainTokenizer learns merges from the beginning of the training text of all subsets.
func trainTokenizer(source pile.Source, vocab int) (*token.Tokenizer, error) {
	const sampleBytes = 2 << 20
	sample, err := pile.Sample(source, sampleBytes)
	if err != nil {
		return nil, err
	}
	return token.Train(sample, vocab)
}

// vocabulary is a model to read the vocabulary from, for a miner that has none of its own.
func (m *Material) vocabulary(vocab, context int) *lm.Model {
	if len(m.Bases) > 0 {
		return m.Bases[0].Model
	}
	return lm.New(lm.Config{Vocab: vocab, Context: context, Width: 8, Layers: 1, Heads: 1}, num.NewStream(0, "vocabulary"))
}
