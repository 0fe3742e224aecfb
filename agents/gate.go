package agents

import (
	"cmp"
	"math"
	"slices"

	"taolab/agents/score"
	"taolab/model/num"
	"taolab/sim/chain"
	"taolab/sim/host"
)

// Routing is how a validator chooses the peers of a step.
type Routing uint8

// The routings.
const (
	// Uniform asks peers in turn about the whole batch, a permuted order without replacement (v3.3.3 to
	// v3.4.3). All are scored.
	Uniform Routing = iota
	// Gated asks in two lanes. The scoring lane is uniform routing with fewer peers. In the service lane
	// each row goes to the peers that the trained gate, plus noise, ranks highest for it, leaving out
	// those of the scoring lane; a peer gets one question with all its rows. So the skills of a peer
	// decide which rows it is asked about, but not on which rows its weight is measured.
	Gated
)

// Targets is the set of uids that a validator asks at all.
type Targets uint8

// The targets.
const (
	// Serving is every uid except oneself and those whose newest weight row names others: such a uid is a
	// validator and serves nothing. The permit is a worse sign: where permits are plentiful, miners hold
	// them too, and at genesis nobody does.
	Serving Targets = iota
	// Everyone is every uid except oneself, as in 2022.
	Everyone
)

// Gate is the choice of peers in gated routing; uniform routing ignores it.
//
// The scoring lane reaches every target at least once within ExploreEpochs ledger epochs: targets that
// have waited for four fifths of that time come first, the longest waiting before the others. The bound
// holds as long as the scoring lanes of the last fifth have places for all targets.
type Gate struct {
	ScorePeers    int     // of Peers, those of the scoring lane
	Noise         float64 // standard deviation of the noise on a gate's score, as a multiple of that of the row's scores
	ExploreEpochs uint64  // 0: 10
}

// Validates reports whether a neuron's newest weights name others than itself.
func Validates(view chain.View, uid chain.UID) bool {
	for _, e := range view.Weights(uid) {
		if e.UID != uid {
			return true
		}
	}
	return false
}

// choose returns the questions of this step, those of the scoring lane first, each lane in uid order;
// none without targets.
func (v *Validator) choose(env host.Env) []ask {
	var scored []uint16
	if v.config.Routing == Uniform {
		scored = v.inTurn(env, v.config.Peers)
	} else {
		scored = v.explore(env, v.overdue(env))
	}
	slices.Sort(scored)
	all := make([]uint16, len(v.judge.Rows()))
	for row := range all {
		all[row] = uint16(row)
	}
	var asks []ask
	for _, uid := range scored {
		asks = append(asks, ask{uid: uid, lane: score.ScoringLane, rows: all})
	}
	if v.config.Routing == Gated {
		asks = append(asks, v.service(env, scored)...)
	}
	return asks
}

// inTurn takes the next k targets off the rotation; as in the reference validator, the last step
// of a permutation may have fewer.
func (v *Validator) inTurn(env host.Env, k int) []uint16 {
	return v.rotation.Next(v.targets, k, env.Rand("rotation"))
}

// listTargets lists the targets again whenever the peers have changed.
func (v *Validator) listTargets() {
	v.targets = v.targets[:0]
	for i := range v.peers {
		if v.peers[i].target {
			v.targets = append(v.targets, uint16(i))
		}
	}
}

// explore fills the scoring lane with targets in turn, leaving out those that are chosen already.
func (v *Validator) explore(env host.Env, chosen []uint16) []uint16 {
	want := v.config.Gate.ScorePeers
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

// overdue lists the targets whose time is nearly up, the longest waiting first, at most as many as the
// scoring lane takes.
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
	return due[:min(len(due), v.config.Gate.ScorePeers)]
}

// service lists the questions of the service lane.
func (v *Validator) service(env host.Env, scored []uint16) []ask {
	var bidders []uint16
	for _, uid := range v.targets {
		if _, gated := v.judge.Gate(0, uid); gated && !slices.Contains(scored, uid) {
			bidders = append(bidders, uid)
		}
	}
	rowsOf := make([][]uint16, len(v.peers)) // by uid
	stream := env.Rand("gate")
	for row := range v.judge.Rows() {
		for _, b := range v.highest(row, bidders, stream) {
			rowsOf[b.uid] = append(rowsOf[b.uid], uint16(row))
		}
	}
	var asks []ask
	for uid, rows := range rowsOf {
		if len(rows) > 0 {
			asks = append(asks, ask{uid: uint16(uid), lane: score.ServiceLane, rows: rows})
		}
	}
	return asks
}

// bid is a gate's score with noise; the lot breaks ties.
type bid struct {
	uid        uint16
	score, lot float64
}

func compareBids(a, b bid) int {
	return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(b.lot, a.lot), cmp.Compare(a.uid, b.uid))
}

// highest lists the peers that the gate, plus noise, ranks first for a row, the highest first.
func (v *Validator) highest(row int, bidders []uint16, stream *num.Stream) []bid {
	k := v.config.Peers - v.config.Gate.ScorePeers
	if k == 0 {
		return nil
	}
	spread := float64(v.config.Gate.Noise * v.spread(row, bidders))
	best := make([]bid, 0, k+1)
	for _, uid := range bidders {
		gate, _ := v.judge.Gate(row, uid)
		lot := stream.Normal() // also the lot where scores are equal
		b := bid{uid, float64(gate) + float64(spread*lot), lot}
		if len(best) == k && compareBids(b, best[k-1]) > 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(best, b, compareBids)
		best = slices.Insert(best, at, b)
		best = best[:min(len(best), k)]
	}
	return best
}

// spread is the standard deviation of the gate's scores of a row.
func (v *Validator) spread(row int, bidders []uint16) float64 {
	n, sum := float64(len(bidders)), 0.0
	for _, uid := range bidders {
		gate, _ := v.judge.Gate(row, uid)
		sum += float64(gate)
	}
	if n == 0 {
		return 0
	}
	mean, squares := sum/n, 0.0
	for _, uid := range bidders {
		gate, _ := v.judge.Gate(row, uid)
		d := float64(gate) - mean
		squares += float64(d * d)
	}
	return math.Sqrt(squares / n)
}
