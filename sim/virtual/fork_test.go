package virtual

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"taolab/sim/host"
)

// forkFrom is the network of cfg, to a time, with other faults from there on.
func forkFrom(t *testing.T, cfg func() Config, at host.Time, before, after []Fault) *World {
	t.Helper()
	first := cfg()
	first.Faults = before
	w, err := New(first)
	if err != nil {
		t.Fatal(err)
	}
	for w.now < at {
		if err := w.turn(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	second := cfg()
	second.Faults = after
	if w, err = restore(second, saved(t, w)); err != nil {
		t.Fatal(err)
	}
	return w
}

func faultName(f Fault) string { return strings.TrimSuffix(f.Kind+" "+f.Mode, " ") }

// TestAForkWithFutureFaultsIsTheStraightRunThatHasThem holds for faults that come and for faults that do not.
func TestAForkWithFutureFaultsIsTheStraightRunThatHasThem(t *testing.T) {
	network := func() Config { return computing(t) }
	straight := func(faults []Fault) *World {
		cfg := network()
		cfg.Faults = faults
		w, _ := lived(t, cfg)
		return w
	}
	past := Fault{Kind: "churn", Target: Target{Node: "n7"}, From: 500 * host.Millisecond, To: 1500 * host.Millisecond}
	ongoing := Fault{Kind: "loss", Numbers: map[string]float64{"share": 0.1}, From: host.Second, To: 9 * host.Second}
	bare := straight([]Fault{past, ongoing})
	for _, f := range oneOfEach(5*host.Second, 8*host.Second) {
		t.Run(faultName(f), func(t *testing.T) {
			with, without := []Fault{f, past, ongoing}, []Fault{past, ongoing}
			for _, c := range []struct {
				what          string
				before, after []Fault
				want          *World
			}{{"added", without, with, straight(with)}, {"left out", with, without, bare}} {
				w := forkFrom(t, network, 3*host.Second, c.before, c.after)
				if err := w.Run(context.Background()); err != nil {
					t.Fatal(err)
				}
				if w.Digest() != c.want.Digest() || w.LedgerDigest() != c.want.LedgerDigest() {
					t.Errorf("%s: run digest %v, straight %v", c.what, w.Digest(), c.want.Digest())
				}
			}
		})
	}
}

// TestAForkWithoutAnActiveFaultEndsIt looks at what each kind leaves behind, and at whether the network lives: a
// request is answered, a transaction included, and everybody sees the newest blocks.
func TestAForkWithoutAnActiveFaultEndsIt(t *testing.T) {
	talking := func() Config {
		cfg := computing(t)
		cfg.Blocks = 20
		for i := range cfg.Nodes {
			agent := cfg.Nodes[i].Agent.(*toy)
			for s := range host.Time(9) {
				agent.Acts = append(agent.Acts, act{At: (10 + s) * host.Second, Verb: "call",
					Args: map[string]string{"to": fmt.Sprintf("n%d", (i+1)%12), "size": "100", "timeout": "900ms"}})
			}
			agent.Acts = append(agent.Acts, act{At: 14 * host.Second, Verb: "pay", Args: map[string]string{"to": "n0", "rao": "2000000"}})
		}
		return cfg
	}
	for _, f := range oneOfEach(2*host.Second, 1000*host.Second) {
		f.To = 1000 * host.Second
		t.Run(faultName(f), func(t *testing.T) {
			w := forkFrom(t, talking, 6*host.Second, []Fault{f}, nil)
			if len(w.activeFaults()) != 1 {
				t.Fatal("the fault is not active when the fork begins")
			}
			if err := w.turn(context.Background()); err != nil {
				t.Fatal(err)
			}
			b := saved(t, w)
			for _, resumed := range []bool{false, true} {
				cfg := talking()
				cfg.QuietTail = 9 * host.Second
				x, err := restore(cfg, b)
				if err != nil {
					t.Fatal(err)
				}
				if !resumed {
					w.cfg.QuietTail = cfg.QuietTail
					x = w
				}
				if n := len(x.activeFaults()); n != 0 {
					t.Errorf("%d faults are active", n)
				}
				if err := x.Run(context.Background()); err != nil {
					t.Error(err)
				}
				for i := range x.nodes {
					if n := &x.nodes[i]; n.down+n.paused+n.behind+n.cutOff+len(n.lags) > 0 {
						t.Errorf("%v: down %d, paused %d, behind %d, cut off %d, %d lags", n, n.down, n.paused, n.behind, n.cutOff, len(n.lags))
					}
				}
				if x.Digest() != w.Digest() {
					t.Errorf("resumed %t: run digest %v, straight %v", resumed, x.Digest(), w.Digest())
				}
			}
		})
	}
}

func TestAForkCutRightAtItsBeginGoesOnAsAFork(t *testing.T) {
	network := func() Config { return computing(t) }
	before := oneOfEach(2*host.Second, 9*host.Second)
	straight := forkFrom(t, network, 4*host.Second, before, nil)
	b := saved(t, forkFrom(t, network, 4*host.Second, before, nil))
	again, err := restore(network(), b)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []*World{straight, again} {
		if err := w.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if straight.Digest() != again.Digest() || straight.Progress().Events != again.Progress().Events {
		t.Errorf("run digest %v after %d events, straight %v after %d", again.Digest(), again.Progress().Events,
			straight.Digest(), straight.Progress().Events)
	}
	if again := saved(t, forkFrom(t, network, 4*host.Second, before, nil)); !bytes.Equal(b, again) {
		t.Error("two snapshots of one fork differ")
	}
}

func TestAForkRefusesAFaultOfThePast(t *testing.T) {
	w, err := New(computing(t))
	if err != nil {
		t.Fatal(err)
	}
	w.PauseAt(5)
	if err := w.Run(context.Background()); err != ErrPaused {
		t.Fatal(err)
	}
	cfg := computing(t)
	cfg.Faults = []Fault{{Kind: "pause", Target: Target{Node: "n1"}, From: 4 * host.Second, To: 9 * host.Second}}
	if _, err := restore(cfg, saved(t, w)); err == nil || !strings.Contains(err.Error(), "pause of node n1) would begin at") ||
		!strings.Contains(err.Error(), "before this moment") {
		t.Errorf("%v", err)
	}
}

// TestWhatWaitedForTheEndOfAFaultWaitsNoLongerThanTheFault: blocks, outcomes and expiries are seen right when
// a fork ends what stood between.
func TestWhatWaitedForTheEndOfAFaultWaitsNoLongerThanTheFault(t *testing.T) {
	for _, kind := range []string{"partition", "cut", "stale", "pause", "ledger_pause", "crash"} {
		seen := host.Time(0)
		network := func() Config {
			cfg := script(t, "node a stake=100\n 1s pay to=b rao=1000000\nnode b\n 6s pay to=a rao=1000000")
			cfg.BlockNs, cfg.Blocks = host.Second, 40
			if kind == "crash" {
				return cfg
			}
			cfg.Nodes[0].Agent, cfg.Nodes[0].Fresh = &watch{seen: &seen}, func() host.Agent { return &watch{seen: &seen} }
			return cfg
		}
		f := Fault{Kind: kind, Target: Target{Node: "a"}, From: 2500 * host.Millisecond, To: 900 * host.Second}
		if kind == "ledger_pause" {
			f.Target, f.From = Target{}, 4500*host.Millisecond
		}
		cfg := network()
		cfg.Faults = []Fault{f}
		w, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		for w.now < 6*host.Second {
			if err := w.turn(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		w, err = restore(network(), saved(t, w))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if kind == "crash" {
			if w.nodes[0].down != 0 {
				t.Error("crash: the node is still down")
			}
			continue
		}
		if seen == 0 || seen > 12*host.Second {
			t.Errorf("%s: block 5 was seen at %s", kind, clock(seen))
		}
	}
}

// watch waits for block 5.
type watch struct{ seen *host.Time }

func (a *watch) Handle(env host.Env, e host.Event) {
	switch e := e.(type) {
	case host.Start:
		env.AtBlock(3, 0)
	case host.Block:
		if e.Height == 5 {
			*a.seen = env.Now()
		} else {
			env.AtBlock(5, 0)
		}
	}
}

func (a *watch) AppendState(b []byte) []byte { return b }
func (a *watch) RestoreState([]byte) error   { return nil }
