package role

import (
	"iter"
	"math"
	"slices"
	"testing"

	"taolab/agents/mind"
	"taolab/agents/settings"
	"taolab/model/base"
	"taolab/model/lm"
	"taolab/model/num"
	"taolab/model/pile"
	"taolab/model/token"
)

// subsets is a source of a little text of each of some subsets.
type subsets []string

func (s subsets) Subsets() (list []pile.Subset) {
	for _, name := range s {
		list = append(list, pile.Subset{Name: name, Weight: 1 / float64(len(s))})
	}
	return list
}

func (s subsets) Documents() iter.Seq2[pile.Document, error] {
	return func(yield func(pile.Document, error) bool) {
		for i := range s {
			for _, split := range []pile.Split{pile.Train, pile.Score, pile.HeldOut} {
				text := make([]byte, 20000)
				for k := range text {
					text[k] = "abc def "[k%(i+3)]
				}
				if !yield(pile.Document{Subset: i, Split: split, Text: text}, nil) {
					return
				}
			}
		}
	}
}

func (s subsets) Digest() ([32]byte, error) { return [32]byte{byte(len(s))}, nil }

func tokenizer(t *testing.T, vocab int) *token.Tokenizer {
	t.Helper()
	made, err := token.Train([][]byte{[]byte("abc def abc def aabbccddeeff")}, vocab)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// The owner of a miner whose checkpoint has its own tokens moves the mix of the text in these tokens, which
// lacks the sources appended to the corpus.
func TestAMinerOfOtherTokensLearnsTheMixThatItsOwnerSets(t *testing.T) {
	standard, own := tokenizer(t, 264), tokenizer(t, 265)
	build := func(by *token.Tokenizer) *pile.Store {
		store, err := pile.Build(subsets{"sea", "law"}, by)
		if err != nil {
			t.Fatal(err)
		}
		return store
	}
	text := &base.Text{Tokenizer: standard, Store: build(standard)}
	whole, err := text.Store.Append(subsets{"new"}, standard, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	model := lm.New(lm.Config{Vocab: 265, Context: 16, Width: 8, Layers: 1, Heads: 2}, num.NewStream(1, "model"))
	m := &Maker{Material: &Material{
		Text: text, Whole: whole, Vocab: 264, additions: []addition{{first: 2, shared: true}},
		Own: []Own{{Path: "brought", Model: model, Text: &base.Text{Tokenizer: own, Store: build(own)}, Translation: mind.NewTranslation(standard, own)}},
	}}
	g := settings.Default[Miner]()
	g.Checkpoint = "brought"
	thinks, err := m.transformerOf(&g)
	if err != nil {
		t.Fatal(err)
	}
	if thinks.Training.Store != m.Own[0].Text.Store {
		t.Error("a mix that its owner sets changes nothing")
	}
	if names, start, from := m.learnable(&g); !slices.Equal(names, []string{"sea", "law", "new"}) ||
		!slices.Equal(start, []float64{0.5, 0.5, 0}) || !slices.Equal(from, []uint64{0, 0, math.MaxUint64}) {
		t.Errorf("it may learn %v from %v on, and begins with %v", names, from, start)
	}
	g.Checkpoint = ""
	if _, start, from := m.learnable(&g); start[2] == 0 || from[2] != 0 {
		t.Errorf("one of standard tokens may learn from %v on, and begins with %v", from, start)
	}
}

// Text that comes at a height is read from there on: by all where it is shared, else by those who name it. A miner that
// goes by its own income learns of it later only where it is shared, one that hears of pay in any case.
func TestAppendedTextIsReadFromItsHeightOnByWhomItIsFor(t *testing.T) {
	standard := tokenizer(t, 264)
	store, err := pile.Build(subsets{"sea", "law"}, standard)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := store.Append(subsets{"new"}, standard, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	for _, shared := range []bool{true, false} {
		m := &Maker{Material: &Material{Text: &base.Text{Tokenizer: standard, Store: store}, Whole: whole, additions: []addition{{2, 50, shared}}}}
		for _, c := range []struct {
			wanted []string
			height uint64
			reads  bool
		}{{nil, 49, false}, {nil, 50, shared}, {[]string{"sea", "new"}, 49, false}, {[]string{"sea", "new"}, 50, true}} {
			if w := m.weights(c.wanted, nil, c.height); (w[2] > 0) != c.reads {
				t.Errorf("shared %t, wanted %v: weights %v at height %d", shared, c.wanted, w, c.height)
			}
		}
		for by, from := range map[string]uint64{"income": math.MaxUint64, "bandit": math.MaxUint64, "pay": 50, "gradient": 50} { // order-free: each stands alone
			if shared {
				from = 50
			}
			g := settings.Default[Miner]()
			g.Wants.MixBy = by
			if _, _, got := m.learnable(&g); got[2] != from {
				t.Errorf("shared %t, by %s: it may learn the new text from %d on, want %d", shared, by, got[2], from)
			}
		}
		for _, split := range []pile.Split{pile.Train, pile.Score} {
			text, err := m.read(split, nil, nil)
			if again, _ := m.read(split, nil, nil); err != nil || text.split != split || again != text || (len(text.later) == 1) != shared {
				t.Errorf("shared %t: the %v split is read as %+v, %v", shared, split, text, err)
			}
		}
	}
}
