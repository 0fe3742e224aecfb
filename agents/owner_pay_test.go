package agents

import (
	"math"
	"slices"
	"testing"

	"taolab/agents/decide"
	"taolab/agents/mind"
	"taolab/agents/wire"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// told is what an owner told its node.
type told struct {
	still
	mix *[]float64
}

func (w told) SetDuty(host.Time, float64) {}
func (w told) SetMix(weights []float64)   { *w.mix = slices.Clone(weights) }
func (w told) Busy() bool                 { return false }
func (w told) Reflects() mind.Reflective  { return nil }

// follower is an owner of uid 0 that follows what the others say they pay, and where its newest mix stands.
func follower(t *testing.T, start []float64, from []uint64) (*driver, *[]float64) {
	t.Helper()
	mix := new([]float64)
	c := OwnerConfig{
		Make:  func() (host.Agent, Worker) { w := told{mix: mix}; return w, w },
		Every: 1, Smoothing: 1, BlockNs: blockNs, Price: decide.Constant(1),
		Learning: &Learning{Subsets: []string{"sea", "law", "math"}, Start: start, From: from, By: ByPay,
			Rule: decide.MixRule{Rate: 0.5, Floor: 0.02}},
	}
	d := &driver{env: newFakeEnv(t, 5), roundTrip: true, fresh: func() host.Agent { return NewOwner(c) }}
	d.agent = d.fresh()
	d.handle(host.Start{})
	return d, mix
}

// pays answers all open questions about pay.
func (d *driver) pays(list ...wire.Pay) (asked int) {
	for len(d.env.calls) > 0 {
		call := d.env.calls[0]
		d.env.calls = d.env.calls[1:]
		asked++
		d.handle(host.Answer{Call: call.id, From: call.to, Response: host.Response{Code: host.Success, Body: wire.EncodePay(list)}})
	}
	return asked
}

func TestAnOwnerMovesItsMixTowardWhatIsPaidPerTokenTrained(t *testing.T) {
	d, mix := follower(t, []float64{0.25, 0.75, 0}, make([]uint64, 3))
	d.blocks(25)
	if asked := d.pays(wire.Pay{Subset: "sea", Demand: 0.5, Own: 0.3}, wire.Pay{Subset: "law", Demand: 0.5, Own: 0.1}); asked != 4 {
		t.Fatalf("%d validators were asked, want the other 4", asked)
	}
	// Per token 1.2 and 0.4/3, the mean is 0.4: exponents of 1 and -1/3.
	sea, law := 0.25*math.Exp(1), 0.75*math.Exp(-1.0/3)
	up := sea / (sea + law)
	if got := *mix; math.Abs(got[0]-up) > 1e-6 || math.Abs(got[1]-(1-up)) > 1e-6 || got[2] != 0 {
		t.Errorf("mix %v, want %g, %g and nothing of what nobody pays for", got, up, 1-up)
	}
	rows := 0
	for _, row := range d.env.rows {
		if r, ok := row.(trace.Decision); ok && r.Kind == "mix" && r.Choice == "follow" {
			rows++
		}
	}
	if rows != 2 {
		t.Errorf("%d rows of the decision, want one for each subset of the mix", rows)
	}
}

func TestAnOwnerLearnsOfASubsetThatSomebodyBeginsToPayFor(t *testing.T) {
	d, mix := follower(t, []float64{1, 0, 0}, []uint64{0, 0, math.MaxUint64})
	for range 6 {
		d.blocks(20)
		d.pays(wire.Pay{Subset: "sea", Demand: 0.2, Own: 0.1}, wire.Pay{Subset: "law", Demand: 0.4, Own: 0.4},
			wire.Pay{Subset: "math", Demand: 0.4, Own: 0.4}, wire.Pay{Subset: "of elsewhere", Demand: 0, Own: 0})
	}
	if got := *mix; !(got[1] > 0.5) || got[2] != 0 {
		t.Errorf("mix %v, want most of law, and nothing of math, which it may not learn", got)
	}
}

func TestAnOwnerThatHearsNothingStaysAsItIs(t *testing.T) {
	d, mix := follower(t, []float64{0.5, 0.5, 0}, make([]uint64, 3))
	d.blocks(25)
	for len(d.env.calls) > 0 {
		call := d.env.calls[0]
		d.env.calls = d.env.calls[1:]
		answer := host.Response{Code: host.Timeout}
		if len(d.env.calls)%2 == 0 {
			answer = host.Response{Code: host.Success, Body: []byte("garbage")}
		}
		d.handle(host.Answer{Call: call.id, From: call.to, Response: answer})
	}
	if got := *mix; !slices.Equal(got, []float64{0.5, 0.5, 0}) {
		t.Errorf("mix %v after answers that say nothing", got)
	}
	d.blocks(20)
	if len(d.env.calls) != 4 {
		t.Errorf("%d questions in the next period, want 4", len(d.env.calls))
	}
}

func TestAnInvestorStakesOnceHoweverOftenItIsRefused(t *testing.T) {
	c := InvestorConfig{AtBlock: 30, AmountRao: 5, RetryBlocks: 2, Tries: 3, Does: func() host.Agent { return still{} }}
	d := &driver{env: newFakeEnv(t, 5), roundTrip: true, fresh: func() host.Agent { return NewInvestor(c) }}
	d.agent = d.fresh()
	d.handle(host.Start{})
	d.blocks(5)
	if d.env.newest != 0 {
		t.Error("it stakes before its hour")
	}
	d.blocks(10)
	first := d.env.newest
	d.handle(host.Rejected{ID: first, Reason: "because"})
	d.blocks(2)
	if d.env.newest == first || first == 0 {
		t.Fatal("it does not try again")
	}
	d.handle(host.Included{ID: d.env.newest})
	last := d.env.newest
	d.handle(host.Start{Restored: true})
	d.blocks(20)
	if d.env.newest != last {
		t.Error("it stakes twice")
	}
	before := NewInvestor(c) // a crash, and what it had sent was included
	before.tries, before.before = 1, 105
	before.Handle(d.env, host.Start{Restored: true})
	d.agent, d.fresh = before, func() host.Agent { return NewInvestor(c) }
	d.blocks(20)
	if d.env.newest != last {
		t.Error("it stakes again what was included while it was down")
	}
}
