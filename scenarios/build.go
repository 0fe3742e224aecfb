package scenarios

import (
	"errors"
	"fmt"

	"taolab/agents"
	"taolab/agents/attack"
	"taolab/agents/mind"
	"taolab/agents/score"
	"taolab/agents/wire"
	"taolab/model/base"
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
	Rows   []trace.Node // the same as rows of the table of nodes
}

// Build puts the network together. Its agents share the material and only read it. The recorder gets
// the table of nodes, whose rows stand before all others.
func (f *File) Build(m *Material, opt Options) (*Network, error) {
	params, err := f.Params()
	if err != nil {
		return nil, err
	}
	b := &builder{File: f, material: m, uids: int(params.MaxUIDs), groups: map[string]int{}}
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
	if opt.Recorder != nil && f.Trace.Nodes == "all" {
		for _, row := range b.rows {
			opt.Recorder.Record(row)
		}
	}
	return &Network{Nodes: b.nodes, Rows: b.rows, Config: virtual.Config{
		Genesis: b.genesis, Seed: f.Seed, BlockNs: seconds(f.Time.BlockS), Blocks: f.BlockCount(),
		Nodes: b.machines, Links: f.links(), Partitions: f.partitions(), Chain: f.producer(),
		SaveEvery: seconds(f.Network.SaveS), Origin: m.Origin(), DigestEpochs: f.Chain.DigestEpochs,
		Workers: opt.Workers, RoundTripAt: opt.RoundTripAt, Recorder: opt.Recorder, Trace: f.recording(),
		Paranoid: opt.Paranoid, Signed: opt.Signed,
	}}, nil
}

// builder collects machines, their entries in the manifest and their places in the ledger.
type builder struct {
	*File
	material *Material
	uids     int
	genesis  chain.Genesis
	machines []virtual.Node
	nodes    []report.Node
	rows     []trace.Node
	groups   map[string]int // first member of each group
}

func (b *builder) miners() error {
	for k, g := range b.Miners {
		b.groups[g.Name] = len(b.nodes)
		mix, err := b.mix(pile.Train, g.Subsets, fmt.Sprintf("miners[%d].subsets", k))
		if err != nil {
			return err
		}
		for i := range g.Count {
			name := member(g.Name, i)
			config, err := b.miner(g, name, i, mix)
			if err != nil {
				return fmt.Errorf("miner %s: %w", name, err)
			}
			speed := int64(float64(g.HardwareMFLOPS.At(i, g.Count) * 1e6))
			p := part{up: g.UpMbps, down: g.DownMbps, joins: seconds(float64(g.JoinsH * 3600))}
			p.node = report.Node{
				Group: g.Name, Kind: report.KindMiner, Behaviour: g.Behaviour, HasUID: p.joins == 0,
				StakeRao: rao(g.StakeTAO.At(i, g.Count)), Data: g.Subsets, HardwareFLOPS: float64(speed),
			}
			if shape := b.shape(g); g.Behaviour != "random" {
				p.shape, p.node.Params = &shape, uint64(shape.Params())
			}
			if g.Behaviour == "honest" {
				p.node.Duty = g.Duty.At(i, g.Count)
			}
			fresh := func() host.Agent { return agents.NewMiner(config) }
			if p.joins > 0 {
				fresh = b.newcomer(g, fresh)
			}
			p.machine = virtual.Node{
				Name: name, FLOPS: speed, Fresh: fresh,
				Admission: host.AdmissionRules{
					MinStakeRao: rao(g.MinStakeTAO), MinInterval: seconds(g.MinIntervalS), Capacity: g.Queue, Slots: g.Slots,
					RequireUID: g.RequireUID, Historic: g.Historic, LongestService: seconds(g.LongestS),
				},
				ColdkeyOf: g.Coldkey, Skew: milliseconds(g.SkewMs.At(i, g.Count)), Loss: g.Loss,
			}
			b.add(p)
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

func (b *builder) miner(g MinerGroup, name string, i int, mix *pile.Mix) (agents.MinerConfig, error) {
	config := agents.MinerConfig{EvaluateEveryBlocks: b.Evaluation.PeriodBlocks}
	bounds := wire.Bounds{Vocab: b.Corpus.Vocab, Rows: 1024, Cols: g.Context, TopK: b.Corpus.Vocab / 8}
	if g.Behaviour == "random" {
		bounds.Cols = b.material.context(b.smallestContext())
		config.Mind = func() mind.Server { return mind.Random{Bounds: bounds} }
		return config, config.Validate()
	}
	thinks := mind.TransformerConfig{
		Base: b.base(b.shape(g)), TopK: bounds.TopK, MaxRows: bounds.Rows, MaxCols: bounds.Cols,
		Evaluation: b.material.Evaluation,
	}
	switch g.Behaviour {
	case "untrained":
		thinks.Base = lm.New(b.shape(g), num.NewStream(b.Seed, "untrained/"+name))
	case "honest":
		if config.Duty = g.Duty.At(i, g.Count); config.Duty != 0 {
			thinks.Training = &mind.Training{
				Mix: mix, Optimizer: base.Optimizer(float32(g.LearningRate)), Rows: g.Rows, Cols: g.Context, Steps: g.Steps,
			}
		}
	}
	config.Mind = func() mind.Server { return mind.NewTransformer(thinks) }
	return config, errors.Join(config.Validate(), thinks.Validate())
}

// base is the base model of a shape.
func (b *builder) base(shape lm.Config) *lm.Model {
	for _, made := range b.material.Bases {
		if made.Model.Config == shape {
			return made.Model
		}
	}
	panic("scenarios: no base model of shape " + base.ShapeName(shape))
}

func (b *builder) validators() error {
	for k, g := range b.Validators {
		b.groups[g.Name] = len(b.nodes)
		mix, err := b.mix(pile.Score, g.Subsets, fmt.Sprintf("validators[%d].subsets", k))
		if err != nil {
			return err
		}
		for i := range g.Count {
			name := member(g.Name, i)
			fresh, params, err := b.validator(g, name, mix)
			if err != nil {
				return err
			}
			speed := int64(float64(g.HardwareMFLOPS.At(i, g.Count) * 1e6))
			p := part{up: g.UpMbps, down: g.DownMbps}
			p.node = report.Node{
				Group: g.Name, Kind: report.KindValidator, Behaviour: g.Behaviour, HasUID: true,
				StakeRao: rao(g.StakeTAO.At(i, g.Count)), Data: g.Subsets, HardwareFLOPS: float64(speed),
			}
			if shape := b.routerShape(g); g.Behaviour == "honest" {
				p.shape, p.node.Params, p.node.Routing = &shape, uint64(params), g.Routing
			}
			p.machine = virtual.Node{
				Name: name, FLOPS: speed, Fresh: fresh,
				ColdkeyOf: g.Coldkey, Skew: milliseconds(g.SkewMs.At(i, g.Count)), Loss: g.Loss,
			}
			b.add(p)
		}
	}
	return nil
}

func (b *builder) validator(g ValidatorGroup, name string, mix *pile.Mix) (fresh func() host.Agent, params int, err error) {
	if g.Behaviour == "lazy" {
		config := attack.LazyConfig{EpochBlocks: g.EpochBlocks}
		for _, name := range g.Favour {
			config.Favour = append(config.Favour, virtual.PublicKey(b.Seed, name, host.Hotkey))
		}
		return func() host.Agent { return attack.NewLazy(config) }, 0, config.Validate()
	}
	era, err := score.EraNamed(g.Release)
	if err != nil {
		return nil, 0, fmt.Errorf("validator %s: %w", name, err)
	}
	judges := mind.TextJudgeConfig{
		Mix: mix, Subsets: b.material.Store.Subsets(), Vocab: b.Corpus.Vocab,
		Rows: g.Rows, Cols: g.Tokens, TopK: g.TopK, LooseRange: era.LooseRange,
		BytesPerToken: b.material.Store.BytesPerToken(),
	}
	config := agents.ValidatorConfig{
		Era: g.Release, Peers: g.Peers, Judge: func() mind.Judge { return mind.NewTextJudge(judges) },
		StepNs: seconds(g.StepS), TimeoutNs: seconds(g.TimeoutS), BlockNs: seconds(b.Time.BlockS),
		EpochBlocks: g.EpochBlocks, Alpha: g.Alpha,
		RecordAnswers: b.Trace.Answers == "all", RecordRows: b.Trace.Rows == "all",
	}
	set(&config.Power, g.Power, same)
	set(&config.SynergyPower, g.SynergyPower, same)
	if g.Batch == "subset" {
		judges.Batch = mind.OneSubset
	}
	if g.Targets == "everyone" {
		config.Targets = agents.Everyone
	}
	if g.Routing == "gated" {
		config.Routing, config.Gate = agents.Gated, agents.Gate{Noise: g.Noise, ScorePeers: b.scorePeers(g)}
		params = b.gated(&judges, g, name)
	} else {
		params = b.uniform(&judges, g, name)
	}
	if err := errors.Join(config.Validate(), judges.Validate()); err != nil {
		return nil, 0, fmt.Errorf("validator %s: %w", name, err)
	}
	return func() host.Agent { return agents.NewValidator(config) }, params, nil
}

// uniform gives a judge the routing model of 2022 and returns its size.
func (b *builder) uniform(judge *mind.TextJudgeConfig, g ValidatorGroup, name string) (params int) {
	router := lm.NewRouter(b.routerShape(g), b.uids, num.NewStream(b.Seed, "router/"+name))
	judge.Router = router
	judge.BatchTraining = lm.RouterTraining{
		SGD: lm.SGD{Rate: float32(g.RouterRate), Momentum: 0.8, ClipNorm: 1}, Batches: 3,
	}
	return router.Trunk.Config.Params() + len(router.Gates) + len(router.Bias)
}

// gated gives a judge a routing model that reads rows and returns its size.
func (b *builder) gated(judge *mind.TextJudgeConfig, g ValidatorGroup, name string) (params int) {
	shape, subsets := b.routerShape(g), 0
	trunk := lm.New(shape, num.NewStream(b.Seed, "router/"+name))
	if g.RouterBase {
		trunk = b.base(shape)
	}
	if g.RouterLabels {
		subsets = len(judge.Mix.Reads())
	}
	router := lm.NewRowRouter(trunk, b.uids, subsets)
	judge.RowRouter, judge.RowTraining = router, lm.DefaultRowTraining
	return shape.Params() + len(router.Gates) + len(router.Bias) + len(router.Common) + len(router.Subsets)
}

// scorePeers is the size of a gated validator's scoring lane: what the group says, or the least that
// asks every target within epoch_blocks, at least 2, that leaves a peer to the service lane.
func (sc *Scenario) scorePeers(g ValidatorGroup) int {
	if g.ScorePeers != nil {
		return *g.ScorePeers
	}
	steps := max(int(float64(float64(g.EpochBlocks)*sc.Time.BlockS)/g.StepS), 1)
	return max(min(max((sc.targets(g)+steps-1)/steps, 2), g.Peers-1), 1)
}

func (b *builder) applications() error {
	mix, err := b.mix(pile.Score, nil, "corpus.subsets")
	if err != nil {
		return err
	}
	for _, g := range b.Applications {
		b.groups[g.Name] = len(b.nodes)
		for i := range g.Count {
			prompts := mind.TextPrompts{Mix: mix, Vocab: b.Corpus.Vocab, Cols: g.Prompt, Tokens: g.Tokens, TopK: g.TopK}
			config := agents.ApplicationConfig{
				Prompts: prompts, Forced: g.Forced, Sessions: g.Sessions, Peers: g.Peers, EveryNs: seconds(g.SessionS), PaceNs: seconds(g.PaceS), TimeoutNs: seconds(g.TimeoutS),
			}
			if g.Combine == "mean" {
				config.Combine = agents.Mean
			}
			name := member(g.Name, i)
			if err := errors.Join(config.Validate(), prompts.Validate()); err != nil {
				return fmt.Errorf("application %s: %w", name, err)
			}
			p := part{up: g.UpMbps, down: g.DownMbps}
			p.node = report.Node{
				Group: g.Name, Kind: report.KindApplication, Behaviour: report.Honest, StakeRao: rao(g.StakeTAO.At(i, g.Count)),
			}
			p.machine = virtual.Node{
				Name: name, Fresh: func() host.Agent { return agents.NewApplication(config) },
				ColdkeyOf: g.Coldkey, Skew: milliseconds(g.SkewMs.At(i, g.Count)), Loss: g.Loss,
			}
			b.add(p)
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
	links := virtual.Links{
		Jitter: milliseconds(f.Network.JitterMs), Loss: f.Network.Loss, HeaderBytes: f.Network.HeaderBytes,
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
		Region: max(indexOf(f.Network.Regions, f.Network.Producer), 0), // the first where none is named
		MaxTxs: f.Network.ProducerTxs, MaxWaiting: f.Network.ProducerWaiting, ExpiryBlocks: f.Network.TxExpiryBlocks,
	}
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
	r := virtual.Recording{
		Epochs: f.Trace.Epochs, Weights: f.Trace.Weights, Bonds: f.Trace.Bonds, Faults: true,
		Seats: f.Trace.Seats == "all", Transactions: f.Trace.Transactions == "all",
	}
	if f.Trace.Blocks == "all" {
		r.Blocks, r.Ledger = 1, 1
	}
	return r
}

// rao converts TAO to the ledger's integer unit, to the nearest.
func rao(tao float64) uint64 { return uint64(float64(tao*chain.RaoPerTAO) + 0.5) }

func seconds(s float64) host.Time { return host.Time(float64(s * 1e9)) }

func milliseconds(ms float64) host.Time { return host.Time(float64(ms * 1e6)) }
