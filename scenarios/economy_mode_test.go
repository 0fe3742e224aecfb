package scenarios

import (
	"slices"
	"strings"
	"testing"

	"taolab/agents/role"
)

func TestANetworkInWhichNobodyReadsIsAnEconomy(t *testing.T) {
	idle, honest := MinerGroup{}, MinerGroup{}
	idle.Behaviour, honest.Behaviour = "idle", "honest"
	scripted, asks := ValidatorGroup{}, ValidatorGroup{}
	scripted.Behaviour, asks.Behaviour = "scripted", "honest"
	for name, c := range map[string]struct {
		sc   Scenario
		want bool
	}{
		"idle miners and scripts": {Scenario{Miners: []MinerGroup{idle}, Validators: []ValidatorGroup{scripted}}, true},
		"a miner that answers":    {Scenario{Miners: []MinerGroup{idle, honest}}, false},
		"a validator that asks":   {Scenario{Miners: []MinerGroup{idle}, Validators: []ValidatorGroup{asks}}, false},
		"an application":          {Scenario{Miners: []MinerGroup{idle}, Applications: make([]ApplicationGroup, 1)}, false},
		"nobody":                  {Scenario{}, false},
		"it is said":              {Scenario{Mode: "economy", Miners: []MinerGroup{honest}}, true},
	} {
		if got := c.sc.Economy(); got != c.want {
			t.Errorf("%s: %t, expected %t", name, got, c.want)
		}
	}
	if sc := economyDefault(); sc.Chain.DigestEpochs != 100 || sc.Trace.Blocks != "epochs" || sc.Network.JitterMs != 0 {
		t.Errorf("defaults: %+v %+v %+v", sc.Chain, sc.Trace, sc.Network)
	}
}

// TestASettingThatFitsNoOtherIsReported holds for what a miner's table says in more than one key.
func TestASettingThatFitsNoOtherIsReported(t *testing.T) {
	miner := func(change func(*role.Miner)) *role.Miner {
		m := &role.Miner{Behaviour: "honest", Width: 28, Heads: 2, LearningRate: 1e-3}
		change(m)
		return m
	}
	for name, c := range map[string]struct {
		miner *role.Miner
		key   string // that is reported; empty: none
	}{
		"sound":              {miner(func(*role.Miner) {}), ""},
		"heads":              {miner(func(m *role.Miner) { m.Heads = 3 }), "m.heads"},
		"heads of no model":  {miner(func(m *role.Miner) { m.Heads, m.Behaviour = 3, "idle" }), ""},
		"a rate of 0":        {miner(func(m *role.Miner) { m.LearningRate, m.Duty.To = 0, .5 }), "m.learning_rate"},
		"0 without training": {miner(func(m *role.Miner) { m.LearningRate = 0 }), ""},
		"too many losses":    {miner(func(m *role.Miner) { m.AnswerLosses = []float64{1, 2, 3} }), "m.answer_losses"},
		"a loss above 100":   {miner(func(m *role.Miner) { m.AnswerLosses = []float64{1, 101} }), "m.answer_losses"},
		"a loss below 0":     {miner(func(m *role.Miner) { m.AnswerLosses = []float64{-1, 1} }), "m.answer_losses"},
		"losses at bounds":   {miner(func(m *role.Miner) { m.AnswerLosses = []float64{0, 100} }), ""},
		"no model to load":   {miner(func(m *role.Miner) { m.Checkpoint, m.Behaviour = "x", "untrained" }), "m.checkpoint"},
	} {
		var keys []string
		c.miner.Check("m", 2, func(key, _, _, _ string) {
			if !strings.HasPrefix(key, "m.decide") { // which is not filled in here
				keys = append(keys, key)
			}
		})
		if got := strings.Join(keys, " "); got != c.key {
			t.Errorf("%s: %q is reported, expected %q", name, got, c.key)
		}
	}
}

// A scenario without models that says nothing of it has links that cost no time, digests of the ledger every hundred
// epochs, questions about every subset alike, and no date that is none.
func TestARunWithoutModelsIsSetUpForYears(t *testing.T) {
	file, err := Load("testdata/economy/learn.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	n := file.Network
	if file.Chain.DigestEpochs != 100 || n.JitterMs != 0 || n.BlockDelayMs != 0 || len(n.LatencyMs) != 1 || n.LatencyMs[0][0] != 0 {
		t.Errorf("ledger digests every %d epochs, links %+v; want 100, and no time", file.Chain.DigestEpochs, n)
	}
	if s := file.stated(); !slices.Equal(s.Weights, []float64{1, 1, 1}) {
		t.Errorf("questions are about the subsets by %v, want all alike", s.Weights)
	}
	places := map[string]int64{}
	for _, n := range file.neurons() {
		places[n.Name] = n.Place
	}
	if places["miner-12"] != 11 || places["validator-2"] != 1 {
		t.Errorf("places %v, want them counted over the miners and over the validators", places)
	}
	if _, err := Load("testdata/economy/learn.toml", []string{"time.start=2023-02-30"}); err == nil || !strings.Contains(err.Error(), "2023-03-20") {
		t.Errorf("a day that never was: %v", err)
	}
}
