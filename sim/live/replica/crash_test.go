package replica

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"taolab/sim/chain"
)

// A power cut keeps what was synced, and of the rest any part. The node has to go on from there by itself:
// there is nobody to fetch a block from.
func TestAPowerCutAtAnyMomentLosesNoBlockThatWasHandedOut(t *testing.T) {
	g := testGenesis(t, 1, 2, 20*time.Millisecond, nil)
	c := testConfig(t, g, 0)
	c.Archive = true
	random := rand.New(rand.NewPCG(1, 2))
	disk := memory()
	c.FS = disk
	var last Block
	for round := range 12 {
		n := start(t, c)
		if v := n.View(); v.Height() < last.Height {
			t.Fatalf("round %d: block %d was handed out, the node opens with %d", round, last.Height, v.Height())
		}
		blocks := n.Blocks()
		nonce := n.View().Nonce(public("user0"))
		until := last.Height + 3 + uint64(random.IntN(10))
		last = await(t, blocks, 20*time.Second, func(b Block) bool {
			nonce = max(nonce, b.View.Nonce(public("user0")))
			n.Submit(ctx, transfer(t, g.ChainID, "user0", nonce, b.Height, public("user1")))
			nonce++
			return b.Height >= until
		})
		time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
		cut := disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: random.IntN(101), RNG: random})
		log, err := os.ReadFile(filepath.Join(c.Dir, "log", "wal"))
		if err != nil {
			t.Fatal(err)
		}
		stop(t, n)
		// Half a message at the end of the engine's log: it was written when the power went.
		log = append(log, log[:min(len(log), random.IntN(40))]...)
		if err := os.WriteFile(filepath.Join(c.Dir, "log", "wal"), log, 0o600); err != nil {
			t.Fatal(err)
		}
		disk, c.FS = cut, cut
	}
	n := start(t, c)
	defer stop(t, n)
	awaitHeight(t, n, last.Height+2, 20*time.Second)
	s, err := g.State()
	if err != nil {
		t.Fatal(err)
	}
	for h := uint64(1); h <= last.Height; h++ {
		b, ok, err := n.Record(h)
		if err != nil || !ok {
			t.Fatalf("block %d: recorded %t, %v", h, ok, err)
		}
		if o, err := s.Run(b, nil); err != nil || h == last.Height && o.Digest != last.Outcome.Digest {
			t.Fatalf("block %d: %v, another digest than before the cuts", h, err)
		}
	}
	t.Logf("12 cuts, %d blocks, user1 has %d rao", last.Height, n.View().FreeOf(public("user1")))
}

func TestADamagedStoreIsAnErrorAndNeverAnotherState(t *testing.T) {
	g := testGenesis(t, 1, 2, 20*time.Millisecond, nil)
	c := testConfig(t, g, 0)
	n := start(t, c)
	awaitHeight(t, n, 5, 20*time.Second)
	stop(t, n)
	s, err := openStore(vfs.Default, filepath.Join(c.Dir, "store"), discard, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	// A whole state in which somebody has one rao more.
	rich := g
	state, err := rich.State()
	if err != nil {
		t.Fatal(err)
	}
	x := state.Export()
	x.Accounts[0].FreeRao++
	x.Money.Free++
	x.Money.Minted++
	x.Money.Issuance++
	other, err := chain.Import(x)
	if err != nil {
		t.Fatal(err)
	}
	_, newest, err := s.load()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.commit(other, chain.View{}, newest, chain.Block{}, 0); err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(c); err == nil || !strings.Contains(err.Error(), "it is damaged") {
		t.Errorf("a store with another state opens: %v", err)
	}
}
