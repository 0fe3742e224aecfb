package agents

import (
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
}

// NewEvaluation cuts rows windows of cols tokens out of each subset's held-out text.
func NewEvaluation(store *pile.Store, rows, cols int, seed uint64) (*Evaluation, error) {
	return nil, nil
}
