package agents

import (
	"context"
	"fmt"
	"testing"

	"taolab/model/lm"
	"taolab/model/num"
	"taolab/model/pile"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
	"taolab/sim/virtual"
)

// rows is a recorder that keeps everything.
type rows struct {
	queries      []trace.Query
	training     []trace.Train
	applications []trace.Application
}

func (r *rows) Record(row trace.Row) {
	switch row := row.(type) {
	case trace.Query:
		r.queries = append(r.queries, row)
	case trace.Train:
		r.training = append(r.training, row)
	case trace.Application:
		r.applications = append(r.applications, row)
	}
}

// hour is a network of two validators, six miners and an application that lives for an hour:
// uids 0 and 1 validate, 2 to 5 are honest with rising duty, 6 is frozen, 7 answers at random.
func hour(t *testing.T, change func(*virtual.Config)) *virtual.World {
	t.Helper()
	const seed = 1
	store, learn, ask := corpus(), mixOf(pile.Train), mixOf(pile.Score)
	evaluation, err := NewEvaluation(store, 4, 16, seed)
	check(t, err)
	shape := lm.Config{Vocab: store.Vocab(), Context: 16, Width: 8, Layers: 1, Heads: 1}
	base := lm.New(shape, num.NewStream(seed, "base"))
	router := lm.NewRouter(lm.Config{Vocab: store.Vocab(), Context: 16, Width: 8, Layers: 1, Heads: 1}, 8,
		num.NewStream(seed, "router"))

	params, err := chain.Era("2026")
	check(t, err)
	params = params.Scaled(8)
	params.TempoBlocks, params.WeightsRateLimitBlocks, params.StakeThresholdRao = 50, 10, 0
	params.MinAllowedWeights, params.MaxWeight = 1, 65535
	config := virtual.Config{
		Seed: seed, Blocks: 300,
		Genesis: chain.Genesis{ChainID: "hour", Params: params},
	}
	add := func(name string, stakeTAO uint64, uid bool, fresh func() host.Agent) {
		hot, cold := virtual.PublicKey(seed, name, host.Hotkey), virtual.PublicKey(seed, name, host.Coldkey)
		if uid {
			config.Genesis.Neurons = append(config.Genesis.Neurons,
				chain.GenesisNeuron{Hotkey: hot, Coldkey: cold, StakeRao: stakeTAO * chain.RaoPerTAO})
		} else {
			config.Genesis.Stakes = append(config.Genesis.Stakes,
				chain.GenesisStake{Hotkey: hot, Coldkey: cold, StakeRao: stakeTAO * chain.RaoPerTAO})
		}
		config.Nodes = append(config.Nodes, virtual.Node{Name: name, Fresh: fresh, FLOPS: 1e6})
	}
	for i := range 2 {
		routing := Routing(i)
		add(fmt.Sprint("validator ", i), 1000, true, func() host.Agent {
			return NewValidator(ValidatorConfig{
				Mix: ask, Subsets: store.Subsets(), Vocab: store.Vocab(), Rows: 4, Cols: 16, TopK: 32, Peers: 3,
				StepNs: 30 * host.Second, Routing: routing, Gate: Gate{Noise: 1, Explore: 1},
				Router: router, SGD: lm.SGD{Rate: 0.1, Momentum: 0.8, ClipNorm: 1},
				EpochBlocks: 25, BytesPerToken: store.BytesPerToken(),
			})
		})
	}
	for i := range 6 {
		behaviour, duty := Honest, []float64{0.1, 0.2, 0.3, 0.4, 0, 0}[i]
		if i >= 4 {
			behaviour = []Behaviour{Frozen, Random}[i-4]
		}
		add(fmt.Sprint("miner ", i), 1, true, func() host.Agent {
			return NewMiner(MinerConfig{
				Behaviour: behaviour, Base: base, TopK: 32, MaxRows: 8, MaxCols: 16, Waiting: 4,
				Training: Training{
					Mix: learn, Rows: 4, Cols: 16, Steps: 4, Duty: duty,
					Optimizer: lm.AdamW{Rate: 3e-3, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, ClipNorm: 1},
				},
				Evaluation: evaluation, EvaluateEveryBlocks: 100,
			})
		})
	}
	add("application", 100, false, func() host.Agent {
		return NewApplication(ApplicationConfig{
			Index: 8, Mix: ask, Vocab: store.Vocab(), Cols: 16, Tokens: 4, TopK: 16, Peers: 2,
			EveryNs: 5 * host.Minute,
		})
	})
	change(&config)
	world, err := virtual.New(config)
	check(t, err)
	check(t, world.Run(context.Background()))
	return world
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestInAnHourANetworkLearnsWhoKnowsNothing(t *testing.T) {
	var rec rows
	world := hour(t, func(c *virtual.Config) { c.Recorder = &rec })
	view := world.Chain()
	for uid := chain.UID(0); uid < 2; uid++ {
		if len(view.Weights(uid)) == 0 {
			t.Errorf("validator %d has set no weights", uid)
		}
	}
	random := view.Neuron(7).Incentive
	for uid := chain.UID(2); uid < 6; uid++ {
		if got := view.Neuron(uid).Incentive; got <= random {
			t.Errorf("honest miner %d has incentive %d, the random one %d", uid, got, random)
		}
	}
	first, last := make([]float32, 8), make([]float32, 8)
	for _, r := range rec.training {
		if r.Subset != "all" {
			continue
		}
		if first[r.UID] == 0 {
			first[r.UID] = r.HeldOutLoss
		}
		last[r.UID] = r.HeldOutLoss
	}
	for uid := 2; uid < 6; uid++ {
		if !(last[uid] < first[uid]-0.1) {
			t.Errorf("honest miner %d went from a loss of %g to %g", uid, first[uid], last[uid])
		}
	}
	if first[6] == 0 || first[6] != last[6] || first[7] != 0 {
		t.Errorf("the frozen miner went from %g to %g, the random one measured %g", first[6], last[6], first[7])
	}
	answered := 0
	for _, r := range rec.applications {
		if r.Code == uint8(host.Success) && r.Admitted {
			answered++
		}
	}
	if answered == 0 || len(rec.queries) < 500 {
		t.Errorf("%d answers to the application, %d questions of validators", answered, len(rec.queries))
	}
}

func TestANetworkThatGoesThroughBytesInTheMiddleOfTheHourEndsTheSame(t *testing.T) {
	plain := hour(t, func(*virtual.Config) {})
	through := hour(t, func(c *virtual.Config) {
		c.RoundTripAt, c.Workers = 31*host.Minute+host.Second/3, 2
	})
	if plain.Digest() != through.Digest() {
		t.Errorf("digests differ: %s and %s", plain.Digest(), through.Digest())
	}
}

func TestWhoCrashesGoesOnFromTheSavedState(t *testing.T) {
	var rec rows
	world := hour(t, func(c *virtual.Config) {
		c.Recorder, c.SaveEvery = &rec, 5*host.Minute
		for _, node := range []int{1, 5, 8} { // a validator, a miner and the application
			c.Nodes[node].Crashes = []virtual.Crash{{At: 22 * host.Minute, After: 4 * host.Minute}}
		}
	})
	if at := world.Chain().Neuron(1).LastUpdate; at < 200 {
		t.Errorf("the validator set its last weights at block %d, it is back since block 130", at)
	}
	var before, after trace.Train
	for _, r := range rec.training {
		switch {
		case r.UID != 5 || r.Subset != "all":
		case r.TimeNs < int64(22*host.Minute):
			before = r
		default:
			after = r
		}
	}
	if before.Steps == 0 || after.Steps <= before.Steps {
		t.Errorf("the miner measured %d steps before its crash and %d at last", before.Steps, after.Steps)
	}
	sessions := uint32(0)
	for _, r := range rec.applications {
		sessions = max(sessions, r.Session)
	}
	if sessions < 4 {
		t.Errorf("the application has begun %d sessions", sessions+1)
	}
}
