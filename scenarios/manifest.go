package scenarios

import (
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"taolab/agents/score"
	"taolab/report"
	"taolab/sim/chain"
	"taolab/sim/trace"
	"taolab/sim/virtual"
)

// Tables lists the tables that the scenario records.
func (sc *Scenario) Tables() []trace.Table {
	t := sc.Trace
	var tables []trace.Table
	for _, entry := range []struct {
		on    bool
		table trace.Table
	}{
		{t.Nodes == "all", trace.Nodes},
		{t.Seats == "all", trace.Seats},
		{t.Blocks != "off", trace.Blocks},
		{t.Transactions == "all", trace.Transactions},
		{t.Epochs > 0, trace.Epochs},
		{t.Weights > 0, trace.Weights},
		{t.Bonds > 0, trace.Bonds},
		{t.Queries == "all", trace.Queries},
		{t.Answers == "all", trace.Answers},
		{t.Rows == "all", trace.Scores},
		{t.Training == "all", trace.Training},
		{t.Blocks != "off", trace.Ledger},
		{true, trace.Faults},
		{t.Applications == "all", trace.Applications},
		{t.Decisions == "all" && sc.Decides(), trace.Decisions},
	} {
		if entry.on {
			tables = append(tables, entry.table)
		}
	}
	return tables
}

// Manifest makes the first record of a run, before its first event.
func (f *File) Manifest(m *Material, n *Network) *report.Manifest {
	manifest := &report.Manifest{
		Name: f.Scenario.Name, Seed: f.Seed, Scenario: f.resolved(), ScenarioTOML: f.Text,
		GenesisBlock: n.Config.Genesis.Height, Nodes: n.Nodes, Warnings: append([]string{}, m.Warnings...),
		Recorded: f.Tables(), Contents: contents(m), InForce: f.inForce(m),
	}
	if m.Text == nil {
		return manifest
	}
	corpus := m.Store.Source()
	manifest.CorpusDigest, manifest.CorpusPath = hex.EncodeToString(corpus[:]), f.corpusPath()
	manifest.Anchors = report.Anchors{
		BigramLoss: m.BigramLoss, BytesPerToken: m.Store.BytesPerToken(),
		EquivalentFactor: score.LossScale(m.Store.BytesPerToken()),
	}
	for _, made := range m.Bases {
		shape := made.Model.Config
		if !slices.Contains(f.minerShapes(), shape) {
			continue // only of routing models
		}
		manifest.Anchors.Bases = append(manifest.Anchors.Bases, report.BaseLoss{
			Width: shape.Width, Layers: shape.Layers, Params: uint64(shape.Params()), Loss: made.HeldOutLoss,
		})
	}
	return manifest
}

// resolved encodes the scenario with every key as JSON.
func (f *File) resolved() json.RawMessage {
	var text strings.Builder
	tree := map[string]any{}
	if err := f.WriteTOML(&text, false); err != nil {
		panic("scenarios: writing to memory failed: " + err.Error())
	}
	if _, err := toml.Decode(text.String(), &tree); err != nil {
		panic("scenarios: a resolved scenario does not read back: " + err.Error())
	}
	data, err := json.Marshal(tree)
	if err != nil {
		panic("scenarios: a resolved scenario is not JSON: " + err.Error())
	}
	return data
}

// Finish adds the results of the world.
func Finish(manifest *report.Manifest, world *virtual.World) {
	p := world.Progress()
	manifest.VirtualNs, manifest.Blocks, manifest.Events, manifest.FLOP = int64(p.Now), p.Height, p.Events, uint64(p.FLOP)
	manifest.RunDigest = world.Digest().String()
	manifest.LedgerDigest = world.LedgerDigest().String()
	seats := map[string]chain.UID{} // by hotkey: newcomers are listed, replaced neurons are not
	view := world.Chain()
	for i := range view.N() {
		seats[view.Neuron(chain.UID(i)).Hotkey.String()] = chain.UID(i)
	}
	for i := range manifest.Nodes {
		n := &manifest.Nodes[i]
		uid, seated := seats[n.Hotkey]
		n.UID, n.HasUID = uint16(uid), seated
		n.UIDs = nil
		for _, hotkey := range n.Hotkeys {
			if uid, seated := seats[hotkey]; seated {
				n.UIDs = append(n.UIDs, uint16(uid))
			}
		}
	}
}

// contents lists the material that the network starts from, for run.json.
func contents(m *Material) []report.Content {
	list := []report.Content{}
	for _, c := range m.Contents() {
		list = append(list, report.Content{Name: c.Name, Digest: hex.EncodeToString(c.Digest[:])})
	}
	return list
}
