package chain

import (
	"bytes"
	"sync"
	"testing"
)

// TestViewsAreReadBesideTheWriter plays histories while goroutines read the views that they leave and
// the state is encoded and hashed twice at once. Without the race detector it finds views that changed.
func TestViewsAreReadBesideTheWriter(t *testing.T) {
	const readers = 3
	for seed := range uint64(8) {
		g := generate(t, 2000+seed, 120)
		views := make(chan held, readers)
		var busy sync.WaitGroup
		for range readers {
			busy.Go(func() {
				for h := range views {
					if shown(h.view) != h.seen {
						t.Errorf("seed %d: a view of height %d changed", g.seed, h.view.Height())
					}
				}
			})
		}
		beside := way{name: "next to readers", after: func(p *play) {
			v := p.s.View()
			views <- held{v, shown(v)}
			var again sync.WaitGroup
			digest, written := p.s.Digest(), encodeOrPanic(p.s)
			for range 2 { // encoding and digest may run next to themselves, too
				again.Go(func() {
					if !bytes.Equal(encodeOrPanic(p.s), written) {
						t.Errorf("seed %d: two encodings differ at height %d", g.seed, p.s.Height())
					}
					if p.s.Digest() != digest {
						t.Errorf("seed %d: two digests differ at height %d", g.seed, p.s.Height())
					}
				})
			}
			again.Wait()
			if p.IntN(2) == 0 && p.s.Seal() != digest {
				t.Errorf("seed %d: the sealed digest differs at height %d", g.seed, p.s.Height())
			}
		}}
		if err := beside.differs(g.history, g.outcomes); err != nil {
			t.Error(err)
		}
		close(views)
		busy.Wait()
	}
}

// TestForksGoTheirOwnWayBesideEachOther plays two continuations of one history in two goroutines.
func TestForksGoTheirOwnWayBesideEachOther(t *testing.T) {
	for seed := range uint64(8) {
		g := generate(t, 2100+seed, 60)
		trunk := g.s
		if seed%2 == 0 { // else each of them stores the digests of what they share
			trunk.Seal()
		}
		straight := encodeOrPanic(trunk)
		var busy sync.WaitGroup
		for way := range 3 {
			branch := trunk.Fork()
			alone := new(State)
			if err := alone.UnmarshalBinary(straight); err != nil {
				t.Fatal(err)
			}
			busy.Go(func() {
				for _, s := range []*State{branch, alone} {
					for uid := range UID(s.neurons.n) {
						s.neuron(uid).port += uint16(way)
					}
					for i, a := range actors {
						s.account(a.key).nonce += uint64(way * i)
					}
					s.Advance(uint64(20 + way))
					s.Seal()
				}
				if branch.Digest() != alone.Digest() {
					t.Errorf("seed %d: branch %d depends on the others", seed, way)
				}
			})
		}
		trunk.Advance(30)
		trunk.Seal()
		busy.Wait()
		alone := new(State)
		if err := alone.UnmarshalBinary(straight); err != nil {
			t.Fatal(err)
		}
		if alone.Advance(30); alone.Digest() != trunk.Digest() {
			t.Errorf("seed %d: the trunk is not as if it had no branches", seed)
		}
	}
}
