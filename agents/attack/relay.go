package attack

import (
	"slices"

	"taolab/agents/state"
	"taolab/sim/chain"
	"taolab/sim/host"
)

var relay = Behaviour{
	Kind: Miner, Name: "relay", Doc: "has no model: it puts the questions of validators to the miner with the highest incentive, and passes the answers off as its own",
	Answers: true,
	Wrap:    func(host.Agent) host.Agent { return &Relay{} },
}

// relayTimeoutNs is how long a relay waits for its victim, and maxRelayed how many questions it has open.
const (
	relayTimeoutNs = 12 * host.Second
	maxRelayed     = host.MaxSlots
)

// maxShunned bounds the miners that a relay remembers as of no use.
const maxShunned = 64

// Relay is an agent that answers with what another miner answers.
type Relay struct {
	open    []relayed     // by ascending call
	shunned []host.PeerID // miners that refused it, the latest last
}

// relayed is a question that was passed on.
type relayed struct {
	call host.CallID // to the victim
	asks host.CallID // of the caller that wants the answer
}

// Handle implements host.Agent.
func (r *Relay) Handle(env host.Env, event host.Event) {
	switch e := event.(type) {
	case host.Start:
		r.open = nil
	case host.Incoming:
		r.pass(env, e)
	case host.Cancelled:
		if i := slices.IndexFunc(r.open, func(q relayed) bool { return q.asks == e.Call }); i >= 0 {
			env.Cancel(r.open[i].call)
			r.open = slices.Delete(r.open, i, i+1)
		}
	case host.Answer:
		i := slices.IndexFunc(r.open, func(q relayed) bool { return q.call == e.Call })
		if i < 0 {
			return
		}
		env.Reply(r.open[i].asks, e.Response)
		if e.Response.Code == host.NotImplemented { // another relay, or a miner that serves nobody
			r.shun(e.From)
		}
		if !e.Response.More {
			r.open = slices.Delete(r.open, i, i+1)
		}
	}
}

// shun remembers a miner that is of no use. One that refuses for lack of stake or haste may answer the next time.
func (r *Relay) shun(axon host.PeerID) {
	if len(r.shunned) == maxShunned {
		r.shunned = slices.Delete(r.shunned, 0, 1)
	}
	r.shunned = append(r.shunned, axon)
}

// pass puts a question to the victim. It serves validators only: relays that served each other would go round in
// circles.
func (r *Relay) pass(env host.Env, e host.Incoming) {
	view := env.Chain()
	caller, seated := view.UIDOf(e.From)
	victim, found := r.best(view, env.Self())
	switch {
	case !seated || !view.Neuron(caller).Permit:
		env.Reply(e.Call, host.Response{Code: host.NotImplemented})
		return
	case !found || len(r.open) >= maxRelayed:
		env.Reply(e.Call, host.Response{Code: host.Backoff})
		return
	}
	r.open = append(r.open, relayed{env.Call(victim, e.Request, relayTimeoutNs), e.Call})
}

// best is the axon of the miner with the highest incentive, the first among equals, of those that it does not shun.
func (r *Relay) best(view chain.View, self host.Self) (axon host.PeerID, found bool) {
	highest := uint16(0)
	for i := range view.N() {
		uid := chain.UID(i)
		if n := view.Neuron(uid); n.Incentive > highest && !(self.HasUID && uid == self.UID) && !slices.Contains(r.shunned, n.Axon) {
			highest, axon, found = n.Incentive, n.Axon, true
		}
	}
	return axon, found
}

// AppendState implements host.Agent.
func (r *Relay) AppendState(b []byte) []byte {
	b = state.AppendU32(state.Begin(b, "relay"), uint32(len(r.open)))
	for _, q := range r.open {
		b = state.AppendU64(state.AppendU64(b, uint64(q.call)), uint64(q.asks))
	}
	b = state.AppendU32(b, uint32(len(r.shunned)))
	for _, axon := range r.shunned {
		b = append(b, axon[:]...)
	}
	return b
}

// RestoreState implements host.Agent. After an error the relay is as it was.
func (r *Relay) RestoreState(b []byte) error {
	c := state.Open("relay", b)
	var read Relay
	for n := c.Count("questions passed on", 16); n > 0; n-- {
		read.open = append(read.open, relayed{host.CallID(c.U64("call")), host.CallID(c.U64("question"))})
	}
	for n := c.Count("miners shunned", len(chain.Key{})); n > 0; n-- {
		read.shunned = append(read.shunned, c.Key("shunned"))
	}
	if len(read.open) > maxRelayed || len(read.shunned) > maxShunned {
		c.Fail("%d questions passed on and %d miners shunned, expected at most %d and %d", len(read.open), len(read.shunned), maxRelayed, maxShunned)
	}
	if err := c.End(); err != nil {
		return err
	}
	*r = read
	return nil
}
