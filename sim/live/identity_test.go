package live

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"taolab/sim/actor"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/journal"
	"taolab/sim/live/axon"
	"taolab/sim/trace"
)

// kept keeps the rows of epochs and transactions.
type kept []trace.Row

func (k *kept) Record(row trace.Row) { *k = append(*k, row) }

// listener is an actor that remembers who asked it.
type listener struct {
	*actor.Actor
	from map[host.PeerID]bool
}

func (l listener) Handle(env host.Env, event host.Event) {
	if in, asked := event.(host.Incoming); asked {
		l.from[in.From] = true
	}
	l.Actor.Handle(env, event)
}

// A live node has an axon for each of its identities: it is found and asked under each, and what it asks and signs
// stands under the one that did it. Its journal replays.
func TestALiveNodeActsUnderEachOfItsIdentities(t *testing.T) {
	names, actors := cast(`
		a: at 3; ask b 1 1; ask b/2 1 1; ask b/2 1 1; at 14
		b: as 1 register; as 1 see; as 1 ask a 1 1; as 1 weight 2; at 14
		b/2: never`)
	g := genesis(names[:2], 2, func(p *chain.Params) {
		p.MaxUIDs, p.CommitReveal, p.StakeThresholdRao, p.MaxWeight = 4, false, 0, 65535
	})
	ledger := newSolo(t, g)
	ticking(t, ledger)
	cfg := config(ledger, actors[:2])
	hears := listener{actors[0], map[host.PeerID]bool{}}
	cfg.Nodes[0].Agent = hears
	free, err := axon.TCP.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(free.Addr().String())
	free.Close()
	cfg.Nodes[1].Others = []Identity{{Hotkey: keyOf("b/2"), Listen: at.String(), Announce: at}}
	var rows kept
	cfg.Dir, cfg.Journal, cfg.Recorder, cfg.Trace = t.TempDir(), true, &rows, host.Recording{Epochs: 1, Transactions: true}
	s := play(t, cfg, actors[:2])
	s.expect("saw block 14")
	s.expect("saw block 14")
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
	view, second := ledger.View(), axon.KeyOf(keyOf("b/2"))
	if len(hears.from) != 1 || !hears.from[second] {
		t.Errorf("it was asked by %v, expected the second identity, %v", hears.from, second)
	}
	uid, seated := view.UIDOf(second)
	if !seated || len(view.Weights(uid)) != 1 || view.Nonce(second) < 2 {
		t.Errorf("uid %d (%t) has weights %v and nonce %d; expected a seat, one weight, and an address and weights signed", uid, seated, view.Weights(uid), view.Nonce(second))
	}
	if n := view.Neuron(uid); n.Axon != second || addressOf(n) != at {
		t.Errorf("uid %d is published at %v", uid, addressOf(n))
	}
	if first, _ := view.UIDOf(axon.KeyOf(keyOf("b"))); len(view.Weights(first)) != 0 {
		t.Error("the first identity has the weights of the second")
	}
	log := strings.Join(actors[1].Log, "\n") + strings.Join(actors[0].Log, "\n")
	for _, want := range []string{"as 1 see: uid true", "as 1 ask a 1 1: answer Success", "ask b 1 1: answer Success", "ask b/2 1 1: answer Success", "as 1 weight 2: included"} {
		if !strings.Contains(log, want) {
			t.Errorf("no %q in\n%s", want, log)
		}
	}
	asked, named := strings.Count(log, "asked as 1"), false
	for _, row := range rows {
		if e, ok := row.(trace.Epoch); ok && e.UID == uint16(uid) {
			named = named || e.Node != nil && *e.Node == 1
		}
	}
	if asked != 2 || !named {
		t.Errorf("identity 1 was asked %d times, expected 2; its rows name its node: %t", asked, named)
	}
	file, err := os.ReadFile(filepath.Join(cfg.Dir, "b-1-1.journal"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := journal.Replay(bytes.NewReader(file), new(actor.Actor), viewsOf(t, g, ledger.recorded()))
	if err != nil || r.Cut || !bytes.Equal(r.State, actors[1].AppendState(nil)) {
		t.Errorf("replayed as %+v: %v", r, err)
	}
	if !bytes.Contains(file, []byte("as identity 1 call")) {
		t.Error("the journal does not name the identity that acts")
	}
}
