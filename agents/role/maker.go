package role

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"taolab/agents"
	"taolab/agents/attack"
	"taolab/agents/decide"
	"taolab/agents/mind"
	"taolab/agents/script"
	"taolab/model/base"
	"taolab/model/lm"
	"taolab/sim/chain"
	"taolab/sim/host"
)

// Maker makes the agents of one network from their settings and the material that they share.
type Maker struct {
	*Material
	Seed                uint64
	Seats               int                         // uids of the ledger
	BlockS              float64                     // time between blocks
	Height              uint64                      // of the ledger when the network begins
	EvaluateEveryBlocks uint64                      // between two measurements of a miner
	Hotkey              func(node string) chain.Key // public key of a node's hotkey
	Coldkey             func(name string) chain.Key // public key of a coldkey
	RecordAnswers       bool
	RecordRows          bool

	Neurons []Neuron                // the nodes that may hold a seat
	Stated  *mind.Subsets           // the subjects of questions in a network without models; nil: it has models
	Prices  map[string]*decide.Path // by name
	Open    Opener

	nearest *mind.Nearest // tells subsets apart; nil until somebody needs it
	texts   []*text
	hotkeys map[string]chain.Key
	files   map[string]map[string]script.List // of scripted rows, by path
}

// Opener opens a file named in the settings.
type Opener = func(path string) (io.ReadCloser, error)

// Agent is a new agent and the size of its models.
type Agent struct {
	Fresh  func() host.Agent
	Shape  *lm.Config // of its model, or of the trunk of its routing model; nil where it has none
	Params int        // weights of all of its models
}

// Joining makes of an agent one that first registers so many uids, after so many seconds. Who is refused tries again after
// a tenth of an hour, for as long as the network lives.
func (m *Maker) Joining(a Agent, afterS float64, uids int) Agent {
	blocks := func(s float64) uint64 { return max(uint64(s/m.BlockS), 1) }
	config := agents.NewcomerConfig{AtBlock: m.Height + blocks(afterS), RetryBlocks: blocks(360), Tries: 1 << 20, Identities: uids, Then: a.Fresh}
	a.Fresh = func() host.Agent { return agents.NewNewcomer(config) }
	return a
}

// behaviours lists the names of a kind of node's behaviours, and their meaning.
func behaviours(kind attack.Kind) (words []string, doc string) {
	var meanings []string
	for _, b := range attack.Behaviours() {
		if b.Kind == kind {
			words = append(words, b.Name)
			meanings = append(meanings, b.Name+" "+b.Doc)
		}
	}
	return words, strings.Join(meanings, "; ")
}

func named(kind attack.Kind, name string) attack.Behaviour {
	b, ok := attack.Named(kind, name)
	if !ok {
		panic(fmt.Sprintf("role: no %s is %s", kind, name))
	}
	return b
}

// model returns the base model of a shape.
func (m *Maker) model(shape lm.Config) *lm.Model {
	for _, made := range m.Bases {
		if made.Model.Config == shape {
			return made.Model
		}
	}
	panic("role: no base model of shape " + base.ShapeName(shape))
}

// longest is the longest request that a miner without a model serves: the context of the first base model, or
// the length of the held-out windows if there is none.
func (m *Maker) longest() int {
	if len(m.Bases) > 0 {
		return m.Bases[0].Model.Config.Context
	}
	return m.Cols
}

// weightsOf returns a reader's weights, one for each of names: the shares of the wanted subsets, or their own
// weights if there are no shares. No wanted subset means all.
func weightsOf(names []string, weights []float64, wanted []string, shares []float64) []float64 {
	own := make([]float64, len(names))
	for i, name := range names {
		switch place := slices.Index(wanted, name); {
		case len(wanted) == 0 || place >= 0 && len(shares) == 0:
			own[i] = weights[i]
		case place >= 0:
			own[i] = shares[place]
		}
	}
	return own
}

// checkMix reports shares that do not fit their subsets.
func checkMix(path string, subsets []string, shares []float64, report Report) {
	if len(shares) == 0 {
		return
	}
	sum := 0.0
	for _, share := range shares {
		if !(share >= 0) {
			report(path+".mix", fmt.Sprintf("%g", share), "shares of 0 or more", "")
		}
		sum += share
	}
	switch {
	case len(shares) != len(subsets):
		report(path+".mix", fmt.Sprintf("%d shares for %d subsets", len(shares), len(subsets)), "one for each of subsets", "name the subsets")
	case sum == 0:
		report(path+".mix", "all 0", "one share above 0", "")
	}
}
