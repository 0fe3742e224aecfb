package attack

import (
	"math"

	"taolab/agents/wire"
	"taolab/sim/host"
)

// confederate can know nothing before where texts are drawn by the validator and never leave it: it is for
// networks whose answers are stated losses.
var confederate = Behaviour{
	Kind: Miner, Name: "confederate", Doc: "trains, and knows the answers to the questions of validators that share its coldkey; in networks without models",
	Model: true, Base: true, Trains: true, Answers: true, Mind: honest, Only: Stated,
	Wrap: func(a host.Agent) host.Agent { return Confederate{a} },
}

// Confederate is an agent that its validator tells the text that it is about to be asked for.
type Confederate struct{ host.Agent }

// Handle implements host.Agent.
func (c Confederate) Handle(env host.Env, event host.Event) {
	if in, asked := event.(host.Incoming); asked && ofOwner(env, in.From) && in.Request.Synapse == host.StatedLoss {
		if q, err := wire.DecodeStatedRequest(in.Request.Body, math.MaxInt, math.MaxUint16); err == nil {
			body := wire.EncodeStated(wire.StatedAnswer{Losses: make([]float32, len(q.Subsets))})
			env.Reply(in.Call, host.Response{Code: host.Success, Body: body})
			return
		}
	}
	c.Agent.Handle(env, event)
}

// ofOwner reports whether a caller is a neuron of one's own coldkey.
func ofOwner(env host.Env, caller host.PeerID) bool {
	view := env.Chain()
	uid, seated := view.UIDOf(caller)
	return seated && view.Neuron(uid).Coldkey == env.Self().Coldkey
}
