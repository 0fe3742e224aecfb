package attack

import (
	"slices"

	"taolab/agents/mind"
	"taolab/sim/host"
)

// Kind is the part that a node plays in the network.
type Kind string

// The kinds of nodes.
const (
	Miner       Kind = "miner"
	Validator   Kind = "validator"
	Application Kind = "application"
)

// Medium is what answers are made of.
type Medium string

// The media.
const (
	Text   Medium = "text"          // distributions of tokens, of models
	Stated Medium = "stated losses" // of networks without models
)

// Behaviour is one way to act as a node of a kind, as a scenario names it.
type Behaviour struct {
	Kind Kind
	Name string
	Doc  string // completes "a member that is NAME ..."

	Model   bool // computes with a model, where the run has models
	Base    bool // of a miner: the model begins at a trained base
	Trains  bool // of a miner: its mind learns, as much as its duty allows
	Answers bool // of a miner: it serves requests
	Asks    bool // of a validator: asks miners and scores their answers

	Scripted bool // of a validator: sets weights from a script

	Only Medium // the medium in which it has something to act on; empty: both

	// Mind makes a miner's mind out of those that it could have; nil: it has none.
	Mind func(Minds) mind.Server
	// Wrap puts a wrapper between an agent and its host; nil: there is none.
	Wrap func(host.Agent) host.Agent
}

// Around gives an agent the behaviour.
func (b Behaviour) Around(a host.Agent) host.Agent {
	if b.Wrap == nil {
		return a
	}
	return b.Wrap(a)
}

// Minds makes the minds that a miner could have, a new one in each call.
type Minds struct {
	Honest    func() mind.Server // begins at a base, and learns where the behaviour trains
	Untrained func() mind.Server // the same before any training
	Random    func() mind.Server // answers at random
}

func honest(m Minds) mind.Server { return m.Honest() }

// Behaviours lists the behaviours, those of one kind together, the default of each kind first.
func Behaviours() []Behaviour { return slices.Clone(behaviours) }

// Named finds a behaviour by its kind and name.
func Named(kind Kind, name string) (Behaviour, bool) {
	i := slices.IndexFunc(behaviours, func(b Behaviour) bool { return b.Kind == kind && b.Name == name })
	if i < 0 {
		return Behaviour{}, false
	}
	return behaviours[i], true
}

// Names lists the behaviours of a kind, the default first.
func Names(kind Kind) []string {
	var names []string
	for _, b := range behaviours {
		if b.Kind == kind {
			names = append(names, b.Name)
		}
	}
	return names
}

// behaviours has one line for each; every dishonest one has its own file.
var behaviours = []Behaviour{
	{Kind: Miner, Name: "honest", Doc: "trains and serves", Model: true, Base: true, Trains: true, Answers: true, Mind: honest},
	frozen, untrained, random, selective, skipping, coasting, relay, forger, breaker, confederate, idle,
	{Kind: Validator, Name: "honest", Doc: "queries and scores", Model: true, Asks: true},
	lazy, scripted, bait, hiding,
	{Kind: Application, Name: "honest", Doc: "has its prompts continued", Asks: true},
}
