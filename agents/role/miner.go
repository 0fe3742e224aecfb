package role

import (
	"fmt"

	"taolab/agents"
	"taolab/agents/attack"
	"taolab/agents/mind"
	"taolab/agents/settings"
	"taolab/agents/wire"
	"taolab/model/base"
	"taolab/model/lm"
	"taolab/model/num"
	"taolab/model/pile"
	"taolab/sim/host"
)

// Miner holds the settings of a miner. Spans belong to a group: they give each member its value.
type Miner struct {
	Behaviour    string        `toml:"behaviour" default:"honest" doc:"behaviour"`
	UIDs         int           `toml:"uids" default:"1" unit:"uids" min:"1" max:"64" doc:"uids that the miner holds, each with a hotkey of its own: NAME, NAME/2, NAME/3 and so on. It answers for all of them with one model, one compute unit and one queue; stake_tao is split among them"`
	Width        int           `toml:"width" default:"28" unit:"channels" min:"8" max:"4096" doc:"model width"`
	Layers       int           `toml:"layers" default:"2" unit:"layers" min:"1" max:"64" doc:"transformer blocks"`
	Heads        int           `toml:"heads" default:"2" unit:"heads" min:"1" max:"64" doc:"attention heads; divides the width"`
	Context      int           `toml:"context" default:"32" unit:"tokens" min:"8" max:"4096" doc:"longest sequence that the model reads"`
	Checkpoint   string        `toml:"checkpoint" doc:"folder with the checkpoint of a GPT-2-shaped model (config.json, model.safetensors, tokenizer.json), relative to this file, that the miner starts from instead of a base model; it sets width, layers and heads. A model with its own tokenizer answers in phrases of standard tokens"`
	Duty         settings.Span `toml:"duty" default:"0.1" unit:"share" min:"0" max:"1" doc:"diligence: share of its time that the miner trains; a pair is spread over the members"`
	Subsets      []string      `toml:"subsets" doc:"subsets that the miner trains on; empty takes the corpus as it is"`
	Mix          []float64     `toml:"mix" doc:"share of each of subsets in the miner's training, in their order; empty: by the corpus' weights"`
	LearningRate float64       `toml:"learning_rate" default:"1e-3" min:"0" max:"1" doc:"rate of the optimiser"`
	Optimizer    string        `toml:"optimizer" default:"adamw" one:"adamw,adamw16,sgd" doc:"optimiser of the miner's model: AdamW, which takes 12 bytes per weight, the weight included; AdamW with moments in bfloat16, 8 bytes; or gradient descent with momentum, 8 bytes"`
	Momentum     float64       `toml:"momentum" default:"0.8" min:"0" max:"0.999" doc:"momentum of sgd"`
	Rows         int           `toml:"rows" default:"8" unit:"rows" min:"1" max:"4096" doc:"rows in a training batch"`
	Steps        int           `toml:"steps" default:"1" unit:"steps" min:"1" max:"1000" doc:"optimiser steps in one training visit"`
	Quality
	MinStakeTAO  float64 `toml:"min_stake_tao" unit:"TAO" min:"0" max:"20999999" doc:"callers with less stake are refused"`
	MinIntervalS float64 `toml:"min_interval_s" default:"1" unit:"s" min:"0" max:"3600" doc:"least time between two requests of one caller"`
	Queue        int     `toml:"queue" default:"32" unit:"requests" min:"1" max:"4096" doc:"requests that may wait"`
	LongestS     float64 `toml:"longest_service_s" default:"600" unit:"s" min:"0.001" max:"86400" doc:"longest time that a request is in service, even if its caller would wait longer"`
	RequireUID   bool    `toml:"require_uid" doc:"callers without a uid, such as applications, are refused"`
	Slots        int     `toml:"slots" default:"1" unit:"requests" min:"1" max:"1024" doc:"requests that the miner receives at a time"`
	Historic     bool    `toml:"historic" doc:"admission of 2022: requests are served in order of arrival, and a refused one restarts its caller's interval; false: larger stake goes first"`

	Wants MinerWants `toml:"decide"`
}

// Words implements settings.Worded.
func (Miner) Words(key string) (words []string, doc string) {
	if key == "behaviour" {
		return behaviours(attack.Miner)
	}
	return nil, ""
}

// Acts returns the miner's behaviour.
func (g *Miner) Acts() attack.Behaviour { return named(attack.Miner, g.Behaviour) }

// Shape returns the shape of the miner's model, in a network with a vocabulary of vocab tokens.
func (g *Miner) Shape(vocab int) lm.Config {
	return lm.Config{Vocab: vocab, Context: g.Context, Width: g.Width, Layers: g.Layers, Heads: g.Heads}
}

// Identities is how many uids the miner may hold at a time.
func (g *Miner) Identities() int { return max(g.UIDs, g.Wants.MostUIDs) }

// Admission are the rules by which the miner's host lets requests in.
func (g *Miner) Admission() host.AdmissionRules {
	return host.AdmissionRules{
		MinStakeRao: Rao(g.MinStakeTAO), MinInterval: Seconds(g.MinIntervalS), Capacity: g.Queue, Slots: g.Slots,
		RequireUID: g.RequireUID, Historic: g.Historic, LongestService: Seconds(g.LongestS),
	}
}

// Check reports faults that involve several keys, each key below the path of the table.
func (g *Miner) Check(path string, subsets int, report Report) {
	g.checkQuality(path, subsets, report)
	checkMix(path, g.Subsets, g.Mix, report)
	g.Wants.Check(path+".decide", subsets, report)
	g.checkUIDs(path, report)
	if g.Acts().Model {
		checkHeads(path+".heads", g.Heads, g.Width, report)
	}
	if g.Checkpoint != "" && !g.Acts().Base {
		report(path+".checkpoint", "an "+g.Behaviour+" miner begins with no trained model", "no checkpoint", "or set behaviour = \"honest\"")
	}
	if g.Acts().Trains && g.LearningRate == 0 && max(g.Duty.From, g.Duty.To) > 0 {
		report(path+".learning_rate", "an "+g.Behaviour+" miner that trains at rate 0", "a rate above 0", "or duty = 0")
	}
}

// checkUIDs reports a most that nobody reaches.
func (g *Miner) checkUIDs(path string, report Report) {
	switch w := &g.Wants; {
	case w.MostUIDs > 0 && w.MostUIDs < g.UIDs:
		report(path+".decide.most_uids", fmt.Sprintf("%d, and uids is %d", w.MostUIDs, g.UIDs), "at least uids", "")
	case w.MostUIDs > g.UIDs && w.Decides() && w.Entry == "stay":
		report(path+".decide.most_uids", fmt.Sprintf("%d, but with entry = \"stay\" no seat is taken", w.MostUIDs), "another entry", "or leave it out")
	}
}

func checkHeads(key string, heads, width int, report Report) {
	if width%heads != 0 {
		report(key, fmt.Sprintf("%d heads do not divide a width of %d", heads, width), "a divisor of the width", "")
	}
}

// maxQuestionRows is the most rows of a request that a miner serves.
const maxQuestionRows = 1024

// Miner makes member i of n of a group, which registers after joinsS seconds; 0: it has a seat at genesis.
func (m *Maker) Miner(name string, g *Miner, i, n int, joinsS float64) (Agent, error) {
	made, works, err := m.miner(name, g, i, n)
	switch {
	case err != nil:
		return Agent{}, err
	case g.Wants.Decides():
		if made.Fresh, err = m.ownedMiner(g, i, n, joinsS, works); err != nil {
			return Agent{}, fmt.Errorf("miner %s: %w", name, err)
		}
	default:
		made.Fresh = func() host.Agent { agent, _ := works(); return agent }
	}
	if joinsS > 0 && (!g.Wants.Decides() || g.Wants.Entry == "stay") {
		made = m.Joining(made, joinsS, g.UIDs)
	}
	return made, nil
}

// working makes the node's agent, and the part of it that its owner controls.
type working = func() (host.Agent, agents.Worker)

// miner makes the model and the behaviour of a miner.
func (m *Maker) miner(name string, g *Miner, i, n int) (Agent, working, error) {
	does, vocab := g.Acts(), m.Vocab
	if does.Mind == nil {
		return Agent{}, func() (host.Agent, agents.Worker) { return does.Around(agents.Idle{}), nil }, nil
	}
	acts := func(c agents.MinerConfig) working {
		return func() (host.Agent, agents.Worker) { miner := agents.NewMiner(c); return does.Around(miner), miner }
	}
	if m.Stated != nil {
		minds, err := m.stated(g, i, n)
		if err != nil {
			return Agent{}, nil, fmt.Errorf("miner %s: %w", name, err)
		}
		config := agents.MinerConfig{Mind: func() mind.Server { return does.Mind(minds) }}
		return Agent{}, acts(config), config.Validate()
	}
	config := agents.MinerConfig{EvaluateEveryBlocks: m.EvaluateEveryBlocks}
	bounds := wire.Bounds{Vocab: vocab, Rows: maxQuestionRows, Cols: m.longest(), TopK: vocab / 8}
	minds := attack.Minds{Random: func() mind.Server { return mind.Random{Bounds: bounds} }}
	var made Agent
	if does.Model {
		thinks, err := m.transformer(name, g, g.Shape(vocab))
		if err != nil {
			return Agent{}, nil, err
		}
		shape := thinks.Base.Config
		made.Shape, made.Params = &shape, shape.Params()
		if does.Trains {
			if config.Duty = g.Duty.At(i, n); config.Duty == 0 && !g.Wants.AdaptDuty {
				thinks.Training = nil
			}
		}
		if err := thinks.Validate(); err != nil {
			return Agent{}, nil, fmt.Errorf("miner %s: %w", name, err)
		}
		minds.Honest = func() mind.Server { return mind.NewTransformer(thinks) }
		if g.Wants.climbs() && thinks.Training != nil {
			watched := m.watched(thinks.Training)
			minds.Honest = func() mind.Server { return mind.NewWatched(mind.NewTransformer(thinks), watched) }
		}
		minds.Untrained = minds.Honest // its base reports whether it was trained
	}
	config.Mind = func() mind.Server { return does.Mind(minds) }
	if err := config.Validate(); err != nil {
		return Agent{}, nil, fmt.Errorf("miner %s: %w", name, err)
	}
	return made, acts(config), nil
}

// watched says how a mind that learns from text watches itself.
func (m *Maker) watched(t *mind.Training) mind.WatchedConfig {
	if m.nearest == nil {
		m.nearest = mind.NewNearest(m.Whole)
	}
	return mind.WatchedConfig{
		Subsets: len(m.Whole.Subsets()), Rows: m.nearest.Rows, VisitTokens: float64(t.Steps * t.Rows * t.Cols),
	}
}

// transformer is the mind of a miner with a model, which trains if the behaviour does.
func (m *Maker) transformer(name string, g *Miner, shape lm.Config) (mind.TransformerConfig, error) {
	if g.Checkpoint != "" {
		return m.transformerOf(g)
	}
	does := g.Acts()
	thinks := mind.TransformerConfig{
		TopK: shape.Vocab / 8, MaxRows: maxQuestionRows, MaxCols: shape.Context, Evaluation: m.Evaluation,
	}
	if does.Base {
		thinks.Base = m.model(shape)
	} else {
		thinks.Base = lm.New(shape, num.NewStream(m.Seed, "untrained/"+name))
	}
	if does.Trains {
		training, err := m.training(g, m.Store)
		if err != nil {
			return thinks, err
		}
		thinks.Training = training
	}
	return thinks, nil
}

// optimizer returns the optimiser of the miner's model.
func (g *Miner) optimizer() mind.Optimizer {
	adam := base.Optimizer(float32(g.LearningRate))
	switch g.Optimizer {
	case "sgd":
		return mind.SGD{SGD: lm.SGD{Rate: adam.Rate, Momentum: float32(g.Momentum), ClipNorm: adam.ClipNorm}}
	case "adamw16":
		return mind.AdamW16{AdamW: adam}
	}
	return mind.AdamW{AdamW: adam}
}

// training configures the miner's learning from a store: the network's, which may grow, or that of its own
// tokenizer.
func (m *Maker) training(g *Miner, store *pile.Store) (*mind.Training, error) {
	training := &mind.Training{
		Optimizer: g.optimizer(), Rows: g.Rows, Cols: g.Context, Steps: g.Steps,
	}
	if store != m.Store {
		mix, err := store.NewMix(pile.Train, weightsOf(store.Subsets(), store.Weights(), g.Subsets, g.Mix))
		if err != nil {
			return nil, &settings.Error{Key: "subsets", Fault: err.Error(), Want: "subsets with text"}
		}
		training.Mix, training.Store = mix, store
		return training, nil
	}
	read, err := m.read(pile.Train, g.Subsets, g.Mix)
	if err != nil {
		return nil, err
	}
	training.Mix, training.Later, training.Store = read.mix, read.later, m.Whole
	return training, nil
}
