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

// Maker makes the agents of one network of settings and of what they share.
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

	Neurons []Neuron                // who may hold a seat
	Stated  *mind.Subsets           // what questions are about in a network without models; nil: it has models
	Prices  map[string]*decide.Path // by name
	Open    Opener

	nearest *mind.Nearest // tells subsets apart; nil until somebody needs it
	texts   []*text
	hotkeys map[string]chain.Key
	files   map[string]map[string]script.List // of scripted rows, by path
}

// Opener opens a file that settings name.
type Opener = func(path string) (io.ReadCloser, error)

// Agent is an agent before its first event, and the model behind it.
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

// behaviours are the words of a kind of node, and what they mean.
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

// model is the base model of a shape.
func (m *Maker) model(shape lm.Config) *lm.Model {
	for _, made := range m.Bases {
		if made.Model.Config == shape {
			return made.Model
		}
	}
	panic("role: no base model of shape " + base.ShapeName(shape))
}

// longest is the longest request that a miner without a model serves: as long as the first base model's, or
// as the held-out windows where there is none.
func (m *Maker) longest() int {
	if len(m.Bases) > 0 {
		return m.Bases[0].Model.Config.Context
	}
	return m.Cols
}

// weightsOf are the weights that wanted subsets have with somebody, by the place of each among names: their
// shares, or what they weigh by themselves where there are no shares. None wanted means all.
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

// checkMix reports shares that do not fit the subsets that they are of.
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
