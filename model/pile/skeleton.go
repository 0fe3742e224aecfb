package pile

import (
	"errors"
	"iter"

	"taolab/model/num"
	"taolab/model/token"
)

var errUnfinished = errors.New("pile: unfinished")

// SubsetNames lists the 22 subsets of the Pile in the order of its paper.
func SubsetNames() []string { return nil }

// Shards is a corpus on disk.
type Shards struct{}

// Open reads a folder or one file; limit bytes of text at most (0: all); only the named subsets (none: all).
func Open(path string, limit int64, subsets []string) (*Shards, error) { return nil, errUnfinished }
func (s *Shards) Subsets() []Subset                                    { return nil }
func (s *Shards) Documents() iter.Seq2[Document, error]                { return nil }
func (s *Shards) Digest() ([32]byte, error)                            { return [32]byte{}, errUnfinished }

// Synthetic is the embedded stand-in for the Pile.
type Synthetic struct{}

// NewSynthetic makes bytes of text in the named subsets (none: all 22).
func NewSynthetic(seed uint64, bytes int64, subsets []string) (*Synthetic, error) {
	return nil, errUnfinished
}
func (s *Synthetic) Subsets() []Subset                     { return nil }
func (s *Synthetic) Documents() iter.Seq2[Document, error] { return nil }
func (s *Synthetic) Digest() ([32]byte, error)             { return [32]byte{}, errUnfinished }

// EntropyRate is the entropy of a subset's text in nats per byte.
func (s *Synthetic) EntropyRate(subset string) float64 { return 0 }

// Sample takes the beginning of every subset's training text, bytes in all, to train a tokenizer on.
func Sample(src Source, bytes int64) ([][]byte, error) { return nil, errUnfinished }

// Store is a tokenised corpus: read-only, shared by everybody.
type Store struct{}

// Build tokenises a source.
func Build(src Source, tok *token.Tokenizer) (*Store, error) { return nil, errUnfinished }

// Subsets names the subsets.
func (s *Store) Subsets() []string { return nil }

// Weights are the corpus' own weights of the subsets, summing to 1.
func (s *Store) Weights() []float64 { return nil }

// Tokens are the documents of one subset and split, each followed by the end of text.
func (s *Store) Tokens(subset int, split Split) []uint16 { return nil }

// Vocab is the size of the tokenizer's vocabulary.
func (s *Store) Vocab() int { return 0 }

// BytesPerToken is the mean length of a token that a validator draws.
func (s *Store) BytesPerToken() float64                { return 0 }
func (s *Store) Digest() [32]byte                      { return [32]byte{} }
func (s *Store) AppendBinary(b []byte) ([]byte, error) { return b, errUnfinished }
func (s *Store) UnmarshalBinary(data []byte) error     { return errUnfinished }

// Mix draws windows of text, subsets by weight.
type Mix struct{}

// NewMix takes a weight per subset, or nil for the corpus' own.
func (s *Store) NewMix(split Split, weights []float64) (*Mix, error) { return nil, errUnfinished }

// Batch fills tokens and targets, both [rows x cols]; each row is a window of a random subset.
func (m *Mix) Batch(st *num.Stream, rows, cols int, tokens, targets []uint16) {}

// Batch1 fills tokens [rows x cols] with windows of one random subset, and returns its index.
func (m *Mix) Batch1(st *num.Stream, rows, cols int, tokens []uint16) (subset int) { return 0 }

// Bigram is an add-one-smoothed bigram model.
type Bigram struct{}

// NewBigram counts the training text of a store.
func NewBigram(s *Store) *Bigram { return nil }

// Loss is the mean of -log p(target | token) in nats per token.
func (b *Bigram) Loss(tokens, targets []uint16) float64 { return 0 }
