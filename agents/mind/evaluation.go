package mind

import (
	"fmt"

	"taolab/model/num"
	"taolab/model/pile"
)

// Evaluation is held-out text, cut into windows once for a run. All miners measure themselves on the same
// windows; it is read-only after NewEvaluation and Append.
type Evaluation struct {
	Subsets []string   // names, in the store's order: those of the corpus, then those appended to it
	Weights []float64  // of each subset of the corpus in the mean over all, summing to 1
	From    []uint64   // height from which each appended subset exists, ascending
	Rows    int        // windows per subset
	Cols    int        // tokens per window
	Tokens  [][]uint16 // by subset, [Rows x Cols]
	Targets [][]uint16 // by subset, [Rows x Cols], each token's successor
	Scales  []float64  // by subset, factor from losses in the model's own tokens to losses per standard token; nil: 1
}

// In sets Scales for losses per token of own, another store of the same text, from the bytes per token in each.
func (e *Evaluation) In(own, standard *pile.Store) {
	for i := range e.Subsets {
		e.Scales = append(e.Scales, standard.SubsetBytesPerToken(i)/own.SubsetBytesPerToken(i))
	}
}

// NewEvaluation cuts rows windows of cols tokens out of each subset's held-out text, at places
// that depend only on the seed and the subset's name.
func NewEvaluation(store *pile.Store, rows, cols int, seed uint64) (*Evaluation, error) {
	if rows < 1 || cols < 1 {
		return nil, fmt.Errorf("evaluation: %d windows of %d tokens per subset, expected at least 1 of 1",
			rows, cols)
	}
	e := &Evaluation{Weights: store.Weights(), Rows: rows, Cols: cols}
	return e, e.add(store, seed)
}

// Append adds the subsets that a store has beyond those of e, which exist from a height on. The mean over all
// subsets remains one over the original corpus, so that it stays comparable throughout a run.
func (e *Evaluation) Append(store *pile.Store, from uint64, seed uint64) error {
	for range len(store.Subsets()) - len(e.Subsets) {
		e.From = append(e.From, from)
	}
	return e.add(store, seed)
}

// add cuts the windows of the subsets that e lacks.
func (e *Evaluation) add(store *pile.Store, seed uint64) error {
	names := store.Subsets()
	for i := len(e.Subsets); i < len(names); i++ {
		only := make([]float64, len(names))
		only[i] = 1
		mix, err := store.NewMix(pile.HeldOut, only)
		if err != nil {
			return fmt.Errorf("evaluation: %w", err)
		}
		tokens, targets := make([]uint16, e.Rows*e.Cols), make([]uint16, e.Rows*e.Cols)
		mix.Batch(num.NewStream(seed, "evaluation "+names[i]), e.Rows, e.Cols, tokens, targets)
		e.Subsets = append(e.Subsets, names[i])
		e.Tokens, e.Targets = append(e.Tokens, tokens), append(e.Targets, targets)
	}
	return nil
}

// there is the number of subsets that exist at a height.
func (e *Evaluation) there(height uint64) int {
	n := len(e.Weights)
	for _, from := range e.From {
		if from <= height {
			n++
		}
	}
	return n
}
