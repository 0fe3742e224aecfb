package replica

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// A child is a node in a process of its own: this test binary, told by its environment what to be.

const childVariable = "TAOLAB_REPLICA_CHILD"

func TestMain(m *testing.M) {
	if told := os.Getenv(childVariable); told != "" {
		os.Exit(runChild(told))
	}
	os.Exit(m.Run())
}

// childConfig is what a child is told, as JSON.
type childConfig struct {
	Genesis, Dir, Listen, Control string
	Index                         int
	Peers                         []string
}

// included is where a child finds its transactions again.
type included struct {
	mu      sync.Mutex
	heights map[[32]byte]uint64
}

func (i *included) add(txs [][]byte, height uint64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, tx := range txs {
		i.heights[sha256.Sum256(tx)] = height
	}
}

func runChild(told string) int {
	var c childConfig
	if err := json.Unmarshal([]byte(told), &c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	data, err := os.ReadFile(c.Genesis)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	g, err := ReadGenesis(data)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	var full atomic.Bool
	index := strconv.Itoa(c.Index)
	n, err := Open(Config{
		Genesis: g, Dir: c.Dir, Listen: c.Listen, Peers: c.Peers, Archive: true,
		ConsensusKey: testKey("vote" + index), NodeKey: testKey("node" + index), FS: fullDisk(&full),
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo})),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "open:", err)
		return 1
	}
	found := included{heights: map[[32]byte]uint64{}}
	blocks := n.Blocks()
	for h := uint64(1); h <= blocks.From.Height(); h++ {
		b, _, err := n.Record(h)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		found.add(b.Txs, h)
	}
	go func() {
		for b := range blocks.C {
			found.add(b.Txs, b.Height)
		}
	}()
	if err := n.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "start:", err)
		return 1
	}
	go serveControl(c.Control, n, &found, &full)
	<-n.Failed()
	fmt.Fprintln(os.Stderr, "failed:", n.Err())
	return 1
}

// fullDisk is the machine's file system, on which nothing can be written while full is set.
func fullDisk(full *atomic.Bool) vfs.FS {
	return errorfs.Wrap(vfs.Default, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if full.Load() && op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			return syscall.ENOSPC
		}
		return nil
	}))
}

func serveControl(at string, n *Node, found *included, full *atomic.Bool) {
	m := http.NewServeMux()
	m.HandleFunc("POST /submit", func(w http.ResponseWriter, r *http.Request) {
		tx, _ := io.ReadAll(r.Body)
		if err := n.Submit(r.Context(), tx); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
		}
	})
	m.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) { json.NewEncoder(w).Encode(n.Status()) })
	m.HandleFunc("GET /included/{hash}", func(w http.ResponseWriter, r *http.Request) {
		var hash [32]byte
		hex.Decode(hash[:], []byte(r.PathValue("hash")))
		found.mu.Lock()
		defer found.mu.Unlock()
		if found.heights[hash] == 0 {
			http.NotFound(w, r)
		}
	})
	m.HandleFunc("POST /full", func(http.ResponseWriter, *http.Request) { full.Store(true) })
	fmt.Fprintln(os.Stderr, http.ListenAndServe(at, m))
}

// child is the handle of one.
type child struct {
	childConfig
	log    string // file
	cmd    *exec.Cmd
	client http.Client
}

func (c *child) start(t *testing.T) {
	t.Helper()
	told, err := json.Marshal(c.childConfig)
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.OpenFile(c.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	c.cmd = exec.Command(os.Args[0])
	c.cmd.Env = append(os.Environ(), childVariable+"="+string(told))
	c.cmd.Stdout, c.cmd.Stderr = log, log
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	c.client.Timeout = 2 * time.Second
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

func (c *child) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// kill ends the process as a power cut would, but for what the machine keeps in memory.
func (c *child) kill(t *testing.T) {
	t.Helper()
	c.signal(t, syscall.SIGKILL)
	c.cmd.Wait()
}

func (c *child) status() (s Status, err error) {
	r, err := c.client.Get("http://" + c.Control + "/status")
	if err != nil {
		return s, err
	}
	defer r.Body.Close()
	return s, json.NewDecoder(r.Body).Decode(&s)
}

func (c *child) submit(tx []byte) error {
	r, err := c.client.Post("http://"+c.Control+"/submit", "", bytes.NewReader(tx))
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(r.Body)
		return fmt.Errorf("%s", said)
	}
	return nil
}

func (c *child) has(tx []byte) bool {
	hash := sha256.Sum256(tx)
	r, err := c.client.Get("http://" + c.Control + "/included/" + hex.EncodeToString(hash[:]))
	if err != nil {
		return false
	}
	r.Body.Close()
	return r.StatusCode == http.StatusOK
}

// said returns the last lines of a child's log.
func (c *child) said() string {
	data, _ := os.ReadFile(c.log)
	lines := strings.Split(string(data), "\n")
	return strings.Join(lines[max(len(lines)-15, 0):], "\n")
}

// link is a connection between two children that can be cut.
type link struct {
	a, b   int
	listen net.Listener
	to     string
	mu     sync.Mutex
	cut    bool
	open   []net.Conn
}

func newLink(t *testing.T, a, b int, to string) *link {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k := &link{a: a, b: b, listen: l, to: to}
	go k.serve()
	t.Cleanup(func() { l.Close() })
	return k
}

func (k *link) serve() {
	for {
		from, err := k.listen.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", k.to)
		k.mu.Lock()
		if err != nil || k.cut {
			from.Close()
			if to != nil {
				to.Close()
			}
			k.mu.Unlock()
			continue
		}
		k.open = append(k.open, from, to)
		k.mu.Unlock()
		pass := func(a, b net.Conn) {
			io.Copy(a, b)
			a.Close()
			b.Close()
		}
		go pass(from, to)
		go pass(to, from)
	}
}

func (k *link) set(cut bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cut = cut
	if cut {
		for _, c := range k.open {
			c.Close()
		}
		k.open = nil
	}
}

// processes starts a network of children, each two of which are joined by a link.
func processes(t *testing.T, g Genesis, n int) (all []*child, links []*link) {
	t.Helper()
	dir := t.TempDir()
	data, err := g.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "genesis.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		name := "node" + strconv.Itoa(i)
		all = append(all, &child{log: filepath.Join(dir, name+".log"), childConfig: childConfig{
			Genesis: file, Dir: filepath.Join(dir, name), Listen: freePort(t), Control: freePort(t), Index: i,
		}})
	}
	for i := range n {
		for j := range i {
			k := newLink(t, i, j, all[j].Listen)
			links = append(links, k)
			all[i].Peers = append(all[i].Peers, PeerID(testKey("node"+strconv.Itoa(j)))+"@"+k.listen.Addr().String())
		}
	}
	t.Cleanup(func() {
		for _, c := range all {
			if c.cmd != nil && c.cmd.ProcessState == nil {
				c.cmd.Process.Kill()
				c.cmd.Wait()
			}
			if t.Failed() {
				t.Logf("node %d said at last:\n%s", c.Index, c.said())
			}
		}
	})
	for _, c := range all {
		c.start(t)
	}
	return all, links
}

// level waits until a child follows the chain again: it votes, and has a block that the network made since.
func level(t *testing.T, c *child, all []*child, patience time.Duration) time.Duration {
	t.Helper()
	began := time.Now()
	first := uint64(0)
	for {
		top := uint64(0)
		for _, o := range all {
			if s, err := o.status(); err == nil && o != c {
				top = max(top, s.Height)
			}
		}
		if first == 0 {
			first = top
		}
		s, err := c.status()
		if err == nil && !s.CatchingUp && s.Height > first && s.Height+1 >= top {
			return time.Since(began)
		}
		if time.Since(began) > patience {
			t.Fatalf("node %d is not level after %s: %+v, %v; the others have block %d", c.Index, patience, s, err, top)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
