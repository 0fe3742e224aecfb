package live

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"taolab/model/num"
	"taolab/sim/actor"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/journal"
	"taolab/sim/live/axon"
)

// genesis is a network of some names, of which the first few have a uid and stake: 1 TAO, 2 TAO and so on.
func genesis(names []string, seated int, change func(*chain.Params)) chain.Genesis {
	params, err := chain.Era("2026")
	if err != nil {
		panic(err)
	}
	params = params.Scaled(max(len(names), 2))
	params.TempoBlocks, params.ImmunityBlocks, params.MinNonImmune, params.WeightsRateLimitBlocks = 10, 0, 0, 0
	if change != nil {
		change(&params)
	}
	g := chain.Genesis{ChainID: "live-test", Params: params}
	for i, name := range names {
		hot, cold := axon.KeyOf(keyOf(name)), axon.KeyOf(keyOf("cold "+name))
		g.Balances = append(g.Balances, chain.Balance{Coldkey: cold, FreeRao: 100 * chain.RaoPerTAO})
		if i < seated {
			g.Neurons = append(g.Neurons, chain.GenesisNeuron{Hotkey: hot, Coldkey: cold, StakeRao: uint64(i+1) * chain.RaoPerTAO})
		}
	}
	return g
}

// cast makes the actors of a play and their names.
func cast(text string) (names []string, actors []*actor.Actor) {
	actors = actor.Cast(text, func(name string) host.PeerID { return axon.KeyOf(keyOf(name)) })
	for _, a := range actors {
		names = append(names, a.Name)
	}
	return names, actors
}

// keyOf is the private key of a name: that of a node's hotkey, or, behind "cold ", of its coldkey.
func keyOf(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// config is a world of actors, each at an address of its own.
func config(ledger Ledger, actors []*actor.Actor) Config {
	cfg := Config{
		Ledger: ledger, Genesis: time.Now(), Seed: 1, Workers: 2, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Limits: axon.Limits{StopTimeout: time.Second},
	}
	for _, a := range actors {
		cfg.Nodes = append(cfg.Nodes, Node{
			Name: a.Name, Agent: a, Listen: "127.0.0.1:0",
			Hotkey: keyOf(a.Name), Coldkey: keyOf("cold " + a.Name),
		})
	}
	return cfg
}

// stage is a world that runs.
type stage struct {
	t     testing.TB
	world *World
	stop  context.CancelFunc
	ended chan error
	lines chan string // of all actors' logs
}

// play lets a world live until the test ends. The lines of all actors' logs come through the stage.
func play(t testing.TB, cfg Config, actors []*actor.Actor) *stage {
	t.Helper()
	s := &stage{t: t, ended: make(chan error, 1), lines: make(chan string, 1000)}
	for _, a := range actors {
		a.Told = func(text string) { s.lines <- a.Name + ": " + text }
	}
	var w *World
	if cfg.Address == nil && cfg.Network == nil {
		cfg.Address = func(_ chain.View, peer host.PeerID) (netip.AddrPort, bool) {
			if n := w.byPeer[peer]; n != nil && n.socket != nil {
				return netip.MustParseAddrPort(n.socket.Addr().String()), true
			}
			return netip.AddrPort{}, false
		}
	}
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.world = w
	var ctx context.Context
	ctx, s.stop = context.WithCancel(context.Background())
	go func() { s.ended <- w.Run(ctx) }()
	t.Cleanup(func() { s.stop() })
	return s
}

// expect waits for a line of the log that holds a text.
func (s *stage) expect(want string) {
	s.t.Helper()
	s.expectAny(want)
}

// expectAny waits for a line of the log that holds one of some texts.
func (s *stage) expectAny(texts ...string) {
	s.t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case got := <-s.lines:
			if slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(got, text) }) {
				return
			}
		case err := <-s.ended:
			s.t.Fatalf("the world ended before %q: %v", texts, err)
		case <-late:
			s.t.Fatalf("none of %q came", texts)
		}
	}
}

// end stops the world.
func (s *stage) end() error {
	s.t.Helper()
	s.stop()
	select {
	case err := <-s.ended:
		return err
	case <-time.After(20 * time.Second):
		s.t.Fatal("the world did not stop")
		return nil
	}
}

// ticking lets a ledger make blocks until the test ends.
func ticking(t testing.TB, l *solo) {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	go l.tick(ctx, 20*time.Millisecond, 1<<40)
}

func TestAgentsAskEachOtherAndPay(t *testing.T) {
	names, actors := cast(`
		a: see; draw; ask b 100 1; ask b 10 3; compute x; stake 2; weight 1; pay c 5; sleep 1; at 3
		b: see
		c: see; register; see`)
	ledger := newSolo(t, genesis(names, 2, nil))
	ticking(t, ledger)
	s := play(t, config(ledger, actors), actors)
	s.expect("c: see: uid true, neurons 3")
	s.expect("a: at 3: saw block 3 at true")
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"answer Success of 32 bytes", "answer Success of 32 bytes, more", "included"} {
		if log := strings.Join(actors[0].Log, "\n"); !strings.Contains(log, want) {
			t.Errorf("%d: no %q in\n%s", i, want, log)
		}
	}
}

func TestAPanicEndsTheWorldAndNamesTheNode(t *testing.T) {
	for line, want := range map[string]string{
		"panic": "node a at height 0, handling host.Start: panic: asked to",
		"fail":  "job actor.digest panicked: asked to",
	} {
		names, actors := cast("a: " + line + "\nb: see")
		err := <-play(t, config(newSolo(t, genesis(names, 2, nil)), actors), actors).ended
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "node a") {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// viewsOf are the views that follow from a chain's blocks.
func viewsOf(t *testing.T, g chain.Genesis, blocks []chain.Block) journal.Views {
	state, err := chain.New(g)
	if err != nil {
		t.Fatal(err)
	}
	return func(height uint64) (chain.View, error) {
		for ; state.Height() < height; blocks = blocks[1:] {
			if _, err := state.Run(blocks[0], nil); err != nil {
				return chain.View{}, err
			}
		}
		return state.View(), nil
	}
}

// What agents did in real time they do again from their journals, to the byte, and the ledger from its blocks.
func TestAJournalIsReplayedToTheByte(t *testing.T) {
	names, actors := cast(`
		a: see; draw; ask b 100 1; ask b 10 3; compute x; stake 2; weight 1; pay c 5; sleep 1; draw; at 3; ask nobody 1 1
		b: see; sleep 5; stake 1000
		c: see; register; see; ask a 5 2`)
	g := genesis(names, 2, nil)
	ledger := newSolo(t, g)
	ticking(t, ledger)
	cfg := config(ledger, actors)
	cfg.Dir, cfg.Journal = t.TempDir(), true
	s := play(t, cfg, actors)
	for range actors {
		s.expectAny("a: ask nobody 1 1: answer Unavailable", "b: stake 1000: rejected", "c: ask a 5 2: answer Success")
	}
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
	for _, a := range actors {
		file, err := os.ReadFile(filepath.Join(cfg.Dir, a.Name+"-1-1.journal"))
		if err != nil {
			t.Fatal(err)
		}
		again := new(actor.Actor)
		r, err := journal.Replay(bytes.NewReader(file), again, viewsOf(t, g, ledger.recorded()))
		if err != nil || r.Cut || r.Acts == 0 {
			t.Errorf("%s: %+v, %v", a.Name, r, err)
		}
		if want := a.AppendState(nil); !bytes.Equal(r.State, want) {
			t.Errorf("%s ends as\n%s\nand not as\n%s", a.Name, r.State, want)
		}
		t.Logf("%s: %d turns, %d acts, %d jobs, %d bytes", r.Name, r.Turns, r.Acts, r.Jobs, len(file))
	}
}

// An agent that goes on after a stop has its state, its streams, and identifiers that it never had before.
func TestAnAgentGoesOnWhereItWasSaved(t *testing.T) {
	names, first := cast("a: draw; compute x; sleep 1; draw; at 1; draw\nb: see") // there is no block 1 yet
	g := genesis(names, 2, nil)
	cfg := config(newSolo(t, g), first)
	cfg.Dir, cfg.Journal = t.TempDir(), true
	s := play(t, cfg, first)
	s.expect("a: draw") // twice
	s.expect("a: draw")
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
	_, second := cast("a: never\nb: never")
	ledger := newSolo(t, g)
	ticking(t, ledger)
	cfg2 := config(ledger, second)
	cfg2.Dir, cfg2.Journal = cfg.Dir, true
	s = play(t, cfg2, second)
	s.expect("a: restored after 4 lines and 1 jobs")
	s.expect("a: draw")
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
	dice := num.NewStream(1, "agent\x00a\x00dice")
	dice.Uint64()
	if a, b := dice.Uint64(), dice.Uint64(); first[0].Drawn != a || second[0].Drawn != b {
		t.Errorf("drew %d before and %d after the stop; expected %d and %d", first[0].Drawn, second[0].Drawn, a, b)
	}
	for _, life := range []string{"a-1-1", "a-2-1"} {
		if _, err := os.Stat(filepath.Join(cfg.Dir, life+".journal")); err != nil {
			t.Error(err)
		}
	}
}

// A state that was damaged on the disk is an error that says what to do, and never another state.
func TestADamagedStateIsRefused(t *testing.T) {
	names, actors := cast("a: see")
	cfg := config(newSolo(t, genesis(names, 1, nil)), actors)
	cfg.Dir = t.TempDir()
	s := play(t, cfg, actors)
	s.expect("a: see")
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(cfg.Dir, "a.state")
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string][]byte{
		"cut": file[:len(file)-1], "empty": nil, "a bit": append(file[:60:60], append([]byte{file[60] ^ 1}, file[61:]...)...),
	} {
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		w, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		err = w.Run(context.Background())
		if err == nil || !strings.Contains(err.Error(), "move it away") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A node publishes where it serves, and others find it there by what the ledger says. On port 0 it publishes the one
// that it got.
func TestANodeIsFoundWhereItAnnouncesItself(t *testing.T) {
	free, err := axon.TCP.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	for _, listen := range []string{free.Addr().String(), "127.0.0.1:0"} {
		names, actors := cast("a: at 4; ask b 1 1\nb: see")
		ledger := newSolo(t, genesis(names, 2, nil))
		ticking(t, ledger)
		cfg := config(ledger, actors)
		cfg.Nodes[1].Listen, cfg.Nodes[1].Announce = listen, netip.MustParseAddrPort(listen)
		cfg.Nodes[1].Axon = keyOf("axon of b")
		actors[0].Peers["b"] = axon.KeyOf(keyOf("axon of b"))
		cfg.Network = axon.TCP // and no other address book than the ledger
		s := play(t, cfg, actors)
		s.expect("a: ask b 1 1: answer Success")
		if err := s.end(); err != nil {
			t.Fatal(err)
		}
		n := ledger.View().Neuron(1)
		if at := s.world.Addr("b").String(); n.Axon != axon.KeyOf(keyOf("axon of b")) || addressOf(n).String() != at {
			t.Errorf("listening on %s: the ledger has %v at %v, the node serves at %s", listen, n.Axon, addressOf(n), at)
		}
	}
}
