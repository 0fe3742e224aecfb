package lm

import (
	"slices"
	"testing"

	"taolab/model/num"
)

// A router that gains a subset later has the shape, and before it learns anything the weights, of one that had
// it from the beginning.
func TestAddedSubsetsBeginAtZero(t *testing.T) {
	trunk := New(Config{Vocab: 32, Context: 8, Width: 8, Layers: 1, Heads: 2}, num.NewStream(1, "trunk"))
	late, early := NewRowRouter(trunk, 4, 2), NewRowRouter(trunk, 4, 3)
	var lateState, earlyState RowAdam
	late.AddSubsets(1, &lateState)
	trainRandomly(late, &lateState, 5, num.NewStream(2, "steps"), 0, 1, 2, 3)
	trainRandomly(early, &earlyState, 5, num.NewStream(2, "steps"), 0, 1, 2, 3)
	if !equalRouters(late, early) || !slices.Equal(lateState.M, earlyState.M) {
		t.Error("a subset added before the first step is not like one that was there")
	}
	before := late.Clone()
	late.AddSubsets(2, &lateState)
	if err := lateState.Check(late); err != nil {
		t.Fatal(err)
	}
	if n := len(before.Subsets); !slices.Equal(late.Subsets[:n], before.Subsets) || slices.Max(late.Subsets[n:]) != 0 || late.subsets() != 5 {
		t.Error("the head of the subsets that were there moved, or that of the others is not zero")
	}
	if !slices.Equal(late.Gates, before.Gates) || !slices.Equal(late.Trunk.Weights, before.Trunk.Weights) {
		t.Error("gates or trunk moved")
	}
}
