package replica

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"taolab/sim/chain"
)

func testKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("replica test " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(name string) (k chain.Key) {
	copy(k[:], testKey(name).Public().(ed25519.PublicKey))
	return k
}

// testGenesis is that of a network of so many operators, with free money on the coldkeys of operators and
// of users.
func testGenesis(t testing.TB, operators, users int, interval time.Duration, change func(*chain.Genesis)) Genesis {
	t.Helper()
	p, err := chain.Era("2026")
	if err != nil {
		t.Fatal(err)
	}
	p = p.Scaled(16).Live()
	p.TempoBlocks = 20
	g := chain.Genesis{Params: p}
	for i := range operators {
		n := strconv.Itoa(i)
		g.Neurons = append(g.Neurons, chain.GenesisNeuron{
			Hotkey: public("hot" + n), Coldkey: public("cold" + n), StakeRao: 1000 * chain.RaoPerTAO,
		})
		g.Operators = append(g.Operators, chain.GenesisOperator{Hotkey: public("hot" + n), ConsensusKey: public("vote" + n)})
		g.Balances = append(g.Balances, chain.Balance{Coldkey: public("cold" + n), FreeRao: 1000 * chain.RaoPerTAO})
	}
	for i := range users {
		g.Balances = append(g.Balances, chain.Balance{
			Coldkey: public("user" + strconv.Itoa(i)), FreeRao: 100 * chain.RaoPerTAO,
		})
	}
	if change != nil {
		change(&g)
	}
	made, err := NewGenesis("test", g, time.Now().Add(-time.Second), interval)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// freePort is a port of the loopback that nobody used a moment ago.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// testConfig is that of operator i.
func testConfig(t testing.TB, g Genesis, i int) Config {
	n := strconv.Itoa(i)
	c := Config{
		Genesis: g, Dir: filepath.Join(t.TempDir(), "node"+n), Listen: freePort(t),
		ConsensusKey: testKey("vote" + n), NodeKey: testKey("node" + n),
	}
	if os.Getenv("REPLICA_LOG") != "" {
		c.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})).With("node", i)
	}
	return c
}

func start(t testing.TB, c Config) *Node {
	t.Helper()
	n, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	return n
}

func stop(t testing.TB, n *Node) {
	t.Helper()
	if err := n.Stop(); err != nil {
		t.Error(err)
	}
}

// transfer is a signed transfer of 1,000,000 rao from a user to another.
func transfer(t testing.TB, id string, from string, nonce, height uint64, to chain.Key) []byte {
	t.Helper()
	tx := chain.SignPriced(id, testKey(from), nonce, height+500, 10_000_000, 0, chain.Transfer{To: to, AmountRao: 1_000_000})
	b, err := tx.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// await returns the first block that fulfils a condition.
func await(t testing.TB, s *Subscription, patience time.Duration, want func(Block) bool) Block {
	t.Helper()
	limit := time.After(patience)
	for {
		select {
		case b, ok := <-s.C:
			if !ok {
				t.Fatalf("the subscription ended: %v", s.Err())
			}
			if want(b) {
				return b
			}
		case <-limit:
			t.Fatalf("no such block in %s", patience)
		}
	}
}

var (
	ctx     = context.Background()
	discard = slog.New(slog.DiscardHandler)
	disk    = vfs.Default
)

// memory is a file system that forgets what is not synced when it crashes.
func memory() *vfs.MemFS { return vfs.NewCrashableMem() }
