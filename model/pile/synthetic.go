package pile

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"strings"

	"taolab/model/num"
)

// syntheticVersion is part of the digest. A change of any byte of the text raises it.
const syntheticVersion = 1

// Budgets of a synthetic subset.
const (
	trainFloorBytes = 96 << 10 // training text that the lightest subset has, if the corpus is large enough
	otherFloorBytes = 16 << 10 // the same for Score, and for HeldOut
	floorBytes      = trainFloorBytes + 2*otherFloorBytes
	minSubsetBytes  = 4 << 10 // a corpus of less than this per subset is refused
)

// documentSigma is the standard deviation of the logarithm of document sizes.
const documentSigma = 1.0

// Synthetic is a stand-in for the Pile that needs no file: the 22 subsets with the paper's weights and
// mean document sizes (log-normal), each in an invented language with its own grammar. Its entropy
// rates are known exactly. A document is a pure function of (seed, subset, split, index) and is made on
// demand.
type Synthetic struct {
	seed     uint64
	bytes    int64
	subsets  []Subset
	grammars []*grammar
	streams  []*num.Stream // by subset: what its documents derive theirs from
	budgets  [][splits]int64
}

// NewSynthetic makes a corpus of the given size in the named subsets of the Pile, all 22 if none are
// named. Every subset gets 128 KiB (or an equal share of a corpus too small for that); the rest is
// divided by weight. Of a subset's text 14/16 is Train, 1/16 Score and 1/16 HeldOut, but of its first
// 128 KiB 12/16, 2/16 and 2/16. A document that exceeds the rest of its budget is cut there.
func NewSynthetic(seed uint64, bytes int64, subsets []string) (*Synthetic, error) {
	if len(subsets) == 0 {
		subsets = SubsetNames()
	}
	if least := int64(minSubsetBytes * len(subsets)); bytes < least {
		return nil, fmt.Errorf("pile: %d bytes of synthetic text; wanted %d at least, %d for each of %d subsets",
			bytes, least, minSubsetBytes, len(subsets))
	}
	grammars, err := parseGrammars(grammarText)
	if err != nil {
		return nil, err
	}
	s := &Synthetic{seed: seed, bytes: bytes, subsets: weighted(subsets)}
	root := num.NewStream(seed, "synthetic pile")
	for i, name := range subsets {
		at := slices.IndexFunc(grammars, func(g *grammar) bool { return g.name == name })
		if at < 0 || slices.Contains(subsets[:i], name) {
			return nil, fmt.Errorf("pile: subset %q is unknown or appears twice; wanted each once, of: %s",
				name, strings.Join(SubsetNames(), ", "))
		}
		stream := root.Sub(name)
		grammars[at].invent(stream.Sub("language"))
		s.grammars = append(s.grammars, grammars[at])
		s.streams = append(s.streams, stream)
	}
	s.share()
	return s, nil
}

// share sets the budgets.
func (s *Synthetic) share() {
	floor := min(floorBytes, s.bytes/int64(len(s.subsets)))
	rest := s.bytes - floor*int64(len(s.subsets))
	total := 0
	for _, subset := range s.subsets {
		total += weightOf(subset.Name)
	}
	for _, subset := range s.subsets {
		// rest/total first: the product of rest and a weight may not fit.
		weight := int64(weightOf(subset.Name))
		more := rest/int64(total)*weight + rest%int64(total)*weight/int64(total)
		other := floor*otherFloorBytes/floorBytes + more/16
		s.budgets = append(s.budgets, [splits]int64{floor + more - 2*other, other, other})
	}
}

// Subsets lists the subsets with the paper's weights, normalised to sum to 1.
func (s *Synthetic) Subsets() []Subset { return slices.Clone(s.subsets) }

// EntropyRate is the entropy of a subset's text in nats per byte, computed from the distributions that
// the text is drawn from; 0 for a subset that the corpus lacks. No model that reads only the text can
// have a lower mean loss.
func (s *Synthetic) EntropyRate(subset string) float64 {
	for i, have := range s.subsets {
		if have.Name == subset {
			e := s.grammars[i].unit()
			return e.nats / e.bytes
		}
	}
	return 0
}

// Document is one whole document of subset i; indices start at 0 and have no end.
func (s *Synthetic) Document(i int, split Split, index int) Document {
	stream, size := s.document(i, split, index)
	return Document{i, split, s.write(i, stream, size)}
}

// document derives the stream of a document and draws its size in bytes.
func (s *Synthetic) document(i int, split Split, index int) (stream *num.Stream, size int64) {
	stream = s.streams[i].Sub(fmt.Sprintf("%v/%d", split, index))
	mean := float64(paper[paperIndex(s.subsets[i].Name)].meanBytes)
	mu := num.Log(mean) - float64(documentSigma*documentSigma)/2
	return stream, max(int64(stream.LogNormal(mu, documentSigma)), 1)
}

// write makes the first size bytes of the text of a stream.
func (s *Synthetic) write(i int, stream *num.Stream, size int64) []byte {
	w := s.grammars[i].writer(stream)
	for int64(len(w.text)) < size {
		w.unit()
	}
	return w.text[:size]
}

// Documents yields subset after subset, Train, Score and HeldOut of each, until the budgets are spent.
func (s *Synthetic) Documents() iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		for i := range s.subsets {
			for split := range splits {
				left := s.budgets[i][split]
				for index := 0; left > 0; index++ {
					stream, size := s.document(i, split, index)
					size = min(size, left)
					if !yield(Document{i, split, s.write(i, stream, size)}, nil) {
						return
					}
					left -= size
				}
			}
		}
	}
}

// Digest is the SHA-256 of what determines the text: "taolab synthetic pile", version, seed and size as
// 64-bit little-endian words, the notation of the grammars, and the names of the subsets with newlines.
func (s *Synthetic) Digest() ([32]byte, error) {
	b := []byte("taolab synthetic pile")
	for _, word := range []uint64{syntheticVersion, s.seed, uint64(s.bytes)} {
		b = binary.LittleEndian.AppendUint64(b, word)
	}
	b = append(b, grammarText...)
	for _, subset := range s.subsets {
		b = append(b, "\n"+subset.Name...)
	}
	return sha256.Sum256(b), nil
}
