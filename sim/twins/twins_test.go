package twins

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"taolab/sim/actor"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/journal"
	"taolab/sim/live"
	"taolab/sim/live/replica"
	"taolab/sim/virtual"
)

const (
	seed     = 7
	interval = 200 * time.Millisecond
	lastLine = 40 // the height at which both worlds are compared
)

// play is what the agents do. Every line waits for the one before it, and what touches the same money or
// the same weights stands in one agent's lines: so the end does not depend on who is faster. Nobody spends
// what he does not have: a replica's pool turns that away for nothing, where the virtual producer takes the fee.
const play = `
	a: see; draw; ask b 100 1; stake 3; at 8; weight 1; ask c 40 3; compute x; pay b 70000000; at 35; draw; see
	b: at 6; stake 5; ask a 1000 2; weight 0; pay nobody 1; sleep 20; at 36; see
	c: ask nobody 1 1 50; stake 1; at 5; compute y; ask a 1 1; at 37; see`

func hotkey(name string) chain.Key { return virtual.PublicKey(seed, name, host.Hotkey) }

// genesis seats all actors, and an operator that makes the blocks.
func genesis(t *testing.T, actors []*actor.Actor) chain.Genesis {
	p, err := chain.Era("2026")
	if err != nil {
		t.Fatal(err)
	}
	p = p.Scaled(8).Live()
	p.TempoBlocks, p.WeightsRateLimitBlocks, p.MinAllowedWeights = 30, 0, 1
	g := chain.Genesis{Params: p}
	for i, name := range append([]string{"operator"}, names(actors)...) {
		cold := virtual.PublicKey(seed, name, host.Coldkey)
		g.Neurons = append([]chain.GenesisNeuron{}, append(g.Neurons, chain.GenesisNeuron{
			Hotkey: hotkey(name), Coldkey: cold, StakeRao: uint64(1000*(1+i)) * chain.RaoPerTAO,
		})...)
		g.Balances = append(g.Balances, chain.Balance{Coldkey: cold, FreeRao: 100 * chain.RaoPerTAO})
	}
	g.Operators = []chain.GenesisOperator{{Hotkey: hotkey("operator"), ConsensusKey: hotkey("vote")}}
	return g
}

func names(actors []*actor.Actor) (all []string) {
	for _, a := range actors {
		all = append(all, a.Name)
	}
	return all
}

// masked is all that a view shows, without the heights at which things happened.
func masked(v chain.View, actors []*actor.Actor) (lines []string) {
	for uid := range v.N() {
		n := v.Neuron(chain.UID(uid))
		n.RegisteredAt, n.LastUpdate = 0, 0
		lines = append(lines, fmt.Sprintf("uid %d: %+v weights %v bonds %v", uid, n, v.Weights(chain.UID(uid)), v.Bonds(chain.UID(uid))))
	}
	for _, name := range append([]string{"operator"}, names(actors)...) {
		cold := virtual.PublicKey(seed, name, host.Coldkey)
		lines = append(lines, fmt.Sprintf("%s: free %d, nonces %d %d", name, v.FreeOf(cold), v.Nonce(cold), v.Nonce(hotkey(name))))
	}
	return append(lines, fmt.Sprintf("height %d, epochs %d, %+v", v.Height(), v.Epochs(), v.Totals()))
}

// One play ends in one state of the ledger and in one state of each agent, in virtual and in real time; and
// from their journals the agents do it all again in either.
func TestOnePlayEndsAlikeInBothWorlds(t *testing.T) {
	one, virtually := inVirtualTime(t)
	two, really := inRealTime(t)
	for i, want := range virtually {
		if really[i] != want {
			t.Errorf("virtual: %s\nlive:    %s", want, really[i])
		}
	}
	for i := range one {
		if !reflect.DeepEqual(one[i].Log, two[i].Log) || one[i].Drawn != two[i].Drawn || one[i].Jobs != two[i].Jobs {
			t.Errorf("%s:\nvirtual %q\nlive    %q", one[i].Name, one[i].Log, two[i].Log)
		}
	}
}

func cast() []*actor.Actor {
	actors := actor.Cast(play, func(name string) host.PeerID { return hotkey(name) })
	actors[0].Peers["nobody"] = hotkey("nobody")
	return actors
}

func inVirtualTime(t *testing.T) ([]*actor.Actor, []string) {
	actors := cast()
	g := genesis(t, actors)
	g.ChainID = "twins"
	files := make([]bytes.Buffer, len(actors))
	cfg := virtual.Config{Seed: seed, Genesis: g, BlockNs: host.Second, Blocks: lastLine, Signed: true, EveryBlock: true}
	for i, a := range actors {
		self := host.Self{Node: uint32(i), Peer: hotkey(a.Name), Hotkey: hotkey(a.Name), Coldkey: virtual.PublicKey(seed, a.Name, host.Coldkey)}
		cfg.Nodes = append(cfg.Nodes, virtual.Node{Name: a.Name, Agent: journal.Record(a.Name, self, a, &files[i]), FLOPS: 1e6})
	}
	w, err := virtual.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	views := []chain.View{w.Chain()}
	for h := uint64(1); h <= lastLine; h++ {
		w.PauseAt(h)
		if err := w.Run(context.Background()); err != nil && err != virtual.ErrPaused {
			t.Fatal(err)
		}
		views = append(views, w.Chain())
	}
	for i, a := range actors {
		replay(t, a, files[i].Bytes(), func() journal.Views {
			return func(height uint64) (chain.View, error) { return views[height], nil }
		})
	}
	return actors, masked(w.Chain(), actors)
}

func inRealTime(t *testing.T) ([]*actor.Actor, []string) {
	actors := cast()
	g, err := replica.NewGenesis("twins", genesis(t, actors), time.Now(), interval)
	if err != nil {
		t.Fatal(err)
	}
	node, err := replica.Open(replica.Config{
		Genesis: g, Dir: t.TempDir(), ConsensusKey: virtual.Key(seed, "vote", host.Hotkey),
		NodeKey: virtual.Key(seed, "node", host.Hotkey), Listen: "127.0.0.1:0", Archive: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	blocks := node.Blocks()
	cfg := live.Config{
		Ledger: live.Replicated(node), Genesis: g.Time, Seed: seed, Dir: t.TempDir(), Journal: true,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	for _, a := range actors {
		cfg.Nodes = append(cfg.Nodes, live.Node{
			Name: a.Name, Agent: a, Listen: "127.0.0.1:0",
			Hotkey: virtual.Key(seed, a.Name, host.Hotkey), Coldkey: virtual.Key(seed, a.Name, host.Coldkey),
		})
	}
	var w *live.World
	cfg.Address = func(_ chain.View, peer host.PeerID) (netip.AddrPort, bool) {
		for _, a := range actors {
			if hotkey(a.Name) == peer {
				return netip.MustParseAddrPort(w.Addr(a.Name).String()), true
			}
		}
		return netip.AddrPort{}, false
	}
	if w, err = live.New(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- w.Run(ctx) }()
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	var last chain.View
	var all []chain.Block
	for b := range blocks.C {
		all = append(all, b.Block)
		if b.Height == lastLine {
			last = b.View
			break
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err := node.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, a := range actors {
		file, err := os.ReadFile(filepath.Join(cfg.Dir, a.Name+"-1-1.journal"))
		if err != nil {
			t.Fatal(err)
		}
		replay(t, a, file, func() journal.Views { return blocksOf(t, g, all) })
	}
	return actors, masked(last, actors)
}

// blocksOf shows the views that follow from a chain's recorded blocks.
func blocksOf(t *testing.T, g replica.Genesis, blocks []chain.Block) journal.Views {
	state, err := g.State()
	if err != nil {
		t.Fatal(err)
	}
	return func(height uint64) (chain.View, error) {
		for state.Height() < height {
			if _, err := state.Run(blocks[state.Height()], nil); err != nil {
				return chain.View{}, err
			}
		}
		return state.View(), nil
	}
}

// replay does again what a journal says, and ends in the agent's state.
func replay(t *testing.T, a *actor.Actor, file []byte, views func() journal.Views) {
	t.Helper()
	again := new(actor.Actor)
	r, err := journal.Replay(bytes.NewReader(file), again, views())
	if err != nil || !bytes.Equal(r.State, a.AppendState(nil)) {
		t.Errorf("%s: %v\nends as %s\nand not as %s", a.Name, err, r.State, a.AppendState(nil))
	}
	t.Logf("%s: %d turns, %d acts and %d jobs came out as before", r.Name, r.Turns, r.Acts, r.Jobs)
	_, err = journal.Replay(bytes.NewReader(file), deaf{new(actor.Actor)}, views())
	if err == nil || !strings.Contains(err.Error(), "the journal has") {
		t.Errorf("%s: an agent that does not hear answers passes for the one of the journal: %v", a.Name, err)
	}
}

// deaf is an agent that does not hear answers.
type deaf struct{ *actor.Actor }

// Handle is documented at host.Agent.
func (d deaf) Handle(env host.Env, e host.Event) {
	if _, is := e.(host.Answer); !is {
		d.Actor.Handle(env, e)
	}
}
