package agents

import (
	"cmp"
	"slices"

	"taolab/agents/decide"
	"taolab/agents/state"
	"taolab/agents/wire"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// Bounds on how an owner asks what is paid.
const (
	maxPayers    = 64 // validators that it asks, those with the largest stake
	payTimeoutNs = blockNs
)

// hearing is what an owner hears from validators about their pay, and remembers of it.
type hearing struct {
	asks   []payer   // open, by ascending call
	stake  float64   // of those who answered in this round, in rao
	demand []float64 // by subset of the mix: their demand, weighted by stake
	earned []float64 // the same of the owner's part
	income []decide.Average
}

// payer is a validator that was asked.
type payer struct {
	call     host.CallID
	stakeRao uint64
}

// askPay asks the validators what they pay for; their answers move the mix.
func (o *Owner) askPay(env host.Env, s *sight) {
	h := &o.hears
	if len(h.asks) > 0 {
		return // the answers to the last questions are still to come
	}
	type candidate struct {
		axon  host.PeerID
		stake uint64
	}
	var payers []candidate
	for i := range s.view.N() {
		uid := chain.UID(i)
		if n := s.view.Neuron(uid); n.Permit && n.StakeRao > 0 && !(s.self.HasUID && uid == s.self.UID) {
			payers = append(payers, candidate{n.Axon, n.StakeRao})
		}
	}
	slices.SortStableFunc(payers, func(a, b candidate) int { return cmp.Compare(b.stake, a.stake) })
	n := len(o.config.Learning.Subsets)
	h.stake, h.demand, h.earned = 0, make([]float64, n), make([]float64, n)
	if len(h.income) != n {
		h.income = make([]decide.Average, n)
	}
	for _, p := range payers[:min(len(payers), maxPayers)] {
		call := env.As(s.as).Call(p.axon, host.Request{Synapse: host.PayList, Dir: host.Forward, Body: wire.EncodePayRequest(), MaxReplies: 1}, payTimeoutNs)
		h.asks = append(h.asks, payer{call, p.stake})
	}
}

// heard takes an answer to askPay, and follows what is paid after the last one.
func (o *Owner) heard(env host.Env, e host.Answer) bool {
	h := &o.hears
	i := slices.IndexFunc(h.asks, func(p payer) bool { return p.call == e.Call })
	if i < 0 {
		return false
	}
	if e.Response.More {
		env.Cancel(e.Call)
	}
	stake := float64(h.asks[i].stakeRao)
	h.asks = slices.Delete(h.asks, i, i+1)
	if list, err := wire.DecodePay(e.Response.Body); e.Response.Code == host.Success && err == nil {
		h.stake += stake
		for _, p := range list {
			if s := slices.Index(o.config.Learning.Subsets, p.Subset); s >= 0 {
				h.demand[s] += float64(stake * float64(p.Demand))
				h.earned[s] += float64(stake * float64(p.Own))
			}
		}
	}
	if len(h.asks) == 0 && h.stake > 0 && o.on {
		o.follow(env)
	}
	return true
}

// follow moves the mix toward what is paid for each subset per token trained there.
func (o *Owner) follow(env host.Env) {
	c, l, h := o.config.Learning, &o.learns, &o.hears
	s := o.see(env)
	l.welcome(c, s.view.Height(), func(subset int) bool { return h.demand[subset] > 0 })
	known := decide.Known(l.mix)
	mix, paid, mean := decide.Among(l.mix, known), make([]float64, len(known)), 0.0
	for i, subset := range known {
		h.income[subset].Take(h.earned[subset]/h.stake, o.config.Smoothing)
		paid[i] = h.income[subset].Value / mix[i]
		mean += h.income[subset].Value
	}
	c.Rule.Toward(mix, paid)
	decide.Back(l.mix, known, mix)
	for i, subset := range known {
		row := trace.Decision{Kind: "mix", Choice: "follow", Subset: trace.Some(c.Subsets[subset]), Share: trace.Some(mix[i])}
		if mean > 0 {
			row.Signal = trace.Some(paid[i] / mean)
		}
		o.record(env, &s, row)
	}
	o.tell(env.Now())
}

// welcome gives a share to subsets that have none, are there at a height and are wanted.
func (l *lessons) welcome(c *Learning, height uint64, wanted func(subset int) bool) {
	var fresh []int
	for s, share := range l.mix {
		if share == 0 && c.From[s] <= height && wanted(s) {
			fresh = append(fresh, s)
		}
	}
	if len(fresh) > 0 {
		c.Rule.Welcome(l.mix, fresh)
		l.probe = decide.Probe{} // a try that knew less says nothing
	}
}

func (h *hearing) append(b []byte) []byte {
	b = state.AppendU32(b, uint32(len(h.asks)))
	for _, p := range h.asks {
		b = state.AppendU64(state.AppendU64(b, uint64(p.call)), p.stakeRao)
	}
	b = state.AppendF64(b, h.stake)
	b = state.AppendF64s(state.AppendF64s(b, h.demand), h.earned)
	b = state.AppendU32(b, uint32(len(h.income)))
	for _, a := range h.income {
		b = appendAverage(b, a)
	}
	return b
}

func (h *hearing) restore(c *state.Cursor, subsets int) {
	for n := c.Count("questions about pay", 16); n > 0; n-- {
		h.asks = append(h.asks, payer{host.CallID(c.U64("call")), c.U64("stake")})
	}
	h.stake = c.F64("stake of who answered")
	h.demand, h.earned = c.F64s("demand"), c.F64s("earned")
	for n := c.Count("incomes", 9); n > 0; n-- {
		h.income = append(h.income, readAverage(c))
	}
	if n := len(h.demand); n != len(h.earned) || n != len(h.income) || n != 0 && n != subsets || n == 0 && len(h.asks) > 0 || len(h.asks) > maxPayers {
		c.Fail("%d questions about pay, demand for %d subsets, parts of %d, incomes of %d; expected at most %d, and %d each, or none of all",
			len(h.asks), n, len(h.earned), len(h.income), maxPayers, subsets)
	}
}
