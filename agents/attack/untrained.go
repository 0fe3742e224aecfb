package attack

import "taolab/agents/mind"

var untrained = Behaviour{
	Kind: Miner, Name: "untrained", Doc: "serves a model of random weights", Model: true, Answers: true,
	Mind: func(m Minds) mind.Server { return Frozen{m.Honest()} },
}
