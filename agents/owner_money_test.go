package agents

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"taolab/agents/decide"
	"taolab/agents/mind"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// moneyed is an owner of uid 0, in a network of 5.
func moneyed(t *testing.T, change func(*OwnerConfig), genesis ...func(*chain.Genesis)) (*Owner, *fakeEnv) {
	t.Helper()
	c := OwnerConfig{
		Make:  func() (host.Agent, Worker) { return still{}, nil },
		Every: 1, Smoothing: 1, BlockNs: blockNs, Price: decide.Constant(2),
	}
	change(&c)
	return NewOwner(c), newFakeEnv(t, 5, genesis...)
}

func TestAnOwnerSellsAShareOfWhatItsStakeGrewByOnceItIsFree(t *testing.T) {
	o, env := moneyed(t, func(c *OwnerConfig) { c.Money.Sell = 0.5 })
	s := o.see(env)
	own := s.view.OwnStakeOf(s.self.Hotkey)
	if o.chooseMoney(env, &s); len(env.log) != 0 {
		t.Errorf("at its first decision it knows of no growth, and did %v", env.log)
	}
	o.purse.stakeRao = own - 61
	o.chooseMoney(env, &s)
	if want := []string{"submit 1: unstake 30 rao"}; !slices.Equal(env.log, want) || o.purse.stakeRao != own-30 {
		t.Errorf("after growth by 61 rao it did %v and counts %d rao, want %v and %d", env.log, o.purse.stakeRao, want, own-30)
	}
	if o.chooseMoney(env, &s); len(env.log) != 2 || env.log[1] != "submit 2: unstake 15 rao" {
		t.Errorf("what is not free yet is not sold: %v", env.log)
	}
	o.settled(env, 1, true)
	o.settled(env, 2, false)
	env.log, o.purse.stakeRao = nil, own
	if o.chooseMoney(env, &s); !slices.Equal(env.log, []string{"submit 3: transfer 30 rao"}) {
		t.Errorf("once the first transaction is included it did %v, want to sell its 30 rao, and nothing of the refused one", env.log)
	}
}

func TestASealIsDrawnAgainWhenTheDifficultyMoves(t *testing.T) {
	o, env := moneyed(t, func(c *OwnerConfig) { c.Seat = &Seating{ByWork: true, HashesPerS: 1000} })
	o.hash.start(o, env)
	first, difficulty := o.hash.timer, env.Chain().Difficulty()
	if o.watchDifficulty(env); o.hash.timer != first {
		t.Error("the seal is drawn again at the same difficulty")
	}
	for _, hold := range []func(){func() { o.hash.searching = true }, func() { o.entry.open = true }} {
		hold()
		o.hash.difficulty = difficulty + 1
		if o.watchDifficulty(env); o.hash.timer != first {
			t.Error("the seal is drawn again while one is searched or on its way")
		}
		o.hash.searching, o.entry.open = false, false
	}
	if o.watchDifficulty(env); o.hash.timer == first || o.hash.difficulty != difficulty {
		t.Errorf("timer %d for difficulty %d, want another than %d, for %d", o.hash.timer, o.hash.difficulty, first, difficulty)
	}
	for _, timer := range env.timers {
		if !timer.block && timer.id == first {
			t.Error("the seal of the old difficulty may still come")
		}
	}
}

func TestAnOwnerSeesWhatAnEpochCostsAtTodaysPriceAndItsDuty(t *testing.T) {
	for _, duty := range []float64{0, 0.5, 1} {
		o, env := moneyed(t, func(c *OwnerConfig) {
			c.Costs = decide.Costs{HardwarePerH: 0.4, Watts: 350, PerKWh: 0.12}
			c.Learning, c.Duty = &Learning{}, duty
		})
		s := o.see(env)
		hours := s.epochHours
		if want := 2e9 * (0.4 + 0.35*0.12*duty) * hours; hours <= 0 || fmt.Sprintf("%.6g", s.costRao) != fmt.Sprintf("%.6g", want) {
			t.Errorf("duty %g: an epoch of %g h costs %g rao, want %g", duty, hours, s.costRao, want)
		}
	}
}

// diligence remembers the duty that it was set last.
type diligence struct{ duty float64 }

func (w *diligence) SetDuty(_ host.Time, share float64) { w.duty = share }
func (w *diligence) SetMix([]float64)                   {}
func (w *diligence) Busy() bool                         { return false }
func (w *diligence) Reflects() mind.Reflective          { return nil }

func TestAnOwnerWhoseSeatIsTakenStopsServing(t *testing.T) {
	o, env := moneyed(t, func(c *OwnerConfig) { c.Seat = &Seating{Always: true} })
	o.turnOn(env)
	env.self = publicKey("nobody")
	s := o.see(env)
	o.chooseSeat(env, &s)
	if row := env.rows[0].(trace.Decision); row.Choice != decide.Lost || o.on {
		t.Errorf("it %q, and serves: %t", row.Choice, o.on)
	}
	if o.Handle(env, host.Incoming{Call: 3}); env.reply.Code != host.Unavailable {
		t.Errorf("it answers with code %v", env.reply.Code)
	}
}

// Two of five seats changed hands within the last ten epochs; the owner's own is immune or not.
func TestAnOwnerSeesHowOftenSeatsChangeHandsAndKeepsAnImmuneOne(t *testing.T) {
	for _, own := range []uint64{1, 990} {
		o, env := moneyed(t, func(c *OwnerConfig) {
			c.Seat, c.Costs = &Seating{Seat: decide.Seat{Patience: 1}}, decide.Costs{HardwarePerH: 1e6}
		}, func(g *chain.Genesis) {
			g.Params.ImmunityBlocks = 100
			g.Height, g.LastEpoch, g.Epochs = 1000, 999, 49
			g.Records = make([]chain.GenesisRecord, 5)
			for i, at := range []uint64{own, 1, 990, 1, 991 - own} {
				g.Records[i].RegisteredAt, g.Records[i].LastUpdate = at, at
			}
		})
		o.turnOn(env)
		s := o.see(env)
		if immune := own == 990; math.Abs(s.hazard-0.04) > 1e-12 || s.immune != immune {
			t.Errorf("registered at %d: hazard %g, want 0.04, immune %t", own, s.hazard, s.immune)
		}
		if o.keep(env, &s); o.on != s.immune {
			t.Errorf("registered at %d: it stays: %t, want %t", own, o.on, s.immune)
		}
	}
}

func TestADutyAnswersWhatAQuarterCostsInEnergy(t *testing.T) {
	w := &diligence{}
	o, env := moneyed(t, func(c *OwnerConfig) {
		c.Make = func() (host.Agent, Worker) { return still{}, w }
		c.Duty, c.Learning, c.Costs = 0.25, &Learning{Adapts: true}, decide.Costs{HardwarePerH: 0.4, Watts: 350, PerKWh: 0.12}
	})
	o.turnOn(env)
	s := o.see(env)
	o.chooseLearning(env, &s)
	row := env.rows[0].(trace.Decision)
	if want := 2e9 * 0.35 * 0.12 / 4 * s.epochHours; math.Abs(*row.CostRao-want) > 1e-6*want || *row.Share != 0.5 || w.duty != 0.5 {
		t.Errorf("a quarter costs %g rao of energy, want %g; it trains %g and %g of its time, want a half", *row.CostRao, want, *row.Share, w.duty)
	}
}

func TestANodeTrainsAgainWhenItsOwnerComesBack(t *testing.T) {
	for _, learning := range []*Learning{nil, {}} {
		w := &diligence{}
		o, env := moneyed(t, func(c *OwnerConfig) {
			c.Make = func() (host.Agent, Worker) { return still{}, w }
			c.Duty, c.Learning, c.Seat = 0.3, learning, &Seating{}
		})
		o.Handle(env, host.Start{})
		for _, c := range []struct {
			does func(host.Env)
			want float64
		}{{func(host.Env) {}, 0.3}, {o.turnOff, 0}, {o.turnOn, 0.3}} {
			if c.does(env); w.duty != c.want {
				t.Errorf("with learning %v the node trains for %g of its time, want %g", learning, w.duty, c.want)
			}
		}
	}
}

// A holder that sends money to another chain nominates with what is left, and waits until all of it is known.
func TestAHolderNominatesWithWhatItDoesNotSendAway(t *testing.T) {
	o, env := moneyed(t, func(c *OwnerConfig) { c.Money = Money{Bridge: 0.1, Nominating: &Nominating{Beta: 20, Share: 0.5}} }, func(g *chain.Genesis) {
		g.Balances = append(g.Balances, chain.Balance{Coldkey: publicKey("holder"), FreeRao: 1000})
		g.Delegates = []chain.GenesisDelegate{{Hotkey: publicKey("hot 1")}, {Hotkey: publicKey("hot 3")}}
	})
	env.self, env.coldkey = publicKey("nobody"), publicKey("holder")
	decides := func() {
		s := o.see(env)
		o.chooseMoney(env, &s)
	}
	decides()
	if want := []string{"submit 1: transfer 100 rao", "submit 2: stake 225 rao", "submit 3: stake 225 rao"}; !slices.Equal(env.log, want) {
		t.Errorf("of 1000 rao it did %q, want %q", env.log, want)
	}
	env.log = nil
	o.settled(env, 2, true)
	if decides(); !slices.Equal(env.log, []string{"submit 4: transfer 100 rao"}) {
		t.Errorf("with nominations on their way it did %q", env.log)
	}
}

// Stake that it takes from one delegate is not there yet for the others: they get what is free.
func TestAHolderStakesNoMoreThanIsFree(t *testing.T) {
	o, env := moneyed(t, func(c *OwnerConfig) { c.Money.Nominating = &Nominating{Beta: 20, Share: 1} }, func(g *chain.Genesis) {
		g.Balances = append(g.Balances, chain.Balance{Coldkey: publicKey("holder"), FreeRao: 300})
		for _, hot := range []string{"hot 1", "hot 2", "hot 3"} {
			g.Delegates = append(g.Delegates, chain.GenesisDelegate{Hotkey: publicKey(hot)})
		}
		g.Stakes = []chain.GenesisStake{{Hotkey: publicKey("hot 2"), Coldkey: publicKey("holder"), StakeRao: 600}}
	})
	env.self, env.coldkey = publicKey("nobody"), publicKey("holder")
	s := o.see(env)
	o.chooseMoney(env, &s)
	if len(env.log) != 2 || env.log[0] != "submit 1: stake 300 rao" || !strings.HasPrefix(env.log[1], "submit 2: unstake ") {
		t.Errorf("with 300 rao free and more on one of three delegates it did %q, want to stake 300 rao once, and to unstake", env.log)
	}
}

func TestADelegateKeepsItsOwnPartAndItsTakeOfTheRest(t *testing.T) {
	o, env := moneyed(t, func(*OwnerConfig) {}, func(g *chain.Genesis) {
		g.Delegates = []chain.GenesisDelegate{{Hotkey: publicKey("hot 0")}}
		g.Stakes = []chain.GenesisStake{{Hotkey: publicKey("hot 0"), Coldkey: publicKey("holder"), StakeRao: 15 * chain.RaoPerTAO}}
	})
	s := o.see(env)
	s.emissionRao = 1000
	for take, want := range map[uint16]float64{0: 250, 13107: 400, 65535: 1000} { // order-free: each stands alone
		if got := o.keeps(&s, take); math.Abs(got-want) > 1e-3 {
			t.Errorf("with a quarter of the stake and a take of %d of 65535 it keeps %g of 1000 rao, want %g", take, got, want)
		}
	}
}

func TestATakeThatIsRaisedByAllThereIsEndsAtTheLargest(t *testing.T) {
	o, env := moneyed(t, func(c *OwnerConfig) { c.Money.Taking = &Taking{Step: 65535, Every: 1} }, func(g *chain.Genesis) {
		g.Params.MaxTake = 11000
		g.Delegates = []chain.GenesisDelegate{{Hotkey: publicKey("hot 0"), Take: 9000}}
	})
	s := o.see(env)
	if o.chooseTake(env, &s); !slices.Equal(env.log, []string{"submit 1: delegate for 11000"}) {
		t.Errorf("%q", env.log)
	}
}

// A delegate opens with its first take, moves it by steps once so many decisions have come, back where its
// revenue fell, and never above what the chain allows.
func TestADelegateMovesItsTakeWithinWhatTheChainAllows(t *testing.T) {
	for _, open := range []bool{false, true} {
		o, env := moneyed(t, func(c *OwnerConfig) { c.Money.Taking = &Taking{First: 9000, Step: 5000, Every: 2} }, func(g *chain.Genesis) {
			if g.Params.MaxTake = 11000; open {
				g.Delegates = []chain.GenesisDelegate{{Hotkey: publicKey("hot 0"), Take: 9000}}
			}
		})
		for _, emission := range []uint64{5, 5, 5, 3, 0, 0} {
			s := o.see(env)
			s.emissionRao = emission
			o.chooseTake(env, &s)
		}
		want := []string{"submit 1: delegate for 11000", "submit 2: delegate for 4000", "submit 3: delegate for 11000"}
		if !open {
			want = slices.Repeat([]string{""}, 6)
			for i := range want {
				want[i] = fmt.Sprintf("submit %d: delegate for 9000", i+1)
			}
		}
		if !slices.Equal(env.log, want) {
			t.Errorf("open %t: %q, want %q", open, env.log, want)
		}
	}
}

// A state that an owner of these settings cannot have is refused, not run into at the next event.
func TestAnOwnersStateThatContradictsItselfIsRefused(t *testing.T) {
	seatless, unschooled := testOwner(), testOwner()
	seatless.Seat, unschooled.Learning = nil, nil
	for name, c := range map[string]struct { // order-free: each stands alone
		config OwnerConfig
		change func(*Owner)
	}{
		"a registration without decisions on seats": {seatless, func(o *Owner) { o.hash, o.entry.open = hashing{}, true }},
		"a seal without decisions on seats":         {seatless, func(o *Owner) { o.hash = hashing{on: true} }},
		"a search without decisions on seats":       {seatless, func(o *Owner) { o.hash = hashing{searching: true} }},
		"a mix without decisions on learning":       {unschooled, func(o *Owner) { o.learns.mix = []float64{1} }},
		"questions without decisions on learning":   {unschooled, func(o *Owner) { o.hears.asks = []payer{{call: 1}} }},
		"questions without demand":                  {testOwner(), func(o *Owner) { o.hears.asks = []payer{{call: 1}} }},
		"a direction longer than its mix": {testOwner(), func(o *Owner) {
			o.learns.probe = decide.Probe{Side: 2, Base: []float64{0.5, 0.5}, Direction: []float64{1, 1, 1}}
		}},
	} {
		o := NewOwner(c.config)
		if o.RestoreState(o.AppendState(nil)) != nil {
			t.Fatalf("%s: a fresh state is refused", name)
		}
		c.change(o)
		if NewOwner(c.config).RestoreState(o.AppendState(nil)) == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
