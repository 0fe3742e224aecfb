package chain

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
)

// drawSeats gives a network validators of its own, with limits that are soon met.
func drawSeats(d *rand.Rand, g *Genesis) {
	h := &g.Params.Hard
	h.Seats, h.MinSeatRao = oneOf[uint16](d, 1, 2, 3), oneOf[uint64](d, 0, RaoPerTAO, 50*RaoPerTAO)
	h.ChurnDen = oneOf[uint16](d, 0, 3, 10)
	h.JailWindow, h.JailSigned = oneOf[uint16](d, 0, 3, 9), oneOf[uint16](d, 32768, 60000)
	h.JailEpochs, h.SlashEquivocation = oneOf[uint16](d, 0, 1, 2), oneOf[uint16](d, 3277, 65535, 0)
	h.UnbondEpochs, h.WarmStake = oneOf[uint16](d, 0, 1, 3), d.IntN(2) == 0
	for i := range len(g.Neurons) / 2 {
		g.Operators = append(g.Operators, GenesisOperator{g.Neurons[i].Hotkey, engineKey(i)})
	}
}

// engineKey is the consensus key of that number.
func engineKey(i int) Key { return sha256.Sum256(fmt.Append(nil, "engine ", i)) }

var seatOperations = []operation{
	{"begin a block", 40, func(w *world) { w.begin(w.ballot()) }, true},
	{"begin a block with evidence", 3, func(w *world) {
		b := w.ballot()
		for range 1 + w.IntN(2) {
			b.Misbehavior = append(b.Misbehavior, Misbehavior{w.someAddress(), w.s.height - w.Uint64N(w.s.height+1)})
		}
		w.begin(b)
	}, true},
	{"serve in consensus", 8, func(w *world) {
		_ = w.try(w.hot(), ServeConsensus{engineKey(w.IntN(12))})
	}, true},
	{"withdraw from consensus", 2, func(w *world) { _ = w.try(w.hot(), ServeConsensus{}) }, false},
	{"unjail", 4, func(w *world) {
		for _, o := range w.s.operators {
			if cold, ok := whose(w.s.accounts.get(o.hotkey).owner); ok && o.jailed {
				_ = w.try(cold, Unjail{o.hotkey})
			}
		}
	}, true},
	{"unjail anybody", 1, send(func(w *world, _ actor) Msg { return Unjail{w.hot().key} }), false},
	{"leave and come back", 4, func(w *world) {
		cold, hot := w.keeper(func(a account) bool { return a.stakeRao > 0 })
		part := 1 + w.Uint64N(max(w.stakeOf(hot), 1))
		_ = w.try(cold, RemoveStake{hot.key, part})
		w.toEpoch(0)
		_ = w.try(cold, AddStake{hot.key, part})
	}, false},
}

func (w *world) begin(b Begin) {
	w.s.BeginBlock(b)
	w.wrote(step{kind: w.kind, begin: &b}, outcome{})
}

// ballot is a block's beginning in which each key voted or did not.
func (w *world) ballot() Begin {
	b := Begin{Proposer: w.someAddress()}
	for _, o := range w.s.operators {
		if w.IntN(8) > 0 {
			b.Votes = append(b.Votes, Vote{AddressOf(o.key), w.IntN(2) == 0})
		}
	}
	return b
}

func (w *world) someAddress() Address { return AddressOf(engineKey(w.IntN(12))) }
