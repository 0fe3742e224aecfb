package virtual

import (
	"crypto/sha256"
	"fmt"
	"math/bits"
	"slices"

	"taolab/sim/chain"
)

// ballot is what the next block's beginning says in a network whose validators make the blocks: one of
// those who are there proposed it, those who are not missed the block before, and who was made to sign
// twice is found out.
func (w *World) ballot() chain.Begin {
	view := w.producer.ledger.View(w.producer.ledger.Height())
	var b chain.Begin
	hard := view.Params().Hard
	if hard.HashEntropy {
		text := fmt.Appendf(nil, "taolab virtual block %d %d", w.cfg.Seed, view.Height())
		b.Hash = sha256.Sum256(text)
	}
	if hard.Seats == 0 {
		return b
	}
	var there []chain.Operator
	var power uint64
	for _, o := range view.Operators() {
		n := w.serving(o.Hotkey)
		named := n != nil && n.has(o.Hotkey) // and not by other hotkeys now
		if named && n.signedTwice {
			n.signedTwice = false
			b.Misbehavior = append(b.Misbehavior, chain.Misbehavior{
				Address: chain.AddressOf(o.ConsensusKey), Height: view.Height(),
			})
		}
		if o.Power == 0 {
			continue
		}
		missed := n != nil && (!named || n.down > 0 || n.paused > 0 || n.cutOff > 0)
		b.Votes = append(b.Votes, chain.Vote{Address: chain.AddressOf(o.ConsensusKey), Missed: missed})
		if !missed {
			there = append(there, o)
			power += o.Power
		}
	}
	if power > 0 {
		// A step of the golden ratio visits everybody in turn, as often as power says.
		turn, _ := bits.Mul64(view.Height()*0x9E3779B97F4A7C15, power)
		for _, o := range there {
			if turn < o.Power {
				b.Proposer = chain.AddressOf(o.ConsensusKey)
				break
			}
			turn -= o.Power
		}
	}
	return b
}

// has reports whether a hotkey is one of those that the node has now.
func (n *node) has(hotkey chain.Key) bool {
	return slices.ContainsFunc(n.ids, func(id identity) bool { return id.hotkey.Key == hotkey })
}

// serving is the node of a hotkey; nil if it is none of this world's, which then is always there.
func (w *World) serving(hotkey chain.Key) *node {
	if i, ok := w.places[hotkey]; ok {
		return &w.nodes[i]
	}
	return nil
}
