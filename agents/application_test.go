package agents

import (
	"testing"

	"taolab/agents/score"
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
