package mind

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"testing"

	"taolab/agents/state"
	"taolab/agents/wire"
	"taolab/model/num"
	"taolab/model/pile"
	"taolab/model/token"
	"taolab/sim/host"
)

// lettered is text of two subsets that share one word of four.
type lettered struct{}

func (lettered) Subsets() []pile.Subset {
	return []pile.Subset{{Name: "low", Weight: 0.5}, {Name: "high", Weight: 0.5}}
}

func (lettered) Documents() iter.Seq2[pile.Document, error] {
	return func(yield func(pile.Document, error) bool) {
		for subset, words := range []string{"abcx", "stux"} {
			for _, split := range []pile.Split{pile.Train, pile.Score, pile.HeldOut} {
				stream, text := num.NewStream(uint64(subset), fmt.Sprint(split)), make([]byte, 5000)
				for i := range text {
					text[i] = words[stream.IntN(4)]
				}
				if !yield(pile.Document{Subset: subset, Split: split, Text: text}, nil) {
					return
				}
			}
		}
	}
}

func (lettered) Digest() ([32]byte, error) { return [32]byte{2}, nil }

func TestRowsAreTakenToBeOfTheSubsetWhoseTokensTheyHave(t *testing.T) {
	tokenizer, err := token.Train(nil, 257)
	if err != nil {
		t.Fatal(err)
	}
	store, err := pile.Build(lettered{}, tokenizer)
	if err != nil {
		t.Fatal(err)
	}
	n := NewNearest(store)
	text := tokenizer.Encode(nil, []byte("axbxxxxtqqqq"))
	if rows := n.Rows(asked{Question: wire.Question{Rows: 3, Cols: 4, Tokens: text}}); !slices.Equal(rows, []uint16{0, 1, 0}) {
		t.Errorf("rows of subsets %d, want 0, 1 and, for what no subset has, the first", rows)
	}
}

func watchedStudent() *Watched {
	c := StudentConfig{Quality: QualityConfig{Losses: []float64{6, 5}, MaxRows: 8}, Floor: 2, HalfH: 10, Duty: 1, Mix: []float64{1, 1}}
	return NewWatched(NewStudent(c), WatchedConfig{Subsets: 2, Rows: StatedRows})
}

func TestAWatchedStudentCountsItsRowsAndKnowsItsSlopes(t *testing.T) {
	w := watchedStudent()
	w.SetMix([]float64{1, 3})
	w.Slopes(0) // the mix holds from now on
	w.SetDuty(hour(8), 0.5)
	w.Answer(statedEnv{at: hour(8)}, wire.StatedRequest{Subsets: []uint16{1, 0, 1}})
	if asked := w.Asked(); !slices.Equal(asked, []float64{1, 2}) {
		t.Errorf("rows asked %v, want 1 and 2", asked)
	}
	slopes, known := w.Slopes(hour(16)) // 3 and 9 hours of training
	for i, want := range []float64{4 * math.Exp2(-0.3) * math.Ln2 / 10, 3 * math.Exp2(-0.9) * math.Ln2 / 10} {
		if !known || math.Abs(slopes[i]-want) > 1e-9 {
			t.Errorf("slope %d is %g, want %g", i, slopes[i], want)
		}
	}
}

// statedEnv is a host at a time; a mind that states losses without spread asks it for nothing else.
type statedEnv struct {
	host.Env
	at host.Time
}

func (e statedEnv) Now() host.Time { return e.at }

// silentMind trains and is measured without a model behind it.
type silentMind struct{ Server }

func (silentMind) Trained([]byte)              {}
func (silentMind) Measured(host.Env, []byte)   {}
func (silentMind) AppendState(b []byte) []byte { return b }
func (s silentMind) Fresh() Server             { return s }
func (silentMind) Restore(*state.Cursor)       {}

func TestAMindThatIsMeasuredTakesItsSlopesBetweenMeasurements(t *testing.T) {
	w := NewWatched(silentMind{}, WatchedConfig{Subsets: 3, Rows: StatedRows, VisitTokens: 10})
	w.SetMix([]float64{3, 1, 0})
	measured := func(losses ...float32) { w.Measured(nil, wire.EncodeFloats(losses)) }
	measured(6, 5) // the third subset is not there yet
	if _, known := w.Slopes(0); known {
		t.Error("a slope is known after one measurement")
	}
	w.Trained(nil)
	w.Trained(nil)
	measured(3, 5.5, 9)
	slopes, known := w.Slopes(0) // 15 and 5 tokens
	if want := []float64{0.2, -0.1, 0}; !known || !slices.EqualFunc(slopes, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }) {
		t.Errorf("slopes %v, want %v", slopes, want)
	}
	slopes = slices.Clone(slopes)
	measured(2, 2, 2) // nothing was trained since
	if again, _ := w.Slopes(0); !slices.Equal(again, slopes) {
		t.Errorf("slopes %v after a measurement without training, they were %v", again, slopes)
	}
	r, c := w.Fresh(), state.Open("watched", w.AppendState(state.Begin(nil, "watched")))
	if r.Restore(c); c.End() != nil || !slices.Equal(r.AppendState(nil), w.AppendState(nil)) {
		t.Errorf("the state reads back otherwise: %v", c.End())
	}
	for name, spoil := range map[string]func(){ // order-free: each stands alone
		"asked": func() { w.asked = w.asked[:2] }, "loss": func() { w.loss = append(w.loss, 1, 1, 1) },
	} {
		spoil()
		c := state.Open("watched", w.AppendState(state.Begin(nil, "watched")))
		if w.Fresh().Restore(c); c.End() == nil {
			t.Errorf("%s: a state that does not fit is taken", name)
		}
	}
}
