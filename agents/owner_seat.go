package agents

import (
	"math"

	"taolab/agents/decide"
	"taolab/agents/state"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// Seating is how an owner decides about its seat.
type Seating struct {
	decide.Seat
	Always     bool    // it wants a seat whatever that is worth, and never leaves
	ByWork     bool    // it registers by proof of work; else it burns
	HashesPerS float64 // of its work
}

// entry is an owner's way into the network and out of it.
type entry struct {
	open    bool // a transaction is on its way
	claims  bool // which claims the hotkey, and a registration follows
	id      host.SubmitID
	as      host.Identity // that enters
	limit   uint64        // most that it burns
	left    bool          // it has a seat and does not serve
	strikes uint32        // decisions in a row at which the seat did not pay
}

// chooseSeat decides whether to hold a seat.
func (o *Owner) chooseSeat(env host.Env, s *sight) {
	switch {
	case s.self.HasUID && o.on:
		o.keep(env, s)
		if o.on {
			o.chooseUIDs(env, s)
		}
	case s.self.HasUID:
		o.comeBack(env, s)
	case o.on:
		o.turnOff(env)
		o.record(env, s, s.seatRow(decide.Lost))
		o.enter(env, s)
	default:
		o.enter(env, s)
	}
}

// keep goes on, or leaves a seat that has not paid for too long, and all others with it. An immune one is not
// judged.
func (o *Owner) keep(env host.Env, s *sight) {
	seat := o.config.Seat
	if seat.Always || s.immune || seat.Stays(s.incomeRao, s.costRao-s.trialRao, &o.entry.strikes) {
		o.record(env, s, s.seatRow(decide.Stay))
		return
	}
	o.entry.left = true
	o.turnOff(env)
	o.record(env, s, s.seatRow(decide.Leave))
}

// comeBack serves again from a seat that nobody took meanwhile, if that pays.
func (o *Owner) comeBack(env host.Env, s *sight) {
	choice := decide.Unprofitable
	if seat := o.config.Seat; seat.Always || s.incomeRao > float64(s.costRao*(1+seat.Hysteresis)) {
		choice = decide.Return
		o.turnOn(env)
	}
	o.record(env, s, s.seatRow(choice))
}

// enter looks for a seat, if one is worth its price.
func (o *Owner) enter(env host.Env, s *sight) {
	o.entry.left = false
	for id := range o.holds {
		o.holds[id].forget()
	}
	if o.entry.open || s.view.Height() < o.config.From {
		return
	}
	o.buy(env, s, "seat")
}

// buy registers the identity that acts, if its income and cost make the seat worth its price.
func (o *Owner) buy(env host.Env, s *sight, kind string) {
	seat, price, free := o.config.Seat, float64(s.view.BurnRao()), float64(s.view.FreeOf(s.self.Coldkey))
	if seat.ByWork {
		hours := decide.MeanSealSeconds(s.view.Difficulty(), seat.HashesPerS) / 3600
		price, free = float64(o.config.Costs.RaoPerHour(s.price, 1)*hours), price
		free = price // nobody asks whether it can pay its energy
	}
	worth, choice := seat.Enters(s.incomeRao, s.costRao, s.hazard, s.immunity, price, free)
	switch {
	case seat.Always && !seat.ByWork && free < price:
		choice = decide.Poor
	case seat.Always:
		choice = decide.Enter
	}
	row := s.seatRow(choice)
	row.Kind, row.EntryRao = kind, trace.Some(price)
	if !math.IsInf(worth, 0) && !math.IsNaN(worth) {
		row.ValueRao = trace.Some(worth)
	}
	switch {
	case choice != decide.Enter:
		o.hash.stop(env)
	case seat.ByWork:
		o.entry.as = s.as
		row.Choice = decide.Hash
		o.hash.start(o, env)
	default:
		o.entry.limit = 0
		if !seat.Always {
			o.entry.limit = decide.Rao(worth)
		}
		o.entry.as = s.as
		o.join(env)
	}
	o.record(env, s, row)
}

// join registers the hotkey, which its coldkey claims first where the network asks for that.
func (o *Owner) join(env host.Env) {
	hotkey, view := env.As(o.entry.as).Self().Hotkey, env.Chain()
	var msg chain.Msg = chain.Register{Hotkey: hotkey, LimitRao: o.entry.limit}
	_, owned := view.OwnerOf(hotkey)
	if o.entry.claims = view.Params().Hard.Consent && !owned; o.entry.claims {
		msg = chain.Claim{Hotkey: hotkey} // the host adds the hotkey's agreement
	}
	o.entry.open, o.entry.id = true, env.Submit(host.Coldkey, msg)
}

// settled takes what became of a transaction of the owner's own; false: it is none of those.
func (o *Owner) settled(env host.Env, id host.SubmitID, included bool) bool {
	switch {
	case o.entry.open && id == o.entry.id:
		o.entry.open = false
		switch {
		case included && env.As(o.entry.as).Self().HasUID:
			o.turnOn(env)
		case included && o.entry.claims:
			o.join(env)
		case o.config.Seat.ByWork && o.hash.on:
			o.hash.draw(o, env) // the seal is lost, and the lottery has no memory
		}
		return true
	case o.purse.settle(id, included):
		return true
	}
	return false
}

func (e *entry) append(b []byte) []byte {
	b = state.AppendBool(b, e.open)
	b = state.AppendBool(b, e.claims)
	b = state.AppendU64(b, uint64(e.id))
	b = state.AppendU64(b, e.limit)
	b = state.AppendBool(b, e.left)
	return state.AppendU32(b, e.strikes)
}

func (e *entry) restore(c *state.Cursor) {
	*e = entry{
		open: c.Bool("registration open"), claims: c.Bool("claim open"), id: host.SubmitID(c.U64("registration")), limit: c.U64("limit"),
		left: c.Bool("left"), strikes: c.U32("strikes"),
	}
}
