package chain

import "testing"

// Whatever a block has in it by itself, many blocks that end at once are those that end one by one.
func TestABlockWithAnythingInItIsNotQuiet(t *testing.T) {
	free := func(w *world) { w.do(colds[0], Transfer{colds[1].key, 5}) }
	for _, c := range []struct {
		name  string
		hard  Hard
		holds func(w *world)
	}{
		{"it has begun", Hard{Seats: 1}, func(w *world) { w.s.BeginBlock(Begin{TimeNs: 1}) }},
		{"accounts wait to be removed", Hard{ExistentialRao: 1000, StrictNonce: true, HashEntropy: true}, free},
		{"work was done at the least price", Hard{FeeRao: 1, MaxBlockWork: leastMaxBlock, MaxBlockBytes: MaxTxBytes, HashEntropy: true},
			func(w *world) { w.must(colds[0], Transfer{colds[1].key, 5}) }},
		{"a transaction stirred it", Hard{}, free},
	} {
		w := stage(t, 2, func(g *Genesis) {
			g.Params.Hard, g.Params.TempoBlocks, g.Params.BurnRao = c.hard, 0, g.Params.MinBurnRao
		})
		w.end(2)
		if w.s.quietBlocks() == 0 {
			t.Fatalf("%s: blocks end one by one anyway", c.name)
		}
		c.holds(w)
		together := w.s.Fork()
		together.Advance(30)
		for range 30 {
			w.s.EndBlock()
		}
		if together.Digest() != w.s.Digest() {
			t.Errorf("%s: 30 blocks at once lead elsewhere than one by one", c.name)
		}
	}
}

// Where works seal the hashes that the host tells, a block's is known when the next has begun, the first
// that was told, and never if none was.
func TestTheFirstHashToldOfABlockIsSealed(t *testing.T) {
	w := stage(t, 2, func(g *Genesis) { g.Params.Hard.HashEntropy = true })
	w.end(1)
	at := w.s.height
	seal := func() (Digest, bool) { return w.s.View().BlockHash(at) }
	if _, known := seal(); known {
		t.Error("a hash is known that nobody told")
	}
	w.s.BeginBlock(Begin{Hash: Digest{1}})
	first, known := seal()
	w.s.BeginBlock(Begin{Hash: Digest{2}})
	if again, _ := seal(); !known || again != first {
		t.Error("another hash took the place of the first")
	}
	w.do(colds[0], Transfer{colds[1].key, 5})
	w.end(1)
	if again, _ := seal(); again != first {
		t.Error("a transaction changed it")
	}
	at = w.s.height
	w.end(1)
	w.s.BeginBlock(Begin{Hash: Digest{3}})
	if _, known := seal(); known {
		t.Error("a hash is known of a block that nobody told it of")
	}
}

// The rules turn at their height also where many blocks end at once.
func TestAnUpgradeIsNotPassedOver(t *testing.T) {
	w := council(t, func(g *Genesis) { g.Upgrade, g.Params.BurnRao = Upgrade{2, 100}, g.Params.MinBurnRao })
	w.end(70) // an epoch ends with block 60, and with 120
	together := w.s.Fork()
	if next := w.s.NextEvent(); next != 99 {
		t.Errorf("the next event is at %d", next)
	}
	before := w.s.Fork()
	before.Advance(29)
	if next := before.NextEvent(); next != 100 {
		t.Errorf("the next event after block 99 is at %d", next)
	}
	var turned uint64
	for _, e := range together.Advance(200) {
		if u, ok := e.(Upgraded); ok {
			turned = u.Block
		}
	}
	for range 200 {
		w.s.EndBlock()
	}
	if turned != 100 || together.Digest() != w.s.Digest() {
		t.Errorf("the rules turned at %d, and 200 blocks at once lead elsewhere than one by one", turned)
	}
}
