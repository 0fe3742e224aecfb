package virtual

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"

	"taolab/sim/chain"
	"taolab/sim/host"
)

// seatedWorld is a network whose four nodes make its blocks. The second is down for a while.
func seatedWorld(t *testing.T, down host.Time) Config {
	t.Helper()
	p, err := chain.Era("2026")
	if err != nil {
		t.Fatal(err)
	}
	p = p.Scaled(4)
	p.TempoBlocks, p.Emission, p.EmissionFlatRao = 20, "flat", 0
	p.Hard = chain.Hard{
		Seats: 4, ChurnDen: 10, JailWindow: 20, JailSigned: 32768, JailEpochs: 1, SlashEquivocation: 3277,
		UnbondEpochs: 3, WarmStake: true,
	}
	cfg := Config{
		Seed: 3, Blocks: 100, Genesis: chain.Genesis{ChainID: "seats", Params: p}, DigestEpochs: 1,
		Links: Links{Latency: [][]host.Time{{host.Millisecond}}}, SaveEvery: host.Hour,
	}
	for i := range 4 {
		name := fmt.Sprint("node-", i)
		n := Node{Name: name, Fresh: func() host.Agent { return &idler{} }}
		if i == 1 && down > 0 {
			cfg.Faults = append(cfg.Faults, Fault{
				Kind: "crash", Target: Target{Node: name}, From: 120 * host.Second, To: 120*host.Second + down,
			})
		}
		cfg.Nodes = append(cfg.Nodes, n)
		hotkey := PublicKey(cfg.Seed, name, host.Hotkey)
		cfg.Genesis.Neurons = append(cfg.Genesis.Neurons, chain.GenesisNeuron{
			Hotkey: hotkey, Coldkey: PublicKey(cfg.Seed, name, host.Coldkey), StakeRao: 100 * chain.RaoPerTAO,
		})
		cfg.Genesis.Operators = append(cfg.Genesis.Operators, chain.GenesisOperator{
			Hotkey: hotkey, ConsensusKey: sha256.Sum256([]byte(name)),
		})
	}
	return cfg
}

func playSeats(t *testing.T, cfg Config, guilty int) (chain.View, *World) {
	t.Helper()
	if guilty >= 0 {
		cfg.Faults = append(cfg.Faults, Fault{
			Kind: "equivocate", Target: Target{Node: cfg.Nodes[guilty].Name}, From: host.Minute, To: 2 * host.Minute,
		})
	}
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return w.Chain(), w
}

// operatorsOf are those of the nodes in their order.
func operatorsOf(cfg Config, v chain.View) (list [4]chain.Operator) {
	for _, o := range v.Operators() {
		for i := range list {
			if o.Hotkey == PublicKey(cfg.Seed, cfg.Nodes[i].Name, host.Hotkey) {
				list[i] = o
			}
		}
	}
	return list
}

func TestANodeThatIsDownMissesBlocksAndLosesItsSeat(t *testing.T) {
	for _, down := range []host.Time{0, host.Hour} {
		cfg := seatedWorld(t, down)
		v, _ := playSeats(t, cfg, -1)
		if o := operatorsOf(cfg, v)[1]; o.Jailed != (down > 0) || (o.Power == 0) != (down > 0) {
			t.Errorf("down for %d ns: %+v", down, o)
		}
	}
}

func TestANodeWithANewHotkeyLosesTheSeatOfTheFormer(t *testing.T) {
	cfg := seatedWorld(t, 0)
	cfg.Faults = append(cfg.Faults,
		Fault{Kind: "churn", Target: Target{Node: "node-1"}, From: 120 * host.Second, To: 132 * host.Second},
		Fault{Kind: "equivocate", Target: Target{Node: "node-1"}, From: 144 * host.Second, To: 156 * host.Second})
	v, w := playSeats(t, cfg, -1)
	if now := w.nodes[1].ids[0].hotkey.Key; now == PublicKey(cfg.Seed, "node-1", host.Hotkey) || w.serving(now) != &w.nodes[1] {
		t.Errorf("the new hotkey %v is not known to be the node's", now)
	}
	if o := operatorsOf(cfg, v)[1]; !o.Jailed || o.Power != 0 || o.BarredUntil != 0 {
		t.Errorf("%+v: expected a seat that was lost because nobody was there, and nothing signed by it", o)
	}
}

func TestANodeThatSignsTwiceIsSlashedOnce(t *testing.T) {
	cfg := seatedWorld(t, 0)
	v, w := playSeats(t, cfg, 2)
	all := operatorsOf(cfg, v)
	if all[2].Power != 0 || all[2].BarredUntil == 0 || all[3].Power == 0 {
		t.Errorf("%+v", all)
	}
	// 3277/65535 of 100 TAO
	if burned := v.Totals().Burned; burned != 100*chain.RaoPerTAO*3277/65535 {
		t.Errorf("%d rao burned", burned)
	}
	again, x := playSeats(t, cfg, 2)
	if w.Digest() != x.Digest() || again.Totals() != v.Totals() {
		t.Error("the same run went elsewhere")
	}
}

// The proposer turns, as often as power says.
func TestEveryoneProposesInTurn(t *testing.T) {
	w, err := New(seatedWorld(t, 0))
	if err != nil {
		t.Fatal(err)
	}
	times := map[chain.Address]int{}
	for range 400 {
		b := w.ballot()
		times[b.Proposer]++
		if err := w.producer.ledger.Begin(b); err != nil {
			t.Fatal(err)
		}
		if _, err := w.producer.ledger.End(0); err != nil {
			t.Fatal(err)
		}
	}
	if len(times) != 4 {
		t.Fatalf("%v", times)
	}
	for _, n := range times { // order-free: each is checked by itself
		if n < 80 || n > 120 {
			t.Errorf("%v", times)
		}
	}
}
