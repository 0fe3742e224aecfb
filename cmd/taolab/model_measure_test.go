package main

import (
	"math"
	"testing"

	"taolab/model/lm"
	"taolab/model/num"
	"taolab/model/pile"
)

// TestLossesAndTheirStandardErrorsAreThoseOfTheRows draws all windows at once, and computes mean and
// standard error by their definitions.
func TestLossesAndTheirStandardErrorsAreThoseOfTheRows(t *testing.T) {
	source, err := pile.NewSynthetic(1, 600_000, []string{"Github", "FreeLaw", "Enron Emails"})
	if err != nil {
		t.Fatal(err)
	}
	tokenizer, err := trainTokenizer(source, 280)
	if err != nil {
		t.Fatal(err)
	}
	store, err := pile.Build(source, tokenizer)
	if err != nil {
		t.Fatal(err)
	}
	shape := lm.Config{Vocab: 280, Context: 16, Width: 8, Layers: 1, Heads: 2}
	model := lm.New(shape, num.NewStream(1, "measure"))
	const rows = 50
	measures, err := evaluate(model, store, source, 3*rows+2)
	if err != nil {
		t.Fatal(err)
	}
	variance, loss := 0.0, 0.0
	for i, name := range store.Subsets() {
		only := make([]float64, 3)
		only[i] = 1
		mix, err := store.NewMix(pile.HeldOut, only)
		if err != nil {
			t.Fatal(err)
		}
		tokens, targets, losses := make([]uint16, rows*16), make([]uint16, rows*16), make([]float32, rows*16)
		mix.Batch(num.NewStream(1, "evaluation "+name), rows, 16, tokens, targets)
		new(lm.Workspace).Losses(model, tokens, targets, rows, 16, losses)
		sum, squares := 0.0, 0.0
		for row := range rows {
			mean := rowLoss(losses[row*16:][:16])
			sum += mean
			squares += float64(mean * mean)
		}
		mean := sum / rows
		se := math.Sqrt((squares - float64(rows*mean*mean)) / (rows - 1) / rows)
		m := measures[i]
		if m.Subset != name || m.Rows != rows || math.Abs(m.Loss-mean) > 1e-9 || math.Abs(*m.StandardError-se) > 1e-9 {
			t.Errorf("%+v, standard error %v; want loss %v and %v of %d rows", m, *m.StandardError, mean, se, rows)
		}
		if want := pile.NewBigram(store).Loss(tokens, targets); math.Abs(m.Bigram-want) > 1e-9 {
			t.Errorf("%s: bigram %v, want %v", name, m.Bigram, want)
		}
		loss += float64(m.Weight * mean)
		variance += float64(float64(m.Weight*se) * float64(m.Weight*se))
	}
	all := measures[3]
	if math.Abs(all.Loss-loss) > 1e-9 || math.Abs(*all.StandardError-math.Sqrt(variance)) > 1e-9 || all.Rows != 3*rows {
		t.Errorf("all: %+v, standard error %v; want %v and %v", all, *all.StandardError, loss, math.Sqrt(variance))
	}

	// Few rows at a time are the same rows.
	whole, err := newMeter(model, store, rows).measure(1)
	if err != nil {
		t.Fatal(err)
	}
	m := newMeter(model, store, rows)
	m.some = 7
	parts, err := m.measure(1)
	if err != nil || parts.Loss != whole.Loss || *parts.StandardError != *whole.StandardError || math.Abs(parts.Bigram-whole.Bigram) > 1e-9 {
		t.Errorf("%+v in parts, %+v at once (%v)", parts, whole, err)
	}
}

// The memory of a meter does not grow with the rows that it measures.
func TestAMeterHoldsFewRows(t *testing.T) {
	source, err := pile.NewSynthetic(1, 300_000, []string{"Github"})
	if err != nil {
		t.Fatal(err)
	}
	tokenizer, err := trainTokenizer(source, 280)
	if err != nil {
		t.Fatal(err)
	}
	store, err := pile.Build(source, tokenizer)
	if err != nil {
		t.Fatal(err)
	}
	shape := lm.Config{Vocab: 280, Context: 16, Width: 8, Layers: 1, Heads: 2}
	model := lm.New(shape, num.NewStream(1, "measure"))
	some, many := newMeter(model, store, 10_000), newMeter(model, store, 1_000_000)
	if len(many.tokens) != len(some.tokens) || many.some*shape.Context*shape.Vocab > 1<<24 {
		t.Errorf("%d tokens at a time of 10,000 rows, %d of 1,000,000", len(some.tokens), len(many.tokens))
	}
}
