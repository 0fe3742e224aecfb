package mind

import (
	"bytes"
	"testing"

	"taolab/agents/state"
	"taolab/model/lm"
	"taolab/model/num"
	"taolab/model/pile"
	"taolab/sim/host"
)

// testOptimizers train a small model to predict the next number.
var testOptimizers = map[string]Optimizer{
	"adamw":   AdamW{lm.AdamW{Rate: 1e-2, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, ClipNorm: 1}},
	"adamw16": AdamW16{lm.AdamW{Rate: 1e-2, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, ClipNorm: 1}},
	"sgd":     SGD{lm.SGD{Rate: 0.1, Momentum: 0.9, ClipNorm: 1}},
}

// Each optimiser learns, and continues from its bytes as if it had never stopped.
func TestEveryOptimizerLearnsAndGoesOnFromItsBytes(t *testing.T) {
	config := lm.Config{Vocab: 16, Context: 8, Width: 16, Layers: 1, Heads: 2}
	for name, o := range testOptimizers { // order-free: each on its own
		t.Run(name, func(t *testing.T) {
			if err := o.Validate(); err != nil {
				t.Fatal(err)
			}
			learns, model, w := o.begin(), lm.New(config, num.NewStream(1, "optimizer")), new(lm.Workspace)
			tokens, targets := make([]uint16, 8), make([]uint16, 8)
			for i := range tokens {
				tokens[i], targets[i] = uint16(i), uint16(i+1)
			}
			step := func(by training, m *lm.Model) float32 { return by.train(w, m, tokens, targets, 1, 8) }
			first, last := step(learns, model), float32(0)
			for range 60 {
				last = step(learns, model)
			}
			if last > first/2 || learns.taken() != 61 || learns.weights() != len(model.Weights) {
				t.Errorf("loss %v after %v, %d steps on %d weights", last, first, learns.taken(), learns.weights())
			}
			kept, err := learns.AppendBinary(nil)
			if err != nil {
				t.Fatal(err)
			}
			again, twin := o.begin(), model.Clone()
			if err := again.UnmarshalBinary(kept); err != nil {
				t.Fatal(err)
			}
			step(learns, model)
			step(again, twin)
			if model.Digest() != twin.Digest() {
				t.Error("it goes on differently")
			}
			for _, cut := range [][]byte{nil, kept[:7], kept[:len(kept)-1], append(bytes.Clone(kept), 0)} {
				if o.begin().UnmarshalBinary(cut) == nil {
					t.Errorf("%d bytes of %d are taken", len(cut), len(kept))
				}
			}
		})
	}
}

// A miner continues from its state as if it had never stopped, with any optimiser, before its first visit and
// later.
func TestAMinerGoesOnFromItsStateWithEveryOptimizer(t *testing.T) {
	mix, err := store().NewMix(pile.Train, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range testOptimizers { // order-free: each on its own
		config := TransformerConfig{
			Base: smallModel(), TopK: 4, MaxRows: 4, MaxCols: 8,
			Training: &Training{Mix: mix, Optimizer: o, Rows: 1, Cols: 4, Steps: 2},
		}
		visit := func(m *Transformer, env host.Env) { m.Trained(m.Train(env).Run(new(host.Scratch))) }
		straight, stopped := NewTransformer(config), NewTransformer(config)
		env, same := newDated(t), newDated(t)
		for range 4 {
			kept := stopped.AppendState(state.Begin(nil, "mind"))
			c := state.Open("mind", kept)
			again := stopped.Fresh().(*Transformer)
			if again.Restore(c); c.End() != nil {
				t.Fatalf("%s: %v", name, c.End())
			}
			if !bytes.Equal(again.AppendState(state.Begin(nil, "mind")), kept) {
				t.Errorf("%s: the state does not read back", name)
			}
			stopped = again
			visit(straight, env)
			visit(stopped, same)
			if !bytes.Equal(straight.AppendState(nil), stopped.AppendState(nil)) {
				t.Fatalf("%s: after a restart it trains otherwise", name)
			}
		}
		if straight.learns.taken() != 8 || straight.fork.model().Digest() == config.Base.Digest() {
			t.Errorf("%s: %d steps, or the model did not move", name, straight.learns.taken())
		}
	}
}
