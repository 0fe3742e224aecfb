package agents

import (
	"math"
	"testing"

	"taolab/agents/decide"
	"taolab/sim/chain"
	"taolab/sim/host"
)

// served is a network of five seats of which two validators hold permits and pay three miners, an owner who
// decides about the seat of one of them, and so many seats in all.
func served(t *testing.T, seats uint16) (*Owner, *fakeEnv) {
	t.Helper()
	o, env := moneyed(t, func(c *OwnerConfig) {
		c.Seat, c.Costs = &Seating{Seat: decide.Seat{Patience: 1}}, decide.Costs{HardwarePerH: 1e6}
	}, func(g *chain.Genesis) {
		g.Params.ImmunityBlocks, g.Params.MaxUIDs, g.Params.MaxValidators = 100, seats, 2
		g.Height, g.LastEpoch, g.Epochs = 1000, 999, 49
		g.Records = make([]chain.GenesisRecord, 5)
		for i := range g.Records {
			g.Records[i].RegisteredAt, g.Records[i].LastUpdate, g.Records[i].Active = 1, 990, true
			if i < 2 {
				g.Records[i].Permit = true
				g.Records[i].Weights = []chain.WeightEntry{{UID: 2, Weight: 65535}, {UID: 3, Weight: 65535}, {UID: 4, Weight: 65535}}
			}
		}
	})
	env.self = publicKey("hot 4")
	return o, env
}

// A newcomer expects the mean income of those who serve, among whom it would be one more where a seat is free.
func TestANewcomerWhoTakesAFreeSeatSharesWhatTheOthersEarn(t *testing.T) {
	for seats, sharers := range map[uint16]float64{5: 3, 6: 4} { // order-free: each stands alone
		o, env := served(t, seats)
		earned, validators := 0.0, 0.0
		for uid := range chain.UID(5) {
			if rao := float64(env.Chain().Neuron(uid).EmissionRao); uid < 2 {
				validators += rao
			} else {
				earned += rao
			}
		}
		if s := o.see(env); earned == 0 || validators == 0 || math.Abs(s.othersRao-earned/sharers) > 1e-6*earned {
			t.Errorf("of %d seats: %g rao are expected, want a part of %g, which miners earned, for %g; validators earned %g",
				seats, s.othersRao, earned, sharers, validators)
		}
	}
}

// A seat that changed hands exactly ten epochs ago is not among those of the last ten.
func TestAHazardCountsTheSeatsOfTenEpochsOnly(t *testing.T) {
	for at, want := range map[uint64]float64{1020 - 10*20: 0, 1020 - 10*20 + 1: 1.0 / 50} { // order-free: each stands alone
		o, env := moneyed(t, func(c *OwnerConfig) { c.Seat = &Seating{} }, func(g *chain.Genesis) {
			g.Height, g.LastEpoch, g.Epochs = 1000, 999, 49
			g.Records = make([]chain.GenesisRecord, 5)
			g.Records[3].RegisteredAt, g.Records[3].LastUpdate = at, at
		})
		if s := o.see(env); s.view.Height() != 1020 || math.Abs(s.hazard-want) > 1e-12 {
			t.Errorf("a seat taken at block %d of %d: hazard %g, want %g", at, s.view.Height(), s.hazard, want)
		}
	}
}

// Who left a seat that is still there does not serve again because its node was restarted.
func TestAnOwnerWhoLeftStaysAwayAfterARestart(t *testing.T) {
	o, env := served(t, 5)
	o.Handle(env, host.Start{})
	s := o.see(env)
	if o.keep(env, &s); o.on {
		t.Fatal("it stays at a cost of millions")
	}
	if o.Handle(env, host.Start{Restored: true}); o.on {
		t.Error("after a restart it serves again")
	}
}

func TestAnOwnerComesBackOnlyWhereIncomeExceedsCostByItsHysteresis(t *testing.T) {
	for income, returns := range map[float64]bool{1.05: false, 1.15: true} { // order-free: each stands alone
		o, env := served(t, 5)
		o.config.Seat.Hysteresis = 0.1
		s := o.see(env)
		s.costRao, s.incomeRao = 1000, 1000*income
		if o.comeBack(env, &s); o.on != returns {
			t.Errorf("at %g times its cost it comes back: %t, want %t", income, o.on, returns)
		}
	}
}
