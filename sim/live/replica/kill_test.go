package replica

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	dbm "github.com/cometbft/cometbft-db"
	blockstore "github.com/cometbft/cometbft/store"

	"taolab/sim/chain"
)

var (
	kills    = flag.Int("kills", 20, "perturbations of a network in TestAcknowledged...; a long run has 500")
	killSeed = flag.Int64("kill-seed", 1, "the first network's seed; the others count on")
	nets     = flag.Int("nets", 1, "networks side by side, which share the kills")
)

// perturbation is one line of a manifest.
type perturbation struct {
	kind    string
	targets []int
	lasts   time.Duration
	cut     int // bytes
}

// manifest draws what happens to a network of four. Of kinds that need a restart two nodes at most are down at
// once; with two the chain stands still until one is back.
func manifest(seed int64, n int) (list []perturbation) {
	r := rand.New(rand.NewSource(seed))
	kinds := []string{"kill", "kill taker", "kill two", "pause", "disconnect", "torn", "full"}
	for i := range n {
		p := perturbation{kind: kinds[r.Intn(len(kinds))], lasts: time.Duration(500+r.Intn(2500)) * time.Millisecond}
		if i < len(kinds) { // each once at least, then as it comes
			p.kind = kinds[i]
		}
		order := r.Perm(4)
		p.targets, p.cut = order[:1], 1+r.Intn(1<<14)
		if p.kind == "kill two" {
			p.targets = order[:2]
		}
		list = append(list, p)
	}
	return list
}

func TestAcknowledgedTransactionsOutliveEveryPerturbation(t *testing.T) {
	n := *kills
	if testing.Short() {
		n = 4
	}
	for i := range *nets {
		seed := *killSeed + int64(i)
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			perturb(t, seed, (n+*nets-1)/(*nets))
		})
	}
}

// spender sends transfers one after the other, each until a node says that a block has it.
type spender struct {
	name         string
	acknowledged [][]byte
}

func (s *spender) spend(t *testing.T, id string, nodes []*child, taker *atomic.Int64, done <-chan struct{}, r *rand.Rand) {
	height := uint64(0)
	for nonce := uint64(0); ; nonce++ {
		for _, c := range nodes {
			if st, err := c.status(); err == nil {
				height = max(height, st.Height)
			}
		}
		tx := transfer(t, id, s.name, nonce, height, public("user0"))
		for {
			select {
			case <-done:
				return
			default:
			}
			i := r.Intn(len(nodes))
			taker.Store(int64(i))
			if nodes[i].submit(tx) == nil || nodes[i].has(tx) {
				if awaitIncluded(nodes, i, tx) {
					s.acknowledged = append(s.acknowledged, tx)
					break
				}
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// awaitIncluded asks the node that took a transaction, and then another, whether a block has it.
func awaitIncluded(nodes []*child, at int, tx []byte) bool {
	for range 30 {
		if nodes[at].has(tx) || nodes[(at+1)%len(nodes)].has(tx) {
			return true
		}
		time.Sleep(100 * time.Millisecond)
	}
	return false
}

func perturb(t *testing.T, seed int64, n int) {
	const spenders = 4
	g := testGenesis(t, 4, 1+spenders, 300*time.Millisecond, func(g *chain.Genesis) {
		g.Params.Hard.JailWindow = 0 // outages are the point
	})
	all, links := processes(t, g, 4)
	for _, c := range all {
		level(t, c, all, 60*time.Second)
	}
	var taker atomic.Int64
	var wait sync.WaitGroup
	done := make(chan struct{})
	var money []*spender
	for i := range spenders {
		s := &spender{name: "user" + strconv.Itoa(i+1)}
		money = append(money, s)
		wait.Go(func() { s.spend(t, g.ChainID, all, &taker, done, rand.New(rand.NewSource(seed+int64(i)))) })
	}
	var stopOnce sync.Once
	stopAll := func() { stopOnce.Do(func() { close(done) }); wait.Wait() }
	defer stopAll()
	var took []time.Duration
	for i, p := range manifest(seed, n) {
		if p.kind == "kill taker" {
			p.targets = []int{int(taker.Load())}
		}
		downFor := p.apply(t, all, links)
		for _, target := range p.targets {
			took = append(took, level(t, all[target], all, 30*time.Second))
		}
		t.Logf("%2d %-10s of node %v for %s, level after %s", i, p.kind, p.targets, downFor.Round(time.Millisecond),
			took[len(took)-1].Round(time.Millisecond))
	}
	time.Sleep(time.Second)
	stopAll()
	for _, c := range all {
		c.kill(t)
	}
	slices.Sort(took)
	median, worst := took[len(took)/2], took[len(took)-1]
	t.Logf("level again after %s in the median, %s at worst", median, worst)
	if median > 10*time.Second {
		t.Errorf("the median is %s, want at most 10 s", median)
	}
	compareStores(t, g, all, money)
}

// apply does what the line says, and ends it.
func (p perturbation) apply(t *testing.T, all []*child, links []*link) time.Duration {
	t.Helper()
	began := time.Now()
	for _, i := range p.targets {
		c := all[i]
		switch p.kind {
		case "pause":
			c.signal(t, syscall.SIGSTOP)
		case "disconnect":
			setLinks(links, i, true)
		case "full":
			c.fill(t)
		default:
			c.kill(t)
		}
	}
	time.Sleep(p.lasts)
	for _, i := range p.targets {
		c := all[i]
		switch p.kind {
		case "pause":
			c.signal(t, syscall.SIGCONT)
		case "disconnect":
			setLinks(links, i, false)
		case "torn":
			tear(t, c.Dir, p.cut)
			c.start(t)
		default:
			c.start(t)
		}
	}
	return time.Since(began)
}

func setLinks(links []*link, node int, cut bool) {
	for _, k := range links {
		if k.a == node || k.b == node {
			k.set(cut)
		}
	}
}

// fill makes a child's disk full, on which it must end with an error that says so.
func (c *child) fill(t *testing.T) {
	t.Helper()
	r, err := c.client.Post("http://"+c.Control+"/full", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	ended := make(chan error, 1)
	go func() { ended <- c.cmd.Wait() }()
	select {
	case err := <-ended:
		if err == nil || !strings.Contains(c.said(), "no space left on device") {
			t.Errorf("node %d with a full disk ended with %v and said\n%s", c.Index, err, c.said())
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("node %d goes on though its disk is full", c.Index)
	}
}

// tear cuts the newest log of a store and leaves half a record at its end, as a write that power cut short.
func tear(t *testing.T, dir string, cut int) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(dir, "store", "*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("no log in %s: %v", dir, err)
	}
	newest := slices.MaxFunc(logs, func(a, b string) int { return strings.Compare(a, b) })
	info, err := os.Stat(newest)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(newest, max(info.Size()-int64(cut), 0)); err != nil {
		t.Fatal(err)
	}
}

// compareStores reads the stores of all nodes: equal blocks at each height, whose digests are those of a
// replay by the ledger without any node, and each acknowledged transaction in exactly one of them.
func compareStores(t *testing.T, g Genesis, all []*child, money []*spender) {
	t.Helper()
	s, err := g.State()
	if err != nil {
		t.Fatal(err)
	}
	var digests []chain.Digest
	var blocks []chain.Block
	seen := map[[32]byte]int{}
	for _, c := range all {
		db, err := openStore(vfs.Default, filepath.Join(c.Dir, "store"), discard, func(err error) { t.Error(err) })
		if err != nil {
			t.Fatal(err)
		}
		_, newest, err := db.load()
		if err != nil {
			t.Fatal(err)
		}
		headers := blockstore.NewBlockStore(dbm.NewPrefixDB(db.database(), []byte("blockstore/")))
		for h := uint64(1); h <= newest.height; h++ {
			b, ok, err := db.block(h)
			if err != nil || !ok {
				t.Fatalf("node %d, block %d: recorded %t, %v", c.Index, h, ok, err)
			}
			if h > uint64(len(blocks)) {
				o, err := s.Run(b, nil)
				if err != nil {
					t.Fatal(err)
				}
				blocks, digests = append(blocks, b), append(digests, o.Digest)
				for i, d := range o.Delivered {
					if d.Err == nil {
						seen[sha256.Sum256(b.Txs[i])]++
					}
				}
			}
			if !reflect.DeepEqual(b, blocks[h-1]) {
				t.Errorf("node %d has another block %d than node 0", c.Index, h)
			}
			if m := headers.LoadBlockMeta(int64(h + 1)); m != nil && chain.Digest(m.Header.AppHash) != digests[h-1] {
				t.Errorf("node %d, block %d: the next header has %s, the replay %s", c.Index, h, m.Header.AppHash, digests[h-1])
			}
		}
		if newest.digest != digests[newest.height-1] {
			t.Errorf("node %d ends at block %d with %s, the replay has %s", c.Index, newest.height, newest.digest,
				digests[newest.height-1])
		}
		if err := db.close(); err != nil {
			t.Error(err)
		}
	}
	total := 0
	for _, m := range money {
		for _, tx := range m.acknowledged {
			total++
			if n := seen[sha256.Sum256(tx)]; n != 1 {
				t.Errorf("a transaction of %s was acknowledged and is in %d blocks", m.name, n)
			}
		}
	}
	t.Logf("%d blocks, %d acknowledged transactions, each in one", len(blocks), total)
	if total == 0 {
		t.Error("no transaction was acknowledged")
	}
}
