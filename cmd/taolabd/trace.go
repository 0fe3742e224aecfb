package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"taolab/agents/role"
	scoring "taolab/agents/score"
	"taolab/agents/settings"
	"taolab/cmd/internal/command"
	"taolab/report"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// recording is what a trace has of the chain: everything.
var recording = host.Recording{Blocks: 1, Ledger: 1, Digests: 1, Epochs: 1, Weights: 1, Bonds: 1, Seats: true, Transactions: true}

// tables are those that a trace has. Faults of a live network are nobody's plan.
func (t *traceTable) tables() []trace.Table {
	return slices.DeleteFunc(report.Tables(), func(name trace.Table) bool {
		return name == trace.Faults || name == trace.Scores && t.Rows == "off"
	})
}

// newTrail is the trace of a process, as its settings want it; nil: none.
func (p *process) newTrail(material *role.Material, cast []member) *trail {
	if !p.settings.Trace.On {
		return nil
	}
	return &trail{
		traceTable: p.settings.Trace, dir: p.home.traces(), view: p.node.View, log: p.log,
		describe: func() (report.Manifest, []trace.Node) { return p.manifest(material, cast), rowsOf(cast) },
	}
}

// manifest says of a trace what it is made of.
func (p *process) manifest(material *role.Material, cast []member) report.Manifest {
	v := command.CurrentVersion()
	corpus := material.Store.Source()
	m := report.Manifest{
		Name: p.genesis.ChainID, Seed: p.settings.Seed, Scenario: p.resolved(), ScenarioTOML: p.settings.text(),
		CorpusPath: p.settings.Corpus.Path, CorpusDigest: hex.EncodeToString(corpus[:]), Recorded: p.settings.Trace.tables(),
		Versions: report.Versions{
			Module: v.Version + " " + v.Revision, Go: v.Go, GOOS: runtime.GOOS, GOARCH: runtime.GOARCH, ISA: v.ISA,
		},
		InForce: p.inForce(), Warnings: append([]string(nil), material.Warnings...),
		Anchors: report.Anchors{
			BigramLoss: material.BigramLoss, BytesPerToken: material.Store.BytesPerToken(),
			EquivalentFactor: scoring.LossScale(material.Store.BytesPerToken()),
		},
	}
	for _, c := range material.Contents() {
		m.Contents = append(m.Contents, report.Content{Name: c.Name, Digest: hex.EncodeToString(c.Digest[:])})
	}
	for _, made := range material.Bases {
		shape := made.Model.Config
		if !slices.ContainsFunc(cast, func(one member) bool { return one.miner && one.made.Shape != nil && *one.made.Shape == shape }) {
			continue // only of routing models
		}
		m.Anchors.Bases = append(m.Anchors.Bases, report.BaseLoss{
			Width: shape.Width, Layers: shape.Layers, Params: uint64(shape.Params()), Loss: made.HeldOutLoss,
		})
	}
	for _, one := range cast {
		m.Nodes = append(m.Nodes, one.node)
	}
	return m
}

// text is node.toml with every value, and what the command line changed.
func (s *nodeSettings) text() string {
	var b strings.Builder
	if err := settings.Write(&b, *s, false); err != nil {
		panic("taolabd: writing to memory failed: " + err.Error())
	}
	return b.String()
}

// resolved is the same as JSON, with what a report asks a scenario for.
func (p *process) resolved() json.RawMessage {
	tree := map[string]any{}
	if _, err := toml.Decode(p.settings.text(), &tree); err != nil {
		panic("taolabd: written settings do not read back: " + err.Error())
	}
	tree["description"] = fmt.Sprintf("What a node of the live network %s and its agents saw and did.", p.genesis.ChainID)
	tree["time"] = map[string]any{"start": p.genesis.Time.UTC().Format(time.DateOnly), "block_s": p.genesis.Interval.Seconds()}
	if groups, ok := settings.Tables(tree["validators"]); ok {
		for _, g := range groups {
			g["name"] = g["group"] // by which a report knows it
		}
	}
	data, err := json.Marshal(tree)
	if err != nil {
		panic("taolabd: written settings are not JSON: " + err.Error())
	}
	return data
}

// inForce lists every rule and parameter of the ledger.
func (p *process) inForce() json.RawMessage {
	view := p.node.View()
	params := view.Params()
	list := []report.Rule{
		{Name: "neurons", Value: fmt.Sprint(view.N()), Note: fmt.Sprintf("of %d seats", params.MaxUIDs)},
		{Name: "blocks", Value: fmt.Sprintf("one every %g s", p.genesis.Interval.Seconds())},
	}
	values := reflect.ValueOf(params)
	for i := range values.NumField() {
		if f := values.Type().Field(i); f.Name != "Hard" {
			list = append(list, report.Rule{Name: f.Name, Value: fmt.Sprint(values.Field(i))})
		}
	}
	for _, s := range role.HardInForce(params.Hard) {
		list = append(list, report.Rule{Name: s.Name, Value: s.Value, Note: s.Note})
	}
	data, err := json.Marshal(list)
	if err != nil {
		panic("taolabd: rules are not JSON: " + err.Error())
	}
	return data
}

// member is an agent of this process as a trace shows it.
type member struct {
	miner bool
	made  role.Agent
	node  report.Node
	cold  string // hex; empty where the hotkey has no owner yet
}

// shown completes what a trace shows of an agent.
func (p *process) shown(a *agentTable, made role.Agent, hotkey chain.Key, n report.Node) member {
	view := p.node.View()
	n.Name, n.Group, n.Hotkey, n.Params = a.Name, a.Group, hotkey.String(), uint64(made.Params)
	n.StakeRao = view.StakeOf(hotkey)
	if made.Shape != nil {
		n.Width, n.Layers = made.Shape.Width, made.Shape.Layers
	}
	one := member{miner: n.Kind == report.KindMiner, made: made, node: n}
	if owner, owned := view.OwnerOf(hotkey); owned {
		one.cold = owner.String()
	}
	return one
}

// rowsOf are the agents in the table of nodes.
func rowsOf(cast []member) (rows []trace.Node) {
	for i, one := range cast {
		n := one.node
		row := trace.Node{
			Node: uint32(i), Name: n.Name, Group: n.Group, Role: n.Kind, Behaviour: n.Behaviour, Hotkey: n.Hotkey,
			Coldkey: one.cold, StakeRao: n.StakeRao,
		}
		if c := one.made.Shape; c != nil {
			row.Width, row.Layers = trace.Some(uint32(c.Width)), trace.Some(uint32(c.Layers))
			row.Heads, row.Context = trace.Some(uint32(c.Heads)), trace.Some(uint32(c.Context))
			row.Params = trace.Some(n.Params)
		}
		if n.Duty > 0 {
			row.Duty = trace.Some(n.Duty)
		}
		rows = append(rows, row)
	}
	return rows
}

// entry is what the settings say of a miner for run.json.
func (t *minerTable) entry() report.Node {
	n := report.Node{Kind: report.KindMiner, Behaviour: t.Behaviour, Data: t.Subsets}
	if t.Acts().Trains {
		n.Duty = t.Duty.At(0, 1)
	}
	return n
}

// entry is what the settings say of a validator.
func (t *validatorTable) entry() report.Node {
	n := report.Node{Kind: report.KindValidator, Behaviour: t.Behaviour, Data: t.Subsets}
	if t.Acts().Asks {
		n.Routing = t.Routing
	}
	return n
}

// entry is what the settings say of an application.
func (t *applicationTable) entry() report.Node {
	return report.Node{Kind: report.KindApplication, Behaviour: report.Honest}
}
