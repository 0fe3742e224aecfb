package role

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"taolab/agents"
	"taolab/agents/attack"
	"taolab/agents/mind"
	"taolab/agents/script"
	"taolab/agents/settings"
	"taolab/model/base"
	"taolab/model/lm"
	"taolab/model/pile"
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
	RecordAnswers       bool
	RecordRows          bool

	Neurons []Neuron                                 // who may hold a seat
	Stated  *mind.Subsets                            // what questions are about in a network without models; nil: it has models
	Open    func(path string) (io.ReadCloser, error) // opens a file that settings name

	mixes   []madeMix
	hotkeys map[string]chain.Key
	files   map[string]map[string]script.List // of scripted rows, by path
}

// Agent is an agent before its first event, and the model behind it.
type Agent struct {
	Fresh  func() host.Agent
	Shape  *lm.Config // of its model, or of the trunk of its routing model; nil where it has none
	Params int        // weights of all of its models
}

// Joining makes of an agent one that first registers, after so many seconds. Who is refused tries again after
// a tenth of an hour, for as long as the network lives.
func (m *Maker) Joining(a Agent, afterS float64) Agent {
	blocks := func(s float64) uint64 { return max(uint64(s/m.BlockS), 1) }
	config := agents.NewcomerConfig{AtBlock: m.Height + blocks(afterS), RetryBlocks: blocks(360), Tries: 1 << 20, Then: a.Fresh}
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

// madeMix is a mix that members of a group share.
type madeMix struct {
	store  *pile.Store
	split  pile.Split
	wanted []string
	mix    *pile.Mix
}

// mix is one of the network's text.
func (m *Maker) mix(split pile.Split, wanted []string) (*pile.Mix, error) {
	return m.mixOf(m.Store, split, wanted)
}

// mixOf gives the wanted subsets their corpus weights and all others none; none wanted means all.
func (m *Maker) mixOf(store *pile.Store, split pile.Split, wanted []string) (*pile.Mix, error) {
	for _, made := range m.mixes {
		if made.store == store && made.split == split && slices.Equal(made.wanted, wanted) {
			return made.mix, nil
		}
	}
	names, weights := store.Subsets(), store.Weights()
	for i, name := range names {
		if len(wanted) > 0 && !slices.Contains(wanted, name) {
			weights[i] = 0
		}
	}
	if len(wanted) == 0 {
		weights = nil
	}
	mix, err := store.NewMix(split, weights)
	if err != nil {
		return nil, &settings.Error{Key: "subsets", Fault: err.Error(), Want: "subsets with text"}
	}
	m.mixes = append(m.mixes, madeMix{store, split, wanted, mix})
	return mix, nil
}
