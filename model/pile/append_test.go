package pile

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"taolab/model/num"
	"taolab/model/token"
)

// later is a source of two subsets that small does not have.
var later = texts{
	subsets: []Subset{{"c", 0.5}, {"d", 0.5}},
	documents: []Document{
		{0, Train, text(4000, "pq")}, {0, Score, text(300, "pqr")}, {0, HeldOut, text(300, "q")},
		{1, Train, text(4000, "mn")}, {1, Score, text(300, "mno")}, {1, HeldOut, text(300, "n")},
	},
}

func TestAnAppendedSourceStandsBehindTheOthersAndMovesNoneOfThem(t *testing.T) {
	store := small(t)
	before, _ := store.AppendBinary(nil)
	whole, err := store.Append(later, plain(t), 0.4)
	if err != nil {
		t.Fatal(err)
	}
	if after, _ := store.AppendBinary(nil); !bytes.Equal(after, before) {
		t.Error("the store itself changed")
	}
	if names := whole.Subsets(); !slices.Equal(names, []string{"a", "b", "c", "d"}) {
		t.Errorf("subsets %v", names)
	}
	if weights := whole.Weights(); !slices.Equal(weights, []float64{0.75, 0.25, 0.2, 0.2}) {
		t.Errorf("weights %v, want those of the store, then halves of 0.4", weights)
	}
	if whole.Source() == store.Source() {
		t.Error("the source's digest does not tell that something was appended")
	}
	for split := range splits {
		own, err := store.NewMix(split, nil)
		if err != nil {
			t.Fatal(err)
		}
		same, err := whole.NewMix(split, []float64{0.75, 0.25, 0, 0})
		if err != nil {
			t.Fatal(err)
		}
		a, b := make([]uint16, 640), make([]uint16, 640)
		own.Batch(num.NewStream(1, "windows"), 32, 20, a, make([]uint16, 640))
		same.Batch(num.NewStream(1, "windows"), 32, 20, b, make([]uint16, 640))
		if !slices.Equal(a, b) {
			t.Errorf("%v: who reads what there was before draws other windows", split)
		}
	}
	again := new(Store)
	bytesOfWhole, _ := whole.AppendBinary(nil)
	if err := again.UnmarshalBinary(bytesOfWhole); err != nil {
		t.Errorf("the whole store does not read back: %v", err)
	}
}

func TestASourceThatCannotStandBehindAStoreIsRefused(t *testing.T) {
	other, err := token.Train([][]byte{text(4000, "abab")}, token.MinVocab+1)
	if err != nil {
		t.Fatal(err)
	}
	double := texts{subsets: []Subset{{"b", 1}}, documents: []Document{{0, Train, text(9000, "b")}}}
	for _, c := range []struct {
		src    Source
		tok    *token.Tokenizer
		weight float64
		want   string
	}{
		{later, other, 0.2, "another tokenizer"},
		{later, plain(t), 0, "wanted more than 0"},
		{later, plain(t), 2, "at most 1"},
		{double, plain(t), 0.2, `subset "b" is already in the corpus`},
		{texts{subsets: []Subset{{"e", 1}}}, plain(t), 0.2, "0 tokens"},
	} {
		if _, err := small(t).Append(c.src, c.tok, c.weight); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want an error with %q", err, c.want)
		}
	}
}
