package virtual

import (
	"context"
	"flag"
	"fmt"
	"testing"

	"github.com/cockroachdb/datadriven"

	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

func init() {
	flag.BoolFunc("update", "rewrite the golden files",
		func(on string) error { return flag.Set("rewrite", on) })
}

// TestScripts runs networks of toy agents and compares their event logs. Behind each script's
// back the same run is repeated with two and eight workers, with nothing and with everything recorded,
// signed and doubted at every step, and with all states sent through bytes in the middle: neither
// the log nor the digest may move.
//
//	run blocks=N [block=1s] [latency=10ms,50ms] [jitter=D] [loss=P] [expiry=N] [txs=N]
//	    [waiting=N] [save=D] [header=N] [showblocks]
//
// latency gives the time within a region and between two.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd != "run" {
				d.Fatalf(t, "unknown directive")
			}
			cfg := script(t, d.Input)
			network(t, d, &cfg)
			output, digest := run(t, cfg)
			repeat := func(what string, change func(*Config)) {
				c := script(t, d.Input)
				network(t, d, &c)
				change(&c)
				o, again := run(t, c)
				if again != digest {
					t.Errorf("%s: with %s the run digest is another", d.Pos, what)
				}
				if c.Recorder == nil && o != output {
					t.Errorf("%s: with %s the log is\n%sand not\n%s", d.Pos, what, o, output)
				}
			}
			repeat("2 workers", func(c *Config) { c.Workers = 2 })
			repeat("8 workers", func(c *Config) { c.Workers = 8 })
			repeat("nothing recorded", func(c *Config) { c.Trace, c.Recorder = Recording{}, trace.Discard })
			repeat("everything recorded", func(c *Config) {
				c.Trace, c.Recorder = everything, trace.Discard
			})
			repeat("signatures and doubts", func(c *Config) { c.Signed, c.Paranoid = true, true })
			for _, part := range []host.Time{3, 2} {
				repeat("a round trip", func(c *Config) {
					c.RoundTripAt = host.Time(c.Blocks) * c.BlockNs / part
					c.Workers = int(part)
				})
			}
			return output
		})
	})
}

// network reads the arguments of the run directive.
func network(t *testing.T, d *datadriven.TestData, cfg *Config) {
	cfg.BlockNs = host.Second
	for _, arg := range d.CmdArgs {
		value := ""
		if len(arg.Vals) > 0 {
			value = arg.Vals[0]
		}
		switch arg.Key {
		case "blocks":
			cfg.Blocks = uint64(number(t, value))
		case "block":
			cfg.BlockNs = span(t, value)
		case "latency":
			near, far := span(t, value), span(t, value)
			if len(arg.Vals) > 1 {
				far = span(t, arg.Vals[1])
			}
			cfg.Links.Latency = [][]host.Time{{near, far}, {far, near}}
		case "jitter":
			cfg.Links.Jitter = span(t, value)
		case "loss":
			if _, err := fmt.Sscan(value, &cfg.Links.Loss); err != nil {
				d.Fatalf(t, "loss: %v", err)
			}
		case "header":
			cfg.Links.HeaderBytes = int(number(t, value))
		case "expiry":
			cfg.Chain.ExpiryBlocks = uint64(number(t, value))
		case "txs":
			cfg.Chain.MaxTxs = int(number(t, value))
		case "waiting":
			cfg.Chain.MaxWaiting = int(number(t, value))
		case "save":
			cfg.SaveEvery = span(t, value)
		case "showblocks":
			cfg.Trace.Blocks = 1
		default:
			d.Fatalf(t, "unknown argument %q", arg.Key)
		}
	}
}

// run runs a config to its end and returns the log, or the error, and the digest.
func run(t *testing.T, cfg Config) (string, chain.Digest) {
	t.Helper()
	var log logged
	if cfg.Recorder == nil {
		cfg.Recorder = &log
	}
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Run(context.Background()); err != nil {
		fmt.Fprintf(&log, "error: %s\n", firstLine(err.Error()))
	}
	return log.String(), w.Digest()
}

func firstLine(s string) string {
	for i := range s {
		if s[i] == '\n' {
			return s[:i]
		}
	}
	return s
}

// everything is the recording of all there is.
var everything = Recording{
	Blocks: 1, Ledger: 1, Digests: 1, Epochs: 1, Weights: 1, Bonds: 1, Seats: true, Transactions: true, Faults: true,
}
