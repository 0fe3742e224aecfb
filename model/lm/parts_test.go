package lm

import (
	"fmt"
	"testing"

	"taolab/model/num"
)

// Whatever share of a batch passes through the model at a time, the bits are the same.
func TestBitsDoNotDependOnThePartsOfABatch(t *testing.T) {
	for _, c := range []Config{
		{Vocab: 64, Context: 40, Width: 32, Layers: 1, Heads: 2},
		{Vocab: 37, Context: 40, Width: 21, Layers: 2, Heads: 3},
	} {
		const rows, cols = 5, 24
		run := func(positions int) string {
			s := num.NewStream(1, "parts")
			m, st, w := roughModel(c, 3), new(AdamState), &Workspace{positions: positions}
			tokens, targets := randomTokens(rows*cols, c.Vocab, s), randomTokens(rows*cols, c.Vocab, s)
			losses := make([]float32, rows*cols)
			w.Losses(m, tokens, targets, rows, cols, losses)
			out := fmt.Sprintf("losses %x", hashOf(losses))
			out += fmt.Sprintf(", next %x", hashOf(w.Next(m, tokens, rows, cols)))
			out += fmt.Sprintf(", probs %x", hashOf(w.Probs(m, tokens, rows, cols)))
			r, scores := NewRouter(c, 5, s), make([]float32, 5)
			w.Route(r, tokens, rows, cols, scores)
			out += fmt.Sprintf(", scores %x", hashOf(scores))
			for range 2 {
				loss := w.Train(m, adamW, st, tokens, targets, rows, cols)
				out += fmt.Sprintf(", loss %v, gradient %x", loss, hashOf(w.grads))
			}
			return out
		}
		want := run(rows * cols)
		for _, positions := range []int{1, 2 * cols, 4 * cols} {
			if got := run(positions); got != want {
				t.Errorf("%+v, parts of %d positions: %s\nat once: %s", c, positions, got, want)
			}
		}
	}
	w := &Workspace{positions: 256, shape: shape{rows: 7, cols: 100}}
	if a, b := w.partEnd(0), w.partEnd(600); a != 200 || b != 700 {
		t.Errorf("parts of 7 x 100 positions end at %d and %d, expected 200 and 700", a, b)
	}
}
