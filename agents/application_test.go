package agents

import (
	"math"
	"slices"
	"testing"

	"taolab/agents/score"
	"taolab/model/num"
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

func TestTokensAreDrawnByTemperatureAndShare(t *testing.T) {
	ids, sums := []uint16{9, 4, 7, 1}, []float64{0.3, 0.4, 0.2, 0.1}
	for _, c := range []struct {
		temperature, topP float64
		want              []float64 // share of each token
	}{
		{0, 1, []float64{0, 1, 0, 0}},
		{1, 1, []float64{0.3, 0.4, 0.2, 0.1}},
		{0.5, 1, []float64{0.3, 0.5333, 0.1333, 0.0333}},
		{1, 0.69, []float64{0.4286, 0.5714, 0, 0}},
		{1, 1e-9, []float64{0, 1, 0, 0}},
	} {
		counts, stream := make([]float64, len(ids)), num.NewStream(3, "draws")
		for range 20000 {
			counts[draw(ids, sums, c.temperature, c.topP, stream)] += 1. / 20000
		}
		for i, want := range c.want {
			if math.Abs(counts[i]-want) > 0.012 || want == 0 && counts[i] > 0 {
				t.Errorf("temperature %g, share %g: tokens %v came with %v, want %v", c.temperature, c.topP, ids, counts, c.want)
				break
			}
		}
	}
	if at := draw([]uint16{8, 2}, []float64{0.5, 0.5}, 0, 1, nil); at != 1 {
		t.Error("a tie does not go to the lower token")
	}
	if draw(nil, nil, 0, 1, nil) != -1 || draw([]uint16{3}, []float64{0}, 1, 1, nil) != -1 {
		t.Error("a token came of nothing")
	}
}
