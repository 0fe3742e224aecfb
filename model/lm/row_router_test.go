package lm

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"taolab/model/num"
)

// expertText is rows of two kinds, which use different tokens, each row with a token of its own at the end
// that says how hard it is for everybody.
func expertText(rows, cols int, s *num.Stream) (tokens, kinds []uint16, hardness []float32) {
	for range rows {
		kind, hard := s.IntN(2), s.IntN(2)
		for range cols - 1 {
			tokens = append(tokens, uint16(10*kind+s.IntN(8)))
		}
		tokens = append(tokens, uint16(8+10*s.IntN(2)+hard))
		kinds, hardness = append(kinds, uint16(kind)), append(hardness, float32(hard))
	}
	return tokens, kinds, hardness
}

// reached is the target of a peer on a row: peer u is good at kind u of rows, and hard rows halve it.
func reached(uid, kind uint16, hard float32) float32 {
	base := float32(0.3)
	if uid == kind {
		base = 0.8
	}
	return base * (1 - hard/2)
}

func TestTheRowRouterLearnsWhoIsGoodAtWhatWithinABatch(t *testing.T) {
	c := Config{Vocab: 20, Context: 8, Width: 16, Layers: 1, Heads: 2}
	for _, labels := range []bool{false, true} {
		s := num.NewStream(2, "rows")
		r, st, w := NewRowRouter(New(c, s), 3, 2), new(RowAdam), new(Workspace)
		o := DefaultRowTraining
		o.TrunkRate, o.HeadRate = 0.01, 0.03
		var first, last float32
		for step := range 400 {
			tokens, kinds, hardness := expertText(8, 6, s)
			var pairs []RowPair
			for row, kind := range kinds {
				for uid := range uint16(2) {
					pairs = append(pairs, RowPair{row, uid, reached(uid, kind, hardness[row])})
				}
			}
			if !labels {
				kinds = nil
			}
			last = w.TrainRows(r, o, st, tokens, 8, 6, kinds, nil, pairs)
			if step == 0 {
				first = last
			}
		}
		if first < 0.69 || first > 0.70 || last > 0.62 {
			t.Errorf("labels %v: the loss went from %v to %v; expected ln 2 and about the targets' entropy, 0.55",
				labels, first, last)
		}
		tokens, kinds, hardness := expertText(20, 6, s)
		scores := make([]float32, 20*3)
		w.RouteRows(r, tokens, 20, 6, nil, scores)
		for row, kind := range kinds {
			for uid := range uint16(2) {
				want := reached(uid, kind, hardness[row])
				if got := scores[row*3+int(uid)]; got < want-0.1 || got > want+0.1 {
					t.Errorf("labels %v: peer %d scores %v on a row of kind %d and hardness %v, expected about %v",
						labels, uid, got, kind, hardness[row], want)
				}
			}
		}
	}
}

func TestAFreshRowRouterRepeatsTheTable(t *testing.T) {
	c := Config{Vocab: 20, Context: 8, Width: 16, Layers: 1, Heads: 2}
	s := num.NewStream(3, "table")
	r, w := NewRowRouter(New(c, s), 4, 2), new(Workspace)
	scores := make([]float32, 2*4)
	tokens := randomTokens(10, 20, s)
	w.RouteRows(r, tokens, 2, 5, []float32{0.2, 0.4, 0.9, 0.7, 0, 0, 1, 1}, scores)
	for at, want := range []float64{0.3, 0.8, 0.01, 0.99, 0.3, 0.8, 0.01, 0.99} { // both subsets are as likely
		if !near(scores[at], want, 1e-6, 0) {
			t.Errorf("row %d, uid %d scores %v, expected the mean over the subsets, %v", at/4, at%4, scores[at], want)
		}
	}
	w.RouteRows(r, tokens, 2, 5, nil, scores)
	if slices.ContainsFunc(scores, func(v float32) bool { return v != 0.5 }) {
		t.Errorf("without a table the scores are %v, expected 1/2", scores)
	}
}

func TestAStepWithNothingToLearnChangesNothing(t *testing.T) {
	c := Config{Vocab: 20, Context: 8, Width: 16, Layers: 1, Heads: 2}
	s := num.NewStream(10, "nothing")
	r, st, w := NewRowRouter(New(c, s), 3, 2), new(RowAdam), new(Workspace)
	trainRandomly(r, st, 3, s, 0, 1, 2) // its moments would carry it on
	want, tokens := r.Clone(), randomTokens(10, 20, s)
	if loss := w.TrainRows(r, DefaultRowTraining, st, tokens, 2, 5, nil, nil, nil); loss != 0 {
		t.Errorf("without pairs and labels the loss is %v, expected 0", loss)
	}
	if !equalRouters(r, want) || st.Steps != 3 {
		t.Error("the router or the number of its steps changed")
	}
	w.TrainRows(r, DefaultRowTraining, st, tokens, 2, 5, []uint16{0, 1}, nil, nil)
	if equalRouters(r, want) || st.Steps != 4 {
		t.Error("labels alone made no step")
	}
}

func TestCopiesOfARowRouterShareNothing(t *testing.T) {
	c := Config{Vocab: 20, Context: 8, Width: 16, Layers: 1, Heads: 2}
	s := num.NewStream(11, "copies")
	base := New(c, s)
	digest := base.Digest()
	r := NewRowRouter(base, 3, 2)
	trainRandomly(r, new(RowAdam), 2, s, 0, 1, 2)
	if base.Digest() != digest {
		t.Error("training the router moved the model that its trunk was forked from")
	}
	before, _ := r.AppendBinary(nil)
	trainRandomly(r.Clone(), new(RowAdam), 2, s, 0, 1, 2)
	if after, _ := r.AppendBinary(nil); !bytes.Equal(before, after) {
		t.Error("training a clone moved its origin")
	}
}

func equalRouters(a, b *RowRouter) bool {
	left, _ := a.AppendBinary(nil)
	right, _ := b.AppendBinary(nil)
	return bytes.Equal(left, right)
}

// trainRandomly takes steps on random batches whose pairs name only uids.
func trainRandomly(r *RowRouter, st *RowAdam, steps int, s *num.Stream, uids ...uint16) {
	var w Workspace
	for range steps {
		tokens := randomTokens(4*6, r.Trunk.Config.Vocab, s)
		var pairs []RowPair
		for row := range 4 {
			for _, uid := range uids {
				pairs = append(pairs, RowPair{row, uid, float32(s.Float64())})
			}
		}
		w.TrainRows(r, DefaultRowTraining, st, tokens, 4, 6, randomTokens(4, 2, s), nil, pairs)
	}
}

// The cost and the effect of a step depend on its pairs, not on the number of gates.
func TestAStepLeavesTheGatesThatNoPairNames(t *testing.T) {
	c := Config{Vocab: 20, Context: 8, Width: 16, Layers: 1, Heads: 2}
	s := num.NewStream(4, "untouched")
	r, st := NewRowRouter(New(c, s), 9, 2), new(RowAdam)
	trainRandomly(r, st, 3, s, 0, 4, 7)
	before, momenta := r.Clone(), slices.Clone(st.M)
	trainRandomly(r, st, 2, s, 7, 1)
	then, now := before.parts(momenta), r.parts(st.M)
	for uid, steps := range []uint64{3, 2, 0, 0, 3, 0, 0, 5, 0} {
		from, to := uid*16, (uid+1)*16
		named := uid == 7 || uid == 1
		for name, same := range map[string]bool{ // order-free: every entry is judged by itself
			"gate":           slices.Equal(before.Gates[from:to], r.Gates[from:to]),
			"bias":           before.Bias[uid] == r.Bias[uid],
			"gate's moments": slices.Equal(then.gates[from:to], now.gates[from:to]),
			"bias's moment":  then.bias[uid] == now.bias[uid],
		} {
			if same == named {
				t.Errorf("uid %d, named by a pair %v: the %s stayed the same %v", uid, named, name, same)
			}
		}
		if st.GateSteps[uid] != steps {
			t.Errorf("uid %d has taken %d steps, expected %d", uid, st.GateSteps[uid], steps)
		}
	}
	if st.Steps != 5 {
		t.Errorf("the trunk has taken %d steps, expected 5", st.Steps)
	}
}

func TestAForgottenPeerIsAsIfItHadNeverBeenAsked(t *testing.T) {
	c := Config{Vocab: 20, Context: 8, Width: 16, Layers: 1, Heads: 2}
	s := num.NewStream(5, "forget")
	r, st := NewRowRouter(New(c, s), 4, 2), new(RowAdam)
	r.Forget(2, st) // of a router that has learned nothing
	trainRandomly(r, st, 3, s, 1, 2, 3)
	before, moments := r.Clone(), slices.Clone(st.M)
	r.Forget(2, st)
	for i, part := range [...]rowParts{{gates: r.Gates, bias: r.Bias}, r.parts(st.M), r.parts(st.V)} {
		if part.bias[2] != 0 || slices.ContainsFunc(part.gates[32:48], func(v float32) bool { return v != 0 }) {
			t.Errorf("of the forgotten peer part %d holds %v and %v", i, part.gates[32:48], part.bias[2])
		}
	}
	if want := []uint64{0, 3, 0, 3}; !slices.Equal(st.GateSteps, want) {
		t.Errorf("steps %v, expected %v", st.GateSteps, want)
	}
	copy(before.Gates[32:48], r.Gates[32:48])
	before.Bias[2] = 0
	if !equalRouters(r, before) {
		t.Error("another part of the router changed")
	}
	parts := r.parts(moments)
	clear(parts.gates[32:48])
	parts.bias[2] = 0
	if !slices.Equal(moments, st.M) {
		t.Error("another peer's moments changed")
	}
}

func TestScoresOfAGateDoNotDependOnTheOthersNorOnTheParts(t *testing.T) {
	c := Config{Vocab: 40, Context: 12, Width: 20, Layers: 1, Heads: 2}
	s := num.NewStream(6, "many gates")
	const n, rows, cols = 2*gateBlock + 5, 7, 12
	r := NewRowRouter(roughModel(c, 6), n, 3)
	for _, head := range [][]float32{r.Gates, r.Bias, r.Common, r.Subsets} {
		roughen(head, s)
	}
	means, tokens := make([]float32, 3*n), randomTokens(rows*cols, 40, s)
	for i := range means {
		means[i] = float32(s.Float64())
	}
	for _, table := range [][]float32{nil, means} {
		all, alone := make([]float32, rows*n), make([]float32, rows)
		new(Workspace).RouteRows(r, tokens, rows, cols, table, all)
		part := make([]float32, rows*n)
		(&Workspace{positions: cols}).RouteRows(r, tokens, rows, cols, table, part)
		if !slices.Equal(all, part) {
			t.Error("the scores depend on how many rows pass through the trunk together")
		}
		for _, u := range []int{0, 1, gateBlock - 1, gateBlock, n - 1} {
			one := &RowRouter{r.Trunk, r.Gates[u*20 : (u+1)*20], r.Bias[u : u+1], r.Common, r.Subsets}
			var own []float32
			if table != nil {
				own = table[u*3 : (u+1)*3]
			}
			new(Workspace).RouteRows(one, tokens, rows, cols, own, alone)
			for row, want := range alone {
				if got := all[row*n+u]; math.Float32bits(got) != math.Float32bits(want) {
					t.Errorf("row %d, uid %d scores %v among %d gates, %v by itself", row, u, got, n, want)
				}
			}
		}
	}
}

func TestTheOrderOfPairsDoesNotMoveARouter(t *testing.T) {
	c := Config{Vocab: 20, Context: 8, Width: 16, Layers: 1, Heads: 2}
	run := func(reverse bool) *RowRouter {
		s := num.NewStream(7, "order")
		r, st := NewRowRouter(New(c, s), 6, 0), new(RowAdam)
		var w Workspace
		for range 3 {
			tokens := randomTokens(3*6, 20, s)
			var pairs []RowPair
			for _, uid := range []uint16{4, 0, 5} {
				for row := range 3 {
					pairs = append(pairs, RowPair{row, uid, float32(s.Float64())})
				}
			}
			if reverse {
				slices.Reverse(pairs)
			}
			w.TrainRows(r, DefaultRowTraining, st, tokens, 3, 6, nil, nil, pairs)
		}
		return r
	}
	if !equalRouters(run(false), run(true)) {
		t.Error("the same pairs in another order made another router")
	}
}

// wildest sets every weight to a limit, at random.
func wildest(s *num.Stream, weights ...[]float32) {
	for _, part := range weights {
		for i := range part {
			part[i] = WeightLimit
			if s.IntN(2) == 0 {
				part[i] = -WeightLimit
			}
		}
	}
}

func TestARowRouterAtItsLimitsMakesNoNaN(t *testing.T) {
	c := Config{Vocab: 9, Context: 8, Width: 8, Layers: 1, Heads: 1}
	for seed := range uint64(20) {
		s := num.NewStream(seed, "limits")
		r, st, w := NewRowRouter(New(c, s), 5, 3), new(RowAdam), new(Workspace)
		wildest(s, r.Trunk.Weights, r.Gates, r.Bias, r.Common, r.Subsets)
		o := DefaultRowTraining
		o.TrunkRate, o.HeadRate, o.Epsilon, o.ClipNorm = 1, 1, math.SmallestNonzeroFloat32, 0
		for _, means := range [][]float32{nil, {0, 1, 0, 1, 1, 1, 0, 0, 0, 0.5, -3, 9, 1e37, -1e37, 1}} {
			for range 4 {
				tokens, labels := randomTokens(16, 9, s), randomTokens(2, 3, s)
				pairs := []RowPair{{0, 0, 0}, {1, 0, 1}, {0, 2, 1}, {1, 4, 0.5}, {1, 4, 0}}
				loss := w.TrainRows(r, o, st, tokens, 2, 8, labels, means, pairs)
				scores := make([]float32, 2*5)
				w.RouteRows(r, tokens, 2, 8, means, scores)
				for i, v := range slices.Concat([]float32{loss}, scores, st.M, st.V) {
					if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
						t.Fatalf("seed %d: number %d of loss, scores and moments is %v", seed, i, v)
					}
				}
				for _, v := range scores {
					if v < 0 || v > 1 {
						t.Fatalf("seed %d: a score of %v", seed, v)
					}
				}
			}
		}
		data, _ := r.AppendBinary(nil)
		if err := new(RowRouter).UnmarshalBinary(data); err != nil {
			t.Fatal(err)
		}
	}
}

func TestARowRouterRefusesWhatItCannotLearnFrom(t *testing.T) {
	c := Config{Vocab: 9, Context: 8, Width: 8, Layers: 1, Heads: 1}
	s := num.NewStream(8, "refuse")
	two := c
	two.Layers = 2
	r := NewRowRouter(New(c, s), 5, 3)
	train := func(pairs []RowPair, labels []uint16, means []float32, st *RowAdam) func() {
		return func() {
			new(Workspace).TrainRows(r, DefaultRowTraining, st, make([]uint16, 16), 2, 8, labels, means, pairs)
		}
	}
	good, nans := []RowPair{{1, 4, 1}}, make([]float32, 15)
	nans[13] = float32(math.NaN())
	for _, bad := range []struct {
		want string
		call func()
	}{
		{"2 layers; there must be 1", func() { NewRowRouter(New(two, s), 5, 3) }},
		{"0 gates", func() { NewRowRouter(New(c, s), 0, 3) }},
		{"-1 subsets", func() { NewRowRouter(New(c, s), 5, -1) }},
		{"row 2 of 2", train([]RowPair{{2, 0, 1}}, nil, nil, new(RowAdam))},
		{"row -1 of 2", train([]RowPair{{-1, 0, 1}}, nil, nil, new(RowAdam))},
		{"uid 5 of 5 gates", train([]RowPair{{0, 5, 1}}, nil, nil, new(RowAdam))},
		{"target NaN", train([]RowPair{{0, 0, float32(math.NaN())}}, nil, nil, new(RowAdam))},
		{"target 1.5", train([]RowPair{{0, 0, 1.5}}, nil, nil, new(RowAdam))},
		{"row 1 is of subset 3", train(good, []uint16{0, 3}, nil, new(RowAdam))},
		{"1 subsets of rows, expected 2", train(good, []uint16{0}, nil, new(RowAdam))},
		{"14 means, expected 15", train(good, nil, make([]float32, 14), new(RowAdam))},
		{"2 counts", train(good, nil, nil, &RowAdam{GateSteps: make([]uint64, 2)})},
		{"sum is NaN", train(good, nil, nans, new(RowAdam))},
		{"sum is NaN", func() {
			new(Workspace).RouteRows(r, make([]uint16, 16), 2, 8, nans, make([]float32, 10))
		}},
		{"3 scores, expected 10", func() {
			new(Workspace).RouteRows(r, make([]uint16, 16), 2, 8, nil, make([]float32, 3))
		}},
	} {
		func() {
			defer func() {
				if said := fmt.Sprint(recover()); !strings.Contains(said, bad.want) {
					t.Errorf("panic %q, expected one that says %q", said, bad.want)
				}
			}()
			bad.call()
		}()
	}
	nan := float32(math.NaN())
	for _, spoil := range []func(*RowTraining){
		func(o *RowTraining) { o.TrunkRate = nan },
		func(o *RowTraining) { o.HeadRate = 1.5 },
		func(o *RowTraining) { o.Beta1 = 1 },
		func(o *RowTraining) { o.Beta2 = -0.1 },
		func(o *RowTraining) { o.Epsilon = 0 },
		func(o *RowTraining) { o.ClipNorm = -1 },
		func(o *RowTraining) { o.ClipNorm = float32(math.Inf(1)) },
	} {
		o := DefaultRowTraining
		if spoil(&o); o.Validate() == nil {
			t.Errorf("%+v passes", o)
		}
	}
	if err := DefaultRowTraining.Validate(); err != nil {
		t.Error(err)
	}
}

func TestARowRoutersWorkGrowsWithPairsNotWithGates(t *testing.T) {
	c := Config{Vocab: 1024, Context: 24, Width: 32, Layers: 1, Heads: 2}
	trunk := New(c, num.NewStream(9, "work"))
	few, many := NewRowRouter(trunk, 64, 4), NewRowRouter(trunk, 4096, 4)
	if a, b := few.TrainFLOP(16, 24, 128), many.TrainFLOP(16, 24, 128); a != b {
		t.Errorf("a step of 128 pairs costs %d operations with 64 gates and %d with 4,096", a, b)
	}
	if a, b := few.TrainFLOP(16, 24, 128), few.TrainFLOP(16, 24, 256); b-a != 6*128*(32+4) {
		t.Errorf("128 pairs more cost %d operations", b-a)
	}
	if a, b := few.ForwardFLOP(16, 24), many.ForwardFLOP(16, 24); b-a != 2*16*(4096-64)*(32+4) {
		t.Errorf("4,032 gates more cost %d operations a batch", b-a)
	}
	if a, b := few.ForwardFLOP(16, 24), NewRouter(c, 64, num.NewStream(9, "work")).ForwardFLOP(16, 24); a > b+b/50 {
		t.Errorf("scores by row cost %d operations, one score a batch %d; expected at most 2 %% more", a, b)
	}
}
