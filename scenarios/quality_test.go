package scenarios

import (
	"context"
	"fmt"
	"math"
	"testing"

	"taolab/agents"
	"taolab/agents/attack"
	"taolab/agents/mind"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
	"taolab/sim/virtual"
)

var statedSubsets = mind.Subsets{Names: []string{"sea", "law"}, Weights: []float64{0.7, 0.3}}

// applications keeps the rows of that table.
type applications []trace.Application

func (a *applications) Record(row trace.Row) {
	if r, ok := row.(trace.Application); ok {
		*a = append(*a, r)
	}
}

// statedNetwork is two validators, ten miners that lose 2, 2.3, 2.6 and so on, an application, a validator
// that copies and a newcomer that loses 1.8: minds without a model, on one subset in three.
func statedNetwork(t *testing.T, gated bool) virtual.Config {
	t.Helper()
	params, err := chain.Era("finney-2023")
	if err != nil {
		t.Fatal(err)
	}
	params = params.Scaled(14)
	params.TempoBlocks, params.WeightsRateLimitBlocks, params.MaxUIDs = 30, 10, 14
	params.MaxWeight, params.MinAllowedWeights = 65535, 1
	c := virtual.Config{
		Seed: 3, Blocks: 600, Genesis: chain.Genesis{ChainID: "stated", Params: params},
		Links: virtual.Links{Latency: [][]host.Time{{20 * host.Millisecond}}},
	}
	seat := func(name string, stakeTAO uint64, fresh func() host.Agent) {
		c.Nodes = append(c.Nodes, virtual.Node{Name: name, Fresh: fresh})
		c.Genesis.Neurons = append(c.Genesis.Neurons, chain.GenesisNeuron{
			Hotkey: virtual.PublicKey(c.Seed, name, host.Hotkey), Coldkey: virtual.PublicKey(c.Seed, name, host.Coldkey),
			StakeRao: stakeTAO * chain.RaoPerTAO,
		})
	}
	miner := func(loss float64) func() host.Agent {
		q := mind.QualityConfig{Losses: []float64{loss, loss + 0.5}, Spread: 0.2, MaxRows: 64}
		config := agents.MinerConfig{Mind: func() mind.Server { return mind.NewQuality(q) }}
		return func() host.Agent { return agents.NewMiner(config) }
	}
	validator := agents.ValidatorConfig{
		Era: "3.6.0", Peers: 4, StepNs: 24 * host.Second, EpochBlocks: 25,
		Judge: func() mind.Judge {
			return mind.NewQualityJudge(mind.QualityJudgeConfig{Subsets: statedSubsets, Rows: 16, Gates: 14})
		},
	}
	if gated {
		validator.Routing, validator.Gate = agents.Gated, agents.Gate{ScorePeers: 2, Noise: 0.1}
	}
	for i := range 2 {
		seat(fmt.Sprint("validator-", i), 1000, func() host.Agent { return agents.NewValidator(validator) })
	}
	seat("copier", 500, func() host.Agent { return attack.NewLazy(attack.LazyConfig{EpochBlocks: 25}) })
	for i := range 10 {
		seat(fmt.Sprint("miner-", i), 1, miner(2+0.3*float64(i)))
	}
	app := agents.ApplicationConfig{
		Prompts: mind.QualityPrompts{Subsets: statedSubsets, Tokens: 3}, Peers: 2, Forced: true, EveryNs: 5 * host.Minute,
	}
	c.Nodes = append(c.Nodes,
		virtual.Node{Name: "app", Fresh: func() host.Agent { return agents.NewApplication(app) }},
		virtual.Node{Name: "newcomer", Fresh: func() host.Agent {
			return agents.NewNewcomer(agents.NewcomerConfig{AtBlock: 100, RetryBlocks: 10, Tries: 9, Then: miner(1.8)})
		}})
	c.Genesis.Balances = append(c.Genesis.Balances, chain.Balance{
		Coldkey: virtual.PublicKey(c.Seed, "newcomer", host.Coldkey), FreeRao: 100 * chain.RaoPerTAO,
	})
	return c
}

func runStated(t *testing.T, c virtual.Config) *virtual.World {
	t.Helper()
	w, err := virtual.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	if err := w.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return w
}

// No corpus, tokenizer or model is on the machine: none is made here.
func TestANetworkOfStatedQualitiesPaysByQuality(t *testing.T) {
	for _, gated := range []bool{false, true} {
		var rows applications
		c := statedNetwork(t, gated)
		c.Recorder = &rows
		view := runStated(t, c).Chain()
		for uid := chain.UID(3); uid < 12; uid++ {
			if a, b := view.Neuron(uid).Incentive, view.Neuron(uid+1).Incentive; a < b {
				t.Errorf("gated %t: uid %d earns %d, the worse uid %d %d", gated, uid, a, uid+1, b)
			}
		}
		best, worst := view.Neuron(3).Incentive, view.Neuron(12).Incentive
		if newcomer := view.Neuron(13).Incentive; newcomer <= best || best <= 2*worst {
			t.Errorf("gated %t: the newcomer earns %d, the best of the others %d, the worst %d", gated, newcomer, best, worst)
		}
		if copied := view.Weights(2); len(copied) < 5 {
			t.Errorf("gated %t: the copier has %d weights", gated, len(copied))
		}
		answered := 0
		for _, r := range rows {
			if r.Loss == nil || r.UID < 3 || r.UID == 13 && r.Block < 100 {
				continue
			}
			answered++
			if nearest := math.Abs(float64(*r.Loss) - 2.2); r.UID == 3 && nearest > 1.2 {
				t.Errorf("gated %t: uid 3 loses %g, expected about 2 or 2.5", gated, *r.Loss)
			}
		}
		if answered < 50 {
			t.Errorf("gated %t: %d of an application's %d requests were answered with a loss", gated, answered, len(rows))
		}
	}
}

func TestANetworkOfStatedQualitiesIsTheSameWhateverItsStateGoesThrough(t *testing.T) {
	c := statedNetwork(t, true)
	want := runStated(t, c).Digest()
	for i := range c.Nodes {
		c.Nodes[i].Agent = nil
	}
	c.RoundTripAt, c.Workers = host.Hour, 2
	if got := runStated(t, c).Digest(); got != want {
		t.Errorf("with a round trip of all states the digest is %v, straight %v", got, want)
	}
}
