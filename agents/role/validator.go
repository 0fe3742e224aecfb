package role

import (
	"errors"
	"fmt"

	"taolab/agents"
	"taolab/agents/attack"
	"taolab/agents/mind"
	"taolab/agents/score"
	"taolab/model/lm"
	"taolab/model/num"
	"taolab/model/pile"
	"taolab/sim/host"
)

// Validator holds the settings of a validator.
type Validator struct {
	Behaviour string   `toml:"behaviour" default:"honest" doc:"behaviour"`
	Favour    []string `toml:"favour" doc:"nodes on which lazy members put equal weights instead of copying; empty: they copy"`
	Copies    string   `toml:"copies" default:"row" one:"row,consensus" doc:"source of lazy members' weights: the row of the largest stake, or the stake-weighted median of all public rows"`
	LagEpochs int      `toml:"lag_epochs" unit:"epochs" min:"0" max:"64" doc:"lazy members: epochs of their own between reading weights and setting them"`
	Script
	Routing      string   `toml:"routing" default:"uniform" one:"uniform,gated" doc:"uniform: asks peers in turn, in a random order, about the whole batch; gated: asks some peers so, and for each row also those that the trained gate names"`
	Subsets      []string `toml:"subsets" doc:"subsets that the validator scores on; empty takes the corpus as it is"`
	Credit       string   `toml:"credit" default:"mixture" one:"mixture,market" doc:"what weights reward: mixture, whole batches as in 2022, which rewards miners that are good on average; market, each subset separately: its share of the batches is divided among the miners in proportion to their base score on it, so that a subset that few serve well pays best"`
	Batch        string   `toml:"batch" default:"mixed" one:"mixed,subset" doc:"mixed: each row's subset is drawn by weight; subset: all rows of a batch come from one subset, which rewards the best miners of common subsets"`
	Release      string   `toml:"release" default:"3.4.2" doc:"release of the reference validator whose rules it follows; from 3.6.0 on the loss is averaged before the power, not after"`
	Targets      string   `toml:"targets" default:"serving" one:"serving,everyone" doc:"uids to ask at all: those that set no weights on others, or every uid as in 2022"`
	Rows         int      `toml:"rows" default:"16" unit:"rows" min:"1" max:"1024" doc:"rows in a batch"`
	Tokens       int      `toml:"tokens" default:"24" unit:"tokens" min:"4" max:"4096" doc:"tokens of each row that are sent"`
	Peers        int      `toml:"peers" default:"8" unit:"neurons" min:"1" max:"4096" doc:"miners asked about each row of a step"`
	TopK         int      `toml:"topk" default:"64" unit:"phrases" min:"1" max:"8192" doc:"phrases asked from each miner; at most an eighth of the vocabulary"`
	StepS        float64  `toml:"step_s" default:"24" unit:"s" min:"1" max:"86400" doc:"time between two steps"`
	TimeoutS     float64  `toml:"timeout_s" default:"12" unit:"s" min:"0.1" max:"3600" doc:"time after which an answer no longer counts"`
	EpochBlocks  uint64   `toml:"epoch_blocks" default:"60" unit:"blocks" min:"1" max:"1000000" doc:"least blocks between weights, which also wait until every uid was asked"`
	Alpha        float64  `toml:"alpha" default:"0.1" unit:"share" min:"0.0001" max:"1" doc:"weight of a new score in the moving average"`
	Power        *float64 `toml:"power" min:"0.01" max:"4" doc:"exponent on effective parameters; unset: the release's"`
	SynergyPower *float64 `toml:"synergy_power" min:"0.01" max:"4" doc:"exponent on effective parameters in the synergy; unset: the release's"`
	ScorePeers   *int     `toml:"score_peers" was:"explore" unit:"neurons" min:"1" max:"4096" doc:"gated routing: how many peers of a step are asked in turn about the whole batch; only their answers are scored and weighted; unset: the least that reaches every target within epoch_blocks, from 2 to peers - 1; uniform routing scores all peers"`
	Noise        float64  `toml:"noise" default:"0.1" min:"0" max:"100" doc:"gated routing: standard deviation of the noise on the gate's scores, as a multiple of that of the row's scores"`
	RouterWidth  int      `toml:"router_width" default:"32" unit:"channels" min:"8" max:"4096" doc:"width of the routing model"`
	RouterHeads  int      `toml:"router_heads" default:"2" unit:"heads" min:"1" max:"64" doc:"heads of the routing model"`
	RouterRate   float64  `toml:"router_rate" default:"0.1" min:"0" max:"1" doc:"uniform routing: SGD rate of the routing model; the gated one uses Adam's usual rates"`
	RouterLabels bool     `toml:"router_labels" default:"true" doc:"the gated routing model learns a row's subset as a second task and adds a table of means by uid and subset; false: neither"`
	RouterBase   bool     `toml:"router_base" default:"true" doc:"the gated routing model starts from a base model of its shape; false: from random weights"`

	Mix []float64 `toml:"mix" doc:"share of each of subsets in the validator's batches, in their order; empty: by the corpus' weights"`

	InvestTAO float64 `toml:"invest_tao" unit:"TAO" min:"0" max:"20999999" doc:"free money that each member stakes at invest_h, apart from its decisions; 0: none"`
	InvestH   float64 `toml:"invest_h" unit:"h" min:"0" max:"1110000" doc:"time at which it stakes invest_tao"`
	Publishes bool    `toml:"publishes" doc:"it tells miners on request its pay for each subset, and their part of it"`

	Wants ValidatorWants `toml:"decide"`
}

// Words implements settings.Worded.
func (Validator) Words(key string) (words []string, doc string) {
	switch key {
	case "behaviour":
		return behaviours(attack.Validator)
	case "release":
		for _, era := range score.Eras() {
			words = append(words, era.Name)
		}
		return words, "release of the reference validator whose rules it follows; from 3.6.0 on the loss is averaged before the power, not after"
	}
	return nil, ""
}

// Acts returns the validator's behaviour.
func (g *Validator) Acts() attack.Behaviour { return named(attack.Validator, g.Behaviour) }

// RouterShape returns the shape of the trunk of the validator's routing model.
func (g *Validator) RouterShape(vocab int) lm.Config {
	return lm.Config{Vocab: vocab, Context: g.Tokens, Width: g.RouterWidth, Layers: 1, Heads: g.RouterHeads}
}

// Era returns the rules of the validator's release with its own powers.
func (g *Validator) Era() (score.Era, error) {
	era, err := score.EraNamed(g.Release)
	set(&era.Power, g.Power, same)
	set(&era.SynergyPower, g.SynergyPower, same)
	return era, err
}

// Scored is the number of peers that the validator scores in a step, in a network with targets targets. Under
// uniform routing it is all peers; otherwise it is the size of the scoring lane: the table's, or the least
// that asks every target within epoch_blocks, at least 2, but leaves one peer to the service lane.
func (g *Validator) Scored(targets int, blockS float64) int {
	switch {
	case g.Routing != "gated":
		return g.Peers
	case g.ScorePeers != nil:
		return *g.ScorePeers
	}
	steps := max(int(float64(float64(g.EpochBlocks)*blockS)/g.StepS), 1)
	return max(min(max((targets+steps-1)/steps, 2), g.Peers-1), 1)
}

// Check reports faults that involve several keys, each key below the path of the table.
func (g *Validator) Check(path string, vocab int, neurons []Neuron, report Report) {
	g.checkLazy(path, report)
	g.Wants.Check(path+".decide", report)
	g.checkScript(path, neurons, report)
	checkMix(path, g.Subsets, g.Mix, report)
	if !g.Acts().Asks {
		return // routes nothing
	}
	checkHeads(path+".router_heads", g.RouterHeads, g.RouterWidth, report)
	checkTopK(path, g.TopK, vocab, report)
	if g.ScorePeers != nil && *g.ScorePeers > g.Peers {
		report(path+".score_peers", fmt.Sprintf("%d of %d peers", *g.ScorePeers, g.Peers), "at most peers", "or raise peers")
	}
	if g.TimeoutS > g.StepS {
		report(path+".timeout_s", fmt.Sprintf("%g s in a step of %g s", g.TimeoutS, g.StepS), "at most step_s", "")
	}
}

// checkLazy reports keys of lazy validators that others set.
func (g *Validator) checkLazy(path string, report Report) {
	if g.Behaviour == "lazy" {
		return
	}
	for _, k := range []struct {
		key  string
		set  bool
		want string
	}{{"favour", len(g.Favour) > 0, "no names"}, {"copies", g.Copies != "row", "row"}, {"lag_epochs", g.LagEpochs != 0, "0"}} {
		if k.set {
			report(path+"."+k.key, "an "+g.Behaviour+" validator sets weights by score", k.want, "or set behaviour = \"lazy\"")
		}
	}
}

func checkTopK(path string, topK, vocab int, report Report) {
	if topK > vocab/8 {
		report(path+".topk", fmt.Sprintf("%d of a vocabulary of %d", topK, vocab), fmt.Sprintf("at most an eighth, %d", vocab/8), "")
	}
}

// Validator makes a validator of a network with targets targets.
func (m *Maker) Validator(name string, g *Validator, targets int) (Agent, error) {
	made, err := m.validator(name, g, targets)
	made.Fresh = m.investing(g, m.owned(g, made.Fresh))
	return made, err
}

// validator makes the behaviour of a validator.
func (m *Maker) validator(name string, g *Validator, targets int) (Agent, error) {
	if !g.Acts().Asks {
		made, err := silent[g.Behaviour](m, name, g)
		if err != nil {
			return Agent{}, fmt.Errorf("validator %s: %w", name, err)
		}
		fresh := made.Fresh
		made.Fresh = func() host.Agent { return g.Acts().Around(fresh()) }
		return made, nil
	}
	era, err := g.Era()
	if err != nil {
		return Agent{}, fmt.Errorf("validator %s: %w", name, err)
	}
	if m.Stated != nil {
		return m.statedValidator(name, g, targets)
	}
	judges, err := m.textJudge(g, era)
	if err != nil {
		return Agent{}, err
	}
	config := m.validatorConfig(g)
	config.Judge = func() mind.Judge { return mind.NewTextJudge(judges) }
	shape := g.RouterShape(judges.Vocab)
	made := Agent{Shape: &shape, Fresh: func() host.Agent { return g.Acts().Around(agents.NewValidator(config)) }}
	if g.Routing == "gated" {
		config.Routing, config.Gate = agents.Gated, agents.Gate{Noise: g.Noise, ScorePeers: g.Scored(targets, m.BlockS)}
		made.Params = m.gate(&judges, name, g)
	} else {
		made.Params = m.batchRouter(&judges, name, g)
	}
	if err := errors.Join(config.Validate(), judges.Validate()); err != nil {
		return Agent{}, fmt.Errorf("validator %s: %w", name, err)
	}
	return made, nil
}

// validatorConfig returns a validator's settings without judge and gate.
func (m *Maker) validatorConfig(g *Validator) agents.ValidatorConfig {
	config := agents.ValidatorConfig{
		Era: g.Release, Peers: g.Peers, StepNs: Seconds(g.StepS), TimeoutNs: Seconds(g.TimeoutS), BlockNs: Seconds(m.BlockS),
		EpochBlocks: g.EpochBlocks, Alpha: g.Alpha, RecordAnswers: m.RecordAnswers, RecordRows: m.RecordRows,
	}
	set(&config.Power, g.Power, same)
	set(&config.SynergyPower, g.SynergyPower, same)
	if g.Targets == "everyone" {
		config.Targets = agents.Everyone
	}
	if g.Credit == "market" {
		config.Credit = agents.Market
	}
	config.Publishes = g.Publishes
	return config
}

// statedValidator makes a validator of a network without models.
func (m *Maker) statedValidator(name string, g *Validator, targets int) (Agent, error) {
	judges := mind.QualityJudgeConfig{Subsets: m.wanted(g.Subsets, g.Mix), Rows: g.Rows}
	if g.Batch == "subset" {
		judges.Batch = mind.OneSubset
	}
	config := m.validatorConfig(g)
	if g.Routing == "gated" {
		judges.Gates = m.Seats
		config.Routing, config.Gate = agents.Gated, agents.Gate{Noise: g.Noise, ScorePeers: g.Scored(targets, m.BlockS)}
	}
	config.Judge = func() mind.Judge { return mind.NewQualityJudge(judges) }
	if err := errors.Join(config.Validate(), judges.Validate()); err != nil {
		return Agent{}, fmt.Errorf("validator %s: %w", name, err)
	}
	return Agent{Fresh: func() host.Agent { return g.Acts().Around(agents.NewValidator(config)) }}, nil
}

// textJudge configures the mind of a validator that scores text, without its routing model.
func (m *Maker) textJudge(g *Validator, era score.Era) (mind.TextJudgeConfig, error) {
	read, err := m.read(pile.Score, g.Subsets, g.Mix)
	if err != nil {
		return mind.TextJudgeConfig{}, err
	}
	judges := mind.TextJudgeConfig{
		Mix: read.mix, Later: read.later, Subsets: m.Whole.Subsets(), Vocab: m.Vocab, BytesPerToken: m.Store.BytesPerToken(),
		Rows: g.Rows, Cols: g.Tokens, TopK: g.TopK, LooseRange: era.LooseRange,
	}
	if g.Batch == "subset" {
		judges.Batch = mind.OneSubset
	}
	return judges, nil
}

// batchRouter gives a judge the routing model of 2022 and returns its size.
func (m *Maker) batchRouter(judge *mind.TextJudgeConfig, name string, g *Validator) (params int) {
	router := lm.NewRouter(g.RouterShape(judge.Vocab), m.Seats, num.NewStream(m.Seed, "router/"+name))
	judge.Router = router
	judge.BatchTraining = lm.RouterTraining{
		SGD: lm.SGD{Rate: float32(g.RouterRate), Momentum: 0.8, ClipNorm: 1}, Batches: 3,
	}
	return router.Trunk.Config.Params() + len(router.Gates) + len(router.Bias)
}

// gate gives a judge a routing model that reads rows and returns its size.
func (m *Maker) gate(judge *mind.TextJudgeConfig, name string, g *Validator) (params int) {
	shape, subsets := g.RouterShape(judge.Vocab), 0
	trunk := lm.New(shape, num.NewStream(m.Seed, "router/"+name))
	if g.RouterBase {
		trunk = m.model(shape)
	}
	if g.RouterLabels {
		subsets = len(judge.Mix.Reads())
	}
	router := lm.NewRowRouter(trunk, m.Seats, subsets)
	judge.RowRouter, judge.RowTraining = router, lm.DefaultRowTraining
	return shape.Params() + len(router.Gates) + len(router.Bias) + len(router.Common) + len(router.Subsets)
}

// silent makes the validators that ask nobody, by behaviour.
var silent = map[string]func(m *Maker, name string, g *Validator) (Agent, error){
	"lazy":     (*Maker).lazy,
	"scripted": (*Maker).scripted,
	"bait":     (*Maker).scripted,
	"hiding":   (*Maker).scripted,
}

func (m *Maker) lazy(name string, g *Validator) (Agent, error) {
	config := attack.LazyConfig{EpochBlocks: g.EpochBlocks, LeadBlocks: g.LeadBlocks, LagEpochs: g.LagEpochs}
	if g.Copies == "consensus" {
		config.Copies = attack.Consensus
	}
	for _, node := range g.Favour {
		config.Favour = append(config.Favour, m.Hotkey(node))
	}
	return Agent{Fresh: func() host.Agent { return attack.NewLazy(config) }}, config.Validate()
}
