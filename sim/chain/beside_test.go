package chain

import (
	"bytes"
	"sync"
	"testing"
)

// TestViewsAreReadBesideTheWriter plays histories while goroutines read the views that they leave and
// the state is encoded twice at once. Without the race detector it finds views that changed.
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
		beside := way{name: "beside readers", after: func(p *play) {
			v := p.s.View()
			views <- held{v, shown(v)}
			var again sync.WaitGroup
			digest, written := p.s.Digest(), encodeOrPanic(p.s)
			for range 2 { // encoding may run beside itself, too
				again.Go(func() {
					if !bytes.Equal(encodeOrPanic(p.s), written) {
						t.Errorf("seed %d: two encodings differ at height %d", g.seed, p.s.Height())
					}
				})
			}
			again.Wait()
			if p.s.Digest() != digest {
				t.Errorf("seed %d: two digests differ at height %d", g.seed, p.s.Height())
			}
		}}
		if err := beside.differs(g.history, g.outcomes); err != nil {
			t.Error(err)
		}
		close(views)
		busy.Wait()
	}
}
