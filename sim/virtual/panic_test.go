package virtual

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"taolab/sim/host"
	"taolab/sim/trace"
)

// fragile is an agent that panics where it is told to.
type fragile struct {
	idler
	appends, restores int // calls until it panics; 0: never
}

func (f *fragile) AppendState(b []byte) []byte {
	if f.appends--; f.appends == 0 {
		panic("no state")
	}
	return b
}

func (f *fragile) RestoreState([]byte) error {
	if f.restores--; f.restores == 0 {
		panic("no restore")
	}
	return nil
}

func TestAPanicEndsTheRunWithAnErrorThatNamesNodeAndEvent(t *testing.T) {
	at := func(match func(host.Event) bool, do func(host.Env)) *fragile {
		a := &fragile{}
		a.handle = func(env host.Env, e host.Event) {
			if _, start := e.(host.Start); start {
				env.After(1500*host.Millisecond, 0)
			}
			if match(e) {
				do(env)
			}
		}
		return a
	}
	timer := func(e host.Event) bool { _, ok := e.(host.Timer); return ok }
	start := func(e host.Event) bool { _, ok := e.(host.Start); return ok }
	for _, c := range []struct {
		name  string
		agent *fragile
		crash bool
		want  string
	}{
		{"handling a timer", at(timer, func(host.Env) { panic("boom") }), false,
			"virtual: node 1 (x1) at 1.5s, handling host.Timer: panic: boom"},
		{"a second job", at(start, func(env host.Env) { env.Compute(spin{}); env.Compute(spin{}) }), false,
			"virtual: node 1 (x1) at 0s, handling host.Start: panic: job virtual.spin while job "},
		{"a job", at(timer, func(env host.Env) { env.Compute(spin{Panic: true}) }), false,
			"virtual: node 1 (x1), result due at 1.5s: job virtual.spin panicked: asked to"},
		{"saving", &fragile{appends: 2}, true,
			"virtual: node 1 (x1) at 1s, writing its state: panic: no state"},
		{"restoring", &fragile{restores: 1}, true,
			"virtual: node 1 (x1) at 2s, reading its state: panic: no restore"},
	} {
		for _, workers := range []int{1, 3} {
			cfg := Config{Seed: 1, BlockNs: host.Second, Genesis: quiet(), Blocks: 5, Workers: workers, SaveEvery: host.Second}
			cfg.Nodes = []Node{{Name: "x0", Agent: &idler{}}, {Name: "x1", Agent: c.agent}}
			if c.crash {
				cfg.Nodes[1].Fresh = func() host.Agent { return c.agent }
				cfg.Faults = []Fault{{Kind: "crash", Target: Target{Node: "x1"}, From: 1500 * host.Millisecond, To: 2 * host.Second}}
			}
			agent := *c.agent
			w, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			err = w.Run(context.Background())
			*c.agent = agent
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("%s, %d workers: %q, expected %q", c.name, workers, firstLine(fmt.Sprint(err)), c.want)
				continue
			}
			height := w.Chain().Height()
			if again := w.Run(context.Background()); again == nil || again.Error() != err.Error() || w.Chain().Height() != height {
				t.Errorf("%s: the run went on to block %d with %v", c.name, w.Chain().Height(), again)
			}
		}
	}
}

func TestRowsBeforeAPanicAreWhole(t *testing.T) {
	cfg := script(t, `
node a stake=1
  1500ms panic
node b stake=2`)
	cfg.BlockNs, cfg.Blocks = host.Second, 9
	rows := counts{}
	cfg.Recorder, cfg.Trace = rows, Recording{Blocks: 1, Seats: true}
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "node 0 (a) at 1.5s, handling host.Timer: panic: asked to") {
		t.Fatalf("the run ended with %v", err)
	}
	w.Close()
	if rows[trace.Blocks] != 1 || rows[trace.Seats] != 2 {
		t.Errorf("rows of %v, expected one block and the two seats that are held", rows)
	}
}

func TestTimeDoesNotGoBack(t *testing.T) {
	w := world(t, &idler{})
	if err := w.turn(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.pass(2 * host.Second)
	w.push(host.Second/2, evStart, 0, 0)
	err := w.Run(context.Background())
	if err == nil || !strings.Contains(err.Error(), "time went back from 2000000000 to 500000000 ns") {
		t.Errorf("an event in the past: %v", err)
	}
}
