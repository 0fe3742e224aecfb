package chain

import (
	"testing"
)

// seatedIn runs an epoch and returns what it said of the seats.
func (w *world) seatedIn() Seated {
	w.t.Helper()
	for _, e := range w.seen.advance(w.s, w.s.NextEvent()-w.s.height) {
		if seats, ok := e.(Seated); ok {
			return seats
		}
	}
	w.t.Fatal("an epoch told nothing of the seats")
	return Seated{}
}

// An engine without validators stands still for ever, so the last ones stay, whatever their stake, until
// somebody takes their place.
func TestTheLastSeatsStayUntilSomebodyTakesTheirPlace(t *testing.T) {
	w := seated(t, func(h *Hard) { h.ChurnDen = 0 })
	before := engineOf(w.s)
	for i := range 4 {
		w.do(colds[0], RemoveStake{hots[i].key, w.staked(hots[i])})
	}
	for range 3 {
		if told := w.seatedIn(); !told.Kept || len(told.Changes) > 0 {
			t.Fatalf("%+v", told)
		}
		if after := engineOf(w.s); len(after) != len(before) || after[engineKey(0)] != before[engineKey(0)] {
			t.Fatalf("seats %v became %v", before, after)
		}
		if err := w.s.CheckInvariants(); err != nil {
			t.Fatal(err)
		}
	}
	w.do(colds[0], AddStake{hots[2].key, 20 * RaoPerTAO})
	w.seatedIn()
	if told := w.seatedIn(); told.Kept || w.operatorOf(hots[2]).power < 20_000 || len(engineOf(w.s)) != 1 {
		t.Errorf("%+v, seats %v", told, engineOf(w.s))
	}
}

// queued is a network of one seat with four who wait for one, which is as many as may; hot7 has more stake than
// all.
func queued(t testing.TB) *world {
	w := stage(t, 1, func(g *Genesis) {
		g.Params.Hard = Hard{Seats: 1, MinSeatRao: RaoPerTAO, UnbondEpochs: 3, JailEpochs: 2, SlashEquivocation: 3277}
		for i := 1; i < 8; i++ {
			g.Stakes = append(g.Stakes, GenesisStake{hots[i].key, colds[0].key, uint64(i) * RaoPerTAO})
		}
		g.Operators = []GenesisOperator{{hots[0].key, engineKey(0)}}
	})
	for i := 2; i < 6; i++ {
		w.do(hots[i], ServeConsensus{engineKey(i)})
	}
	return w
}

// A seat needs its least stake to the rao.
func TestASeatNeedsItsLeastStake(t *testing.T) {
	w := queued(t)
	w.do(colds[0], RemoveStake{hots[7].key, w.staked(hots[7]) - RaoPerTAO + 1})
	w.no(hots[7], ServeConsensus{engineKey(7)}, StakeBelowSeat)
	i, _ := w.s.findOperator(hots[5].key)
	w.s.operators = append(w.s.ownOperators()[:i], w.s.operators[i+1:]...)
	w.do(colds[0], AddStake{hots[7].key, 1})
	w.do(hots[7], ServeConsensus{engineKey(7)})
}

// A waiting operator gives way only to more stake than its own.
func TestANewcomerNeedsMoreStakeThanWhoWaits(t *testing.T) {
	w := queued(t)
	w.do(colds[0], AddStake{hots[1].key, RaoPerTAO})
	w.no(hots[1], ServeConsensus{engineKey(1)}, SeatsFull)
	w.do(colds[0], AddStake{hots[1].key, 1})
	w.do(hots[1], ServeConsensus{engineKey(1)})
	if _, ok := w.s.findOperator(hots[2].key); ok || len(w.s.operators) != 5 {
		t.Errorf("%d operators, the smallest is there: %v", len(w.s.operators), ok)
	}
}

// An operator that may still have to answer for something keeps a place that does not count, however little
// stake is left.
func TestWhoMayHaveToAnswerKeepsAPlace(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers func(s *State, o *operator)
	}{
		{"with power", func(_ *State, o *operator) { o.power = 1 }},
		{"with a key that was in force", func(s *State, o *operator) { o.past = []pastKey{{engineKey(20), s.height}} }},
		{"in jail", func(s *State, o *operator) { o.jailed, o.jailedUntil = true, s.epochs+2 }},
		{"barred", func(s *State, o *operator) { o.barredUntil = s.epochs + 2 }},
		{"with power above its stake until lately", func(s *State, o *operator) { o.overFrom, o.over = s.height, s.height }},
	} {
		w := queued(t)
		w.end(1)
		i, _ := w.s.findOperator(hots[2].key)
		c.answers(w.s, &w.s.ownOperators()[i])
		w.do(hots[7], ServeConsensus{engineKey(7)})
		if _, there := w.s.findOperator(hots[2].key); !there || len(w.s.operators) != 6 {
			t.Errorf("%s: of %d operators the one with the least stake is there: %v", c.name, len(w.s.operators), there)
		}
		w.do(hots[6], ServeConsensus{engineKey(6)})
		if _, there := w.s.findOperator(hots[3].key); there || len(w.s.operators) != 6 {
			t.Errorf("%s: nobody gave way among %d operators", c.name, len(w.s.operators))
		}
	}
}

// Where more than fit lose their seats in an epoch, the smallest of those who wait go at its end.
func TestThoseWhoLoseASeatWaitIfThereIsRoom(t *testing.T) {
	w := queued(t)
	w.epoch() // hot0 keeps the seat
	fourth := w.s.operators
	if len(fourth) != 5 {
		t.Fatalf("%d operators", len(fourth))
	}
	i, _ := w.s.findOperator(hots[2].key)
	w.s.ownOperators()[i].past = []pastKey{{engineKey(20), 0}} // until the next epoch's end
	w.do(hots[7], ServeConsensus{engineKey(7)})
	if len(w.s.operators) != 6 {
		t.Fatalf("%d operators", len(w.s.operators))
	}
	for range 8 {
		w.epoch()
	}
	if _, there := w.s.findOperator(hots[2].key); there || len(w.s.operators) != 5 {
		t.Errorf("%d operators, the smallest is there: %v", len(w.s.operators), there)
	}
}
