package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"taolab/model/checkpoint"
	"taolab/model/jsontext"
	"taolab/model/lm"
	"taolab/model/num"
	"taolab/model/pile"
	"taolab/model/whole"
)

// Files of a folder besides the model, so that training can go on.
const (
	trainingFile   = "training.json"
	optimizerFile  = "optimizer.bin"
	trainingFormat = "taolab training 1"
)

const (
	saveEvery       = time.Minute // what a machine that fails takes with it
	curveEvery      = 50          // steps from point to point
	evaluationRows  = 256
	mostWeights     = 1 << 30
	mostBatchTokens = 1 << 20
)

// training is training.json: how a model came to be. Equal trainings leave equal bytes.
type training struct {
	Format string         `json:"format"`
	Corpus trainingCorpus `json:"corpus"`
	settings
	Step      int         `json:"step"`
	Tokens    uint64      `json:"tokens"`    // that the model was trained on
	Model     string      `json:"model"`     // digest of the weights
	Optimizer string      `json:"optimizer"` // SHA-256 of optimizer.bin
	Curve     []meanPoint `json:"curve"`

	Pending float64 `json:"pending"` // sum of the losses since the last point
}

type trainingCorpus struct {
	corpusFlags
	Digest string `json:"digest"`
}

// settings are what the steps depend on, besides the model and the text.
type settings struct {
	Rows        int     `json:"rows"`
	Rate        float64 `json:"rate"`
	Warmup      int     `json:"warmup"`
	WeightDecay float64 `json:"weight_decay"`
	Seed        uint64  `json:"seed"`
}

// meanPoint is the mean loss of the steps since the point before.
type meanPoint struct {
	Step int     `json:"step"`
	Loss float64 `json:"loss"` // nats per token
}

type trainFlags struct {
	out, from, resume string
	steps             int
	shape             lm.Config
	corpus            corpusFlags
	settings          settings
	json              bool
}

// ofShape and ofTraining are flags that a model, or its training, has settled already.
var (
	ofShape    = []string{"width", "layers", "heads", "context", "vocab"}
	ofTraining = append([]string{"from", "out", "rows", "rate", "warmup", "decay", "seed", "megabytes", "corpus-seed",
		"subset"}, ofShape...)
)

func newModelTrain() *cobra.Command {
	var flags trainFlags
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train a model on the synthetic Pile or on shards",
		Long: `Train a model with AdamW and leave it in a new folder, as Hugging Face's transformers keeps a GPT-2.
The tokenizer is trained first, on the same text. The rate rises to its full height over the warmup and
stays there.

The folder also gets training.json and optimizer.bin, so that training can go on where it ended, after
its last step or after an interruption, to the same bits as if it had never ended. The model is saved
every minute.

A training whose loss is above that of a uniform guess, the logarithm of the vocabulary, is warned of: it
diverges, most often because --rate is too high.`,
		Example: `  taolab model train --out models/small --steps 500
  taolab model train --resume models/small --steps 2000
  taolab model train --width 128 --layers 4 --context 128 --vocab 1024 --corpus /data/pile --megabytes 100
  taolab model train --from models/small --out models/law --subset FreeLaw`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := newTrainer(cmd, flags)
			if err != nil {
				return err
			}
			console := newConsole(cmd.ErrOrStderr())
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			if err := t.train(ctx, console); err != nil {
				return err
			}
			return t.report(cmd.OutOrStdout(), console, flags.json)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&flags.out, "out", "o", "", "new `folder` for the model (default models/SHAPE, numbered)")
	f.StringVar(&flags.from, "from", "", "begin with the weights and the tokenizer of a model in a `folder`")
	f.StringVar(&flags.resume, "resume", "", "go on with the training that is in a `folder`, up to --steps")
	f.IntVar(&flags.steps, "steps", 1000, "steps in all")
	f.IntVar(&flags.shape.Width, "width", 64, "channels of the residual stream")
	f.IntVar(&flags.shape.Layers, "layers", 2, "layers")
	f.IntVar(&flags.shape.Heads, "heads", 4, "attention heads; divide the width")
	f.IntVar(&flags.shape.Context, "context", 64, "tokens that the model sees at most")
	f.IntVar(&flags.shape.Vocab, "vocab", 512, "tokens of the tokenizer, from 257")
	f.IntVar(&flags.settings.Rows, "rows", 8, "rows of a batch, each as long as the context")
	f.Float64Var(&flags.settings.Rate, "rate", 0.003, "learning rate")
	f.IntVar(&flags.settings.Warmup, "warmup", 50, "steps over which the rate rises")
	f.Float64Var(&flags.settings.WeightDecay, "decay", 0.01, "weight decay")
	f.Uint64Var(&flags.settings.Seed, "seed", 1, "seed of the weights and of the order of the text")
	f.BoolVar(&flags.json, "json", false, "print JSON")
	flags.corpus.register(cmd)
	return cmd
}

// trainer is a training that goes on.
type trainer struct {
	folder string
	isNew  bool
	steps  int
	state  training
	adam   lm.AdamState
	warned bool // that the training diverges
	source pile.Source
	store  *pile.Store
	checkpoint.Checkpoint
}

// newTrainer reads what there is, checks the flags and makes what is missing; it writes nothing.
func newTrainer(cmd *cobra.Command, flags trainFlags) (*trainer, error) {
	t := &trainer{folder: flags.out, isNew: flags.resume == "", steps: flags.steps}
	t.state = training{Format: trainingFormat, settings: flags.settings}
	t.state.Corpus.corpusFlags = flags.corpus
	settled := ofShape
	switch {
	case !t.isNew:
		settled = ofTraining
		t.folder = filepath.Clean(flags.resume)
		if err := t.load(); err != nil {
			return nil, err
		}
		if cmd.Flags().Changed("corpus") { // it may have moved
			t.state.Corpus.Path = flags.corpus.Path
		}
	case flags.from != "":
		c, err := loadTalker(flags.from)
		if err != nil {
			return nil, err
		}
		t.Checkpoint = *c
	default:
		settled = nil
	}
	for _, name := range settled {
		if cmd.Flags().Changed(name) {
			folder := cmp.Or(flags.resume, flags.from)
			return nil, code(exitUsage, fmt.Errorf("--%s: the model in %s has that settled; leave it out", name, folder))
		}
	}
	if t.Model != nil {
		flags.shape = t.Model.Config
	}
	if err := t.check(flags.shape); err != nil {
		return nil, code(exitUsage, err)
	}
	return t, t.prepare(flags.shape)
}

// check refuses what no training can be made with.
func (t *trainer) check(shape lm.Config) error {
	if err := shape.Validate(); err != nil {
		return err
	}
	if n := shape.Params(); n > mostWeights {
		return fmt.Errorf("a model of %d weights: expected %d at most", n, mostWeights)
	}
	s := t.state.settings
	switch {
	case s.Rows < 1 || s.Rows > mostBatchTokens/shape.Context:
		return fmt.Errorf("--rows %d: expected 1 to %d with a context of %d", s.Rows, mostBatchTokens/shape.Context,
			shape.Context)
	case s.Warmup < 0:
		return fmt.Errorf("--warmup %d: expected 0 or more", s.Warmup)
	case t.steps < 1 || t.steps < t.state.Step:
		return fmt.Errorf("--steps %d: the model has %d behind it; expected %d at least", t.steps, t.state.Step,
			max(t.state.Step, 1))
	}
	if err := s.adamW(s.Warmup).Validate(); err != nil {
		return fmt.Errorf("--rate %g, --decay %g: %w", s.Rate, s.WeightDecay, err)
	}
	if _, err := os.Stat(t.folder); t.isNew && t.folder != "" && err == nil {
		return fmt.Errorf("--out %s: exists already; expected a new folder; name another one or remove it", t.folder)
	}
	return nil
}

// adamW is the optimiser at a step, the first of which is 0.
func (s settings) adamW(step int) lm.AdamW {
	rate := float64(s.Rate * min(float64(step+1)/float64(max(s.Warmup, 1)), 1))
	return lm.AdamW{
		Rate: float32(rate), Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, WeightDecay: float32(s.WeightDecay), ClipNorm: 1,
	}
}

// prepare reads the text and makes tokenizer and model where there is none yet.
func (t *trainer) prepare(shape lm.Config) (err error) {
	if path := &t.state.Corpus.Path; *path != "" { // training may go on from elsewhere
		if *path, err = filepath.Abs(*path); err != nil {
			return code(exitFailure, err)
		}
	}
	if t.source, err = t.state.Corpus.open(); err != nil {
		return err
	}
	if t.Tokenizer == nil {
		if t.Tokenizer, err = trainTokenizer(t.source, shape.Vocab); err != nil {
			return err
		}
	}
	if t.store, err = pile.Build(t.source, t.Tokenizer); err != nil {
		return code(exitScenario, err)
	}
	digest := fmt.Sprintf("%x", t.store.Source())
	if want := t.state.Corpus.Digest; want != "" && want != digest {
		return code(exitScenario, fmt.Errorf("the corpus %q has digest %.16s; the model was trained on %.16s; "+
			"name where that one is now with --corpus", t.state.Corpus.Path, digest, want))
	}
	t.state.Corpus.Digest = digest
	if t.Model == nil {
		t.Model = lm.New(shape, num.NewStream(t.state.Seed, "train/weights"))
	}
	return nil
}

// load reads a training that ended.
func (t *trainer) load() error {
	c, err := loadTalker(t.folder)
	if err != nil {
		return err
	}
	t.Checkpoint = *c
	if t.state, err = readTraining(t.folder); err != nil {
		return fileError(err)
	}
	path := filepath.Join(t.folder, optimizerFile)
	data, err := checkpoint.ReadFile(path, int64(8*len(c.Model.Weights)+1024))
	if err != nil {
		return code(exitFailure, err)
	}
	if err := t.adam.UnmarshalBinary(data); err != nil {
		return code(exitScenario, fmt.Errorf("%s: %w", path, err))
	}
	if n := len(t.adam.M); n != len(c.Model.Weights) && n > 0 {
		return code(exitScenario, fmt.Errorf("%s: moments of %d weights; the model has %d", path, n, len(c.Model.Weights)))
	}
	if digest := fmt.Sprintf("%x", c.Model.Digest()); digest != t.state.Model {
		return code(exitScenario, fmt.Errorf("%s: the model has digest %.16s, and %.16s in %s: it was changed, or the "+
			"machine failed while it was saved; --from %s starts again with these weights", t.folder, digest, t.state.Model,
			trainingFile, t.folder))
	}
	if digest := digestOf(data); digest != t.state.Optimizer {
		return code(exitScenario, fmt.Errorf("%s: digest %.16s, and %.16s in %s: it was changed, or the machine failed "+
			"while it was saved; --from %s starts again with the model's weights", path, digest, t.state.Optimizer, trainingFile,
			t.folder))
	}
	return nil
}

func digestOf(data []byte) string { return fmt.Sprintf("%x", sha256.Sum256(data)) }

func readTraining(folder string) (t training, err error) {
	path := filepath.Join(folder, trainingFile)
	data, err := checkpoint.ReadFile(path, 64<<20)
	if err != nil {
		return t, err
	}
	if err = jsontext.Decode(data, 16, &t); err == nil && (t.Format != trainingFormat || t.Step < 0) {
		err = fmt.Errorf("format %q, step %d; expected %q", t.Format, t.Step, trainingFormat)
	}
	if err != nil {
		return t, fmt.Errorf("%s: %w; it is written by taolab model train and not meant to be changed", path, err)
	}
	return t, nil
}

// train takes the steps that are left and saves what they made, also when ctx ends before.
func (t *trainer) train(ctx context.Context, console *console) error {
	if err := t.makeFolder(); err != nil {
		return code(exitFailure, err)
	}
	mix, err := t.store.NewMix(pile.Train, nil)
	if err != nil {
		return code(exitScenario, err)
	}
	s, cols := t.state.settings, t.Model.Config.Context
	text := num.NewStream(s.Seed, "train/text")
	tokens, targets := make([]uint16, s.Rows*cols), make([]uint16, s.Rows*cols)
	work := new(lm.Workspace)
	begin, first := time.Now(), t.state.Step
	next := begin.Add(saveEvery)
	for t.state.Step < t.steps && ctx.Err() == nil {
		mix.Batch(text.Sub(strconv.Itoa(t.state.Step)), s.Rows, cols, tokens, targets)
		loss := work.Train(t.Model, s.adamW(t.state.Step), &t.adam, tokens, targets, s.Rows, cols)
		t.count(float64(loss), len(tokens))
		t.warn(console)
		console.line(t.progress(time.Since(begin), t.state.Step-first, loss))
		if now := time.Now(); now.After(next) {
			if err := t.save(); err != nil {
				return code(exitFailure, err)
			}
			next = time.Now().Add(max(saveEvery, 20*time.Since(now)))
		}
	}
	console.clear()
	if err := t.save(); err != nil {
		return code(exitFailure, err)
	}
	if t.state.Step < t.steps {
		return code(exitInterrupted, fmt.Errorf("interrupted after step %d of %d; the model in %s is whole; "+
			"taolab model train --resume %s --steps %d goes on", t.state.Step, t.steps, t.folder, t.folder, t.steps))
	}
	return nil
}

// makeFolder makes the folder of a new model.
func (t *trainer) makeFolder() (err error) {
	switch {
	case !t.isNew:
		return nil
	case t.folder != "":
		if err = os.MkdirAll(filepath.Dir(t.folder), 0o755); err == nil {
			err = os.Mkdir(t.folder, 0o755)
		}
		return err
	}
	if err = os.MkdirAll("models", 0o755); err == nil {
		c := t.Model.Config
		t.folder, err = numberedFolder("models", fmt.Sprintf("d%d-l%d-h%d-c%d-v%d", c.Width, c.Layers, c.Heads, c.Context,
			c.Vocab))
	}
	return err
}

// count notes a step that was taken.
func (t *trainer) count(loss float64, tokens int) {
	t.state.Step++
	t.state.Tokens += uint64(tokens)
	t.state.Pending += loss
	if t.state.Step%curveEvery == 0 {
		t.state.Curve = append(t.state.Curve, meanPoint{t.state.Step, t.state.Pending / curveEvery})
		t.state.Pending = 0
	}
}

// uniformLoss is that of a model to which all tokens are alike, in nats per token.
func uniformLoss(vocab int) float64 { return num.Log(float64(vocab)) }

// warn tells once that the training leads away from what no training would know.
func (t *trainer) warn(console *console) {
	n := len(t.state.Curve)
	if t.warned || n == 0 || t.state.Curve[n-1].Step != t.state.Step || t.state.Step <= t.state.Warmup {
		return
	}
	uniform := uniformLoss(t.Model.Config.Vocab)
	if loss := t.state.Curve[n-1].Loss; loss > uniform {
		t.warned = true
		console.say("step %d: the mean loss of %d steps is %.4f nats/token, above the %.4f of a uniform guess: the training diverges; "+
			"begin again with a lower --rate than %g or a longer --warmup than %d", t.state.Step, curveEvery, loss, uniform,
			t.state.Rate, t.state.Warmup)
	}
}

// progress is the line that shows how far the training is.
func (t *trainer) progress(took time.Duration, steps int, loss float32) string {
	c := t.Model.Config
	rate := float64(steps) / took.Seconds()
	left := time.Duration(float64(float64(t.steps-t.state.Step) / rate * float64(time.Second)))
	return fmt.Sprintf("step %d of %d  loss %.4f  %s tokens/s  %v left", t.state.Step, t.steps, loss,
		short(float64(rate*float64(t.state.Rows*c.Context))), left.Round(time.Second))
}

// save puts everything in its place, the weights last. The digests in training.json tell files of
// different steps apart, which a machine leaves that fails meanwhile.
func (t *trainer) save() error {
	moments, err := t.adam.AppendBinary(nil)
	if err != nil {
		return err
	}
	t.state.Model, t.state.Optimizer = fmt.Sprintf("%x", t.Model.Digest()), digestOf(moments)
	data, err := json.MarshalIndent(t.state, "", "  ")
	if err != nil {
		return err
	}
	if err := whole.Write(filepath.Join(t.folder, optimizerFile), moments); err != nil {
		return err
	}
	if err := whole.Write(filepath.Join(t.folder, trainingFile), append(data, '\n')); err != nil {
		return err
	}
	return t.Save(t.folder)
}

// trained is what train prints.
type trained struct {
	Folder     string  `json:"folder"`
	Digest     string  `json:"digest"`
	Parameters int     `json:"parameters"`
	Steps      int     `json:"steps"`
	Tokens     uint64  `json:"tokens"`
	TrainLoss  float64 `json:"train_loss"`   // nats per token, mean of the curve's last point
	Uniform    float64 `json:"uniform_loss"` // nats per token of a model to which all tokens are alike
	HeldOut    measure `json:"held_out"`
}

func (t *trainer) report(w io.Writer, console *console, asJSON bool) error {
	measures, err := evaluate(t.Model, t.store, t.source, evaluationRows)
	if err != nil {
		return err
	}
	r := trained{
		Folder: t.folder, Digest: t.state.Model, Parameters: len(t.Model.Weights), Steps: t.state.Step,
		Tokens: t.state.Tokens, HeldOut: measures[len(measures)-1], Uniform: uniformLoss(t.Model.Config.Vocab),
	}
	if r.HeldOut.Loss > r.Uniform {
		console.say("the model is worse than a uniform guess: %.4f against %.4f nats/token on held-out text; train one with a lower --rate "+
			"than %g", r.HeldOut.Loss, r.Uniform, t.state.Rate)
	}
	if n := len(t.state.Curve); n > 0 {
		r.TrainLoss = t.state.Curve[n-1].Loss
	} else {
		r.TrainLoss = t.state.Pending / float64(t.state.Step)
	}
	if asJSON {
		return writeJSON(w, r)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "folder\t%s\ndigest\t%s\nparameters\t%d\nsteps\t%d\ntokens\t%d\n", r.Folder, r.Digest,
		r.Parameters, r.Steps, r.Tokens)
	fmt.Fprintf(table, "training loss\t%.4f nats/token\nheld-out loss\t%.4f nats/token\n", r.TrainLoss, r.HeldOut.Loss)
	fmt.Fprintf(table, "\t± %s\n\t%.4f bits/byte\nbigram\t%.4f nats/token\nuniform\t%.4f nats/token\n", r.HeldOut.deviation(), r.HeldOut.BitsPerByte,
		r.HeldOut.Bigram, r.Uniform)
	return code(exitFailure, table.Flush())
}
