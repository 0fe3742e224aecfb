package attack

import (
	"slices"
	"testing"

	"taolab/agents/mind"
	"taolab/agents/state"
	"taolab/agents/wire"
	"taolab/sim/host"
)

// trained is a mind that would learn if its wrapper let it.
type trained struct {
	mind.Server
	visits *int
}

func (m trained) Train(host.Env) host.Job { *m.visits++; return nil }
func (m trained) Fresh() mind.Server      { return m }
func (trained) Restore(*state.Cursor)     {}

func TestOnlyBehavioursThatTrainLetTheirMindLearn(t *testing.T) {
	for _, name := range Names(Miner) {
		b, _ := Named(Miner, name)
		if b.Mind == nil {
			continue // nothing that could learn
		}
		visits := 0
		learner := func() mind.Server { return trained{visits: &visits} }
		random := func() mind.Server { return mind.Random{Bounds: wire.Bounds{Vocab: 264, Rows: 1, Cols: 1, TopK: 1}} }
		m := b.Mind(Minds{Honest: learner, Untrained: learner, Random: random})
		m.Train(nil)
		m.Fresh().Train(nil)
		if (visits == 2) != b.Trains || !b.Trains && visits > 0 {
			t.Errorf("%s: learned in %d of 2 visits; its line says %t", name, visits, b.Trains)
		}
	}
}

func TestEveryBehaviourHasOneLineUnderItsKind(t *testing.T) {
	var seen []string
	for _, b := range Behaviours() {
		key := string(b.Kind) + "/" + b.Name
		if slices.Contains(seen, key) || b.Doc == "" || b.Kind == Miner && b.Answers != (b.Mind != nil || b.Wrap != nil) {
			t.Errorf("%s appears twice, says nothing, or answers without a mind or a wrapper, or has one and does not answer", key)
		}
		seen = append(seen, key)
		if found, ok := Named(b.Kind, b.Name); !ok || found.Doc != b.Doc {
			t.Errorf("%s is not found by its name", key)
		}
	}
	for _, kind := range []Kind{Miner, Validator, Application} {
		if names := Names(kind); len(names) == 0 || names[0] != "honest" {
			t.Errorf("a %s is one of %v, want honest first", kind, names)
		}
	}
	if _, ok := Named(Miner, "lazy"); ok {
		t.Error("a validator's behaviour is one of miners")
	}
}
