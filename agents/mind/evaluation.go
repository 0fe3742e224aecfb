package mind

import (
	"fmt"

	"taolab/model/num"
	"taolab/model/pile"
)

// Evaluation is held-out text cut into windows once for a run. All miners measure themselves on
// the same windows; nobody writes to it after NewEvaluation.
type Evaluation struct {
	Subsets []string   // names, in the store's order
	Weights []float64  // of each subset in the mean over all, summing to 1
	Rows    int        // windows per subset
	Cols    int        // tokens per window
	Tokens  [][]uint16 // by subset, [Rows x Cols]
	Targets [][]uint16 // by subset, [Rows x Cols], each token's successor
	Scales  []float64  // by subset, of losses in other tokens than the standard ones to losses per standard token; nil: 1
}

// In takes losses to be per token of another store of the same text, by the bytes that a token has in each.
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
	e := &Evaluation{Subsets: store.Subsets(), Weights: store.Weights(), Rows: rows, Cols: cols}
	for i, name := range e.Subsets {
		only := make([]float64, len(e.Subsets))
		only[i] = 1
		mix, err := store.NewMix(pile.HeldOut, only)
		if err != nil {
			return nil, fmt.Errorf("evaluation: %w", err)
		}
		tokens, targets := make([]uint16, rows*cols), make([]uint16, rows*cols)
		mix.Batch(num.NewStream(seed, "evaluation "+name), rows, cols, tokens, targets)
		e.Tokens, e.Targets = append(e.Tokens, tokens), append(e.Targets, targets)
	}
	return e, nil
}
