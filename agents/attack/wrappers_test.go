package attack

import (
	"fmt"
	"slices"
	"testing"

	"taolab/agents/score"
	"taolab/agents/wire"
	"taolab/model/num"
	"taolab/sim/chain"
	"taolab/sim/host"
)

// calling is a world that notes calls and replies.
type calling struct {
	*world
	called  []host.PeerID
	dropped int
	takes   []uint16
	replies []host.Response
}

func (c *calling) Call(to host.PeerID, _ host.Request, _ host.Time) host.CallID {
	c.called = append(c.called, to)
	return host.CallID(100 + len(c.called))
}
func (c *calling) Submit(_ host.KeyRole, m chain.Msg) host.SubmitID {
	c.takes = append(c.takes, m.(chain.Delegate).Take)
	return 0
}
func (c *calling) Cancel(host.CallID)                   { c.dropped++ }
func (c *calling) Reply(_ host.CallID, r host.Response) { c.replies = append(c.replies, r) }
func (c *calling) last() host.Code                      { return c.replies[len(c.replies)-1].Code }
func (c *calling) asks(a host.Agent, id host.CallID, by int) {
	a.Handle(c, host.Incoming{Call: id, From: public(by)})
}

// paid is a world in which uids 0, 1 and 2 give uids 3, 4 and 5 weights of 1, 3 and 2, or what is given.
func paid(t *testing.T, weights ...uint32) *calling {
	t.Helper()
	w := newWorld(t, func(p *chain.Params) { p.MaxValidators = 5 }) // uid 5 has no permit
	if len(weights) == 0 {
		weights = []uint32{1, 3, 2}
	}
	for uid := range 3 {
		w.weigh(uid, []uint16{3, 4, 5}, weights...)
	}
	w.state.Advance(40)
	if n := w.state.View().Neuron(4); n.Incentive == 0 || n.Axon != public(4) {
		t.Fatalf("uid 4 has incentive %d at %v", n.Incentive, n.Axon)
	}
	return &calling{world: w}
}

func (c *calling) As(host.Identity) host.Env { return c }

// second is an agent that acts under its node's second identity.
type second struct {
	host.Agent
	act func(host.Env)
}

func (a second) Handle(env host.Env, _ host.Event) { a.act(env.As(1)) }

func TestAWrapperHoldsUnderEveryIdentity(t *testing.T) {
	w, whole := paid(t), []byte("an answer")
	hidden := second{act: func(env host.Env) { env.Submit(host.Hotkey, chain.RevealWeights{}) }}
	Hiding{hidden}.Handle(w, host.Start{}) // the world takes no such message
	broken := second{act: func(env host.Env) { env.Reply(1, host.Response{Code: host.Success, Body: whole}) }}
	for range 9 {
		Breaker{broken}.Handle(w, host.Start{})
	}
	if slices.ContainsFunc(w.replies, func(r host.Response) bool { return slices.Equal(r.Body, whole) }) {
		t.Errorf("an answer under the second identity is whole: %v", w.replies)
	}
}

func TestARelayAsksTheBestMinerThatServesIt(t *testing.T) {
	w, r := paid(t), &Relay{}
	w.asks(r, 1, 0)
	w.asks(r, 2, 0)
	if want := []host.PeerID{public(4), public(4)}; !slices.Equal(w.called, want) {
		t.Fatalf("it asks %v, want the best miner twice", w.called)
	}
	restored := &Relay{}
	if err := restored.RestoreState(r.AppendState(nil)); err != nil || !slices.Equal(restored.open, r.open) {
		t.Fatalf("restored %v, %v; it was %v", restored.open, err, r.open)
	}
	r = restored
	r.Handle(w, host.Answer{Call: 101, From: public(4), Response: host.Response{Code: host.Success, More: true}})
	r.Handle(w, host.Answer{Call: 101, From: public(4), Response: host.Response{Code: host.Success}})
	r.Handle(w, host.Answer{Call: 101, From: public(4), Response: host.Response{Code: host.Success}}) // nobody waits any more
	if len(w.replies) != 2 || len(r.open) != 1 {
		t.Errorf("%d parts are passed back and %d questions are open, want 2 and 1", len(w.replies), len(r.open))
	}
	r.Handle(w, host.Cancelled{Call: 2})
	if w.dropped != 1 || len(r.open) != 0 {
		t.Errorf("%d calls are dropped and %d are open after the caller left", w.dropped, len(r.open))
	}
	w.replies = nil
	w.asks(r, 3, 0)
	r.Handle(w, host.Answer{Call: 103, From: public(4), Response: host.Response{Code: host.NotImplemented}})
	if w.asks(r, 4, 0); w.called[3] != public(5) {
		t.Errorf("it asks %v after the best one served nobody, want the second best", w.called[3])
	}
	r.Handle(w, host.Answer{Call: 104, From: public(5), Response: host.Response{Code: host.Unauthenticated}})
	if w.asks(r, 5, 0); w.called[4] != public(5) {
		t.Error("it gives up a miner that may serve it the next time")
	}
	for _, caller := range []int{77, 5} { // without a seat, and without a permit
		w.replies = nil
		if w.asks(r, 6, caller); len(w.replies) != 1 || w.last() != host.NotImplemented || len(w.called) != 5 {
			t.Errorf("caller %d has no permit and gets %v", caller, w.last())
		}
	}
}

func TestARelayAsksTheFirstOfEquals(t *testing.T) {
	w := paid(t, 1, 1, 1)
	if w.asks(&Relay{}, 1, 0); w.called[0] != public(3) {
		t.Errorf("it asks %v, want the first of three", w.called[0])
	}
}

func TestARelaysBoundsHold(t *testing.T) {
	w, r := paid(t), &Relay{}
	for i := range maxRelayed + 1 {
		w.asks(r, host.CallID(i), 0)
	}
	if len(r.open) != maxRelayed || w.last() != host.Backoff {
		t.Errorf("%d questions are open, the last one got %v", len(r.open), w.last())
	}
	for i := range 2 * maxShunned {
		r.shun(host.PeerID{byte(i)})
	}
	if len(r.shunned) != maxShunned || r.shunned[0] != (host.PeerID{maxShunned}) {
		t.Errorf("%d miners are shunned, from %v on", len(r.shunned), r.shunned[0])
	}
	r.open = append(r.open, relayed{})
	if err := new(Relay).RestoreState(r.AppendState(nil)); err == nil {
		t.Error("a state beyond the bounds is taken")
	}
	if r.Handle(w, host.Start{}); len(r.open) != 0 {
		t.Error("after a crash questions are open whose calls are lost")
	}
}

// A bait takes nothing, raises its take three blocks before the epoch's and lowers it behind it.
func TestABaitRaisesItsTakeForTheEpochOnly(t *testing.T) {
	w, seen := &calling{world: newWorld(t, plain)}, 0
	var agent host.Agent = &Bait{inner: serving{&seen}}
	agent.Handle(w, host.Start{})
	most := w.state.View().Params().MaxTake
	var got []uint16
	var at []uint64
	for range 45 {
		w.state.Advance(1)
		for id, height := range w.timers { // order-free: at most one is due
			if height == w.state.View().Height() {
				delete(w.timers, id)
				fresh := &Bait{inner: serving{&seen}}
				if err := fresh.RestoreState(agent.AppendState(nil)); err != nil {
					t.Fatal(err)
				}
				agent = fresh
				agent.Handle(w, host.Block{ID: id, Height: height})
				got, at = append(got, w.takes[len(w.takes)-1]), append(at, height)
			}
		}
	}
	first := at[0]
	if !slices.Equal(got, []uint16{most, 0, most, 0}) || !slices.Equal(at, []uint64{first, first + 3, first + 20, first + 23}) || (first+3)%20 != 0 {
		t.Errorf("takes %v at blocks %v", got, at)
	}
	if agent.Handle(w, host.Block{ID: 999}); seen != 2 { // the start, and this
		t.Errorf("%d events reached the validator, want 2", seen)
	}
}

func TestSkippersAndCoastersLeaveTheirShareUnanswered(t *testing.T) {
	w := newWorld(t, plain)
	served := 0
	skipper := Skipping{serving{&served}}
	for range 1000 {
		skipper.Handle(w, host.Incoming{})
	}
	if served < 660 || served > 740 || served+w.refused != 1000 {
		t.Errorf("%d of 1000 requests are served, %d refused", served, w.refused)
	}
	var serves []bool
	for range 4 { // the first epoch is over
		before := served
		Coasting{serving{&served}}.Handle(w, host.Incoming{})
		serves = append(serves, served > before)
		w.state.Advance(10 * 20)
	}
	if want := []bool{true, false, true, false}; !slices.Equal(serves, want) {
		t.Errorf("every ten epochs it serves: %v, want %v", serves, want)
	}
}

func TestAConfederateKnowsTheAnswersToItsOwnersValidatorsOnly(t *testing.T) {
	w, reached := &calling{world: newWorld(t, plain)}, 0
	c := Confederate{serving{&reached}}
	question := host.Request{Synapse: host.StatedLoss, Dir: host.Forward, Body: wire.EncodeStatedRequest(wire.StatedRequest{Subsets: []uint16{0, 7}})}
	c.Handle(owned{w, public(100)}, host.Incoming{From: public(2), Request: question})
	if stated, err := wire.DecodeStated(w.replies[0].Body, 2); err != nil || stated.Losses[0] != 0 || stated.Losses[1] != 0 {
		t.Errorf("its owner's validator gets %v, %v", stated, err)
	}
	c.Handle(owned{w, public(101)}, host.Incoming{From: public(2), Request: question})  // of another owner
	c.Handle(owned{w, public(100)}, host.Incoming{From: public(77), Request: question}) // of nobody
	question.Body = nil
	c.Handle(owned{w, public(100)}, host.Incoming{From: public(2), Request: question}) // of bytes that are none
	if reached != 3 || len(w.replies) != 1 {
		t.Errorf("%d questions are answered honestly and %d are known, want 3 and 1", reached, len(w.replies))
	}
}

// owned is a world seen by a node of a coldkey.
type owned struct {
	*calling
	coldkey chain.Key
}

func (o owned) Self() host.Self { return host.Self{Coldkey: o.coldkey, HasUID: true} }

func TestAForgerAnswersWhatItCanReadAndRefusesTheRest(t *testing.T) {
	w := &calling{world: newWorld(t, plain)}
	good := wire.EncodeNextRequest(wire.NextRequest{Rows: 2, Cols: 3, TopK: 4, Tokens: make([]uint16, 6)})
	for _, c := range []struct {
		synapse host.Synapse
		body    []byte
		want    host.Code
	}{{host.TextCausalLMNext, good, host.Success}, {host.TextCausalLMNext, good[:5], host.InvalidRequest}, {host.StatedLoss, good, host.NotImplemented}} {
		Forger{}.Handle(w, host.Incoming{Request: host.Request{Synapse: c.synapse, Dir: host.Forward, Body: c.body}})
		if w.last() != c.want {
			t.Errorf("synapse %v, %d bytes: %v, want %v", c.synapse, len(c.body), w.last(), c.want)
		}
	}
	body := w.replies[0].Body
	answer, err := wire.DecodeNext(body, wire.NextShape{Rows: 2, TopK: 4, Vocab: 32, LooseRange: true})
	if err != nil {
		t.Fatalf("a loose reader refuses it: %v", err)
	}
	for _, target := range []uint16{0, 2, 31} { // named, and not
		for _, l := range score.PhraseLosses(answer.Rows, []uint16{target, 5, target, 6}, 32, 4) {
			if l.Phrase != 0 {
				t.Errorf("token %d loses %g, want nothing", target, l.Phrase)
			}
		}
	}
	if _, err := wire.DecodeNext(body, wire.NextShape{Rows: 2, TopK: 4, Vocab: 32}); err == nil {
		t.Error("a strict reader takes it")
	}
	if err := (Forger{}).RestoreState(Forger{}.AppendState(nil)); err != nil {
		t.Error(err)
	}
}

// Each way of spoiling leaves bytes that no decoder takes, and no more of them than it says.
func TestEveryWayOfSpoilingIsRefused(t *testing.T) {
	body := wire.EncodeStated(wire.StatedAnswer{Losses: []float32{1, 2, 3}})
	stream := num.NewStream(1, "spoil")
	for way := range ways {
		bad := spoiled(body, way, stream)
		if _, err := wire.DecodeStated(bad, 3); err == nil || len(bad) > max(oversized, 2*len(body)) {
			t.Errorf("way %d: %d bytes, %v", way, len(bad), err)
		}
		spoiled(nil, way, stream) // an empty body breaks nobody
	}
	if want := wire.EncodeStated(wire.StatedAnswer{Losses: []float32{1, 2, 3}}); !slices.Equal(body, want) {
		t.Error("what the agent holds is spoiled too")
	}
}

func TestAValidatorThatHidesRevealsItsFirstRowOnly(t *testing.T) {
	w := &submitting{world: newWorld(t, plain)}
	agent := Hiding{acting{func(env host.Env) {
		env.Submit(host.Hotkey, chain.CommitWeights{})
		env.Submit(host.Hotkey, chain.RevealWeights{})
	}}}
	agent.Handle(w, host.Start{})
	w.weigh(0, []uint16{3}, 65535)
	agent.Handle(w, host.Start{})
	var kinds []string
	for _, m := range w.sent {
		kinds = append(kinds, fmt.Sprintf("%T", m))
	}
	if want := []string{"chain.CommitWeights", "chain.RevealWeights", "chain.CommitWeights"}; !slices.Equal(kinds, want) {
		t.Errorf("it sends %v, want %v", kinds, want)
	}
}

// submitting is a world that notes what is submitted, and has the ledger take none of it.
type submitting struct {
	*world
	sent []chain.Msg
}

func (s *submitting) Submit(_ host.KeyRole, m chain.Msg) host.SubmitID {
	s.sent = append(s.sent, m)
	return host.SubmitID(len(s.sent))
}

// acting is an agent that does one thing at each event.
type acting struct{ does func(host.Env) }

func (a acting) Handle(env host.Env, _ host.Event) { a.does(env) }
func (acting) AppendState(b []byte) []byte         { return b }
func (acting) RestoreState([]byte) error           { return nil }
