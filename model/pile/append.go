package pile

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"taolab/model/token"
)

// Append returns a store of the subsets of s, with their indices, tokens and weights, followed by those of
// another source, whose weights sum to weight. It shares the tokens of s and leaves s unchanged, so that readers
// of its subsets draw the same from either store. A subset that s already has is refused: more text in it would
// move every window.
func (s *Store) Append(src Source, tok *token.Tokenizer, weight float64) (*Store, error) {
	if tok.Digest() != s.tokenizer {
		return nil, fmt.Errorf("pile: a source tokenised by another tokenizer than the store; wanted that of the store")
	}
	if !(weight > 0 && weight <= 1) {
		return nil, fmt.Errorf("pile: a source of weight %v next to a corpus of weight 1; wanted more than 0 and at most 1", weight)
	}
	have := s.Subsets()
	for _, subset := range src.Subsets() {
		if slices.Contains(have, subset.Name) {
			return nil, fmt.Errorf("pile: subset %q is already in the corpus; wanted one of another name", subset.Name)
		}
	}
	more, err := Build(src, tok)
	if err != nil {
		return nil, err
	}
	whole := *s
	whole.subsets = slices.Clone(s.subsets)
	for _, part := range more.subsets {
		part.Weight = float64(part.Weight * weight)
		whole.subsets = append(whole.subsets, part)
	}
	if len(whole.subsets) > maxSubsets {
		return nil, fmt.Errorf("pile: %d subsets with what is appended; wanted at most %d", len(whole.subsets), maxSubsets)
	}
	whole.source = joined(s.source, more.source, weight)
	return &whole, nil
}

// joined is the digest of a source with another one appended.
func joined(first, second [32]byte, weight float64) [32]byte {
	b := append(append([]byte("taolab appended 1"), first[:]...), second[:]...)
	return sha256.Sum256(binary.LittleEndian.AppendUint64(b, math.Float64bits(weight)))
}
