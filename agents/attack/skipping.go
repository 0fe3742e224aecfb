package attack

import "taolab/sim/host"

var skipping = Behaviour{
	Kind: Miner, Name: "skipping", Doc: "trains, and leaves three requests of ten unanswered",
	Model: true, Base: true, Trains: true, Answers: true, Mind: honest,
	Wrap: func(a host.Agent) host.Agent { return Skipping{a} },
}

// skipped is the share of the requests that a skipping miner saves itself.
const skipped = 0.3

// Skipping is an agent that saves itself some of its work.
type Skipping struct{ host.Agent }

// Handle implements host.Agent.
func (s Skipping) Handle(env host.Env, event host.Event) {
	if in, asked := event.(host.Incoming); asked && env.Rand("skip").Float64() < skipped {
		env.Reply(in.Call, host.Response{Code: host.Unavailable})
		return
	}
	s.Agent.Handle(env, event)
}
