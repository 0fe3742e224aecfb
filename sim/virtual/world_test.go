package virtual

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// busy is a network in which a bit of everything goes on.
func busy(t *testing.T) Config {
	var b strings.Builder
	for i := range 12 {
		fmt.Fprintf(&b, "node n%d flops=1000 serve=300 work=%d stake=%d region=%d delay=%dms "+
			"up=1000000 down=2000000\n", i, 30+i, i+1, i%2, 50*i)
		for k := range 20 {
			fmt.Fprintf(&b, "%dms call to=n%d size=2000 timeout=3s\n", 400*k+i*7, (i+k+1)%12)
		}
		fmt.Fprintf(&b, "%dms pay to=n%d rao=%d\n", 300*i, (i+1)%12, 1000000+i)
	}
	cfg := script(t, b.String())
	cfg.BlockNs, cfg.Blocks = host.Second, 14
	cfg.Links.Latency = [][]host.Time{{5e6, 40e6}, {40e6, 5e6}}
	cfg.Links.Jitter, cfg.Links.Loss = 3e6, 0.02
	cfg.Faults = []Fault{
		{Kind: "crash", Target: Target{Node: "n3"}, From: 4 * host.Second, To: 5 * host.Second},
		{Kind: "partition", Target: Target{Region: "1"}, From: 5 * host.Second, To: 6 * host.Second},
	}
	cfg.SaveEvery = host.Second
	cfg.Genesis.Params.TempoBlocks = 5
	return cfg
}

// cancelAfter is a recorder that ends a context after so many rows.
type cancelAfter struct {
	rows   int
	cancel func()
}

func (c *cancelAfter) Record(trace.Row) {
	if c.rows--; c.rows == 0 {
		c.cancel()
	}
}

func TestARunThatIsInterruptedGoesOnToTheSameDigest(t *testing.T) {
	for _, workers := range []int{1, 4} {
		_, want := run(t, busy(t))
		cfg := busy(t)
		cfg.Workers = workers
		ctx, cancel := context.WithCancel(context.Background())
		cfg.Recorder = &cancelAfter{300, cancel}
		w, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("interrupted run returned %v, expected %v", err, context.Canceled)
		}
		if p := w.Progress(); p.Height == 0 || p.Height >= p.Blocks {
			t.Fatalf("interrupted at height %d of %d: expected somewhere between", p.Height, p.Blocks)
		}
		if err := w.RoundTrip(); err != nil {
			t.Fatal(err)
		}
		if err := w.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := w.Digest(); got != want {
			t.Errorf("%d workers: digest %v after an interruption and a round trip, expected %v", workers, got, want)
		}
	}
}

func TestARunRepeatedUpToWhereItWasInterruptedHasTheSameDigest(t *testing.T) {
	for _, rows := range []int{1, 37, 300, 500} {
		cfg := busy(t)
		ctx, cancel := context.WithCancel(context.Background())
		cfg.Recorder = &cancelAfter{rows, cancel}
		first, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := first.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("interrupted run returned %v, expected %v", err, context.Canceled)
		}
		p := first.Progress()
		cfg = busy(t)
		cfg.Until, cfg.Workers = Position{p.Height, p.Events}, 4
		second, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := second.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if a, b := first.Digest(), second.Digest(); a != b || second.Progress().Events != p.Events {
			t.Errorf("after %d rows: %v at block %d, event %d; repeated %v", rows, a, p.Height, p.Events, b)
		}
		if a, b := first.LedgerDigest(), second.LedgerDigest(); a != b {
			t.Errorf("after %d rows: ledger %v, repeated %v", rows, a, b)
		}
	}
}

func TestDistrustChangesNothingAndEndsTheRunAtABrokenInvariant(t *testing.T) {
	_, want := run(t, busy(t))
	cfg := busy(t)
	cfg.Paranoid = true
	if _, got := run(t, cfg); got != want {
		t.Errorf("digest %v with every invariant checked, expected %v", got, want)
	}
	checks := 0
	cfg.checks = func(state *chain.State) func() error {
		sound := host.Invariants(state)
		return func() error {
			if checks++; checks == 9 {
				return errors.New("supply is broken: 3 rao minted, 2 found")
			}
			return sound()
		}
	}
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	err = w.Run(context.Background())
	if err == nil || !strings.Contains(err.Error(), "block ") || !strings.Contains(err.Error(), "supply is broken: 3 rao minted, 2 found") {
		t.Errorf("a broken invariant: %v", err)
	}
	if checks != 9 || w.Chain().Height() >= cfg.Blocks {
		t.Errorf("%d checks, ended at block %d", checks, w.Chain().Height())
	}
}

func TestTheDigestTellsSeedsAndSettingsApart(t *testing.T) {
	seen := map[string]string{}
	// order-free: each change makes a config of its own
	for name, change := range map[string]func(*Config){
		"as it is":   func(c *Config) {},
		"loss":       func(c *Config) { c.Links.Loss = 0.03 },
		"latency":    func(c *Config) { c.Links.Latency[0][1]++ },
		"digests":    func(c *Config) { c.DigestEpochs = 1 },
		"fewer":      func(c *Config) { c.DigestEpochs = 2 },
		"origin":     func(c *Config) { c.Origin = chain.Digest{1} },
		"balance":    func(c *Config) { c.Genesis.Balances[0].FreeRao++ },
		"stays down": func(c *Config) { c.Faults[0].To = maxTime },
	} {
		cfg := busy(t)
		change(&cfg)
		_, d := run(t, cfg)
		if other, same := seen[d.String()]; same {
			t.Errorf("%q and %q have the same digest", name, other)
		}
		seen[d.String()] = name
	}
}

func TestAMomentOfEveryKindHappensInTheBusyNetwork(t *testing.T) {
	log, _ := run(t, busy(t))
	for _, want := range []string{"asked by", "code 1", "code 2", "code 4", "job done", "restored",
		"transaction in block", "crash", "restart", "partition", "heal", "loss"} {
		if !strings.Contains(log, want) {
			t.Errorf("nothing in the log says %q", want)
		}
	}
}

// counts is a recorder that counts rows by table.
type counts map[trace.Table]int

func (c counts) Record(r trace.Row) { c[r.Table()]++ }

func TestOnlyWhatTheRecordingAsksForIsRecorded(t *testing.T) {
	for _, c := range []struct {
		recording Recording
		want      string
	}{
		{Recording{}, "map[]"},
		{Recording{Blocks: 1, Ledger: 2}, "map[blocks:14 ledger:7]"},
		{Recording{Epochs: 1, Weights: 1, Bonds: 1}, "map[epochs:24]"},
		{Recording{Epochs: 2}, "map[epochs:12]"},
	} {
		cfg := busy(t)
		got := counts{}
		cfg.Recorder, cfg.Trace = got, c.recording
		run(t, cfg)
		delete(got, "log")
		if fmt.Sprint(got) != c.want {
			t.Errorf("recording %+v: %v, expected %v", c.recording, got, c.want)
		}
	}
}

func TestEmptyBlocksInOneStepAreTheSameAsOneByOne(t *testing.T) {
	text := `
		node a stake=1000 delay=2500ms
		  3000s call to=b
		  5000s pay to=b rao=5
		  7000500ms block height=7010
		  7001s see
		node b stake=10`
	long := func(change func(*Config)) (string, string) {
		cfg := script(t, text)
		cfg.BlockNs, cfg.Blocks = host.Second, 10_000
		cfg.Genesis.Params.TempoBlocks = 99
		change(&cfg)
		log, d := run(t, cfg)
		return log, d.String()
	}
	log, digest := long(func(*Config) {})
	_, oneByOne := long(func(c *Config) { c.Recorder, c.Trace = counts{}, Recording{Blocks: 1} })
	if digest != oneByOne {
		t.Errorf("the digest is %s in large steps and %s one by one", digest, oneByOne)
	}
	for _, want := range []string{"newest block 6998,", "1h56m52.5s a: sees block 7010"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not say %q:\n%s", want, log)
		}
	}
}

func TestAnInvalidConfigIsRefusedWithAllThatIsWrong(t *testing.T) {
	cfg := busy(t)
	cfg.Nodes[0].Region = 7
	cfg.Nodes[1].Name = cfg.Nodes[2].Name
	cfg.Nodes[4].Loss = 2
	cfg.Nodes[5].Fresh, cfg.Nodes[5].Agent = nil, nil
	cfg.Nodes[6].BlockDelay = 300 * host.Second
	cfg.Faults[0].Target.Node, cfg.Faults[0].Numbers = "n99", map[string]float64{"factor": 1}
	cfg.Nodes[8].Admission.Capacity = -1
	cfg.Faults[1].To = 0
	cfg.Links.Latency[1] = nil
	cfg.Blocks = 1 << 60
	_, err := New(cfg)
	if err == nil {
		t.Fatal("the config was taken")
	}
	for _, want := range []string{"node 0 (n0): region 7", "node 2 (n2): node 1 has the same name",
		"node 4 (n4): loss 2", "node 5 (n5): neither Agent nor Fresh", "node 6 (n6): block delay",
		"no node n99", "do not read", "node 8 (n8): capacity: -1", "fault 1 (partition): from", "latency: row 1",
		"blocks: 1152921504606846976"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
}

// idler does nothing, keeps its Env and can be told to break a rule.
type idler struct {
	env    host.Env
	handle func(host.Env, host.Event)
}

func (a *idler) Handle(env host.Env, e host.Event) {
	a.env = env
	if a.handle != nil {
		a.handle(env, e)
	}
}
func (a *idler) AppendState(b []byte) []byte { return b }
func (a *idler) RestoreState([]byte) error   { return nil }

func world(t *testing.T, agents ...host.Agent) *World {
	t.Helper()
	cfg := Config{Seed: 1, BlockNs: host.Second, Genesis: quiet()}
	for i, a := range agents {
		cfg.Nodes = append(cfg.Nodes, Node{Name: fmt.Sprint("x", i), Agent: a})
	}
	cfg.Blocks = 3
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestEnvOutsideHandlePanics(t *testing.T) {
	a := &idler{}
	w := world(t, a)
	if err := w.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, "node 0 (x0) used its Env outside Handle") {
			t.Errorf("panic %q", got)
		}
	}()
	a.env.Now()
}

func TestCallsBeyondTheLimitAreAnsweredBackoff(t *testing.T) {
	codes := map[host.Code]int{}
	var peer host.PeerID
	a := &idler{}
	a.handle = func(env host.Env, e host.Event) {
		switch e := e.(type) {
		case host.Start:
			for range maxCalls + 3 {
				env.Call(peer, host.Request{}, host.Second)
			}
			env.Call(peer, host.Request{Body: make([]byte, maxBodyBytes+1)}, host.Second)
		case host.Answer:
			codes[e.Response.Code]++
		}
	}
	w := world(t, a, &idler{})
	peer = w.nodes[1].ids[0].peer
	if err := w.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	waiting := host.DefaultCapacity + 1
	want := map[host.Code]int{
		host.Timeout: waiting, host.Backoff: maxCalls + 3 - waiting, host.InvalidRequest: 1,
	}
	if fmt.Sprint(codes) != fmt.Sprint(want) {
		t.Errorf("answers by code: %v, expected %v", codes, want)
	}
}

func TestStaleEventsDoNotPileUp(t *testing.T) {
	a := &idler{}
	a.handle = func(env host.Env, e host.Event) {
		for range 100 {
			env.Stop(env.After(host.Hour, 0))
		}
		env.After(host.Millisecond, 0)
	}
	w := world(t, a)
	if err := w.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if w.Progress().Events < 3000 || w.queue.len() > 3000 {
		t.Errorf("%d events are in the queue after %d were processed, expected at most 3000 after 3000",
			w.queue.len(), w.Progress().Events)
	}
}

// slow is a job that says when it runs and lasts until it is told to end.
type slow struct{ running, end chan struct{} }

func (slow) Work() int64 { return 1 }
func (s slow) Run(*host.Scratch) []byte {
	close(s.running)
	<-s.end
	return []byte("late")
}

func TestWaitingForAJobEndsWithTheContextAndLosesNothing(t *testing.T) {
	job := slow{make(chan struct{}), make(chan struct{})}
	var result string
	a := &idler{handle: func(env host.Env, e host.Event) {
		switch e := e.(type) {
		case host.Start:
			env.Compute(job)
		case host.Done:
			result = string(e.Result)
		}
	}}
	w := world(t, a)
	w.pool.workers, w.pool.lent = 2, make([]host.Scratch, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-job.running
		if w.Progress().Height != 0 {
			t.Error("the loop went on without the result")
		}
		cancel()
		close(job.end)
	}()
	if err := w.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := w.Run(context.Background()); err != nil || result != "late" {
		t.Errorf("the run went on with %q, %v", result, err)
	}
}

// ring is an agent that sends a message on as soon as it comes.
type ring struct {
	idler
	next host.PeerID
}

func (r *ring) Handle(env host.Env, e host.Event) {
	switch e := e.(type) {
	case host.Start, host.Answer:
		env.Call(r.next, host.Request{Synapse: host.TextCausalLM}, host.Second)
	case host.Incoming:
		env.Reply(e.Call, host.Response{Code: host.Success})
	}
}

// BenchmarkPingPong counts delivered events of nodes that ask their neighbours without pause.
func BenchmarkPingPong(b *testing.B) {
	for _, n := range []int{2, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			cfg := Config{Seed: 1, Blocks: 1 << 27, Links: Links{Latency: [][]host.Time{{host.Millisecond}}}}
			for i := range n {
				next := PublicKey(1, fmt.Sprint((i+1)%n), host.Hotkey)
				cfg.Nodes = append(cfg.Nodes, Node{Name: fmt.Sprint(i), Agent: &ring{next: next}})
			}
			cfg.Genesis = quiet()
			w, err := New(cfg)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for w.events < uint64(b.N) {
				if err := w.turn(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mevents/s")
		})
	}
}
