package pile

import (
	"fmt"

	"taolab/model/num"
)

// Bigram predicts a token from the one before it: p(b | a) = (n(a, b) + 1) / (n(a) + V), counted over
// training text. It serves as a baseline: a model that does not beat it has learned nothing about
// context.
type Bigram struct {
	vocab  int
	pairs  map[uint32]int // by a<<16 | b; as many as differ in the text
	totals []int          // by a
}

// NewBigram counts the training text of a store, all subsets one after the other.
func NewBigram(s *Store) *Bigram {
	b := &Bigram{s.vocab, make(map[uint32]int), make([]int, s.vocab)}
	for i := range s.subsets {
		text := s.subsets[i].tokens[Train]
		for k := 1; k < len(text); k++ {
			b.pairs[uint32(text[k-1])<<16|uint32(text[k])]++
			b.totals[text[k-1]]++
		}
	}
	return b
}

// Loss is the mean of -log p(targets[i] | tokens[i]), in nats per token; 0 for no tokens. It panics if
// the slices differ in length or hold a token outside the vocabulary.
func (b *Bigram) Loss(tokens, targets []uint16) float64 {
	if len(tokens) != len(targets) {
		panic(fmt.Sprintf("pile: %d tokens and %d targets; wanted as many of each", len(tokens), len(targets)))
	}
	if len(tokens) == 0 {
		return 0
	}
	sum := 0.0
	for i, a := range tokens {
		count := b.pairs[uint32(a)<<16|uint32(targets[i])]
		sum -= num.Log(float64(count+1) / float64(b.totals[a]+b.vocab))
	}
	return sum / float64(len(tokens))
}
