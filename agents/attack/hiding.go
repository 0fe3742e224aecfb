package attack

import (
	"taolab/sim/chain"
	"taolab/sim/host"
)

var hiding = Behaviour{
	Kind: Validator, Name: "hiding", Doc: "commits to the weights that it is told, so that it counts as active, and reveals the first of them only",
	Scripted: true,
	Wrap:     func(a host.Agent) host.Agent { return Hiding{a} },
}

// Hiding is a validator whose row stays in force for ever.
type Hiding struct{ host.Agent }

// Handle implements host.Agent.
func (h Hiding) Handle(env host.Env, event host.Event) { h.Agent.Handle(secretive{env}, event) }

// secretive is a host that loses what an agent reveals once it has a row.
type secretive struct{ host.Env }

// Submit implements host.Env.
func (s secretive) Submit(key host.KeyRole, m chain.Msg) host.SubmitID {
	self := s.Self()
	if _, reveals := m.(chain.RevealWeights); reveals && self.HasUID && len(s.Chain().Weights(self.UID)) > 0 {
		return 0 // no transaction has this id
	}
	return s.Env.Submit(key, m)
}

// As implements host.Env.
func (s secretive) As(id host.Identity) host.Env { return secretive{s.Env.As(id)} }
