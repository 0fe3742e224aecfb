package attack

import (
	"testing"

	"taolab/sim/chain"
	"taolab/sim/chain/emission"
	"taolab/sim/host"
)

// serving counts the requests that reach an agent.
type serving struct{ requests *int }

func (s serving) Handle(host.Env, host.Event)     { *s.requests++ }
func (serving) AppendState(b []byte) []byte       { return b }
func (serving) RestoreState([]byte) error         { return nil }
func (w *world) Reply(host.CallID, host.Response) { w.refused++ }

// Six neurons begin with 6, 5, 4, 3, 2 and 1 TAO: the first three hold less than three quarters of all, and
// with the fourth more.
func TestASelectiveMinerServesTheRichestThreeQuarters(t *testing.T) {
	w := newWorld(t, func(p *chain.Params) { p.Emission, p.EmissionFlatRao = emission.Flat, 0 })
	b, _ := Named(Miner, "selective")
	for uid, want := range []bool{true, true, true, true, false, false} {
		requests, refused := 0, w.refused
		miner := b.Around(serving{&requests})
		miner.Handle(w, host.Incoming{StakeRao: w.state.View().Neuron(chain.UID(uid)).StakeRao})
		if (requests == 1) != want || (w.refused > refused) == want {
			t.Errorf("uid %d: %d requests reached the miner, %d were refused", uid, requests, w.refused-refused)
		}
		miner.Handle(w, host.Start{})
		if requests == 0 {
			t.Error("another event did not reach the miner")
		}
	}
}
