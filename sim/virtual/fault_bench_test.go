package virtual

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"taolab/sim/host"
)

// chatty is a network of which two nodes talk, with faults of all others: a hundred active ones and
// nine hundred to come.
func chatty(faults bool, blocks uint64) Config {
	cfg := Config{Seed: 1, BlockNs: host.Second, Blocks: blocks, Genesis: quiet()}
	for i := range 102 {
		cfg.Nodes = append(cfg.Nodes, Node{Name: fmt.Sprintf("n%d", i), Agent: &idler{}})
	}
	for i := range 2 {
		cfg.Nodes[i].Agent = &chatter{peer: PublicKey(1, cfg.Nodes[1-i].Name, host.Hotkey)}
	}
	for i := 0; faults && i < 1000; i++ {
		f := Fault{
			Kind: []string{"loss", "delay", "corrupt", "clog", "slow"}[i%5], From: host.Second, To: host.Time(blocks-1) * host.Second,
			Target: Target{Node: fmt.Sprintf("n%d", 2+i%100)}, Numbers: map[string]float64{},
		}
		if i >= 100 {
			f.From = host.Time(blocks-2) * host.Second
		}
		cfg.Faults = append(cfg.Faults, f)
	}
	return cfg
}

// chatter keeps a hundred calls open.
type chatter struct{ peer host.PeerID }

var chatterBody [64]byte

func (c *chatter) Handle(env host.Env, e host.Event) {
	switch e := e.(type) {
	case host.Start, host.Timer:
		env.After(host.Second, 0)
		for range 100 {
			env.Call(c.peer, host.Request{Body: chatterBody[:]}, host.Second)
		}
	case host.Incoming:
		env.Reply(e.Call, host.Response{Code: host.Success})
	}
}
func (*chatter) AppendState(b []byte) []byte { return b }
func (*chatter) RestoreState([]byte) error   { return nil }

// cost is the wall time and the allocations of a run.
func cost(t testing.TB, cfg Config) (time.Duration, uint64) {
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := cpuTime()
	if err := w.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	took := cpuTime() - start
	runtime.ReadMemStats(&after)
	return took, after.Mallocs - before.Mallocs
}

// TestFaultsOfOthersCostAMessageNothing counts allocations; with -long-faults it measures the time too,
// as the median of nine alternating pairs.
func TestFaultsOfOthersCostAMessageNothing(t *testing.T) {
	const messages = 500 * 2 * 200 // in 500 blocks
	var perMessage [2]float64
	for i := range perMessage {
		_, short := cost(t, chatty(i == 1, 500))
		_, long := cost(t, chatty(i == 1, 1000))
		perMessage[i] = float64(long-short) / messages
	}
	if perMessage[1] > perMessage[0]+0.001 {
		t.Errorf("allocations a message: %.4f with a thousand faults of others, %.4f without", perMessage[1], perMessage[0])
	}
	if !*longFaults {
		return
	}
	runtime.LockOSThread() // whose time is measured
	defer runtime.UnlockOSThread()
	var ratios []float64
	for i := range 9 {
		var took [2]time.Duration
		for k := range 2 {
			which := (i + k) % 2
			took[which], _ = cost(t, chatty(which == 1, 1000))
		}
		ratios = append(ratios, took[1].Seconds()/took[0].Seconds())
	}
	slices.Sort(ratios)
	if median := ratios[4]; median > 1.05 {
		t.Errorf("with a thousand faults of others a message takes %.3f times as long", median)
	}
	t.Logf("time with faults of others over without: %.3f; allocations a message %.4f", ratios, perMessage)
}

// TestFaultsKeepNoMemoryOfTheirPast compares the memory of as many faults in one day and in ten.
func TestFaultsKeepNoMemoryOfTheirPast(t *testing.T) {
	if !*longFaults {
		t.Skip("minutes; run it with -long-faults")
	}
	heap := func(hours int, quiet host.Time) float64 {
		cfg := day(t, hours, quiet)
		w, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		runtime.KeepAlive(w)
		t.Logf("%d hours, %d faults", hours, len(cfg.Faults))
		return float64(m.HeapInuse)
	}
	short := heap(24, 4*host.Minute)
	long := heap(240, 53*host.Minute)
	if long > 1.1*short {
		t.Errorf("%.1f MB after ten days, %.1f after one", long/1e6, short/1e6)
	}
	t.Logf("%.1f MB after ten days, %.1f after one", long/1e6, short/1e6)
}
