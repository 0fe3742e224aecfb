package agents

import (
	"taolab/agents/decide"
	"taolab/agents/state"
	"taolab/sim/chain"
	"taolab/sim/host"
)

// holding is what an owner knows about one of its node's identities.
type holding struct {
	seated   bool   // it had a uid at the last decision
	left     bool   // it has a uid and does not serve
	strikes  uint32 // decisions in a row at which the uid did not pay
	income   decide.Average
	stakeRao uint64 // of the owner's own on it after the last decision; the first identity's is in the purse
}

// forget drops what is known of an identity that has no uid; its stake stays.
func (h *holding) forget() { *h = holding{stakeRao: h.stakeRao} }

// ownUID is a uid that the owner has.
type ownUID struct {
	as          host.Identity
	self        host.Self
	immune      bool
	emissionRao uint64
}

// identities are those of the node.
func (o *Owner) identities() host.Identity { return host.Identity(max(o.config.Identities, 1)) }

// seated reports whether the node has a uid.
func (o *Owner) seated(env host.Env) bool {
	for id := range o.identities() {
		if env.As(id).Self().HasUID {
			return true
		}
	}
	return false
}

// gaveUp reports whether an identity does not serve.
func (o *Owner) gaveUp(id host.Identity) bool { return len(o.holds) > 0 && o.holds[id].left }

// look finds the owner's uids and as whom it acts: the first that serves, else the first that has a uid. An owner that
// lost all that served lets those that it gave up serve again.
func (o *Owner) look(env host.Env, s *sight) {
	s.self = env.Self()
	var idle []ownUID
	for id := range o.identities() {
		self := env.As(id).Self()
		if !self.HasUID {
			continue
		}
		n := s.view.Neuron(self.UID)
		age := s.view.Height() - min(n.RegisteredAt, s.view.Height())
		own := ownUID{id, self, age < s.view.Params().ImmunityBlocks, n.EmissionRao}
		if o.gaveUp(id) {
			idle = append(idle, own)
		} else {
			s.serving = append(s.serving, own)
		}
	}
	if len(s.serving) == 0 {
		s.serving, idle = idle, nil
		for _, own := range s.serving {
			o.holds[own.as].left = false
		}
	}
	s.idle = idle
	if len(s.serving) > 0 {
		s.as, s.self = s.serving[0].as, s.serving[0].self
	}
}

// earn takes the income of an epoch.
func (o *Owner) earn(s *sight) {
	o.income.Take(float64(s.emissionRao), o.config.Smoothing)
	for _, own := range s.serving {
		if len(o.holds) > 0 {
			o.holds[own.as].income.Take(float64(own.emissionRao), o.config.Smoothing)
		}
	}
}

// own is the income per epoch of the uids that serve, which forgets those that do not at once.
func (o *Owner) own(s *sight) (rao float64) {
	for _, own := range s.serving {
		rao += o.holds[own.as].income.Value
	}
	return rao
}

// chooseUIDs decides on the uids of a node that serves and may have several: the least paying one is given up
// where it does not pay, and one more is taken where that pays.
func (o *Owner) chooseUIDs(env host.Env, s *sight) {
	if len(o.holds) == 0 {
		return
	}
	next := o.count(env, s)
	if !o.giveUp(env, s) {
		o.another(env, s, next)
	}
}

// count compares the uids with those of the last decision, and returns the first identity without one; none: as
// many as there are.
func (o *Owner) count(env host.Env, s *sight) (next host.Identity) {
	next = o.identities()
	for id := range o.identities() {
		h := &o.holds[id]
		if env.As(id).Self().HasUID {
			h.seated = true
			continue
		}
		if h.seated {
			row := s.seatRow(decide.Lost)
			row.Kind = "uid"
			o.record(env, s, row)
		}
		h.forget()
		next = min(next, id)
	}
	return next
}

// giveUp stops serving under the uid that earns least, if that has not paid for too long.
func (o *Owner) giveUp(env host.Env, s *sight) bool {
	seat, own := o.config.Seat, o.own(s)
	var least *ownUID
	var losing float64
	for i := range s.serving {
		uid := &s.serving[i]
		h := &o.holds[uid.as]
		loss := decide.Loss(h.income.Value, own, max(s.allRao, own))
		if uid.immune || seat.Stays(loss, s.uidRao, &h.strikes) {
			continue
		}
		if least == nil || h.income.Value < o.holds[least.as].income.Value {
			least, losing = uid, loss
		}
	}
	if least == nil || len(s.serving) < 2 || seat.Always {
		return false
	}
	h := &o.holds[least.as]
	about := *s
	about.as, about.self, about.incomeRao, about.costRao = least.as, least.self, losing, s.uidRao
	row := about.seatRow(decide.Leave)
	row.Kind = "uid"
	o.record(env, &about, row)
	h.left, h.strikes = true, 0
	return true
}

// another takes one more uid, if that pays: one that was given up and is still there, or a new one.
func (o *Owner) another(env host.Env, s *sight, next host.Identity) {
	about, own := *s, o.own(s)
	about.costRao, about.incomeRao = s.uidRao, decide.Gain(own, max(s.allRao, own), len(s.serving), s.others, s.full)
	switch {
	case len(s.idle) > 0:
		if about.incomeRao <= float64(s.uidRao*(1+o.config.Seat.Hysteresis)) && !o.config.Seat.Always {
			return
		}
		back := s.idle[0]
		o.holds[back.as].left = false
		about.as, about.self = back.as, back.self
		row := about.seatRow(decide.Return)
		row.Kind = "uid"
		o.record(env, &about, row)
	case next < o.identities() && !o.entry.open:
		about.as, about.self = next, env.As(next).Self()
		o.buy(env, &about, "uid")
	}
}

func (o *Owner) appendHolds(b []byte) []byte {
	if len(o.holds) == 0 {
		return b
	}
	b = append(b, byte(o.entry.as))
	for _, h := range o.holds {
		b = state.AppendBool(state.AppendBool(b, h.seated), h.left)
		b = state.AppendU32(b, h.strikes)
		b = state.AppendU64(appendAverage(b, h.income), h.stakeRao)
	}
	return b
}

func (o *Owner) restoreHolds(c *state.Cursor) {
	if len(o.holds) == 0 {
		return
	}
	if o.entry.as = host.Identity(c.U8("identity that enters")); o.entry.as >= o.identities() {
		c.Fail("identity %d enters, expected one below %d", o.entry.as, o.identities())
	}
	for i := range o.holds {
		h := &o.holds[i]
		h.seated, h.left = c.Bool("seated"), c.Bool("given up")
		h.strikes = c.U32("strikes")
		h.income, h.stakeRao = readAverage(c), c.U64("stake before")
	}
}

// hotkeys are those of all identities, with the stake of the owner's own on each after the last decision.
func (o *Owner) hotkeys(env host.Env) (keys []chain.Key, before []*uint64) {
	for id := range o.identities() {
		stake := &o.purse.stakeRao
		if id > 0 {
			stake = &o.holds[id].stakeRao
		}
		keys, before = append(keys, env.As(id).Self().Hotkey), append(before, stake)
	}
	return keys, before
}
