package report

import (
	"cmp"
	"math"
	"slices"

	"taolab/sim/trace"
)

// Limits on the memory that one run takes, whatever its length.
const (
	maxCurve  = 512    // points of one neuron's curve
	maxBlocks = 2_000  // points of the supply curve
	maxSample = 50_000 // latencies of one caller
)

// party is one group of the scenario, in the order in which its first member stands in the run.
type party struct {
	name, kind string
	members    int
	incentive  [timeBins]mean   // of a member and epoch
	earned     [timeBins]uint64 // rao of all members
	latency    series[float64]  // s, of answers to its members' questions
	owners     presence
}

// miner is what the tables say about one miner, whichever seats it held.
type miner struct {
	node      Node
	party     *party
	seats     seatTimes
	curve     series[trace.Train]
	first     float64 // loss at the first measurement
	loss      float64 // loss at the last measurement
	measured  bool
	settled   mean      // losses measured in the window
	held      []float64 // last loss on each subset, NaN without one
	heldFirst []float64 // first loss on each, the same
	mix       learnedMix
	last      uint16 // incentive at the last epoch
	ranked    bool   // it was there at the last epoch
	incentive [maxBatches]mean
	emission  uint64 // rao, over the recorded epochs
	fate      fates
	lastAsked uint64
	gap       uint64 // most blocks between two askings
	bias      biasFacts
	ability   []ability // by subset, from the scoring lane within the window
}

// windowIncentive is the miner's mean share over the epochs of the window in which it held a seat,
// counting each batch as often as it stands in places; nil places are all batches once.
func (m *miner) windowIncentive(places []int) float64 {
	var sum mean
	if places == nil {
		for _, b := range m.incentive {
			sum.merge(b)
		}
		return sum.value()
	}
	for _, p := range places {
		sum.merge(m.incentive[p])
	}
	return sum.value()
}

// windowLoss is the mean of the losses measured in the window, or else the last one.
func (m *miner) windowLoss() float64 {
	if m.settled.n > 0 {
		return m.settled.value()
	}
	return m.loss
}

// seatTimes are the blocks between which an actor held seats.
type seatTimes struct {
	known      bool
	from       uint64
	until      uint64 // meaningless unless ended
	ended      bool
	incumbency int // seats held, one after another
}

// validator is what the tables say about one validator.
type validator struct {
	caller
	curve    series[trace.Epoch]
	emission uint64
	earned   [maxBatches]float64 // rao within the window
	staked   [maxBatches]mean    // rao
	trust    mean                // within the window
}

// rate is what the validator earned per stake in the batches of the window.
func (v *validator) rate(places []int) float64 {
	earned, stake := 0.0, mean{}
	add := func(p int) {
		earned += v.earned[p]
		stake.merge(v.staked[p])
	}
	if places == nil {
		for p := range v.earned {
			add(p)
		}
	}
	for _, p := range places {
		add(p)
	}
	return earned / stake.value()
}

// caller counts the fates of one caller's requests.
type caller struct {
	node     Node
	party    *party
	stake    uint64
	fate     fates
	latency  series[float64] // s, of answers
	loss     mean            // over answers, nats/token
	token    tokenFacts      // of an application: the last one asked for
	ensemble mean            // over tokens, nats/token
}

// tokenFacts names a token of a continuation: the rows of a token stand together.
type tokenFacts struct {
	seen              bool
	session, position uint32
}

// fates counts the outcomes of requests. A timeout is not a refusal: nobody knows whether the server
// would have taken the request.
type fates struct {
	asked, answered, refused, silent int
}

// Return codes by name, as the tables have them.
const success = "Success"

var (
	refusals = []string{"Backoff", "Unauthenticated"}
	silences = []string{"NoReturn", "Timeout", "Unavailable"}
)

func (f *fates) add(code string) {
	f.asked++
	switch {
	case code == success:
		f.answered++
	case slices.Contains(refusals, code):
		f.refused++
	case slices.Contains(silences, code):
		f.silent++
	}
}

func (f *fates) merge(o fates) {
	f.asked += o.asked
	f.answered += o.answered
	f.refused += o.refused
	f.silent += o.silent
}

// part is a share of the requests; NaN without any.
func (f *fates) part(n int) float64 { return float64(n) / float64(f.asked) }

// admitted is the share of requests that were taken, of those whose fate is known.
func (f *fates) admitted() float64 {
	return float64(f.asked-f.silent-f.refused) / float64(f.asked-f.silent)
}

type mean struct {
	sum float64
	n   int
}

func (m *mean) add(v float64) {
	if finite(v) {
		m.sum += v
		m.n++
	}
}

func (m *mean) merge(o mean)  { m.sum, m.n = m.sum+o.sum, m.n+o.n }
func (m mean) value() float64 { return m.sum / float64(m.n) } // NaN when empty

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// cast assigns a place to every node of the run.
func (f *findings) cast() {
	f.seat = make([]actor, len(f.nodes))
	f.powers = make([]float64, len(f.nodes))
	for i, n := range f.nodes {
		p := f.partyOf(n)
		p.members++
		switch n.Kind {
		case KindMiner:
			m := &miner{node: n, party: p}
			m.curve.limit = maxCurve
			f.miners, f.seat[i].miner = append(f.miners, m), m
		case KindValidator:
			v := &validator{caller: caller{node: n, party: p, stake: n.StakeRao}}
			v.curve.limit, v.latency.limit = maxCurve, maxSample
			f.validators, f.seat[i].validator = append(f.validators, v), v
			if n.Behaviour == Honest {
				f.powers[i] = releasePower
				for _, g := range f.wish.Validators {
					if g.Name == p.name && g.Power != nil {
						f.powers[i] = *g.Power
					}
				}
				f.power = cmp.Or(f.power, f.powers[i])
			}
		case KindApplication:
			c := &caller{node: n, party: p, stake: n.StakeRao}
			c.latency.limit = maxSample
			f.callers, f.seat[i].caller = append(f.callers, c), c
		}
	}
}

// actor is a node in its one role.
type actor struct {
	miner     *miner
	validator *validator
	caller    *caller
}

func (f *findings) partyOf(n Node) *party {
	name := n.group()
	for _, p := range f.parties {
		if p.name == name && p.kind == n.Kind {
			return p
		}
	}
	p := &party{name: name, kind: n.Kind}
	p.latency.limit = maxSample
	f.parties = append(f.parties, p)
	return p
}

// partiesOf lists the groups of a kind.
func (f *findings) partiesOf(kind string) []*party {
	var out []*party
	for _, p := range f.parties {
		if p.kind == kind {
			out = append(out, p)
		}
	}
	return out
}

// who finds the node of a row; -1 where it is none of the run's.
func (f *findings) who(node *uint32) int {
	if node == nil || int(*node) >= len(f.nodes) {
		return -1
	}
	return int(*node)
}

// at is the actor of a place that who found.
func (f *findings) at(place int) actor {
	if place < 0 {
		return actor{}
	}
	return f.seat[place]
}

// judged lists the miners that were measured and held a seat in half of the window's epochs.
func (f *findings) judged() []*miner {
	var out []*miner
	for _, m := range f.miners {
		n := 0
		for _, b := range m.incentive {
			n += b.n
		}
		if m.measured && n > 0 && 2*n >= f.windowEpochs {
			out = append(out, m)
		}
	}
	return out
}

// honestly keeps honest miners.
func honestly(miners []*miner) []*miner {
	return slices.DeleteFunc(slices.Clone(miners), func(m *miner) bool { return m.node.Behaviour != Honest })
}

// distinct lists the names of things once, in the order in which they first appear.
func distinct[T any](things []T, name func(T) string) []string {
	var out []string
	seen := make(map[string]bool)
	for _, t := range things {
		if n := name(t); !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}

// byBehaviour sorts names of behaviours, honest first.
func byBehaviour(a, b string) int {
	if (a == Honest) != (b == Honest) {
		if a == Honest {
			return -1
		}
		return 1
	}
	return cmp.Compare(a, b)
}
