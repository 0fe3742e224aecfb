package replica

import (
	"runtime"
	"slices"
	"testing"
	"time"
)

func TestOneSnapshotIsMadeAtATime(t *testing.T) {
	g := testGenesis(t, 2, 5000, time.Second, nil)
	state, err := g.State()
	if err != nil {
		t.Fatal(err)
	}
	s := &snapshots{every: 1, log: discard}
	before, most := runtime.NumGoroutine(), 0
	wait := func() {
		for limit := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(limit); {
			time.Sleep(time.Millisecond)
		}
	}
	for range 100 {
		state.EndBlock()
		state.Seal()
		s.consider(state)
		most = max(most, runtime.NumGoroutine()-before)
	}
	if most > 2 { // one that ends while the next begins
		t.Errorf("%d are made at once", most)
	}
	for range keptSnapshots { // when nothing else is made each has its turn
		wait()
		state.EndBlock()
		state.Seal()
		s.consider(state)
	}
	wait()
	var heights []uint64
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.kept {
		heights = append(heights, k.state.Height())
	}
	if !slices.Equal(heights, []uint64{101, 102}) {
		t.Errorf("those after blocks %d are kept", heights)
	}
}
