package attack

import "taolab/agents/mind"

var random = Behaviour{
	Kind: Miner, Name: "random", Doc: "answers at once and knows nothing", Answers: true,
	Mind: func(m Minds) mind.Server { return m.Random() },
}
