package virtual

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// manifold is an agent that does everything under each of its identities: it registers them, asks a peer each
// second, sets weights, and notes who asked it.
type manifold struct {
	ids   int
	mute  bool // it registers nobody
	asks  []host.PeerID
	heard map[string]int // by who asked which identity
	turn  uint64
}

func (m *manifold) Handle(env host.Env, event host.Event) {
	switch e := event.(type) {
	case host.Start:
		for id := range host.Identity(m.ids) {
			if self := env.As(id).Self(); !self.HasUID && !m.mute {
				env.Submit(host.Coldkey, chain.Register{Hotkey: self.Hotkey})
			}
		}
		env.After(host.Second, 0)
	case host.Timer:
		m.turn++
		for id := range host.Identity(m.ids) {
			for _, peer := range m.asks {
				env.As(id).Call(peer, host.Request{Synapse: host.StatedLoss, Dir: host.Forward, Body: []byte{byte(id)}}, host.Second)
			}
			if as := env.As(id); as.Self().HasUID && m.turn%7 == 0 {
				as.Submit(host.Hotkey, m.weights(env.Chain(), id))
			}
		}
		env.After(host.Second, 0)
	case host.Incoming:
		m.heard[fmt.Sprint(e.From, " asked ", e.To)]++
		env.Reply(e.Call, host.Response{Code: host.Success, Body: []byte{byte(e.To)}})
	}
}

// weights are those of an identity on whom it asks.
func (m *manifold) weights(view chain.View, id host.Identity) (w chain.SetWeights) {
	for i, peer := range m.asks {
		if uid, seated := view.UIDOf(peer); seated {
			w.UIDs, w.Values = append(w.UIDs, uint16(uid)), append(w.Values, 10+uint32(i)+uint32(id))
		}
	}
	return w
}

func (m *manifold) AppendState(b []byte) []byte { return binary.LittleEndian.AppendUint64(b, m.turn) }

func (m *manifold) RestoreState(b []byte) error {
	m.turn = binary.LittleEndian.Uint64(b)
	return nil
}

// twoOfMany is a network of a node with three identities, of which the first has a seat, and a node with one.
func twoOfMany(t *testing.T, rows trace.Recorder) (cfg Config, many, one *manifold) {
	t.Helper()
	cfg = Config{Seed: 5, Blocks: 60, BlockNs: host.Second, Genesis: quiet(), DigestEpochs: 1, Recorder: rows,
		Trace: Recording{Epochs: 1, Weights: 1, Seats: true, Transactions: true}}
	p := &cfg.Genesis.Params
	p.TempoBlocks, p.MaxUIDs, p.MinAllowedWeights, p.WeightsRateLimitBlocks, p.MaxWeight = 10, 8, 1, 0, 65535
	p.CommitReveal, p.StakeThresholdRao = false, 0
	cfg.Links = Links{Latency: [][]host.Time{{5 * host.Millisecond}}, Jitter: host.Millisecond}
	many, one = &manifold{ids: 3, heard: map[string]int{}}, &manifold{ids: 1, heard: map[string]int{}}
	for i, m := range []*manifold{many, one} {
		name := []string{"many", "one"}[i]
		fresh := func() host.Agent {
			return &manifold{ids: m.ids, mute: m.mute, asks: m.asks, heard: m.heard}
		}
		cfg.Nodes = append(cfg.Nodes, Node{Name: name, Fresh: fresh, Identities: m.ids})
		cold := PublicKey(cfg.Seed, name, host.Coldkey)
		cfg.Genesis.Balances = append(cfg.Genesis.Balances, chain.Balance{Coldkey: cold, FreeRao: 100 * chain.RaoPerTAO})
		cfg.Genesis.Neurons = append(cfg.Genesis.Neurons, chain.GenesisNeuron{
			Hotkey: PublicKey(cfg.Seed, name, host.Hotkey), Coldkey: cold, StakeRao: 100 * chain.RaoPerTAO,
		})
	}
	for id := range host.Identity(3) {
		one.asks = append(one.asks, PublicKey(cfg.Seed, Named("many", id), host.Hotkey))
	}
	many.asks = []host.PeerID{PublicKey(cfg.Seed, "one", host.Hotkey)}
	return cfg, many, one
}

func live(t *testing.T, cfg Config) *World {
	t.Helper()
	w, err := New(cfg)
	if err == nil {
		err = w.Run(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// named are the rows of epochs, weights, seats and transactions.
type named []trace.Row

func (n *named) Record(row trace.Row) { *n = append(*n, row) }

// A node acts under each of its hotkeys: what it asks, is asked, sets and earns stands under the one that did it,
// and all rows name the node.
func TestANodeActsUnderEachOfItsIdentities(t *testing.T) {
	var rows named
	cfg, many, one := twoOfMany(t, &rows)
	view := live(t, cfg).Chain()
	key := func(name string) chain.Key { return PublicKey(cfg.Seed, name, host.Hotkey) }
	earned := map[chain.UID]uint64{}
	for _, row := range rows {
		switch row := row.(type) {
		case trace.Epoch:
			earned[chain.UID(row.UID)] += row.EmissionRao
			if want := key("one") == view.Neuron(chain.UID(row.UID)).Hotkey; row.Node == nil || (*row.Node == 1) != want {
				t.Errorf("epoch %d, uid %d: row %+v does not name the node of the hotkey", row.Epoch, row.UID, row)
			}
		case trace.Seat:
			if row.Node == nil {
				t.Errorf("the seat %+v names no node", row)
			}
		}
	}
	for id := range host.Identity(3) {
		hotkey := key(Named("many", id))
		if n := one.heard[fmt.Sprint(hotkey, " asked 0")]; n < 50 {
			t.Errorf("identity %d asked %d times under its key, expected about 58 of %v", id, n, one.heard)
		}
		if n := many.heard[fmt.Sprint(key("one"), " asked ", id)]; n < 50 {
			t.Errorf("identity %d was asked %d times, expected about 58 of %v", id, n, many.heard)
		}
		uid, seated := view.UIDOf(hotkey)
		if !seated || len(view.Weights(uid)) != 1 || earned[uid] == 0 {
			t.Errorf("identity %d: uid %d (%t) has weights %v and earned %d; expected some of each", id, uid, seated, view.Weights(uid), earned[uid])
		}
	}
}

// What three identities do goes on from a snapshot as if the run had never stopped.
func TestANodeOfSeveralIdentitiesGoesOnFromASnapshot(t *testing.T) {
	cfg, _, _ := twoOfMany(t, nil)
	want := live(t, cfg).Digest()
	for turns := range 40 {
		cfg, _, _ := twoOfMany(t, nil)
		w, err := restore(cfg, saved(t, after(t, cfg, 31*turns)))
		if err == nil {
			err = w.Run(context.Background())
		}
		if err != nil || w.Digest() != want {
			t.Fatalf("after %d turns: digest %v, straight %v: %v", 31*turns, w.Digest(), want, err)
		}
	}
}

// A node that comes back under other hotkeys does so with all of its identities.
func TestAllIdentitiesOfANodeChurn(t *testing.T) {
	cfg, many, one := twoOfMany(t, nil)
	cfg.Faults = []Fault{{Kind: "churn", Target: Target{Node: "many"}, From: 20 * host.Second, To: 22 * host.Second}}
	cfg.Blocks, many.mute = 120, true
	w := live(t, cfg)
	for i := range w.nodes[0].ids {
		now := w.nodes[0].ids[i].hotkey.Key
		if _, seated := w.Chain().UIDOf(now); !seated || now == PublicKey(cfg.Seed, Named("many", host.Identity(i)), host.Hotkey) {
			t.Errorf("identity %d has the hotkey %v (seated: %t), expected a new one with a seat", i, now, seated)
		}
		if n := one.heard[fmt.Sprint(now, " asked 0")]; n < 50 {
			t.Errorf("identity %d asked %d times under its new key", i, n)
		}
	}
	if len(many.heard) != 3 {
		t.Errorf("who was asked: %v", many.heard)
	}
}

func TestAnIdentityThatANodeDoesNotHaveIsRefused(t *testing.T) {
	w := world(t, &idler{handle: func(env host.Env, _ host.Event) { env.As(1) }})
	if err := w.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "identity 1 of a node that has 1") {
		t.Error(err)
	}
	cfg, _, _ := twoOfMany(t, nil)
	cfg.Nodes[0].Identities, cfg.Nodes[1].Name = host.MaxIdentities+1, "many/2"
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "65 identities") || !strings.Contains(err.Error(), "node 1 (many/2): node 0 has the same name") {
		t.Error(err)
	}
}
