package pile

import (
	"errors"
	"fmt"

	"taolab/model/token"
)

// minSplitTokens is the least that a split of a subset holds.
const minSplitTokens = 256

// Store is a tokenised corpus. It is read-only and shared.
type Store struct {
	vocab     int
	endOfText uint16
	tokenizer [32]byte // digest of the tokenizer
	source    [32]byte // digest of the source
	subsets   []stored
}

// stored is one subset: its tokens, and the bytes of text that they stand for.
type stored struct {
	Subset
	tokens [splits][]uint16
	bytes  [splits]int64
}

// Build tokenises a source, once. Every document is followed by the end of text.
//
// A subset that lacks a split (it has fewer than 256 tokens there, because the folder has no shard for it
// or the subset is one huge document) takes it from the end of its longest split: HeldOut takes the last
// sixteenth of it, at least 256 tokens, then Score the last sixteenth of what remains. A subset with no
// training text first turns its longest split into training text. A subset of fewer than 4096 tokens is
// refused.
func Build(src Source, tok *token.Tokenizer) (*Store, error) {
	digest, err := src.Digest()
	if err != nil {
		return nil, err
	}
	s := &Store{
		vocab: tok.Vocab(), endOfText: tok.EndOfText(), tokenizer: tok.Digest(), source: digest,
	}
	for _, subset := range src.Subsets() {
		s.subsets = append(s.subsets, stored{Subset: subset})
	}
	if len(s.subsets) == 0 {
		return nil, errors.New("pile: the corpus has no subset")
	}
	encoder := tok.NewEncoder()
	for document, err := range src.Documents() {
		if err != nil {
			return nil, err
		}
		part := &s.subsets[document.Subset]
		tokens := &part.tokens[document.Split]
		*tokens = append(encoder.Encode(*tokens, document.Text), s.endOfText)
		part.bytes[document.Split] += int64(len(document.Text))
	}
	for i := range s.subsets {
		if err := s.subsets[i].complete(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// complete fills the splits that a subset lacks.
func (s *stored) complete() error {
	total := 0
	for _, tokens := range s.tokens {
		total += len(tokens)
	}
	if least := 16 * minSplitTokens; total < least {
		return fmt.Errorf("pile: subset %q has %d tokens; wanted %d at least: leave it out or read more text",
			s.Name, total, least)
	}
	if len(s.tokens[Train]) < minSplitTokens {
		from := s.longest()
		s.tokens[Train], s.tokens[from] = s.tokens[from], s.tokens[Train]
		s.bytes[Train], s.bytes[from] = s.bytes[from], s.bytes[Train]
	}
	for _, split := range []Split{HeldOut, Score} {
		if len(s.tokens[split]) < minSplitTokens {
			s.cut(s.longest(), split)
		}
	}
	return nil
}

func (s *stored) longest() (best Split) {
	for split := range splits {
		if len(s.tokens[split]) > len(s.tokens[best]) {
			best = split
		}
	}
	return best
}

// cut moves the end of one split to another, and its bytes in proportion.
func (s *stored) cut(from, to Split) {
	tokens := s.tokens[from]
	n := len(tokens)
	take := max(n/16, minSplitTokens)
	bytes := s.bytes[from] / int64(n) * int64(take)
	bytes += s.bytes[from] % int64(n) * int64(take) / int64(n)
	s.tokens[to] = append(s.tokens[to], tokens[n-take:]...)
	s.tokens[from] = tokens[:n-take]
	s.bytes[to] += bytes
	s.bytes[from] -= bytes
}

// Subsets names the subsets. Everywhere else a subset is its index in this list.
func (s *Store) Subsets() []string {
	names := make([]string, len(s.subsets))
	for i := range s.subsets {
		names[i] = s.subsets[i].Name
	}
	return names
}

// Weights are the subsets' weights in the corpus, which sum to 1.
func (s *Store) Weights() []float64 {
	weights := make([]float64, len(s.subsets))
	for i := range s.subsets {
		weights[i] = s.subsets[i].Weight
	}
	return weights
}

// Tokens are the documents of a subset and split, each followed by the end of text. Callers must not
// modify them.
func (s *Store) Tokens(subset int, split Split) []uint16 { return s.subsets[subset].tokens[split] }

// Bytes is the length of the text that [Store.Tokens] stands for, ends of text not counted.
func (s *Store) Bytes(subset int, split Split) int64 { return s.subsets[subset].bytes[split] }

// Vocab is the size of the tokenizer's vocabulary; every token is below it.
func (s *Store) Vocab() int { return s.vocab }

// EndOfText is the token between documents.
func (s *Store) EndOfText() uint16 { return s.endOfText }

// Tokenizer is the digest of the tokenizer that the store was built with.
func (s *Store) Tokenizer() [32]byte { return s.tokenizer }

// Source is the digest of the source that the store was built from.
func (s *Store) Source() [32]byte { return s.source }

// BytesPerToken is the mean length in bytes of the tokens that a validator draws: of Score text, subsets
// taken by weight.
func (s *Store) BytesPerToken() float64 {
	mean := 0.0
	for i := range s.subsets {
		mean += float64(s.subsets[i].Weight * s.SubsetBytesPerToken(i))
	}
	return mean
}

// SubsetBytesPerToken is the mean length in bytes of a token of one subset's Score text.
func (s *Store) SubsetBytesPerToken(subset int) float64 {
	part := &s.subsets[subset]
	return float64(part.bytes[Score]) / float64(len(part.tokens[Score]))
}
