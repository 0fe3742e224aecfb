package scenarios

import (
	"math"
	"testing"

	"taolab/sim/trace"
)

// askedRows keeps what became of requests, by the group of who was asked, and incentives and rows of weights.
type askedRows struct {
	nodes     []trace.Node
	best      map[string]float64 // base score
	successes map[string]int
	requests  map[string]int
	incentive map[string]float64 // of the last epoch
	set       map[uint32]int     // weights that a node's transactions set
}

func (a *askedRows) group(node *uint32) string {
	if node == nil || int(*node) >= len(a.nodes) {
		return ""
	}
	return a.nodes[*node].Group
}

// Record implements trace.Recorder.
func (a *askedRows) Record(row trace.Row) {
	switch r := row.(type) {
	case trace.Node:
		a.nodes = append(a.nodes, r)
	case trace.Query:
		group := a.group(r.Peer)
		a.requests[group]++
		if r.Base != nil {
			a.successes[group]++
			a.best[group] = math.Max(a.best[group], *r.Base)
		}
	case trace.Epoch:
		a.incentive[a.group(r.Node)] = float64(r.Incentive)
	case trace.Transaction:
		if r.Kind == "SetWeights" && r.Outcome == trace.Included && r.Node != nil {
			a.set[*r.Node]++
		}
	}
}

func forgedRun(t *testing.T, sets ...string) *askedRows {
	t.Helper()
	a := &askedRows{best: map[string]float64{}, successes: map[string]int{}, requests: map[string]int{}, incentive: map[string]float64{}, set: map[uint32]int{}}
	live(t, "testdata/forged.toml", a, nil, sets...)
	return a
}

// certain is the base score of a loss of 1.69, below which none counts: what certainty earns.
const certain = 297157

func TestAForgerIsCertainToAReleaseThatTakesAnyValue(t *testing.T) {
	for release, takes := range map[string]bool{"3.4.2": true, "3.5.1": false} { // order-free: each stands alone
		a := forgedRun(t, "validators[0].release="+release)
		t.Logf("%s: base scores at best %v, incentives %v, answers taken %v of %v", release, a.best, a.incentive, a.successes, a.requests)
		if taken := a.successes["forger"] > 0; taken != takes || a.requests["forger"] < 20 {
			t.Errorf("%s: %d of %d answers of the forger are taken", release, a.successes["forger"], a.requests["forger"])
		}
		if takes && math.Abs(a.best["forger"]-certain) > 1 || a.best["miner"] > certain/10 {
			t.Errorf("%s: the forger's base score is %g, an honest one's %g; want %d and far less", release, a.best["forger"], a.best["miner"], certain)
		}
		limit := 0.3 * 65535
		if got := a.incentive["forger"]; takes && math.Abs(got-limit) > 0.1*limit || !takes && got > 0 {
			t.Errorf("%s: the forger's incentive is %g; want %g, the limit of a weight, where it is taken, and else nothing", release, got, limit)
		}
	}
}

func TestAnswersThatBreakDecodersBreakNothingElse(t *testing.T) {
	a := forgedRun(t)
	without := forgedRun(t, "miners[2].behaviour=frozen")
	if a.requests["breaker"] < 40 || a.successes["breaker"] > 0 || a.incentive["breaker"] > 0.01*a.incentive["miner"] {
		t.Errorf("%d of %d spoiled answers are taken, and earn %g", a.successes["breaker"], a.requests["breaker"], a.incentive["breaker"])
	}
	if len(a.set) != 3 {
		t.Errorf("weights are set by %v, want 3 validators", a.set)
	}
	for node, sets := range a.set { // order-free: each stands alone
		if sets < without.set[node] {
			t.Errorf("node %d sets weights %d times, and %d where nobody breaks anything", node, sets, without.set[node])
		}
	}
}
