package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// lone is a node without agents, and the address of its engine's own interface.
type lone struct {
	at  home
	rpc string
}

// begin starts the process of a node, which keeps all blocks it sees and makes a snapshot every forty.
func (l *lone) begin(t *testing.T) *exec.Cmd {
	t.Helper()
	text, err := os.ReadFile(l.at.settings())
	if err != nil {
		t.Fatal(err)
	}
	more := fmt.Sprintf("[node]\nrpc = %q\nsnapshot_blocks = 40\narchive = true\n", l.rpc)
	more = strings.Replace(string(text), "[node]\n", more, 1)
	if !strings.Contains(more, "discover") {
		more = strings.Replace(more, "[node]\n", "[node]\ndiscover = false\n", 1)
	}
	if err := os.WriteFile(l.at.settings(), []byte(more), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("taolabd", "node", "--home", string(l.at), "--log", "warn")
	log, err := os.Create(l.at.in("node.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if text, err := os.ReadFile(l.at.in("node.log")); err == nil && t.Failed() {
			t.Logf("%s:\n%s", l.at, text)
		}
	})
	until(t, time.Minute, func() bool { return len(heightsOf(t, l.at)) > 0 })
	return cmd
}

func (l *lone) status(t *testing.T) status {
	t.Helper()
	r, err := l.at.running()
	if err != nil {
		t.Fatal(err)
	}
	s, err := (&client{"http://" + r.API}).status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// join joins the network of another node, with more flags.
func (l *lone) join(t *testing.T, other *lone, flags ...string) {
	t.Helper()
	var said strings.Builder
	args := append([]string{"join", "--home", string(l.at), "--genesis", other.at.genesis(), "--peers", other.status(t).P2P,
		"--listen", "127.0.0.1:0", "--api", "127.0.0.1:0"}, flags...)
	if code := execute(context.Background(), args, strings.NewReader(""), &said, &said); code != 0 {
		t.Fatalf("%q: %d, %s", args, code, said.String())
	}
}

// A node joins by a state that two others hand out, on what one of them says of itself: it has the newest blocks and
// the same ledger, and not the blocks from before it came.
func TestALateNodeJoinsByTheStateOfOthers(t *testing.T) {
	if testing.Short() {
		t.Skip("runs three nodes for a quarter of a minute")
	}
	f := devFlags{miners: 1, validators: 1, block: 200 * time.Millisecond, tempo: 10}
	ports, err := f.freePorts(4)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	of := func(name string, port int) *lone {
		return &lone{home(filepath.Join(dir, name)), fmt.Sprintf("127.0.0.1:%d", port)}
	}
	first, second, late := of("first", ports[0]), of("second", ports[1]), of("late", ports[2])
	if err := f.make(first.at); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(first.at.settings(), []byte("[node]\ndiscover = false\nlisten = \"127.0.0.1:0\"\napi = \"127.0.0.1:0\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	other := first.begin(t)
	second.join(t, first)
	second.begin(t)
	until(t, time.Minute, func() bool { return first.status(t).Height > 45 && second.status(t).Height > 45 })
	trusted := first.status(t)
	late.join(t, first, "--state-sync", first.rpc+","+second.rpc, "--trust-height", fmt.Sprint(trusted.Height), "--trust-hash", trusted.Block)
	began := time.Now()
	process := late.begin(t)
	until(t, time.Minute, func() bool { s := late.status(t); return !s.CatchingUp && s.Height > trusted.Height+10 })
	t.Logf("at block %d after %.1f s", late.status(t).Height, time.Since(began).Seconds())
	if err := process.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := process.Wait(); err != nil {
		t.Errorf("the late node ended: %v", err)
	}
	p, err := openStopped(late.at)
	if err != nil {
		t.Fatal(err)
	}
	defer p.node.Stop()
	newest := p.node.View().Height()
	if _, found, err := p.node.Record(1); found || err != nil {
		t.Errorf("the first block is there: %v", err)
	}
	if _, found, err := p.node.Record(newest); !found || err != nil {
		t.Errorf("block %d is not: %v", newest, err)
	}
	if err := other.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := other.Wait(); err != nil {
		t.Errorf("the first node ended: %v", err)
	}
	whole, err := openStopped(first.at)
	if err != nil {
		t.Fatal(err)
	}
	defer whole.node.Stop()
	if want, err := digestAt(whole.genesis, whole.node, newest); err != nil || p.node.Status().Digest.String() != want {
		t.Errorf("at block %d the late node has %v, the first %s, %v", newest, p.node.Status().Digest, want, err)
	}
}
