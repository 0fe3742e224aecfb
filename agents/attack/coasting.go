package attack

import "taolab/sim/host"

var coasting = Behaviour{
	Kind: Miner, Name: "coasting", Doc: "trains, and serves for ten epochs and then for ten nobody, while its average lasts",
	Model: true, Base: true, Trains: true, Answers: true, Mind: honest,
	Wrap: func(a host.Agent) host.Agent { return Coasting{a} },
}

// coastEpochs is how long a coasting miner serves, and how long it does not.
const coastEpochs = 10

// Coasting is an agent that rests on what it has earned.
type Coasting struct{ host.Agent }

// Handle implements host.Agent.
func (c Coasting) Handle(env host.Env, event host.Event) {
	if in, asked := event.(host.Incoming); asked && env.Chain().Epochs()/coastEpochs%2 == 1 {
		env.Reply(in.Call, host.Response{Code: host.Unavailable})
		return
	}
	c.Agent.Handle(env, event)
}
