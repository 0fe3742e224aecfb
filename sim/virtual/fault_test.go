package virtual

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"taolab/model/num"
	"taolab/sim/host"
)

// oneOfEach has a fault of every kind and mode on the busy network.
func oneOfEach(from, to host.Time) []Fault {
	numbers := map[string]map[string]float64{
		"clock": {"offset_ms": 300, "drift_ppm": 20000}, "crash": {"every_s": 2, "down_s": 0.5},
		"forget": {"every_s": 2, "down_s": 0.5}, "delay": {"mean_ms": 200}, "reorder": {"window_ms": 400},
		"duplicate": {"delay_ms": 100, "copies": 2}, "endless": {"parts": 5}, "stall": {"hold_s": 0.4},
		"stale": {"blocks": 2}, "block_delay": {"mean_ms": 700}, "disk_read": {"delay_s": 0.2}, "evict": {"every_s": 1}, "tx_queue": {"share": 0.7},
	}
	var list []Fault
	for i, kind := range faultKinds {
		modes := kind.Modes
		if modes == nil {
			modes = []string{""}
		}
		for _, mode := range modes {
			f := Fault{Kind: kind.Name, Mode: mode, From: from, To: to, Numbers: map[string]float64{}}
			if len(kind.Settings) > 0 && kind.Settings[0].Name == "share" {
				f.Numbers["share"] = 0.3
			}
			for name, x := range numbers[kind.Name] { // order-free: a map of them
				f.Numbers[name] = x
			}
			switch kind.Name {
			case "partition":
				f.Target.Region, f.To = "1", min(to, from+host.Second)
			case "cut", "clog", "version", "stall":
				f.Target.Some = 0.2
			case "ledger_pause":
				f.To = min(to, from+2*host.Second)
			default:
				if kind.fresh || kind.Name == "pause" || kind.Name == "disconnect" {
					f.Target.Node = fmt.Sprintf("n%d", i%12)
				}
			}
			list = append(list, f)
		}
	}
	return list
}

// computing is the busy network with jobs in it.
func computing(t *testing.T) Config {
	cfg := busy(t)
	cfg.Faults, cfg.Links.Loss = nil, 0
	cfg.Blocks = 16
	for i := range cfg.Nodes {
		cfg.Nodes[i].FLOPS = 1000
		agent := cfg.Nodes[i].Agent.(*toy)
		agent.Serve.Work = 40
		agent.Acts = append(agent.Acts, act{At: 9 * host.Second, Verb: "pay", Args: map[string]string{"to": "n0", "rao": "1000000"}})
	}
	return cfg
}

func TestAFaultOfEachKindMovesTheDigestAndOneWithoutEffectDoesNot(t *testing.T) {
	_, honest := run(t, computing(t))
	none := map[string]map[string]float64{
		"delay": {"mean_ms": 0}, "bandwidth": {"factor": 1}, "clock": {"offset_ms": 0}, "block_delay": {"mean_ms": 0},
		"evict": {},
	}
	// What moves nothing by itself: damage shows when a node that crashes reads.
	silent := []string{"evict", "disk_write", "disk_read"}
	for _, f := range oneOfEach(2*host.Second, 8*host.Second) {
		t.Run(strings.TrimSuffix(f.Kind+" "+f.Mode, " "), func(t *testing.T) {
			digest := func(f Fault) string {
				cfg := computing(t)
				cfg.Faults = []Fault{f}
				_, d := run(t, cfg)
				return d.String()
			}
			if d := digest(f); (d == honest.String()) != slices.Contains(silent, f.Kind) {
				t.Errorf("with the fault the run digest is %s, without it %s", d, honest)
			}
			f.To = f.From
			if d := digest(f); d != honest.String() {
				t.Errorf("with a fault of no time the run digest is %s, without it %s", d, honest)
			}
			f.To = 8 * host.Second
			kind := kindOf(f.Kind)
			if len(kind.Settings) > 0 && kind.Settings[0].Name == "share" {
				f.Numbers = map[string]float64{"share": 0}
			} else if f.Numbers = none[f.Kind]; f.Numbers == nil {
				return
			}
			if d := digest(f); d != honest.String() {
				t.Errorf("with %v the run digest is %s, without the fault %s", f.Numbers, d, honest)
			}
		})
	}
}

// TestFaultsOfEveryKindAtOnce breaks no invariant, gives the same bits for any number of workers and
// signed, and goes on from a snapshot at any moment.
func TestFaultsOfEveryKindAtOnce(t *testing.T) {
	all := func(rows *rowsOf) Config {
		cfg := computing(t)
		cfg.Faults = oneOfEach(host.Second, 8*host.Second)
		cfg.Paranoid = true
		cfg.Recorder = rows
		cfg.Trace = everything
		return cfg
	}
	var want rowsOf
	straight, turns := lived(t, all(&want))
	digest := straight.Digest()
	for what, change := range map[string]func(*Config){
		"3 workers": func(c *Config) { c.Workers = 3 },
		"signed":    func(c *Config) { c.Signed = true },
		"unwatched": func(c *Config) { c.Trace = Recording{} },
	} {
		var rows rowsOf
		cfg := all(&rows)
		change(&cfg)
		if _, d := run(t, cfg); d != digest {
			t.Errorf("%s: run digest %v, expected %v", what, d, digest)
		}
	}
	if straight.life.before.answers < 20 {
		t.Errorf("%d answers: too few to show anything", straight.life.before.answers)
	}
	draw := num.NewStream(1, "cuts of faults")
	for range 20 {
		cut := draw.IntN(turns)
		var rows rowsOf
		first := after(t, all(&rows), cut)
		b := saved(t, first)
		second, err := restore(all(&rows), b)
		if err != nil {
			t.Fatalf("turn %d: %v", cut, err)
		}
		if again := saved(t, second); !bytes.Equal(b, again) {
			t.Errorf("turn %d: the restored world writes another snapshot", cut)
		}
		if err := second.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if second.Digest() != digest || !slices.Equal(rows, want) {
			t.Errorf("cut at turn %d: run digest %v and %d rows, straight %v and %d", cut, second.Digest(), len(rows), digest, len(want))
			for i := range min(len(rows), len(want)) {
				if rows[i] != want[i] {
					t.Logf("row %d: %s, straight %s", i, rows[i], want[i])
					break
				}
			}
		}
	}
}

// lived is a world at its end, and how many turns it took.
func lived(t *testing.T, cfg Config) (*World, int) {
	t.Helper()
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	turns := 0
	for ; w.ledger.Height() < w.cfg.Blocks; turns++ {
		if err := w.turn(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return w, turns
}

var longFaults = flag.Bool("long-faults", false, "live through a simulated day of faults")
