package pile

import (
	"errors"
	"fmt"
	"iter"
	"slices"
)

// Split is the use that a text is reserved for.
type Split uint8

const (
	Train   Split = iota // models learn from it
	Score                // validators draw their questions from it
	HeldOut              // measurement; no agent sees it
	splits
)

// String names the split as documents do.
func (s Split) String() string {
	switch s {
	case Train:
		return "train"
	case Score:
		return "score"
	case HeldOut:
		return "held out"
	}
	return fmt.Sprintf("split %d", uint8(s))
}

// Subset is a named part of a corpus. Weights of all subsets of a source sum to 1.
type Subset struct {
	Name   string
	Weight float64
}

// Document is one text. Its bytes are valid until the next document is yielded.
type Document struct {
	Subset int // index into Source.Subsets
	Split  Split
	Text   []byte
}

// Source is a corpus that can be read repeatedly and yields the same each time.
type Source interface {
	Subsets() []Subset
	Documents() iter.Seq2[Document, error] // in a fixed order; ends after the first error
	Digest() ([32]byte, error)             // of everything that Documents yields
}

// Sample takes the beginning of every subset's training text, bytes in all, to train a tokenizer on: half
// of it by weight and half evenly, so that tokens are not much shorter in rare subsets than in others.
func Sample(src Source, bytes int64) ([][]byte, error) {
	subsets := src.Subsets()
	left := make([]int64, len(subsets))
	open := len(subsets)
	for i, subset := range subsets {
		left[i] = max(int64(float64(subset.Weight*float64(bytes/2)))+bytes/2/int64(len(subsets)), 1)
	}
	var sample [][]byte
	for document, err := range src.Documents() {
		if err != nil {
			return nil, err
		}
		i := document.Subset
		if document.Split != Train || left[i] == 0 || len(document.Text) == 0 {
			continue
		}
		take := min(int64(len(document.Text)), left[i])
		sample = append(sample, slices.Clone(document.Text[:take]))
		if left[i] -= take; left[i] == 0 {
			if open--; open == 0 {
				break
			}
		}
	}
	if len(sample) == 0 {
		return nil, errors.New("pile: the corpus has no training text")
	}
	return sample, nil
}
