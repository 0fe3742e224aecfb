package attack

import (
	"taolab/sim/chain"
	"taolab/sim/host"
)

var selective = Behaviour{
	Kind: Miner, Name: "selective", Doc: "trains, and serves only the richest who hold three quarters of the stake together",
	Model: true, Base: true, Trains: true, Answers: true, Mind: honest,
	Wrap: func(a host.Agent) host.Agent { return Selective{a} },
}

// Selective wraps an agent so that it refuses callers with little stake.
type Selective struct{ host.Agent }

// Handle implements host.Agent.
func (s Selective) Handle(env host.Env, event host.Event) {
	if in, asked := event.(host.Incoming); asked && !matters(env.Chain(), in.StakeRao) {
		env.Reply(in.Call, host.Response{Code: host.Unauthenticated})
		return
	}
	s.Agent.Handle(env, event)
}

// matters reports whether those with more stake than a caller hold less than three quarters of all
// stake.
func matters(view chain.View, stakeRao uint64) bool {
	var all, richer uint64
	for i := range view.N() {
		own := view.Neuron(chain.UID(i)).StakeRao
		all += own
		if own > stakeRao {
			richer += own
		}
	}
	return richer < all/4*3
}
