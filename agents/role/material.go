package role

import (
	"context"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"taolab/agents/mind"
	"taolab/agents/settings"
	"taolab/model/base"
	"taolab/model/lm"
	"taolab/model/num"
	"taolab/model/pile"
	"taolab/sim/chain"
)

// Training holds the settings of the base models' training, which is done once per shape.
type Training struct {
	Steps        int     `toml:"steps" default:"800" unit:"steps" min:"0" max:"10000000" doc:"optimiser steps of a base model"`
	Rows         int     `toml:"rows" default:"16" unit:"rows" min:"1" max:"4096" doc:"rows in a batch"`
	LearningRate float64 `toml:"learning_rate" default:"6e-3" min:"0" max:"1" doc:"AdamW rate after warm-up"`
}

// Evaluation holds the settings of the held-out text on which every miner measures itself.
type Evaluation struct {
	PeriodBlocks uint64 `toml:"period_blocks" default:"72" unit:"blocks" min:"1" max:"1000000" doc:"blocks between two measurements of one miner"`
	Rows         int    `toml:"rows" default:"66" unit:"rows" min:"1" max:"65536" doc:"held-out rows in all, divided among the subsets"`
}

// Material is the read-only data that the agents of a run share: text, tokenizer, held-out windows and the
// base models that miners start from.
type Material struct {
	*base.Text
	Whole      *pile.Store // the text's, followed by the sources that are appended while the network runs
	Vocab      int         // of the standard tokenizer, from the corpus' settings
	Cols       int         // tokens of each held-out window
	Evaluation *mind.Evaluation
	Bases      []Base
	Own        []Own   // checkpoints that miners bring
	BigramLoss float64 // nats per token of an add-one-smoothed bigram model on the held-out windows
	Warnings   []string

	additions []addition
}

// Base is one base model with its loss on the held-out windows.
type Base struct {
	Model       *lm.Model
	HeldOutLoss float64 // nats per token
}

// Stage receives the progress of the preparation: done out of total, in the stage's own unit.
type Stage func(name string, done, total int64)

// Plan lists the parts of a network's material.
type Plan struct {
	Seed      uint64
	Open      func() (pile.Source, error) // nil: no node has a model, and no text is needed
	Additions []Addition
	Subsets   func(corpus []string) error // refuses a corpus that lacks a subset named by a role
	Vocab     int

	Tokenizer   string   // file of the standard tokenizer; empty: it is trained on the text
	Checkpoints []string // folders of the models that miners bring

	Shapes []lm.Config // of base models, in order
	Training
	Rows, Cols int // held-out rows in all, divided among the subsets, and tokens of each
}

// Prepare reads or synthesises the corpus, trains the tokenizer and the base models, or takes them from the
// cache. It trains up to workers base models concurrently.
func (p *Plan) Prepare(ctx context.Context, cache base.Cache, workers int, stage Stage) (*Material, error) {
	if stage == nil {
		stage = func(string, int64, int64) {}
	}
	m := &Material{Vocab: p.Vocab, Cols: p.Cols}
	if p.Open == nil {
		return m, nil
	}
	cache.Warn = func(text string) { m.Warnings = append(m.Warnings, text) }
	if err := p.read(ctx, m, cache, stage); err != nil {
		return nil, err
	}
	total, done := int64(len(p.Shapes)*p.Steps), int64(0)
	if err := p.own(ctx, m, cache, stage); err != nil {
		return nil, err
	}
	models, err := base.Models(ctx, m.Store, p.recipes(), workers, cache, func() {
		done++
		stage("training base models", done, total)
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(m.Warnings) // they come from several goroutines in any order
	work := new(lm.Workspace)
	for _, model := range models {
		m.Bases = append(m.Bases, Base{model, m.heldOut(work, model)})
	}
	if p.Steps > 0 {
		m.warnOfDivergence(p.Training)
	}
	return m, nil
}

// read makes the material that depends only on the text.
func (p *Plan) read(ctx context.Context, m *Material, cache base.Cache, stage Stage) (err error) {
	stage("reading the corpus", 0, 1)
	open := func() (pile.Source, error) {
		source, err := p.Open()
		if err == nil {
			warnOfReplaced(source, cache.Warn)
		}
		return source, err
	}
	if p.Tokenizer == "" {
		m.Text, err = base.Read(ctx, open, p.Vocab, cache)
	} else if standard, fault := readTokenizer(p.Tokenizer, p.Vocab); fault == nil {
		m.Text, err = base.ReadWith(ctx, open, standard, cache)
	} else {
		err = fault
	}
	if err != nil {
		return err
	}
	stage("reading the corpus", 1, 1)
	subsets := m.Store.Subsets()
	if m.Evaluation, err = mind.NewEvaluation(m.Store, max(p.Rows/len(subsets), 1), p.Cols, p.Seed); err != nil {
		return &settings.Error{Key: "evaluation", Fault: err.Error(), Want: "held-out text in every subset"}
	}
	if err := p.add(m); err != nil {
		return err
	}
	if err := p.Subsets(m.Whole.Subsets()); err != nil {
		return err
	}
	m.BigramLoss = m.bigram()
	return nil
}

// recipes lists the plan's base models, one for each shape.
func (p *Plan) recipes() []base.Recipe {
	var recipes []base.Recipe
	for _, shape := range p.Shapes {
		recipes = append(recipes, base.Recipe{
			Shape: shape, Seed: p.Seed, Steps: p.Steps, Rows: p.Training.Rows, Rate: p.LearningRate,
		})
	}
	return recipes
}

// warnOfDivergence warns of base models that are worse than a uniform guess.
func (m *Material) warnOfDivergence(t Training) {
	uniform := num.Log(float64(m.Vocab))
	for _, made := range m.Bases {
		if made.HeldOutLoss > uniform {
			m.Warnings = append(m.Warnings, fmt.Sprintf("base: after %d steps the model %s has a loss of %.4f nats/token, above the %.4f "+
				"of a uniform guess: the training diverged, or is too short; lower base.learning_rate, %g, or raise base.steps",
				t.Steps, base.ShapeName(made.Model.Config), made.HeldOutLoss, uniform, t.LearningRate))
		}
	}
}

// Content is a part of a network's starting material, with its digest.
type Content struct {
	Name   string
	Digest [32]byte
}

// Contents lists all that the network starts from besides its settings: the bytes of tokenizer, store and
// every base model, not their recipes.
func (m *Material) Contents() []Content {
	if m.Text == nil {
		return nil
	}
	list := []Content{{"tokenizer", m.Tokenizer.Digest()}, {"store", m.Store.Digest()}}
	if len(m.additions) > 0 {
		list = append(list, Content{"store with what is appended", m.Whole.Digest()})
	}
	for _, made := range m.Bases {
		list = append(list, Content{"base " + base.ShapeName(made.Model.Config), made.Model.Digest()})
	}
	return append(list, m.contentsOfOwn()...)
}

// Origin is the digest of the contents, with which the run digest begins.
func (m *Material) Origin() chain.Digest {
	h := sha256.New()
	h.Write([]byte("taolab origin 1\n"))
	for _, c := range m.Contents() {
		fmt.Fprintf(h, "%s %x\n", c.Name, c.Digest)
	}
	return chain.Digest(h.Sum(nil))
}

// heldOut is a model's mean loss over the evaluation windows, weighted like the corpus. A routing model whose
// context is shorter than a window reads its beginning.
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

// heads returns the first cols elements of each row of width.
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

// Describe summarises the material in a line.
func (m *Material) Describe() string {
	if m.Text == nil {
		return "no corpus: no node has a model"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d subsets, vocabulary %d, %.2f bytes per token; held-out loss: bigram %.3f",
		len(m.Store.Subsets()), m.Tokenizer.Vocab(), m.Store.BytesPerToken(), m.BigramLoss)
	for _, made := range m.Bases {
		fmt.Fprintf(&b, ", base %s %.3f", base.ShapeName(made.Model.Config), made.HeldOutLoss)
	}
	for _, own := range m.Own {
		fmt.Fprintf(&b, ", checkpoint %s of shape %s", filepath.Base(own.Path), base.ShapeName(own.Model.Config))
	}
	return b.String() + " nats per token"
}
