package lm

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"taolab/model/num"
)

// routerBatch is one batch for a router of seven gates.
type routerBatch struct {
	tokens, uids []uint16
	targets      []float32
}

func routerBatches(n, vocab int, s *num.Stream) (list []routerBatch) {
	for range n {
		list = append(list, routerBatch{randomTokens(3*5, vocab, s),
			[]uint16{uint16(s.IntN(7)), uint16(s.IntN(7))}, []float32{float32(s.Float64()), 0.5}})
	}
	return list
}

func TestSeveralBatchesMakeAStepDownTheMeanOfTheirGradients(t *testing.T) {
	c := Config{Vocab: 11, Context: 6, Width: 8, Layers: 1, Heads: 2}
	for _, clip := range []float32{0, 0.01, 0.6} { // the last is shorter than the sums, longer than their mean
		s := num.NewStream(1, "gather")
		r, st, w := NewRouter(c, 7, s), new(RouterState), new(Workspace)
		o := RouterTraining{SGD{Rate: 0.5, Momentum: 0.8, ClipNorm: clip}, 3}
		momenta := make([]float64, r.weights())
		for round := range 2 {
			before := slices.Concat(r.Trunk.Weights, r.Gates, r.Bias)
			sum := make([]float64, r.weights())
			for i, b := range routerBatches(3, c.Vocab, s) {
				if now := slices.Concat(r.Trunk.Weights, r.Gates, r.Bias); !slices.Equal(now, before) {
					t.Fatalf("the router moved after %d batches of 3", i)
				}
				w.routerGradient(r, b.tokens, 3, 5, b.uids, b.targets)
				for j, g := range slices.Concat(w.grads, w.gates.dgates, w.gates.dbias) {
					sum[j] += float64(g)
				}
				w.TrainRouter(r, o, st, b.tokens, 3, 5, b.uids, b.targets)
			}
			length := math.Sqrt(dot64(sum, sum)) / 3
			factor := 1.0 / 3
			switch {
			case clip == 0.01 && length > float64(clip):
				factor *= float64(clip) / length
			case clip == 0.01 || clip > 0 && (length > float64(clip) || 3*length < float64(clip)):
				t.Fatalf("the mean gradient is %v long; the test is to choose another limit than %v", length, clip)
			}
			for i, got := range slices.Concat(r.Trunk.Weights, r.Gates, r.Bias) {
				momenta[i] = 0.8*momenta[i] + factor*sum[i]
				if want := float64(before[i]) - 0.5*momenta[i]; !near(got, want, 1e-5, 1e-7) {
					t.Fatalf("clip %v, step %d: weight %d is %g, expected %g", clip, round, i, got, want)
				}
			}
			if st.Waiting != 0 || slices.ContainsFunc(st.Sum, func(v float32) bool { return v != 0 }) {
				t.Errorf("after a step %d batches wait and their sum is not zero", st.Waiting)
			}
		}
	}
}

func TestABatchMakesAStepAtOnceWhereTwoAreSaidToWait(t *testing.T) {
	c := Config{Vocab: 11, Context: 6, Width: 8, Layers: 1, Heads: 2}
	s := num.NewStream(2, "epoch")
	r, st, w := NewRouter(c, 7, s), new(RouterState), new(Workspace)
	o := RouterTraining{SGD{Rate: 0.5, Momentum: 0.8, ClipNorm: 1}, 3}
	st.Waiting = o.Batches - 1 // an epoch begins
	var steps []int
	for step, b := range routerBatches(8, c.Vocab, s) {
		before := r.Trunk.Digest()
		w.TrainRouter(r, o, st, b.tokens, 3, 5, b.uids, b.targets)
		if r.Trunk.Digest() != before {
			steps = append(steps, step+1)
		}
	}
	if want := []int{1, 4, 7}; !slices.Equal(steps, want) {
		t.Errorf("the router moved on steps %v of the epoch, expected %v", steps, want)
	}
}

func TestARouterGoesOnFromAStateWithBatchesThatWait(t *testing.T) {
	c := Config{Vocab: 11, Context: 6, Width: 8, Layers: 1, Heads: 2}
	o := RouterTraining{SGD{Rate: 0.5, Momentum: 0.8, ClipNorm: 1}, 3}
	s := num.NewStream(3, "wait")
	r, st, w := NewRouter(c, 7, s), new(RouterState), new(Workspace)
	list := routerBatches(9, c.Vocab, s)
	for _, b := range list[:5] {
		w.TrainRouter(r, o, st, b.tokens, 3, 5, b.uids, b.targets)
	}
	routerBytes, _ := r.AppendBinary(nil)
	stateBytes, _ := st.AppendBinary(nil)
	var r2 Router
	var st2 RouterState
	if err := r2.UnmarshalBinary(routerBytes); err != nil {
		t.Fatal(err)
	}
	if err := st2.UnmarshalBinary(stateBytes); err != nil {
		t.Fatal(err)
	}
	for _, b := range list[5:] {
		w.TrainRouter(r, o, st, b.tokens, 3, 5, b.uids, b.targets)
		new(Workspace).TrainRouter(&r2, o, &st2, b.tokens, 3, 5, b.uids, b.targets)
	}
	straight, _ := r.AppendBinary(nil)
	resumed, _ := r2.AppendBinary(nil)
	if !bytes.Equal(straight, resumed) || bytes.Equal(straight, routerBytes) {
		t.Error("the router that went on from its state is not the one that never stopped, or none moved")
	}
	if err := st.Check(NewRouter(c, 8, s)); err == nil || !strings.Contains(err.Error(), "expected") {
		t.Errorf("the state of seven gates passes for eight: %v", err)
	}
}

func TestABatchWithAnEndlessGradientIsDroppedWithThoseThatWait(t *testing.T) {
	c := Config{Vocab: 11, Context: 6, Width: 8, Layers: 1, Heads: 2}
	for _, target := range []float32{math.MaxFloat32, float32(math.Inf(1)), float32(math.NaN())} {
		s := num.NewStream(4, "endless")
		r, st, w := NewRouter(c, 7, s), new(RouterState), new(Workspace)
		o := RouterTraining{SGD{Rate: 0.5, Momentum: 0.8}, 3}
		list := routerBatches(3, c.Vocab, s)
		w.TrainRouter(r, o, st, list[0].tokens, 3, 5, list[0].uids, list[0].targets)
		before, _ := r.AppendBinary(nil)
		w.TrainRouter(r, o, st, list[1].tokens, 3, 5, []uint16{3, 3}, []float32{target, target})
		w.TrainRouter(r, o, st, list[2].tokens, 3, 5, list[2].uids, list[2].targets)
		if after, _ := r.AppendBinary(nil); !bytes.Equal(before, after) || st.Waiting != 1 {
			t.Errorf("target %v: the router moved, or %d batches wait, expected only the last", target, st.Waiting)
		}
		data, _ := st.AppendBinary(nil)
		if err := new(RouterState).UnmarshalBinary(data); err != nil {
			t.Errorf("target %v: %v", target, err)
		}
	}
	for _, o := range []RouterTraining{{SGD{}, 0}, {SGD{}, 1 << 20}, {SGD{Rate: 2}, 1}} {
		if o.Validate() == nil {
			t.Errorf("%+v passes", o)
		}
	}
}
