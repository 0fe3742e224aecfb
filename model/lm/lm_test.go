package lm

import (
	"math"
	"slices"
	"strings"
	"testing"

	"taolab/model/num"
)

// counting is a text that is easy to learn: each row counts up from a random token, modulo vocab.
func counting(rows, cols, vocab int, s *num.Stream) (tokens, targets []uint16) {
	for range rows {
		start := s.IntN(vocab)
		for p := range cols {
			tokens = append(tokens, uint16((start+p)%vocab))
			targets = append(targets, uint16((start+p+1)%vocab))
		}
	}
	return tokens, targets
}

func TestTheLossFallsFarBelowThatOfAGuess(t *testing.T) {
	c := Config{Vocab: 23, Context: 12, Width: 16, Layers: 1, Heads: 2}
	s := num.NewStream(1, "learn")
	m, st, w := New(c, s), new(AdamState), new(Workspace)
	o := AdamW{Rate: 0.01, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, WeightDecay: 0.01, ClipNorm: 1}
	var first, last float32
	for step := range 150 {
		tokens, targets := counting(4, 12, c.Vocab, s)
		last = w.Train(m, o, st, tokens, targets, 4, 12)
		if step == 0 {
			first = last
		}
	}
	if guess := num.Log32(23); first < guess-0.1 || first > guess+0.1 {
		t.Errorf("the first loss is %v, expected that of a guess, %v", first, guess)
	}
	if last > 0.2 {
		t.Errorf("the loss after 150 steps is %v, expected less than 0.2", last)
	}
}

func TestTheRouterLearnsWhoDeservesWhat(t *testing.T) {
	c := Config{Vocab: 20, Context: 8, Width: 16, Layers: 1, Heads: 2}
	s := num.NewStream(2, "route")
	r, mom, w := NewRouter(c, 3, s), new(RouterState), new(Workspace)
	o := RouterTraining{SGD{Rate: 0.1, Momentum: 0.8, ClipNorm: 1}, 1}
	uids := []uint16{0, 1}
	scores := make([]float32, 3)
	var loss float32
	for range 200 {
		for _, first := range []uint16{3, 12} { // peer 0 is good at the one, peer 1 at the other
			tokens := slices.Repeat([]uint16{first, first + 1}, 4)
			targets := []float32{0.9, 0.2}
			if first == 12 {
				targets = []float32{0.2, 0.9}
			}
			loss = w.TrainRouter(r, o, mom, tokens, 2, 4, uids, targets)
		}
	}
	w.Route(r, slices.Repeat([]uint16{3, 4}, 4), 2, 4, scores)
	if loss > 0.01 || scores[0] < 0.8 || scores[1] > 0.3 {
		t.Errorf("loss %v, scores %v; expected the first peer near 0.9 and the second near 0.2", loss, scores)
	}
	if scores[2] < 0.45 || scores[2] > 0.55 {
		t.Errorf("a peer that was never asked scores %v, expected about 1/2", scores[2])
	}
}

func TestAGrownWorkspaceAllocatesNothing(t *testing.T) {
	c := Config{Vocab: 33, Context: 20, Width: 24, Layers: 2, Heads: 3}
	s := num.NewStream(3, "allocations")
	m, st, w := New(c, s), new(AdamState), new(Workspace)
	r, mom := NewRouter(c, 5, s), new(RouterState)
	tokens, targets := randomTokens(60, 33, s), randomTokens(60, 33, s)
	losses, scores := make([]float32, 60), make([]float32, 5)
	uids, wanted := []uint16{4, 1}, []float32{0.5, 0.6}
	byRow, rowAdam, pairs := NewRowRouter(New(r.Trunk.Config, s), 5, 2), new(RowAdam), []RowPair{{0, 4, 1}, {2, 1, 0}}
	labels, means, rowScores := []uint16{0, 1, 1}, make([]float32, 10), make([]float32, 15)
	gathered := new(RouterState)
	if n := testing.AllocsPerRun(3, func() {
		w.Train(m, adamW, st, tokens, targets, 3, 20)
		w.Losses(m, tokens, targets, 3, 20, losses)
		w.Next(m, tokens[:10], 2, 5)
		w.Probs(m, tokens, 6, 10)
		w.Route(r, tokens, 3, 20, scores)
		w.TrainRouter(r, RouterTraining{SGD{Rate: 0.1}, 1}, mom, tokens, 3, 20, uids, wanted)
		w.TrainRouter(r, RouterTraining{SGD{Rate: 0.1}, 3}, gathered, tokens, 3, 20, uids, wanted)
		w.RouteRows(byRow, tokens, 3, 20, means, rowScores)
		w.TrainRows(byRow, DefaultRowTraining, rowAdam, tokens, 3, 20, labels, means, pairs)
	}); n != 0 {
		t.Errorf("%v allocations in a round of calls, expected none", n)
	}
}

func TestResultsDoNotDependOnWhatAWorkspaceDidBefore(t *testing.T) {
	run := func(w *Workspace, other bool) (losses []float32, digest [32]byte) {
		s := num.NewStream(4, "history")
		c := Config{Vocab: 31, Context: 20, Width: 16, Layers: 2, Heads: 2}
		m, st := New(c, s), new(AdamState)
		big := New(Config{Vocab: 50, Context: 20, Width: 32, Layers: 3, Heads: 2}, s.Sub("big"))
		tokens, targets := randomTokens(40, 31, s), randomTokens(40, 31, s)
		for range 4 {
			losses = append(losses, w.Train(m, adamW, st, tokens, targets, 2, 20))
			if other {
				w.Next(big, tokens, 4, 10)
				w.Train(big, adamW, new(AdamState), tokens, targets, 2, 20)
			}
		}
		return losses, m.Digest()
	}
	var w Workspace
	aloneLosses, alone := run(&w, false)
	busyLosses, busy := run(&w, true)
	if alone != busy || !slices.Equal(aloneLosses, busyLosses) {
		t.Errorf("losses %v and %v, models %x and %x; expected the same", aloneLosses, busyLosses, alone, busy)
	}
}

func TestARowDoesNotSeeTheOthersNorItsOwnFuture(t *testing.T) {
	c := Config{Vocab: 30, Context: 24, Width: 16, Layers: 2, Heads: 2}
	m, s, w := roughModel(c, 5), num.NewStream(5, "rows"), new(Workspace)
	tokens := randomTokens(48, 30, s)
	both := slices.Clone(w.Probs(m, tokens, 2, 24))
	alone := slices.Clone(w.Probs(m, tokens[24:], 1, 24))
	if !slices.Equal(both[24*30:], alone) {
		t.Error("the second row's probabilities change with the first row's presence")
	}
	short := w.Probs(m, tokens[24:41], 1, 17)
	for i, p := range short {
		if math.Abs(float64(p-alone[i])) > 1e-6 {
			t.Fatalf("probability %v at position %d becomes %v when later tokens follow", p, i/30, alone[i])
		}
	}
}

func TestAStepWithAnEndlessGradientChangesNothing(t *testing.T) {
	c := Config{Vocab: 9, Context: 8, Width: 8, Layers: 6, Heads: 1}
	s := num.NewStream(6, "overflow")
	m := New(c, s)
	for i := range m.Weights {
		m.Weights[i] = WeightLimit
		if s.IntN(2) == 0 {
			m.Weights[i] = -WeightLimit
		}
	}
	before := m.Digest()
	st, w := new(AdamState), new(Workspace)
	tokens, targets := randomTokens(16, 9, s), randomTokens(16, 9, s)
	loss := w.Train(m, adamW, st, tokens, targets, 2, 8)
	if _, ok := clipFactor(1, w.grads); ok {
		t.Fatal("the gradient is finite; the test is to choose wilder weights")
	}
	if m.Digest() != before || st.Step != 0 {
		t.Error("the model or its moments changed")
	}
	for i, p := range append(w.Probs(m, tokens, 2, 8), loss) {
		if math.IsNaN(float64(p)) || math.IsInf(float64(p), 0) {
			t.Fatalf("number %d is %v", i, p)
		}
	}
}

func TestWeightsStayWithinTheLimit(t *testing.T) {
	c := Config{Vocab: 5, Context: 2, Width: 4, Layers: 1, Heads: 1}
	m := New(c, num.NewStream(7, "limit"))
	fill(m.Weights[:4], WeightLimit)
	fill(m.Weights[4:8], -WeightLimit)
	grads := make([]float32, len(m.Weights))
	fill(grads[:4], -1)
	fill(grads[4:8], 1)
	AdamW{Rate: 1, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}.step(m, new(AdamState), grads, 1)
	for i, v := range m.Weights[:8] {
		if v != WeightLimit && v != -WeightLimit {
			t.Errorf("weight %d moved to %v", i, v)
		}
	}
}

func TestAdamWFollowsItsDefinition(t *testing.T) {
	c := Config{Vocab: 3, Context: 2, Width: 2, Layers: 1, Heads: 1}
	s := num.NewStream(8, "adamw")
	m := roughModel(c, 8)
	n := len(m.Weights)
	x, mean, square := make([]float64, n), make([]float64, n), make([]float64, n)
	decays := make([]bool, n)
	c.eachTensor(func(t span) {
		for i := t.start; i < t.end(); i++ {
			decays[i] = len(t.part) > 6 && (strings.HasPrefix(t.part, "w") || strings.Contains(t.part, "c_")) &&
				strings.HasSuffix(t.part, "weight")
		}
	})
	for i, v := range m.Weights {
		x[i] = float64(v)
	}
	o := AdamW{Rate: 0.02, Beta1: 0.8, Beta2: 0.95, Epsilon: 1e-6, WeightDecay: 0.5}
	st := new(AdamState)
	b1, b2 := 1.0, 1.0
	for range 5 {
		grads := make([]float32, n)
		roughen(grads, s)
		o.step(m, st, grads, 0.5)
		b1, b2 = b1*0.8, b2*0.95
		for i := range x {
			g := float64(grads[i]) / 2
			mean[i] = 0.8*mean[i] + 0.2*g
			square[i] = 0.95*square[i] + 0.05*g*g
			if decays[i] {
				x[i] -= 0.02 * 0.5 * x[i]
			}
			x[i] -= 0.02 * (mean[i] / (1 - b1)) / (math.Sqrt(square[i]/(1-b2)) + 1e-6)
			if !near(m.Weights[i], x[i], 1e-5, 1e-6) {
				t.Fatalf("step %d: weight %d is %g, expected %g", st.Step, i, m.Weights[i], x[i])
			}
		}
	}
}

func TestClippingShortensAGradientToTheLimit(t *testing.T) {
	a, b := slices.Repeat([]float32{3}, 5000), slices.Repeat([]float32{-4}, 5000)
	factor, ok := clipFactor(1, a, b)
	if want := float32(1 / math.Sqrt(25*5000)); !ok || !near(factor, float64(want), 1e-6, 0) {
		t.Errorf("factor %v, %v; expected %v", factor, ok, want)
	}
	if factor, ok := clipFactor(0, a, b); factor != 1 || !ok {
		t.Errorf("without a limit the factor is %v, %v", factor, ok)
	}
	if factor, ok := clipFactor(1e6, a, b); factor != 1 || !ok {
		t.Errorf("below the limit the factor is %v, %v", factor, ok)
	}
}

func TestTensorsFillTheArenaInOrderUnderTheNamesOfGPT2(t *testing.T) {
	m := New(Config{Vocab: 7, Context: 5, Width: 6, Layers: 2, Heads: 3}, num.NewStream(1, "tensors"))
	at := 0
	for _, tensor := range m.Tensors() {
		size := 1
		for _, n := range tensor.Shape {
			size *= n
		}
		if size != len(tensor.Data) || &tensor.Data[0] != &m.Weights[at] {
			t.Errorf("%s %v does not begin at weight %d", tensor.Name, tensor.Shape, at)
		}
		at += size
	}
	if at != len(m.Weights) {
		t.Errorf("the tensors hold %d weights of %d", at, len(m.Weights))
	}
	shapes := map[string][]int{
		"wte.weight": {7, 6}, "h.1.attn.c_attn.weight": {6, 18}, "h.1.mlp.c_proj.weight": {24, 6},
		"h.0.mlp.c_fc.bias": {24}, "ln_f.bias": {6},
	}
	found := 0
	for _, tensor := range m.Tensors() {
		if want, ok := shapes[tensor.Name]; ok {
			found++
			if !slices.Equal(tensor.Shape, want) {
				t.Errorf("%s has shape %v, expected %v", tensor.Name, tensor.Shape, want)
			}
		}
	}
	if found != len(shapes) {
		t.Errorf("%d of %d names found", found, len(shapes))
	}
}

func TestWorkIsCountedPerMultiplyAdd(t *testing.T) {
	c := Config{Vocab: 256, Context: 64, Width: 64, Layers: 2, Heads: 4}
	if got := c.Params(); got != 120576 {
		t.Errorf("%d parameters, expected 120,576", got)
	}
	if got := c.TrainFLOP(8, 64) / 512; got < 737_000 || got > 739_000 {
		t.Errorf("%d operations per trained token, expected about 738,000", got)
	}
	if all, last := c.ForwardFLOP(8, 64, false), c.ForwardFLOP(8, 64, true); last >= all*3/4 {
		t.Errorf("the last position alone costs %d of %d operations", last, all)
	}
}

func TestShapesAndBatchesThatCannotBeAreRefused(t *testing.T) {
	good := Config{Vocab: 10, Context: 4, Width: 6, Layers: 1, Heads: 3}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for _, bad := range []struct {
		want   string
		config Config
	}{
		{"vocab", Config{Vocab: 65537, Context: 4, Width: 6, Layers: 1, Heads: 3}},
		{"context", Config{Vocab: 10, Width: 6, Layers: 1, Heads: 3}},
		{"width", Config{Vocab: 10, Context: 4, Width: -1, Layers: 1, Heads: 3}},
		{"layers", Config{Vocab: 10, Context: 4, Width: 6, Heads: 3}},
		{"do not", Config{Vocab: 10, Context: 4, Width: 6, Layers: 1, Heads: 4}},
		{"heads is ", Config{Vocab: 10, Context: 4, Width: 6, Layers: 1}},
	} {
		if err := bad.config.Validate(); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%+v: error %v, expected one that says %q", bad.config, err, bad.want)
		}
	}
	for _, b := range []struct {
		want       string
		tokens     []uint16
		rows, cols int
	}{
		{"rows must", nil, 0, 4},
		{"columns in 1..4", make([]uint16, 5), 1, 5},
		{"do not fill", make([]uint16, 5), 2, 2},
		{"token 10 at row 1, column 0", []uint16{1, 9, 10, 3}, 2, 2},
	} {
		err := good.CheckBatch(b.tokens, b.rows, b.cols)
		if err == nil || !strings.Contains(err.Error(), b.want) {
			t.Errorf("error %v, expected one that says %q", err, b.want)
		}
	}
}

func TestSettingsThatWouldMakeANaNAreRefused(t *testing.T) {
	nan := float32(math.NaN())
	good := adamW
	for _, spoil := range []func(*AdamW){
		func(o *AdamW) { o.Rate = nan },
		func(o *AdamW) { o.Rate = 2 },
		func(o *AdamW) { o.Beta1 = 1 },
		func(o *AdamW) { o.Beta2 = -0.1 },
		func(o *AdamW) { o.Epsilon = 0 },
		func(o *AdamW) { o.WeightDecay = nan },
		func(o *AdamW) { o.ClipNorm = float32(math.Inf(1)) },
	} {
		o := good
		spoil(&o)
		if o.Validate() == nil {
			t.Errorf("%+v passes", o)
		}
	}
	for _, o := range []SGD{{Rate: nan}, {Momentum: 1}, {ClipNorm: -1}} {
		if o.Validate() == nil {
			t.Errorf("%+v passes", o)
		}
	}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
}
