package mind

import (
	"iter"
	"slices"
	"sync"
	"testing"

	"taolab/agents/score"
	"taolab/agents/state"
	"taolab/agents/wire"
	"taolab/model/lm"
	"taolab/model/num"
	"taolab/model/pile"
	"taolab/model/token"
	"taolab/sim/host"
)

// letters is a source of three subsets, each of its own letters in random order.
type letters struct{}

func (letters) Subsets() []pile.Subset {
	return []pile.Subset{{Name: "sea", Weight: 0.5}, {Name: "law", Weight: 0.3}, {Name: "math", Weight: 0.2}}
}

func (letters) Documents() iter.Seq2[pile.Document, error] {
	return func(yield func(pile.Document, error) bool) {
		for subset, own := range []string{"abcdef", "ghijkl", "0123+="} {
			for _, split := range []pile.Split{pile.Train, pile.Score, pile.HeldOut} {
				s := num.NewStream(uint64(subset), "letters")
				text := make([]byte, 4000)
				for i := range text {
					text[i] = own[s.IntN(len(own))]
				}
				if !yield(pile.Document{Subset: subset, Split: split, Text: text}, nil) {
					return
				}
			}
		}
	}
}

func (letters) Digest() ([32]byte, error) { return [32]byte{2}, nil }

var store = sync.OnceValue(func() *pile.Store {
	tokenizer, err := token.Train([][]byte{[]byte("abcdef ghijkl 0123+=")}, tinyVocab)
	if err != nil {
		panic(err)
	}
	s, err := pile.Build(letters{}, tokenizer)
	if err != nil {
		panic(err)
	}
	return s
})

// drawing is a world with nothing but random streams.
type drawing struct {
	host.Env
	streams map[string]*num.Stream
}

func newDrawing() *drawing { return &drawing{streams: map[string]*num.Stream{}} }

func (d *drawing) Rand(purpose string) *num.Stream {
	if d.streams[purpose] == nil {
		d.streams[purpose] = num.NewStream(7, purpose)
	}
	return d.streams[purpose]
}

// rowConfig is a judge with a gate for each row of n uids, that tells subsets apart.
func rowConfig(n int) TextJudgeConfig {
	mix, err := store().NewMix(pile.Score, nil)
	if err != nil {
		panic(err)
	}
	return TextJudgeConfig{
		Mix: mix, Subsets: store().Subsets(), Vocab: tinyVocab, Rows: 4, Cols: 8, TopK: 4, BytesPerToken: 3.409,
		RowRouter: lm.NewRowRouter(smallModel(), n, 3), RowTraining: lm.DefaultRowTraining,
	}
}

// batchConfig is a judge with the routing model of 2022.
func batchConfig(n int) TextJudgeConfig {
	c := rowConfig(n)
	c.RowRouter, c.Router = nil, lm.NewRouter(smallModel().Config, n, num.NewStream(1, "router"))
	c.BatchTraining = lm.RouterTraining{SGD: lm.SGD{Rate: 0.1, Momentum: 0.8, ClipNorm: 1}, Batches: 3}
	return c
}

// step makes a judge draw, route and learn the same target of each uid on every row.
func step(j *TextJudge, env host.Env, targets map[uint16]float32) (route, train host.Job) {
	j.Draw(env)
	route = j.Route()
	j.Routed(route.Run(&scratch))
	all := make([]uint16, len(j.Rows()))
	for row := range all {
		all[row] = uint16(row)
	}
	var lessons []Lesson
	for uid := range uint16(16) {
		if worth, has := targets[uid]; has {
			lessons = append(lessons, Lesson{UID: uid, Rows: all, Targets: slices.Repeat([]float32{worth}, len(all))})
		}
	}
	if train = j.Learn(lessons); train != nil {
		train.Run(&scratch)
	}
	return route, train
}

func TestABatchMixesSubsetsByWeightUnlessItIsOfOne(t *testing.T) {
	for _, batch := range []Batch{Mixed, OneSubset} {
		c := rowConfig(3)
		c.Rows, c.Batch = 10, batch
		j, env := NewTextJudge(c), newDrawing()
		count, mixed := make([]int, 3), 0
		for range 300 {
			j.Draw(env)
			for _, subset := range j.Rows() {
				count[subset]++
			}
			if slices.Min(j.Rows()) != slices.Max(j.Rows()) {
				mixed++
			}
		}
		if batch == Mixed && mixed < 290 || batch == OneSubset && mixed > 0 {
			t.Errorf("batch %d: %d of 300 are mixed", batch, mixed)
		}
		for subset, weight := range []float64{0.5, 0.3, 0.2} {
			if got := float64(count[subset]) / 3000; got < weight-0.08 || got > weight+0.08 {
				t.Errorf("batch %d: a share of %.3f of subset %d, want %.1f", batch, got, subset, weight)
			}
		}
	}
}

// Sent rows and withheld phrases come from the same windows, and each window from the subset of its label.
func TestWhatIsSentAndWhatIsKeptAreOfOneWindow(t *testing.T) {
	c := rowConfig(3)
	c.Rows = 6
	j := NewTextJudge(c)
	j.Draw(newDrawing())
	text, subsets := make([]uint16, 6*16), make([]uint16, 6)
	c.Mix.BatchOf(newDrawing().Rand("text"), 6, 16, text, subsets)
	if !slices.Equal(j.Rows(), subsets) {
		t.Fatalf("subsets %v, want %v", j.Rows(), subsets)
	}
	sent, err := wire.DecodeNextRequest(j.Ask([]uint16{1, 4}).Body, wire.Bounds{Vocab: tinyVocab, Rows: 2, Cols: 8, TopK: 4})
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range []int{1, 4} {
		window := text[row*16 : (row+1)*16]
		if !slices.Equal(sent.Tokens[i*8:(i+1)*8], window[:8]) || !slices.Equal(j.phrases[row*8:(row+1)*8], window[8:]) {
			t.Errorf("row %d is not the window %v", row, window)
		}
	}
}

func TestAJudgeOfSomeSubsetsNamesThemByTheirPlace(t *testing.T) {
	c := batchConfig(3)
	c.Mix, _ = store().NewMix(pile.Score, []float64{0, 1, 2})
	j := NewTextJudge(c)
	j.Draw(newDrawing())
	if !slices.Equal(j.Subsets(), []string{"law", "math"}) || slices.Max(j.Rows()) > 1 {
		t.Errorf("rows of subsets %v among %v", j.Rows(), j.Subsets())
	}
}

func TestTheFirstBatchOfAnEpochMakesAStepOfTheHistoricRouter(t *testing.T) {
	j, env := NewTextJudge(batchConfig(4)), newDrawing()
	model := j.router.(*batchRouter).model
	var moved []bool
	bias := slices.Clone(model.Bias)
	j.StartEpoch()
	for range 7 {
		step(j, env, map[uint16]float32{1: 0.4, 2: 0.3})
		moved = append(moved, !slices.Equal(bias, model.Bias))
		bias = slices.Clone(model.Bias)
	}
	if want := []bool{true, false, false, true, false, false, true}; !slices.Equal(moved, want) {
		t.Errorf("batches that moved it: %v, want %v", moved, want)
	}
}

func TestTheGatesTableIsWhatTheMeansSayBeforeTheAnswers(t *testing.T) {
	j, env := NewTextJudge(rowConfig(4)), newDrawing()
	means := j.router.(*rowRouter).means
	for range 5 {
		step(j, env, map[uint16]float32{1: 0.1, 2: 0.2, 3: 0.3})
	}
	want := means.Targets(4)
	route, train := step(j, env, map[uint16]float32{1: 0.9})
	if got, learned := route.(routeRows).means, train.(trainRows).means; !slices.Equal(got, want) || !slices.Equal(learned, want) {
		t.Errorf("routes with %v and learns with %v, want both times %v", got, learned, want)
	}
	if !slices.Equal(train.(trainRows).labels, j.Rows()) {
		t.Errorf("learns subsets %v of rows of %v", train.(trainRows).labels, j.Rows())
	}
	if slices.Equal(means.Targets(4), want) {
		t.Error("the answers moved no mean")
	}
}

func TestWithoutLabelsThereIsNeitherTableNorSecondTask(t *testing.T) {
	c := rowConfig(4)
	c.RowRouter = lm.NewRowRouter(smallModel(), 4, 0)
	route, train := step(NewTextJudge(c), newDrawing(), map[uint16]float32{1: 0.3})
	if route.(routeRows).means != nil || train.(trainRows).means != nil || train.(trainRows).labels != nil {
		t.Errorf("means %v, labels %v", train.(trainRows).means, train.(trainRows).labels)
	}
}

func TestAUIDWithoutAGateIsNeitherScoredNorLearned(t *testing.T) {
	for _, c := range []TextJudgeConfig{rowConfig(4), batchConfig(4)} {
		j := NewTextJudge(c)
		j.StartEpoch()
		step(j, newDrawing(), map[uint16]float32{1: 0.3, 9: 0.9})
		if _, gated := j.Gate(0, 9); gated {
			t.Error("uid 9 of 4 gates has a score")
		}
		if _, gated := j.Gate(0, 3); !gated {
			t.Error("uid 3 of 4 gates has none")
		}
	}
}

func TestAHotkeyThatChangesIsForgottenByGateAndTable(t *testing.T) {
	const changed, kept = 2, 3
	j, env := NewTextJudge(rowConfig(4)), newDrawing()
	for range 12 {
		step(j, env, map[uint16]float32{changed: 0.3, kept: 0.3})
	}
	r := j.router.(*rowRouter)
	width := r.model.Trunk.Config.Width
	knows := func(uid uint16) (gate, table bool) {
		at := int(uid)
		for _, w := range append(slices.Clone(r.model.Gates[at*width:(at+1)*width]), r.model.Bias[at]) {
			gate = gate || w != 0
		}
		for subset := range 3 {
			table = table || r.means.At(uid, score.ScoringLane, subset).Rows > 0
		}
		return gate, table
	}
	for _, uid := range []uint16{changed, kept} {
		if gate, table := knows(uid); !gate || !table {
			t.Fatalf("after 12 steps of uid %d: gate %t, table %t", uid, gate, table)
		}
	}
	j.Forget(changed)
	if gate, table := knows(changed); gate || table {
		t.Errorf("of the new hotkey: gate %t, table %t", gate, table)
	}
	if gate, table := knows(kept); !gate || !table {
		t.Errorf("of the one that stays: gate %t, table %t", gate, table)
	}
}

func TestTheWorkOfRoutingIsThatOfItsRowsGatesAndPairs(t *testing.T) {
	few, many := lm.NewRowRouter(smallModel(), 4, 3), lm.NewRowRouter(smallModel(), 400, 3)
	b := batch{tokens: make([]uint16, 16), rows: 2, cols: 8}
	double := batch{tokens: make([]uint16, 32), rows: 4, cols: 8}
	pairs := make([]lm.RowPair, 12)
	route := func(m *lm.RowRouter, b batch) int64 { return routeRows{model: m, batch: b}.Work() }
	train := func(m *lm.RowRouter, b batch, n int) int64 {
		return trainRows{rowRouter: &rowRouter{model: m}, batch: b, pairs: pairs[:n]}.Work()
	}
	for _, c := range []struct {
		name string
		is   bool
	}{
		{"more gates cost more to ask", route(many, b) > route(few, b)},
		{"twice the rows cost twice", route(few, double) == 2*route(few, b)},
		{"gates that nobody was asked through cost nothing to train", train(many, b, 12) == train(few, b, 12)},
		{"more pairs cost more", train(few, b, 12) > train(few, b, 6)},
		{"learning costs more than asking", train(few, b, 1) > route(few, b)},
		{"tokens are those of the rows", (routeRows{model: few, batch: b}).Tokens() == 16 && trainRows{batch: b}.Tokens() == 16},
	} {
		if !c.is {
			t.Errorf("not so: %s", c.name)
		}
	}
}

// restored is a judge of the same config with the state of another.
func restored(j Judge, from []byte) (Judge, error) {
	r := j.Fresh()
	c := state.Open("judge", append(state.Begin(nil, "judge"), from...))
	r.Restore(c)
	return r, c.End()
}

func TestAJudgesStateReadsBack(t *testing.T) {
	for _, c := range []TextJudgeConfig{rowConfig(5), batchConfig(5)} {
		j, env := NewTextJudge(c), newDrawing()
		step(j, env, map[uint16]float32{1: 0.3, 2: 0.6})
		for range 2 {
			again, err := restored(j, j.AppendState(nil))
			if err != nil || !slices.Equal(again.AppendState(nil), j.AppendState(nil)) {
				t.Fatalf("a state of %d rows: %v", len(j.Rows()), err)
			}
			j.Drop()
		}
	}
}

func TestAJudgesStateThatContradictsItselfIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*TextJudge, *rowRouter){ // order-free: each case stands alone
		"":                         func(*TextJudge, *rowRouter) {},
		"too few scores":           func(j *TextJudge, _ *rowRouter) { j.gates = j.gates[:5] },
		"a subset nobody reads":    func(j *TextJudge, _ *rowRouter) { j.labels[0] = 77 },
		"phrases of other rows":    func(j *TextJudge, _ *rowRouter) { j.phrases = j.phrases[8:] },
		"a batch without rows":     func(j *TextJudge, _ *rowRouter) { j.labels = nil },
		"a token beyond the model": func(j *TextJudge, _ *rowRouter) { j.tokens[0] = 9999 },
		"a table of other subsets": func(_ *TextJudge, r *rowRouter) { r.means = score.NewSubsetMeans(2, score.ServiceLane, 4) },
		"a table of one lane":      func(_ *TextJudge, r *rowRouter) { r.means = score.NewSubsetMeans(3, score.ScoringLane, 4) },
		"a router of more gates":   func(_ *TextJudge, r *rowRouter) { r.model = lm.NewRowRouter(smallModel(), 6, 3) },
		"moments of another router": func(_ *TextJudge, r *rowRouter) {
			r.moments = lm.RowAdam{Steps: 1, M: []float32{1}, V: []float32{1}}
		},
		"a router of other subsets": func(_ *TextJudge, r *rowRouter) { r.model = lm.NewRowRouter(smallModel(), 5, 2) },
	} {
		j := NewTextJudge(rowConfig(5))
		step(j, newDrawing(), nil)
		spoil(j, j.router.(*rowRouter))
		if _, err := restored(NewTextJudge(rowConfig(5)), j.AppendState(nil)); (err == nil) != (name == "") {
			t.Errorf("%q: %v", name, err)
		}
	}
}
