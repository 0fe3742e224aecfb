package playground

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"taolab/agents/wire"
	"taolab/sim/chain"
	"taolab/sim/host"
)

// fakeApplication answers with parts that a test wrote down.
type fakeApplication struct {
	t     testing.TB
	state *chain.State
	self  chain.Key

	mu      sync.Mutex
	parts   []wire.PromptPart
	refusal *host.Response
	pause   time.Duration // before each part
	asked   wire.Prompt
	stopped bool // the last asker went away
}

func testKey(name string) chain.Key {
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, name)
	return chain.Key(ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey))
}

// newFake is the application of neuron 0 of three, with so much stake.
func newFake(t testing.TB, stakeTAO uint64) *fakeApplication {
	params, err := chain.Era("2026")
	if err != nil {
		t.Fatal(err)
	}
	genesis := chain.Genesis{ChainID: "test-00000001", Params: params.Scaled(3)}
	for i, stake := range []uint64{stakeTAO, 20, 5} {
		genesis.Neurons = append(genesis.Neurons, chain.GenesisNeuron{
			Hotkey: testKey(fmt.Sprint("hot ", i)), Coldkey: testKey("cold"), StakeRao: stake * chain.RaoPerTAO,
		})
	}
	state, err := chain.New(genesis)
	if err != nil {
		t.Fatal(err)
	}
	return &fakeApplication{t: t, state: state, self: testKey("hot 0")}
}

func (f *fakeApplication) Self() host.Self {
	return host.Self{Hotkey: f.self, Peer: f.self, HasUID: true}
}
func (f *fakeApplication) View() chain.View { return f.state.View() }

func (f *fakeApplication) Ask(ctx context.Context, r host.Request, part func(host.Response)) error {
	p, err := wire.DecodePrompt(r.Body, 1<<14)
	if err != nil || r.Synapse != host.Continuation || r.Dir != host.Forward {
		f.t.Errorf("the application was asked %d %d: %v", r.Synapse, r.Dir, err)
	}
	f.mu.Lock()
	f.asked, f.stopped = p, false
	parts, refusal, pause := f.parts, f.refusal, f.pause
	f.mu.Unlock()
	if refusal != nil {
		part(*refusal)
		return nil
	}
	for i, x := range parts {
		select {
		case <-ctx.Done():
			f.mu.Lock()
			f.stopped = true
			f.mu.Unlock()
			return ctx.Err()
		case <-time.After(pause):
		}
		part(host.Response{Code: host.Success, Body: wire.EncodePromptPart(x), More: i < len(parts)-1})
	}
	return ctx.Err()
}

// said makes parts of the texts of tokens; the last one ends.
func said(end wire.Finish, tokens ...string) (parts []wire.PromptPart) {
	for i, token := range tokens {
		parts = append(parts, wire.PromptPart{
			HasToken: true, Token: []byte(token), Prob: 0.5, PromptTokens: 3, Peers: []wire.PromptPeer{
				{UID: 1, Code: uint8(host.Success), LatencyNs: uint64(10+i) * 1e6, Loss: 0.5},
				{UID: 2, Code: uint8(host.Unauthenticated), LatencyNs: 1e6, Loss: wire.NoLoss, Reason: "too little stake"},
			},
		})
	}
	parts[len(parts)-1].Finish = end
	return parts
}

func silent(peers ...wire.PromptPeer) []wire.PromptPart {
	return []wire.PromptPart{{Peers: peers}, {Peers: peers, Finish: wire.NoAnswer}}
}

// post sends a request as a local program does.
func post(s *Server, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "http://127.0.0.1:8080/v1/completions", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}
