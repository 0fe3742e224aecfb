package scenarios

import (
	"fmt"

	"taolab/agents"
	"taolab/model/lm"
	"taolab/model/num"
	"taolab/model/pile"
	"taolab/report"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
	"taolab/sim/virtual"
)

// Options change how a run is made, never what happens in it.
type Options struct {
	Workers     int
	Recorder    trace.Recorder
	RoundTripAt host.Time // send every agent's state through bytes at this time; 0 means never
	Paranoid    bool      // check the ledger's invariants after every step
	Signed      bool      // sign what nodes submit and verify what blocks contain
}

// Network is a scenario put together: what the virtual world needs, and the list of its nodes as
// the manifest shows it.
type Network struct {
	Config virtual.Config
	Nodes  []report.Node
}

// Build puts the network together. Its agents share the material and only read it.
func (f *File) Build(m *Material, opt Options) (*Network, error) {
	params, err := f.Params()
	if err != nil {
		return nil, err
	}
	b := &builder{File: f, material: m, uids: int(params.MaxUIDs), groups: map[string]int{}}
	b.regions = num.NewStream(f.Seed, "regions")
	b.delays = num.NewStream(f.Seed, "block delays")
	b.genesis = chain.Genesis{
		ChainID: f.Scenario.Name, Params: params, IssuanceOffsetRao: rao(f.Chain.InitialIssuanceTAO),
	}
	for _, part := range []func() error{b.miners, b.validators, b.applications, b.crashes} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	if f.Chain.Owner != "" {
		b.genesis.Owner = virtual.PublicKey(f.Seed, b.machines[b.groups[f.Chain.Owner]].Name, host.Hotkey)
	}
	return &Network{Nodes: b.nodes, Config: virtual.Config{
		Genesis: b.genesis, Seed: f.Seed, BlockNs: seconds(f.Time.BlockS), Blocks: f.BlockCount(),
		Nodes: b.machines, Links: f.links(), Partitions: f.partitions(),
		DigestEpochs: 1,
		Workers:      opt.Workers, RoundTripAt: opt.RoundTripAt, Recorder: opt.Recorder, Trace: f.recording(),
		Paranoid: opt.Paranoid, Signed: opt.Signed,
	}}, nil
}

// builder collects machines, their entries in the manifest and their places in the ledger.
type builder struct {
	*File
	material *Material
	uids     int
	regions  *num.Stream
	delays   *num.Stream
	genesis  chain.Genesis
	machines []virtual.Node
	nodes    []report.Node
	groups   map[string]int // first member of each group
}

// add gives a machine its keys, region, links and place in the ledger; who joins later has free
// money there and nothing else.
func (b *builder) add(machine virtual.Node, node report.Node, up, down float64, joins bool) {
	seed := b.Seed
	machine.Region = b.regions.IntN(len(b.Network.Regions))
	machine.BlockDelay = host.Time(float64(b.Network.BlockDelayMs * float64(float64(host.Millisecond)*b.delays.Exponential())))
	machine.BlockDelay = min(machine.BlockDelay, seconds(b.Time.BlockS)*100)
	machine.UpBps, machine.DownBps = int64(float64(up*1e6)), int64(float64(down*1e6))
	machine.Agent = machine.Fresh()
	hotkey := virtual.PublicKey(seed, machine.Name, host.Hotkey)
	coldkey := virtual.PublicKey(seed, machine.Name, host.Coldkey)
	switch {
	case joins:
		b.genesis.Balances = append(b.genesis.Balances, chain.Balance{Coldkey: coldkey, FreeRao: node.StakeRao})
		node.StakeRao = 0
	case node.HasUID:
		node.UID = uint16(len(b.genesis.Neurons))
		b.genesis.Neurons = append(b.genesis.Neurons, chain.GenesisNeuron{Hotkey: hotkey, Coldkey: coldkey, StakeRao: node.StakeRao})
	default:
		b.genesis.Stakes = append(b.genesis.Stakes, chain.GenesisStake{Hotkey: hotkey, Coldkey: coldkey, StakeRao: node.StakeRao})
	}
	node.Index, node.Name, node.Hotkey = len(b.nodes), machine.Name, hotkey.String()
	node.Region = b.Network.Regions[machine.Region]
	b.machines = append(b.machines, machine)
	b.nodes = append(b.nodes, node)
}

func member(group string, i, n int) string {
	if n == 1 {
		return group
	}
	return fmt.Sprintf("%s-%0*d", group, len(fmt.Sprint(n)), i+1)
}

func (b *builder) miners() error {
	for k, g := range b.Miners {
		b.groups[g.Name] = len(b.nodes)
		mix, err := b.mix(pile.Train, g.Subsets, fmt.Sprintf("miners[%d].subsets", k))
		if err != nil {
			return err
		}
		for i := range g.Count {
			name := member(g.Name, i, g.Count)
			config := b.miner(g, name, i, mix)
			if err := config.Validate(); err != nil {
				return fmt.Errorf("miner %s: %w", name, err)
			}
			speed := int64(float64(g.HardwareMFLOPS.At(i, g.Count) * 1e6))
			shape := b.shape(g)
			node := report.Node{
				Kind: "miner", Behaviour: g.Behaviour, HasUID: true, StakeRao: rao(g.StakeTAO.At(i, g.Count)),
				Data: g.Subsets, HardwareFLOPS: float64(speed),
			}
			if g.Behaviour != "random" {
				node.Params, node.Width, node.Layers = uint64(shape.Params()), shape.Width, shape.Layers
			}
			if g.Behaviour == "honest" {
				node.Duty = g.Duty.At(i, g.Count)
			}
			fresh := func() host.Agent { return agents.NewMiner(config) }
			joins := g.JoinsH > 0
			if node.HasUID = !joins; joins {
				fresh = b.newcomer(g, fresh)
			}
			b.add(virtual.Node{
				Name: name, FLOPS: speed, Fresh: fresh,
				Admission: host.AdmissionRules{
					MinStakeRao: rao(g.MinStakeTAO), MinInterval: seconds(g.MinIntervalS), Capacity: g.Queue, Slots: 1,
				},
			}, node, g.UpMbps, g.DownMbps, joins)
		}
	}
	return nil
}

// newcomer makes agents that register at their group's time and are miners from then on. Who is
// refused tries again after a tenth of an hour, for as long as the run lasts.
func (b *builder) newcomer(g MinerGroup, then func() host.Agent) func() host.Agent {
	blocks := func(hours float64) uint64 { return uint64(float64(hours*3600) / b.Time.BlockS) }
	config := agents.NewcomerConfig{
		AtBlock: max(blocks(g.JoinsH), 1), RetryBlocks: max(blocks(0.1), 1), Tries: 1 << 20, Then: then,
	}
	return func() host.Agent { return agents.NewNewcomer(config) }
}

func (b *builder) miner(g MinerGroup, name string, i int, mix *pile.Mix) agents.MinerConfig {
	config := agents.MinerConfig{
		TopK: b.Corpus.Vocab / 8, MaxRows: 1024, MaxCols: g.Context, Waiting: g.Queue,
		Evaluation: b.material.Evaluation, EvaluateEveryBlocks: b.Evaluation.PeriodBlocks,
	}
	switch g.Behaviour {
	case "random":
		config.Behaviour, config.Base = agents.Random, b.material.vocabulary(b.Corpus.Vocab, b.smallestContext())
		config.MaxCols = config.Base.Config.Context
		return config
	case "frozen", "untrained":
		config.Behaviour = agents.Frozen
	}
	config.Base = b.base(b.shape(g))
	if g.Behaviour == "untrained" {
		config.Base = lm.New(b.shape(g), num.NewStream(b.Seed, "untrained/"+name))
	}
	config.Training = agents.Training{
		Mix: mix, Optimizer: optimizer(float32(g.LearningRate)), Rows: g.Rows, Cols: g.Context,
		Steps: g.Steps, Duty: g.Duty.At(i, g.Count),
	}
	return config
}

// base is the base model of a shape.
func (b *builder) base(shape lm.Config) *lm.Model {
	for _, base := range b.material.Bases {
		if base.Model.Config == shape {
			return base.Model
		}
	}
	panic("scenarios: no base model of shape " + shapeName(shape))
}

func (b *builder) validators() error {
	for k, g := range b.Validators {
		b.groups[g.Name] = len(b.nodes)
		mix, err := b.mix(pile.Score, g.Subsets, fmt.Sprintf("validators[%d].subsets", k))
		if err != nil {
			return err
		}
		for i := range g.Count {
			name := member(g.Name, i, g.Count)
			fresh, params, err := b.validator(g, name, mix)
			if err != nil {
				return err
			}
			speed := int64(float64(g.HardwareMFLOPS.At(i, g.Count) * 1e6))
			node := report.Node{
				Kind: "validator", Behaviour: g.Behaviour, HasUID: true, StakeRao: rao(g.StakeTAO.At(i, g.Count)),
				Data: g.Subsets, HardwareFLOPS: float64(speed),
			}
			if g.Behaviour == "honest" {
				node.Params, node.Width, node.Layers, node.Routing = uint64(params), g.RouterWidth, 1, g.Routing
			}
			b.add(virtual.Node{Name: name, FLOPS: speed, Fresh: fresh}, node, g.UpMbps, g.DownMbps, false)
		}
	}
	return nil
}

func (b *builder) validator(g ValidatorGroup, name string, mix *pile.Mix) (fresh func() host.Agent, params int, err error) {
	if g.Behaviour == "lazy" {
		config := agents.LazyConfig{EpochBlocks: g.EpochBlocks}
		return func() host.Agent { return agents.NewLazy(config) }, 0, config.Validate()
	}
	shape := lm.Config{Vocab: b.Corpus.Vocab, Context: g.Tokens, Width: g.RouterWidth, Layers: 1, Heads: g.RouterHeads}
	router := lm.NewRouter(shape, b.uids, num.NewStream(b.Seed, "router/"+name))
	config := agents.ValidatorConfig{
		Mix: mix, Subsets: b.material.Store.Subsets(), Vocab: b.Corpus.Vocab,
		Rows: g.Rows, Cols: g.Tokens, TopK: g.TopK, Peers: g.Peers,
		StepNs: seconds(g.StepS), TimeoutNs: seconds(g.TimeoutS), BlockNs: seconds(b.Time.BlockS),
		Gate: agents.Gate{Noise: g.Noise, Explore: g.Explore}, Router: router,
		SGD:         lm.SGD{Rate: float32(g.RouterRate), Momentum: 0.8, ClipNorm: 1},
		EpochBlocks: g.EpochBlocks, Alpha: g.Alpha, Power: g.Power, SynergyPower: g.SynergyPower,
		BytesPerToken: b.material.Store.BytesPerToken(),
	}
	if g.Routing == "gated" {
		config.Routing = agents.Gated
	}
	if err := config.Validate(); err != nil {
		return nil, 0, fmt.Errorf("validator %s: %w", name, err)
	}
	params = router.Trunk.Config.Params() + len(router.Gates) + len(router.Bias)
	return func() host.Agent { return agents.NewValidator(config) }, params, nil
}

func (b *builder) applications() error {
	mix, err := b.mix(pile.Score, nil, "corpus.subsets")
	if err != nil {
		return err
	}
	for _, g := range b.Applications {
		b.groups[g.Name] = len(b.nodes)
		for i := range g.Count {
			config := agents.ApplicationConfig{
				Mix: mix, Vocab: b.Corpus.Vocab, Cols: g.Prompt, Tokens: g.Tokens, Forced: true,
				TopK: g.TopK, Peers: g.Peers, EveryNs: seconds(g.SessionS), PaceNs: seconds(g.PaceS), TimeoutNs: seconds(g.TimeoutS),
			}
			name := member(g.Name, i, g.Count)
			if err := config.Validate(); err != nil {
				return fmt.Errorf("application %s: %w", name, err)
			}
			node := report.Node{Kind: "application", Behaviour: "honest", StakeRao: rao(g.StakeTAO.At(i, g.Count))}
			b.add(virtual.Node{
				Name: name, Fresh: func() host.Agent { return agents.NewApplication(config) },
			}, node, g.UpMbps, g.DownMbps, false)
		}
	}
	return nil
}

// crashes stops the first member of each group that a fault names.
func (b *builder) crashes() error {
	for _, fault := range b.Faults {
		if fault.Kind != "crash" {
			continue
		}
		machine := &b.machines[b.groups[fault.Group]]
		machine.Crashes = append(machine.Crashes, virtual.Crash{At: seconds(fault.AtS), After: seconds(fault.DurationS)})
	}
	return nil
}

// mix gives the wanted subsets their corpus weights and all others none.
func (b *builder) mix(split pile.Split, wanted []string, key string) (*pile.Mix, error) {
	var weights []float64
	if len(wanted) > 0 {
		names, all := b.material.Store.Subsets(), b.material.Store.Weights()
		weights = make([]float64, len(names))
		for _, want := range wanted {
			i := indexOf(names, want)
			if i < 0 {
				return nil, b.noSubset(key, want, names)
			}
			weights[i] = all[i]
		}
	}
	mix, err := b.material.Store.NewMix(split, weights)
	if err != nil {
		return nil, &Error{Where: b.File.Origin, Key: key, Fault: err.Error(), Want: "subsets with text"}
	}
	return mix, nil
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
	links := virtual.Links{Jitter: milliseconds(f.Network.JitterMs), Loss: f.Network.Loss}
	for _, row := range f.Network.LatencyMs {
		var times []host.Time
		for _, ms := range row {
			times = append(times, milliseconds(ms))
		}
		links.Latency = append(links.Latency, times)
	}
	return links
}

func (f *File) partitions() []virtual.Partition {
	var list []virtual.Partition
	for _, fault := range f.Faults {
		if fault.Kind == "partition" {
			list = append(list, virtual.Partition{
				Region: indexOf(f.Network.Regions, fault.Region),
				From:   seconds(fault.AtS), To: seconds(fault.AtS) + seconds(fault.DurationS),
			})
		}
	}
	return list
}

func (f *File) recording() virtual.Recording {
	r := virtual.Recording{Epochs: f.Trace.Epochs, Weights: f.Trace.Weights, Bonds: f.Trace.Bonds, Seats: true, Faults: true}
	if f.Trace.Blocks == "all" {
		r.Blocks, r.Ledger, r.Transactions = 1, 1, true
	}
	return r
}

// rao converts TAO to the ledger's integer unit, to the nearest.
func rao(tao float64) uint64 { return uint64(float64(tao*chain.RaoPerTAO) + 0.5) }

func seconds(s float64) host.Time { return host.Time(float64(s * 1e9)) }

func milliseconds(ms float64) host.Time { return host.Time(float64(ms * 1e6)) }
