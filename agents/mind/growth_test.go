package mind

import (
	"slices"
	"testing"

	"taolab/model/lm"
	"taolab/model/pile"
	"taolab/sim/chain"
)

// dated is a world of chance and height.
type dated struct {
	*drawing
	state *chain.State
}

func newDated(t *testing.T) dated {
	t.Helper()
	params, err := chain.Era("2026")
	if err != nil {
		t.Fatal(err)
	}
	state, err := chain.New(chain.Genesis{ChainID: "test", Params: params.Scaled(1),
		Neurons: []chain.GenesisNeuron{{Hotkey: chain.Key{1}, Coldkey: chain.Key{2}, StakeRao: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	return dated{newDrawing(), state}
}

func (d dated) Chain() chain.View { return d.state.View() }

// growing is a config whose judge reads one subset at first, another from block 10 on and all from block 20 on.
func growing(t *testing.T, c TextJudgeConfig) TextJudgeConfig {
	t.Helper()
	mixes := make([]*pile.Mix, 3)
	for i := range mixes {
		weights := make([]float64, 3)
		for k := range i + 1 {
			weights[k] = 1
		}
		var err error
		if mixes[i], err = store().NewMix(pile.Score, weights); err != nil {
			t.Fatal(err)
		}
	}
	c.Mix, c.Later = mixes[0], []Growth{{10, mixes[1]}, {20, mixes[2]}}
	if c.RowRouter != nil {
		c.RowRouter = lm.NewRowRouter(smallModel(), 5, 1)
	}
	return c
}

func TestAJudgeReadsWhatWasAppendedFromItsHeightOn(t *testing.T) {
	for _, config := range []TextJudgeConfig{rowConfig(5), batchConfig(5)} {
		c := growing(t, config)
		j, env := NewTextJudge(c), newDated(t)
		for height := range uint64(25) {
			want := 1
			if height >= 10 {
				want++
			}
			if height >= 20 {
				want++
			}
			step(j, env, map[uint16]float32{1: 0.3, 2: 0.6})
			if !slices.Equal(j.Subsets(), store().Subsets()[:want]) || len(j.Demand()) != want {
				t.Fatalf("block %d: it reads %v, %v", height, j.Subsets(), j.Demand())
			}
			if int(slices.Max(j.Rows())) >= want {
				t.Fatalf("block %d: a row of a subset that is not there yet: %v", height, j.Rows())
			}
			again, err := restored(j, j.AppendState(nil))
			if err != nil || !slices.Equal(again.AppendState(nil), j.AppendState(nil)) {
				t.Fatalf("block %d: the state does not read back: %v", height, err)
			}
			j = again.(*TextJudge)
			env.state.Advance(1)
		}
	}
}

func TestAJudgeThatGrewOtherwiseIsRefused(t *testing.T) {
	c := growing(t, rowConfig(5))
	j := NewTextJudge(c)
	step(j, newDated(t), nil)
	state := j.AppendState(nil)
	state[0] = 3 // growths
	if _, err := restored(NewTextJudge(c), state); err == nil {
		t.Error("a judge of three growths was taken where there are two")
	}
	state[0] = 1
	if _, err := restored(NewTextJudge(c), state); err == nil {
		t.Error("a routing model without the subset of the first growth was taken")
	}
	c.Later[0], c.Later[1] = c.Later[1], c.Later[0]
	if c.Validate() == nil {
		t.Error("growths in the wrong order were taken")
	}
}

// Prompts and training text follow the corpus as questions do.
func TestPromptsAndLessonsAreOfWhatIsThere(t *testing.T) {
	c, env := growing(t, rowConfig(5)), newDated(t)
	prompts := TextPrompts{Mix: c.Mix, Later: c.Later, Vocab: tinyVocab, Cols: 4, Tokens: 2, TopK: 2}
	miner := NewTransformer(TransformerConfig{
		Base: smallModel(), TopK: 4, MaxRows: 4, MaxCols: 8,
		Training: &Training{Mix: c.Mix, Later: c.Later, Optimizer: AdamW{lm.AdamW{Rate: 1e-3, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8}}, Rows: 1, Cols: 4, Steps: 1},
	})
	prompts.Draw(env)
	if miner.Train(env).(trainVisit).mix != c.Mix {
		t.Error("before its height the miner learns from what is appended")
	}
	env.state.Advance(20)
	if miner.Train(env).(trainVisit).mix != c.Later[1].Mix {
		t.Error("from its height on the miner does not learn from what was appended")
	}
	seen := make(map[uint16]bool)
	for range 50 {
		prompt, _ := prompts.Draw(env)
		seen[prompt[0]] = true
	}
	third := store().Tokens(2, pile.Score)
	if !slices.ContainsFunc(third, func(id uint16) bool { return seen[id] }) {
		t.Error("no prompt is of the subset that was appended last")
	}
}

// A miner with its own tokens has text only of the corpus, the first subsets of the run.
func TestAMixThatIsSetIsOfTheMinersOwnText(t *testing.T) {
	mix, err := store().NewMix(pile.Train, nil)
	if err != nil {
		t.Fatal(err)
	}
	miner := NewTransformer(TransformerConfig{
		Base: smallModel(), TopK: 4, MaxRows: 4, MaxCols: 8,
		Training: &Training{Mix: mix, Store: store(), Optimizer: testOptimizers["sgd"], Rows: 1, Cols: 4, Steps: 1},
	})
	for _, c := range []struct {
		weights []float64
		want    []uint16
	}{{[]float64{0, 1, 0}, []uint16{1}}, {[]float64{1, 0, 1, 0, 0}, []uint16{0, 2}}, {[]float64{0, 0, 0, 1}, []uint16{0, 2}}} {
		miner.SetMix(c.weights)
		if got := miner.Train(newDated(t)).(trainVisit).mix.Reads(); !slices.Equal(got, c.want) {
			t.Errorf("told %v, it reads subsets %v, want %v", c.weights, got, c.want)
		}
	}
}

func TestMeasurementsAreOfWhatIsThereAndTheirMeanIsOfTheCorpus(t *testing.T) {
	e, err := NewEvaluation(store(), 2, 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	whole, n := *e, len(e.Subsets)
	e.Subsets, e.Tokens, e.Targets, e.Weights = e.Subsets[:1], e.Tokens[:1], e.Targets[:1], []float64{1}
	if err := e.Append(store(), 10, 1); err != nil {
		t.Fatal(err)
	}
	if e.there(9) != 1 || e.there(10) != n || len(e.Weights) != 1 {
		t.Errorf("%d subsets at block 9, %d at block 10, weights %v", e.there(9), e.there(10), e.Weights)
	}
	for i := range e.Tokens {
		if !slices.Equal(e.Tokens[i], whole.Tokens[i]) {
			t.Errorf("the windows of %s depend on when it came", e.Subsets[i])
		}
	}
}
