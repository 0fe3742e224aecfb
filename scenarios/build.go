package scenarios

import (
	"errors"
	"fmt"

	"taolab/agents/role"
	"taolab/agents/settings"
	"taolab/report"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
	"taolab/sim/virtual"
)

// Options change the way a run is computed, never its events.
type Options struct {
	Workers     int
	Recorder    trace.Recorder
	RoundTripAt host.Time // encode every agent's state and restore it at this time; 0: never
	Paranoid    bool      // check the ledger's invariants after every step
	Signed      bool      // sign what nodes submit and verify what blocks contain
}

// Network is a scenario assembled: the virtual world's settings, and the list of its nodes for the
// manifest.
type Network struct {
	Config virtual.Config
	Nodes  []report.Node
	Rows   []trace.Node // the same nodes as rows of the nodes table
}

// Build assembles the network. Its agents share the material, which is read-only. The recorder
// receives the rows of the nodes table, which precede all others.
func (f *File) Build(m *Material, opt Options) (*Network, error) {
	params, err := f.Params()
	if err != nil {
		return nil, err
	}
	b := &builder{File: f, make: f.maker(m, params.MaxUIDs), groups: map[string]int{}}
	b.genesis = chain.Genesis{
		ChainID: f.Scenario.Name, Params: params, IssuanceOffsetRao: role.Rao(f.Chain.InitialIssuanceTAO),
	}
	if f.metagraph != nil {
		b.adoptMetagraph()
	}
	b.make.Height = b.genesis.Height
	for _, part := range []func() error{b.prices, b.miners, b.validators, b.applications, b.holders, b.bridge} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	if f.Chain.Owner != "" {
		b.genesis.Owner = virtual.PublicKey(f.Seed, b.machines[b.groups[f.Chain.Owner]].Name, host.Hotkey)
	}
	b.government()
	if opt.Recorder != nil && f.Trace.Nodes == "all" {
		for _, row := range b.rows {
			opt.Recorder.Record(row)
		}
	}
	return &Network{Nodes: b.nodes, Rows: b.rows, Config: virtual.Config{
		Genesis: b.genesis, Seed: f.Seed, BlockNs: role.Seconds(f.Time.BlockS), Blocks: f.BlockCount(),
		Nodes: b.machines, Links: f.links(), Faults: f.faults(), QuietTail: role.Seconds(f.Waves.TailS), Chain: f.producer(),
		SaveEvery: role.Seconds(f.Network.SaveS), Origin: m.Origin(), DigestEpochs: f.Chain.DigestEpochs,
		Workers: opt.Workers, RoundTripAt: opt.RoundTripAt, Recorder: opt.Recorder, Trace: f.recording(),
		Paranoid: opt.Paranoid, Signed: opt.Signed, EveryBlock: !f.Time.Jump,
	}}, nil
}

// builder collects machines, their entries in the manifest and their seats in the ledger.
type builder struct {
	*File
	make     *role.Maker
	genesis  chain.Genesis
	machines []virtual.Node
	nodes    []report.Node
	rows     []trace.Node
	groups   map[string]int        // first member of each group
	free     map[bool][]chain.UID  // free seats of a metagraph: true for miners
	named    map[chain.Key]entries // of its genesis, by hotkey
}

// maker makes the agents of the network.
func (f *File) maker(m *Material, seats uint16) *role.Maker {
	return &role.Maker{
		Material: m, Seed: f.Seed, Seats: int(seats), BlockS: f.Time.BlockS, EvaluateEveryBlocks: f.Evaluation.PeriodBlocks,
		Hotkey:  func(node string) chain.Key { return virtual.PublicKey(f.Seed, node, host.Hotkey) },
		Coldkey: func(name string) chain.Key { return virtual.PublicKey(f.Seed, name, host.Coldkey) },
		Neurons: f.neurons(), Open: open, Stated: f.stated(),
		RecordAnswers: f.Trace.Answers == "all", RecordRows: f.Trace.Rows == "all",
	}
}

func (b *builder) miners() error {
	for k := range b.Miners {
		g := &b.Miners[k]
		b.groups[g.Name] = len(b.nodes)
		for i := range g.Count {
			name := member(g.Name, i)
			made, err := b.make.Miner(name, &g.Miner, i, g.Count, float64(g.JoinsH*3600))
			if err != nil {
				return b.located(fmt.Sprintf("miners[%d]", k), err)
			}
			p := part{agent: made, group: g.Group, up: g.UpMbps, down: g.DownMbps}
			if g.JoinsH > 0 {
				p.joins = role.Seconds(float64(g.JoinsH * 3600))
			}
			p.node = report.Node{
				Group: g.Name, Kind: report.KindMiner, Behaviour: g.Behaviour, HasUID: p.joins == 0,
				StakeRao: role.Rao(g.StakeTAO.At(i, g.Count)), Data: g.Subsets,
			}
			if g.Acts().Trains {
				p.node.Duty = g.Duty.At(i, g.Count)
			}
			p.machine = virtual.Node{
				Name: name, FLOPS: flops(g.HardwareMFLOPS.At(i, g.Count)), Admission: g.Admission(), Identities: g.Identities(),
			}
			p.uids = g.UIDs
			b.add(p, i, g.Count)
		}
	}
	return nil
}

func (b *builder) validators() error {
	for k := range b.Validators {
		g := &b.Validators[k]
		b.groups[g.Name] = len(b.nodes)
		for i := range g.Count {
			name := member(g.Name, i)
			made, err := b.make.Validator(name, &g.Validator, b.targets(g))
			if err != nil {
				return b.located(fmt.Sprintf("validators[%d]", k), err)
			}
			p := part{agent: made, group: g.Group, up: g.UpMbps, down: g.DownMbps}
			p.node = report.Node{
				Group: g.Name, Kind: report.KindValidator, Behaviour: g.Behaviour, HasUID: true,
				StakeRao: role.Rao(g.StakeTAO.At(i, g.Count)), Data: g.Subsets,
			}
			if g.Acts().Asks {
				p.node.Routing = g.Routing
			}
			p.machine = virtual.Node{Name: name, FLOPS: flops(g.HardwareMFLOPS.At(i, g.Count))}
			b.add(p, i, g.Count)
		}
	}
	return nil
}

func (b *builder) applications() error {
	for k := range b.Applications {
		g := &b.Applications[k]
		b.groups[g.Name] = len(b.nodes)
		for i := range g.Count {
			name := member(g.Name, i)
			made, err := b.make.Application(name, &g.Application)
			if err != nil {
				return b.located(fmt.Sprintf("applications[%d]", k), err)
			}
			p := part{agent: made, group: g.Group, up: g.UpMbps, down: g.DownMbps}
			p.node = report.Node{
				Group: g.Name, Kind: report.KindApplication, Behaviour: report.Honest, StakeRao: role.Rao(g.StakeTAO.At(i, g.Count)),
			}
			p.machine = virtual.Node{Name: name}
			b.add(p, i, g.Count)
		}
	}
	return nil
}

// flops converts a speed to FLOP/s.
func flops(mflops float64) int64 { return int64(float64(mflops * 1e6)) }

// located gives an error of a role's settings its place in the scenario.
func (f *File) located(path string, err error) error {
	var fault *settings.Error
	if errors.As(err, &fault) {
		fault.Where, fault.Key = f.Origin, path+"."+fault.Key
	}
	return err
}

func indexOf(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}

func (f *File) links() virtual.Links {
	links := virtual.Links{
		Regions: f.Network.Regions, Jitter: milliseconds(f.Network.JitterMs), Loss: f.Network.Loss, HeaderBytes: f.Network.HeaderBytes,
	}
	for _, row := range f.Network.LatencyMs {
		var times []host.Time
		for _, ms := range row {
			times = append(times, milliseconds(ms))
		}
		links.Latency = append(links.Latency, times)
	}
	return links
}

func (f *File) producer() virtual.Producer {
	return virtual.Producer{
		Region: max(indexOf(f.Network.Regions, f.Network.Producer), 0), // the first if none is named
		MaxTxs: f.Network.ProducerTxs, MaxWaiting: f.Network.ProducerWaiting, ExpiryBlocks: f.Network.TxExpiryBlocks,
	}
}

func (f *File) recording() virtual.Recording {
	r := virtual.Recording{
		Thin: f.Trace.EveryEpochs, Epochs: f.Trace.Epochs, Weights: f.Trace.Weights, Bonds: f.Trace.Bonds, Faults: true,
		Seats: f.Trace.Seats == "all", Transactions: f.Trace.Transactions == "all",
	}
	switch f.Trace.Blocks {
	case "all":
		r.Blocks, r.Ledger = 1, 1
	case "epochs":
		r.Turns = true
		if f.Chain.TempoBlocks == 0 { // without epochs, about a thousand rows in all
			r.Blocks = max(f.BlockCount()/1000, 1)
			r.Ledger = r.Blocks
		}
	}
	return r
}

func milliseconds(ms float64) host.Time { return host.Time(float64(ms * 1e6)) }
