package role

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"taolab/agents/mind"
	"taolab/agents/settings"
	"taolab/model/base"
	"taolab/model/checkpoint"
	"taolab/model/lm"
	"taolab/model/token"
)

// maxTokenizerBytes bounds the file of a tokenizer; GPT-2's takes 1.4 MB.
const maxTokenizerBytes = 64 << 20

// Own is a model that miners bring as a checkpoint in a folder.
type Own struct {
	Path        string
	Model       *lm.Model
	Text        *base.Text        // the network's, in the model's own tokens
	Evaluation  *mind.Evaluation  // in the same
	Translation *mind.Translation // nil: its tokens are the standard ones
}

// Adopt copies the shape of the miner's checkpoint into its settings, except the context, which stays the
// part that the miner uses.
func (g *Miner) Adopt() error {
	if g.Checkpoint == "" {
		return nil
	}
	data, err := checkpoint.ReadFile(filepath.Join(g.Checkpoint, checkpoint.ConfigFile), 1<<20)
	if err != nil {
		return unreadable("checkpoint", err)
	}
	shape, err := checkpoint.ReadConfig(data)
	if err != nil {
		return unreadable("checkpoint", fmt.Errorf("%s: %w", filepath.Join(g.Checkpoint, checkpoint.ConfigFile), err))
	}
	if g.Context > shape.Context {
		return &settings.Error{Key: "context", Fault: fmt.Sprintf("%d tokens, and the checkpoint's model reads %d", g.Context, shape.Context),
			Want: "at most its own", Hint: fmt.Sprintf("set context = %d", shape.Context)}
	}
	g.Width, g.Layers, g.Heads = shape.Width, shape.Layers, shape.Heads
	return nil
}

func unreadable(key string, err error) error {
	return &settings.Error{Key: key, Fault: err.Error(),
		Want: "a folder with config.json, model.safetensors and tokenizer.json of a GPT-2-shaped model",
		Hint: "taolab model inspect shows what a folder holds"}
}

// readTokenizer reads the network's tokenizer from a file.
func readTokenizer(path string, vocab int) (*token.Tokenizer, error) {
	wrong := func(fault, want string) error {
		return &settings.Error{Key: "corpus.tokenizer", Fault: fault, Want: want}
	}
	data, err := checkpoint.ReadFile(path, maxTokenizerBytes)
	if err != nil {
		return nil, wrong(err.Error(), "a tokenizer.json such as taolab model train writes")
	}
	t, err := token.Load(data)
	if err != nil {
		return nil, wrong(fmt.Sprintf("%s: %v", path, err), "the tokenizer.json of a byte-level BPE")
	}
	if t.Vocab() != vocab {
		return nil, wrong(fmt.Sprintf("%s has %d tokens, and corpus.vocab is %d", path, t.Vocab(), vocab), "the same number in both")
	}
	return t, nil
}

// own reads the checkpoints that miners bring, and the network's text in their tokens.
func (p *Plan) own(ctx context.Context, m *Material, cache base.Cache, stage Stage) error {
	for i, path := range p.Checkpoints {
		stage("reading checkpoints", int64(i), int64(len(p.Checkpoints)))
		loaded, err := checkpoint.Load(path)
		if err != nil {
			return unreadable("checkpoint", err)
		}
		made := Own{Path: path, Model: loaded.Model, Text: m.Text, Evaluation: m.Evaluation}
		speaks := loaded.Tokenizer
		switch {
		case speaks == nil && loaded.Model.Config.Vocab != m.Vocab:
			return unreadable("checkpoint", fmt.Errorf("%s: a model of %d tokens without a tokenizer, in a network of %d", path,
				loaded.Model.Config.Vocab, m.Vocab))
		case speaks != nil && (speaks.Digest() != m.Tokenizer.Digest() || loaded.Model.Config.Vocab != m.Vocab):
			if err := p.translate(ctx, m, &made, speaks, cache); err != nil {
				return err
			}
		}
		m.Own = append(m.Own, made)
	}
	return ctx.Err()
}

// translate gives a checkpoint with its own tokens the text in these, and a translation from and to the
// standard ones.
func (p *Plan) translate(ctx context.Context, m *Material, made *Own, speaks *token.Tokenizer, cache base.Cache) (err error) {
	if made.Text, err = base.ReadWith(ctx, p.Open, speaks, cache); err != nil {
		return err
	}
	cols := min(p.Cols, made.Model.Config.Context)
	if made.Evaluation, err = mind.NewEvaluation(made.Text.Store, m.Evaluation.Rows, cols, p.Seed); err != nil {
		return unreadable("checkpoint", fmt.Errorf("%s: %w", made.Path, err))
	}
	made.Evaluation.In(made.Text.Store, m.Store)
	made.Translation = mind.NewTranslation(m.Tokenizer, speaks)
	return nil
}

// ownOf returns the checkpoint at a path.
func (m *Material) ownOf(path string) (*Own, error) {
	for i := range m.Own {
		if m.Own[i].Path == path {
			return &m.Own[i], nil
		}
	}
	return nil, unreadable("checkpoint", fmt.Errorf("%s was not read", path))
}

// contentsOfOwn lists the checkpoints' contents, by the names of their folders.
func (m *Material) contentsOfOwn() (list []Content) {
	for _, o := range m.Own {
		name := "checkpoint " + strings.Join(strings.Fields(filepath.Base(o.Path)), "-")
		list = append(list, Content{name, o.Model.Digest()})
		if o.Translation != nil {
			list = append(list, Content{"tokenizer of " + name, o.Text.Tokenizer.Digest()}, Content{"store of " + name, o.Text.Store.Digest()})
		}
	}
	return list
}

// transformerOf configures the mind of a miner that brings a checkpoint.
func (m *Maker) transformerOf(g *Miner) (mind.TransformerConfig, error) {
	own, err := m.ownOf(g.Checkpoint)
	if err != nil {
		return mind.TransformerConfig{}, err
	}
	thinks := mind.TransformerConfig{
		Base: own.Model, TopK: m.Vocab / 8, MaxRows: maxQuestionRows, MaxCols: g.Context, Evaluation: own.Evaluation,
		Translation: own.Translation,
	}
	if g.Acts().Trains {
		thinks.Training, err = m.training(g, own.Text.Store)
	}
	return thinks, err
}
