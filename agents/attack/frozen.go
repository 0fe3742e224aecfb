package attack

import (
	"taolab/agents/mind"
	"taolab/sim/host"
)

var frozen = Behaviour{
	Kind: Miner, Name: "frozen", Doc: "serves its base and never trains", Model: true, Base: true, Answers: true,
	Mind: func(m Minds) mind.Server { return Frozen{m.Honest()} },
}

// Frozen wraps a mind so that it does not learn.
type Frozen struct{ mind.Server }

// Train implements mind.Server.
func (Frozen) Train(host.Env) host.Job { return nil }

// Fresh implements mind.Server.
func (f Frozen) Fresh() mind.Server { return Frozen{f.Server.Fresh()} }
