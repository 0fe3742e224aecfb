package mind

import (
	"taolab/model/num"
	"taolab/model/pile"
)

// nearestTokens bounds the text of a subset that a Nearest counts.
const nearestTokens = 1 << 16

// Nearest tells which subset a row of text most likely comes from, by the frequencies of its tokens in the
// training text of each, every token counted once more than it was seen. It is shared and read-only.
type Nearest struct {
	logs [][]float32 // of the frequencies, by subset and token
}

// NewNearest counts the tokens of a store.
func NewNearest(store *pile.Store) *Nearest {
	n := new(Nearest)
	for subset := range store.Subsets() {
		text := store.Tokens(subset, pile.Train)
		text = text[:min(len(text), nearestTokens)]
		logs := make([]float32, store.Vocab())
		for i := range logs {
			logs[i] = 1
		}
		for _, token := range text {
			logs[token]++
		}
		for i, count := range logs {
			logs[i] = float32(num.Log(float64(count) / float64(len(text)+len(logs))))
		}
		n.logs = append(n.logs, logs)
	}
	return n
}

// Subset is the one that a row most likely comes from: the first among equals.
func (n *Nearest) Subset(row []uint16) (subset uint16) {
	var best float32
	for s, logs := range n.logs {
		sum := float32(0)
		for _, token := range row {
			sum += logs[token]
		}
		if s == 0 || sum > best {
			subset, best = uint16(s), sum
		}
	}
	return subset
}

// Rows are the subsets of the rows of a question about text.
func (n *Nearest) Rows(q Question) []uint16 {
	text := q.(asked)
	rows := make([]uint16, text.Question.Rows)
	for i := range rows {
		rows[i] = n.Subset(text.Tokens[i*text.Cols : (i+1)*text.Cols])
	}
	return rows
}
