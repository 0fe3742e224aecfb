package playground

import (
	"slices"
	"sync"
	"testing"
	"time"

	"taolab/agents/role"
	"taolab/model/base"
	"taolab/model/checkpoint"
	"taolab/model/lm"
	"taolab/model/num"
	"taolab/sim/host"
	"taolab/sim/live/axon"
)

// crowd is how many texts each of two applications has continued at a time.
const crowd = 8

// Two applications have their miners continue more texts than those can at a time: the one with more stake is served
// before the other, of whom nothing else is different.
func TestUnderLoadMoreStakeIsServedEarlier(t *testing.T) {
	plan, dir := plan, t.TempDir()
	slow := lm.New(lm.Config{Vocab: 288, Context: 32, Width: 384, Layers: 24, Heads: 4}, num.NewStream(1, "a model that takes its time"))
	if err := (&checkpoint.Checkpoint{Model: slow}).Save(dir); err != nil {
		t.Fatal(err)
	}
	plan.Checkpoints = []string{dir}
	made, err := plan.Prepare(t.Context(), base.Cache{}, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	n := startWith(t, made, 1000, 0, func(a *role.Application, m *role.Miner) {
		m.Checkpoint = dir
		if err := m.Adopt(); err != nil {
			t.Fatal(err)
		}
		a.ContinuedTexts, a.PaceS, a.TimeoutS = crowd, 0.001, 30
		m.MinIntervalS, m.Queue = 0, 4*crowd
	})
	rich, poor := New(n.app, Limits{Open: crowd}, nil), New(n.rival, Limits{Open: crowd}, nil)
	began := time.Now()
	var mu sync.Mutex
	var all sync.WaitGroup
	took := map[*Server][]time.Duration{}
	for range crowd {
		for _, s := range []*Server{poor, rich} {
			all.Go(func() {
				w := post(s, `{"model":"mean","prompt":"the value of the ","max_tokens":6}`)
				mu.Lock()
				defer mu.Unlock()
				took[s] = append(took[s], time.Since(began))
				if w.Code != 200 {
					t.Errorf("%d %s", w.Code, w.Body)
				}
			})
		}
	}
	all.Wait()
	middle := func(s *Server) time.Duration {
		slices.Sort(took[s])
		return took[s][crowd/2]
	}
	t.Logf("half of the texts are there after %s with 1000 TAO of stake, %s with 1", middle(rich), middle(poor))
	if middle(rich) > middle(poor)*8/10 {
		t.Errorf("half of the texts came after %s with 1000 TAO of stake, after %s with 1", middle(rich), middle(poor))
	}
}

// A refusal of the host has its reason for a body, so that people see it.
func TestWhyAnApplicationRefusesIsInItsAnswer(t *testing.T) {
	n := start(t, 1, 0, nil)
	var got []host.Response
	asked := n.app
	asked.Node.Name = "nobody"
	if err := asked.Ask(t.Context(), host.Request{Synapse: host.Continuation, Dir: host.Forward}, func(r host.Response) { got = append(got, r) }); err != nil {
		t.Fatal(err)
	}
	var want []axon.Reply
	for r := range n.app.World.Ask(t.Context(), "nobody", asked.Self().Peer, host.Request{}) {
		want = append(want, r)
	}
	if len(got) != 1 || len(want) != 1 || got[0].Code == host.Success || want[0].Reason == "" || string(got[0].Body) != want[0].Reason {
		t.Errorf("the answer is %+v, of the world %+v", got, want)
	}
}
