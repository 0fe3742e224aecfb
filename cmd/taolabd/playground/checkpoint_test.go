package playground

import (
	"context"
	"encoding/json"
	"testing"

	"taolab/agents/role"
	"taolab/model/base"
	"taolab/model/checkpoint"
	"taolab/model/lm"
	"taolab/model/pile"
)

// elsewhere is the folder of a GPT-2-shaped model with a tokenizer of its own, trained on text like the network's.
func elsewhere(t *testing.T) string {
	t.Helper()
	plan := role.Plan{
		Seed: 2, Vocab: 320, Rows: 4, Cols: 16, Shapes: []lm.Config{{Vocab: 320, Context: 48, Width: 24, Layers: 2, Heads: 3}},
		Training: role.Training{Steps: 300, Rows: 8, LearningRate: 6e-3},
		Open:     func() (pile.Source, error) { return pile.NewSynthetic(1, 500_000, []string{"Github", "ArXiv"}) },
		Subsets:  func([]string) error { return nil },
	}
	made, err := plan.Prepare(context.Background(), base.Cache{}, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := (&checkpoint.Checkpoint{Model: made.Bases[0].Model, Tokenizer: made.Tokenizer}).Save(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A miner that brings such a model answers in the network's tokens, over the wire, and about as well as the others.
func TestACheckpointFromElsewhereIsServed(t *testing.T) {
	plan := plan
	dir := elsewhere(t)
	plan.Checkpoints = []string{dir}
	made, err := plan.Prepare(context.Background(), base.Cache{}, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	n := startWith(t, made, 1, 0, func(_ *role.Application, m *role.Miner) {
		m.Checkpoint = dir
		if err := m.Adopt(); err != nil {
			t.Fatal(err)
		}
	})
	w := post(New(n.app, Limits{}, nil), `{"model":"mean","prompt":"the value of the ","max_tokens":12,"temperature":0}`)
	var c completion
	if err := json.Unmarshal(w.Body.Bytes(), &c); err != nil || w.Code != 200 {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	t.Logf("%q", c.Choices[0].Text)
	if text := c.Choices[0].Text; len(text) < 6 || c.Usage.Completion != 12 {
		t.Errorf("%q, %+v", text, c.Usage)
	}
	for _, p := range c.Taolab.Peers {
		if p.Code != "Success" || p.Loss == nil || !(*p.Loss < 5) { // 5.66: all tokens alike
			t.Errorf("miner %+v", p)
		}
	}
}
