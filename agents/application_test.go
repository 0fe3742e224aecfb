package agents

import (
	"slices"
	"testing"

	"taolab/agents/score"
	"taolab/sim/chain"
	"taolab/sim/host"
)

func TestAnswersAreCombinedInUIDOrder(t *testing.T) {
	dist := func(id uint16, p float32) score.Dist { return score.Dist{IDs: []uint16{id}, Probs: []float32{p}} }
	byIncentive := []offer{{uid: 7}, {uid: 3, dist: dist(9, 0.5)}, {uid: 1, dist: dist(4, 0.5)}, {uid: 2}}
	for _, c := range []struct {
		how  Combine
		want uint16
	}{{Best, 9}, {Mean, 4}} {
		a := Application{config: ApplicationConfig{Combine: c.how}}
		if got, found := a.predict(byIncentive); !found || got != c.want {
			t.Errorf("combination %d: token %d, %t, want %d", c.how, got, found, c.want)
		}
		if byIncentive[0].uid != 7 {
			t.Error("the offers were reordered")
		}
		if _, found := a.predict(byIncentive[:1]); found {
			t.Errorf("combination %d found a token in no answer", c.how)
		}
	}
}

func TestTheBestMinersAreThoseOfTheHighestIncentiveInUIDOrder(t *testing.T) {
	env := newFakeEnv(t, 8)
	for uid, row := range [][]uint16{{6, 7}, {6, 7}, {6, 7, 4}, {3}} { // 3 weighs only itself: it is not a validator
		env.setWeights(uid, row...)
	}
	env.state.Advance(40)
	view := env.state.View()
	var want []uint16
	for uid := range uint16(8) {
		if uid > 2 && uid != 6 {
			want = append(want, uid)
		}
	}
	slices.SortStableFunc(want, func(a, b uint16) int {
		return int(view.Neuron(chain.UID(b)).Incentive) - int(view.Neuron(chain.UID(a)).Incentive)
	})
	if view.Neuron(chain.UID(want[0])).Incentive == 0 {
		t.Fatal("nobody has an incentive")
	}
	for k := range 8 {
		if got := bestMiners(view, host.Self{UID: 6, HasUID: true}, k); !slices.Equal(got, want[:min(k, len(want))]) {
			t.Errorf("the best %d are %v, want %v", k, got, want[:min(k, len(want))])
		}
	}
}

func BenchmarkBestMinersOf4096(b *testing.B) {
	env := newFakeEnv(b, 4096)
	view := env.state.View()
	for b.Loop() {
		bestMiners(view, host.Self{}, 3)
	}
}
