package main

import (
	"fmt"
	"math"

	"taolab/model/lm"
	"taolab/model/num"
	"taolab/model/pile"
)

// measure is what a model is worth on the held-out text of a subset, or of all by their weights.
type measure struct {
	Subset        string   `json:"subset"`
	Weight        float64  `json:"weight"`
	Rows          int      `json:"rows"`           // windows of text
	Loss          float64  `json:"loss"`           // nats per token
	StandardError *float64 `json:"standard_error"` // of the loss, from row to row; null where a subset has one row
	BitsPerByte   float64  `json:"bits_per_byte"`  // comparable between tokenizers
	Bigram        float64  `json:"bigram_loss"`    // nats per token of an add-one-smoothed bigram model
	Entropy       float64  `json:"entropy"`        // bits per byte that the synthetic text has; 0: not known
}

// deviation is the standard error as it is printed.
func (m measure) deviation() string {
	if m.StandardError == nil {
		return "?"
	}
	return fmt.Sprintf("%.4f", *m.StandardError)
}

// evaluate measures a model on rows held-out windows, divided among the subsets. The last measure is
// that of all subsets.
func evaluate(model *lm.Model, store *pile.Store, source pile.Source, rows int) ([]measure, error) {
	names, weights := store.Subsets(), store.Weights()
	rows = max(rows/len(names), 1)
	synthetic, known := source.(*pile.Synthetic)
	meter := newMeter(model, store, rows)
	all := measure{Subset: "all", Weight: 1}
	variance := 0.0
	var list []measure
	for i, name := range names {
		m, err := meter.measure(i)
		if err != nil {
			return nil, code(exitScenario, err)
		}
		m.Subset, m.Weight = name, weights[i]
		perByte := float64(len(store.Tokens(i, pile.HeldOut))) / float64(store.Bytes(i, pile.HeldOut)) / math.Ln2
		m.BitsPerByte = float64(m.Loss * perByte)
		if known {
			m.Entropy = synthetic.EntropyRate(name) / math.Ln2
		}
		all.Rows += m.Rows
		all.Loss += float64(m.Weight * m.Loss)
		all.BitsPerByte += float64(m.Weight * m.BitsPerByte)
		all.Bigram += float64(m.Weight * m.Bigram)
		all.Entropy += float64(m.Weight * m.Entropy)
		if m.StandardError != nil {
			part := float64(m.Weight * *m.StandardError)
			variance += float64(part * part)
		}
		list = append(list, m)
	}
	if rows > 1 {
		deviation := math.Sqrt(variance)
		all.StandardError = &deviation
	}
	return append(list, all), nil
}

// meter measures a model, few rows at a time: what it holds depends only on the model.
type meter struct {
	model           *lm.Model
	store           *pile.Store
	bigram          *pile.Bigram
	rows, some      int // of a subset in all, and at a time
	work            lm.Workspace
	tokens, targets []uint16
	losses          []float32
}

func newMeter(model *lm.Model, store *pile.Store, rows int) *meter {
	const most = 1 << 24 // logits, or channels of the widest layers
	c := model.Config
	some := min(max(most/(c.Context*max(c.Vocab, 16*c.Width)), 1), rows)
	n := some * c.Context
	return &meter{
		model: model, store: store, bigram: pile.NewBigram(store), rows: rows, some: some,
		tokens: make([]uint16, n), targets: make([]uint16, n), losses: make([]float32, n),
	}
}

// measure reads windows of a subset at places that depend only on its name.
func (m *meter) measure(subset int) (r measure, err error) {
	names, cols := m.store.Subsets(), m.model.Config.Context
	only := make([]float64, len(names))
	only[subset] = 1
	mix, err := m.store.NewMix(pile.HeldOut, only)
	if err != nil {
		return r, err
	}
	stream := num.NewStream(1, "evaluation "+names[subset])
	mean, squares := 0.0, 0.0 // of the rows' losses, after Welford
	for r.Rows < m.rows {
		n := min(m.some, m.rows-r.Rows)
		tokens, targets := m.tokens[:n*cols], m.targets[:n*cols]
		mix.Batch(stream, n, cols, tokens, targets)
		m.work.Losses(m.model, tokens, targets, n, cols, m.losses[:n*cols])
		r.Bigram += float64(m.bigram.Loss(tokens, targets) * float64(n))
		for row := range n {
			loss := rowLoss(m.losses[row*cols:][:cols])
			r.Rows++
			step := loss - mean
			mean += step / float64(r.Rows)
			squares += float64(step * (loss - mean))
		}
	}
	r.Loss = mean
	r.Bigram /= float64(r.Rows)
	if r.Rows > 1 {
		deviation := math.Sqrt(squares / float64(r.Rows-1) / float64(r.Rows))
		r.StandardError = &deviation
	}
	return r, nil
}

func rowLoss(losses []float32) float64 {
	sum := 0.0
	for _, loss := range losses {
		sum += float64(loss)
	}
	return sum / float64(len(losses))
}
