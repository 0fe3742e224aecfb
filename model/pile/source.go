package pile

import "iter"

// Split says what a text may be used for.
type Split uint8

const (
	Train   Split = iota // models learn from it
	Score                // validators draw their questions from it
	HeldOut              // measurement; nobody in the network sees it
	splits
)

// Subset is a named part of a corpus. Weights of all subsets of a source sum to 1.
type Subset struct {
	Name   string
	Weight float64
}

// Document is one text. Its bytes are valid until the next document is asked for.
type Document struct {
	Subset int // index into Source.Subsets
	Split  Split
	Text   []byte
}

// Source is a corpus that can be read again and again, always the same.
type Source interface {
	Subsets() []Subset
	Documents() iter.Seq2[Document, error] // in a fixed order; ends after the first error
	Digest() ([32]byte, error)             // of everything that Documents yields
}
