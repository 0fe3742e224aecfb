package chain

import (
	"math/rand/v2"

	"taolab/sim/chain/consensus"
)

// drawGovernment plans an upgrade, or gives a network a council.
func drawGovernment(d *rand.Rand, g *Genesis) {
	p := &g.Params
	p.Hard.VoteDelayBlocks, p.Hard.MoneyDelayBlocks = oneOf[uint64](d, 1, 30), oneOf[uint64](d, 1, 70)
	p.Hard.ParamEpochs = oneOf[uint16](d, 0, 2)
	if d.IntN(2) == 0 {
		g.Upgrade = Upgrade{Rules: 2, Height: 3 + d.Uint64N(80)}
		if p.Rule != consensus.Nakamoto && d.IntN(2) == 0 {
			g.Upgrade.Rules = 3
		}
	}
	if d.IntN(2) == 0 {
		return
	}
	p.TempoBlocks, p.OwnerCut, p.MaxTake = leastTempo, min(p.OwnerCut, mostCut), min(p.MaxTake, mostCut)
	p.DefaultTake, p.AllowBurn = min(p.DefaultTake, p.MaxTake), true
	g.Governor = Key{}
	for i := range 1 + d.IntN(4) {
		g.Council = append(g.Council, colds[i].key)
	}
	g.Threshold = uint8(len(g.Council)/2 + 1)
}

var councilOperations = []operation{
	{"propose changes", 10, func(w *world) {
		var m Propose
		for range 1 + w.IntN(2) {
			g := oneOf(w.Rand, governables...)
			have := g.value(&w.s.params)
			m.Changes = append(m.Changes, ParamChange{g.name, oneOf(w.Rand, have+have/5, have-have/5, have+1, 2*have+2, have)})
		}
		_ = w.try(w.cold(), m)
	}, true},
	{"propose an upgrade", 3, func(w *world) {
		_ = w.try(w.cold(), Propose{Upgrade: Upgrade{oneOf[uint32](w.Rand, 2, 3), w.s.height + w.Uint64N(300)}})
	}, false},
	{"propose a council", 3, func(w *world) {
		m := Propose{Threshold: uint8(1 + w.IntN(3))}
		for i := range 1 + w.IntN(4) {
			m.Members = append(m.Members, colds[i].key)
		}
		_ = w.try(w.cold(), m)
	}, false},
	{"propose too much", 1, func(w *world) {
		_ = w.try(w.cold(), Propose{Changes: []ParamChange{{"Kappa", 1}}, Upgrade: Upgrade{2, 1 << 40}})
	}, false},
	{"vote", 20, func(w *world) {
		id := w.s.nextProposal
		for _, p := range w.s.proposals {
			if w.IntN(2) == 0 {
				id = p.id
			}
		}
		_ = w.try(w.cold(), Approve{id, w.IntN(6) == 0})
	}, true},
}
