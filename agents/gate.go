package agents

import (
	"cmp"
	"math"
	"slices"

	"taolab/sim/chain"
	"taolab/sim/host"
)

// Routing is how a validator chooses the peers of a step.
type Routing uint8

// The routings.
const (
	Uniform Routing = iota // in turn, a permuted order without replacement (v3.3.3 to v3.4.3)
	Gated                  // the trained gate's noisy top k, and exploration
)

// Targets is whom a validator asks at all.
type Targets uint8

// The targets.
const (
	// Serving is every uid but oneself and those whose newest weight row names anyone but
	// themselves: who sets weights on others is a validator and serves nothing. A permit would
	// say less: where seats are plenty, miners hold permits too, and at genesis nobody does.
	Serving Targets = iota
	// Everyone is every uid but oneself, as in 2022.
	Everyone
)

// Gate is the choice of peers by the routing model; uniform routing ignores it.
//
// Every target is asked at least once within ExploreEpochs ledger epochs, whatever its gate says:
// once it has waited for four fifths of that time it is asked before anyone else, the longest
// waiting first. The bound holds as long as the steps of the last fifth have places for all
// targets.
type Gate struct {
	Noise         float64 // standard deviation of the noise on a gate's score, in those of the scores
	Explore       int     // peers of each step taken in turn instead, at most all
	ExploreEpochs uint64  // 0: 10
}

// validates says whether a neuron's newest weights name anyone but itself.
func validates(view chain.View, uid chain.UID) bool {
	for _, e := range view.Weights(uid) {
		if e.UID != uid {
			return true
		}
	}
	return false
}

// choose returns whom to ask in this step, in uid order; empty when there is nobody.
func (v *Validator) choose(env host.Env) []uint16 {
	var chosen []uint16
	if v.config.Routing == Uniform {
		chosen = v.inTurn(env, v.config.Peers)
	} else {
		chosen = v.overdue(env)
		chosen = v.explore(env, chosen)
		chosen = v.byGate(env, chosen)
	}
	slices.Sort(chosen)
	return chosen
}

// inTurn takes the next k targets off the rotation; as in the reference validator, the last step
// of a permutation may have fewer.
func (v *Validator) inTurn(env host.Env, k int) []uint16 {
	return v.rotation.Next(v.targets, k, env.Rand("rotation"))
}

// listTargets lists whom to ask at all whenever the peers have changed.
func (v *Validator) listTargets() {
	v.targets = v.targets[:0]
	for i := range v.peers {
		if v.peers[i].target {
			v.targets = append(v.targets, uint16(i))
		}
	}
}

// explore adds targets in turn, past those that are chosen already.
func (v *Validator) explore(env host.Env, chosen []uint16) []uint16 {
	want := min(len(chosen)+v.config.Gate.Explore, v.config.Peers)
	stream := env.Rand("rotation")
	// A turn of the loop takes at least one target: two permutations reach every one.
	for turns := 2 * len(v.targets); turns > 0 && len(chosen) < want; turns-- {
		for _, uid := range v.rotation.Next(v.targets, want-len(chosen), stream) {
			if !slices.Contains(chosen, uid) {
				chosen = append(chosen, uid)
			}
		}
	}
	return chosen
}

// overdue is the targets whose time is nearly up, the longest waiting first, at most a step's.
func (v *Validator) overdue(env host.Env) []uint16 {
	epochs := v.config.Gate.ExploreEpochs
	if epochs == 0 {
		epochs = 10
	}
	bound := epochs * env.Chain().Params().TempoBlocks
	if bound == 0 {
		return nil
	}
	height := env.Chain().Height()
	var due []uint16
	for i, p := range v.peers {
		if p.target && height >= p.askedAt+bound-bound/5 {
			due = append(due, uint16(i))
		}
	}
	slices.SortFunc(due, func(a, b uint16) int {
		return cmp.Or(cmp.Compare(v.peers[a].askedAt, v.peers[b].askedAt), cmp.Compare(a, b))
	})
	return due[:min(len(due), v.config.Peers)]
}

// byGate fills the step with the targets that the gate, plus noise, puts highest.
func (v *Validator) byGate(env host.Env, chosen []uint16) []uint16 {
	type bid struct {
		uid         uint16
		score, lots float64
	}
	spread := float64(v.config.Gate.Noise * v.gateSpread())
	stream := env.Rand("gate")
	bids := make([]bid, 0, len(v.peers))
	for i, p := range v.peers {
		if uid := uint16(i); p.target && !slices.Contains(chosen, uid) {
			lot := stream.Normal() // also where equal scores leave the choice to chance
			bids = append(bids, bid{uid, v.step.gate(uid) + float64(spread*lot), lot})
		}
	}
	slices.SortFunc(bids, func(a, b bid) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(b.lots, a.lots), cmp.Compare(a.uid, b.uid))
	})
	for _, b := range bids[:min(len(bids), v.config.Peers-len(chosen))] {
		chosen = append(chosen, b.uid)
	}
	return chosen
}

// gateSpread is the standard deviation of the gate's scores over the targets.
func (v *Validator) gateSpread() float64 {
	n, sum := 0.0, 0.0
	for i, p := range v.peers {
		if p.target {
			n++
			sum += v.step.gate(uint16(i))
		}
	}
	if n == 0 {
		return 0
	}
	mean, squares := sum/n, 0.0
	for i, p := range v.peers {
		if p.target {
			d := v.step.gate(uint16(i)) - mean
			squares += float64(d * d)
		}
	}
	return math.Sqrt(squares / n)
}
