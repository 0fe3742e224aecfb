package virtual

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"taolab/sim/host"
	"taolab/sim/trace"
)

// patience is a context that ends after it has been asked so often.
type patience struct {
	context.Context
	asked, ends int
}

func (p *patience) Err() error {
	if p.asked++; p.asked > p.ends {
		return context.Canceled
	}
	return nil
}

// sparse is a network in which little happens in a thousand blocks.
func sparse(t *testing.T) Config {
	cfg := script(t, `
node a stake=1000 delay=2500ms
  3000s call to=b
  5000s pay to=b rao=5
  7000500ms block height=701
node b stake=10`)
	cfg.BlockNs, cfg.Blocks = 10*host.Second, 1000
	cfg.Genesis.Params.TempoBlocks = 250
	cfg.DigestEpochs = 1
	return cfg
}

func TestARunInterruptedBetweenEmptyBlocksIsRepeatedUpToThere(t *testing.T) {
	for _, turns := range []int{1, 2, 3} {
		cfg := sparse(t)
		cfg.Paranoid = true // every block is a turn of its own
		first, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := first.Run(&patience{Context: context.Background(), ends: turns}); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		p := first.Progress()
		cfg = sparse(t)
		cfg.Until = Position{p.Height, p.Events}
		second, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := second.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if q := second.Progress(); p.Height != q.Height || p.Events != q.Events || first.Digest() != second.Digest() ||
			first.LedgerDigest() != second.LedgerDigest() {
			t.Errorf("interrupted at block %d, event %d; repeated up to block %d, event %d, digests %v and %v",
				p.Height, p.Events, q.Height, q.Events, first.Digest(), second.Digest())
		}
		if p.Height%100 == 0 && p.Height > 0 {
			t.Errorf("interrupted at block %d, which a jump might end at anyway", p.Height)
		}
	}
}

// digests are what the rows of blocks say of the ledger.
type digests []string

func (d *digests) Record(row trace.Row) {
	if b, ok := row.(trace.Block); ok {
		*d = append(*d, fmt.Sprint(b.Height, " ", *b.Digest, b.Included, b.Rejected))
	}
}

// TestSignedIsUnsigned: whether nodes sign and the chain verifies changes neither the run digest nor
// the state at any block, nor the time at which anything arrives.
func TestSignedIsUnsigned(t *testing.T) {
	live := func(signed bool) (string, string) {
		cfg := script(t, `
node a stake=1000 up=20000
  0s pay to=b rao=1000000
  1200ms pay to=c rao=200000000000
  5500ms weight on=1
  7s weight on=0
  9s block height=12
node b stake=10
  2s register hotkey=c
  2s register hotkey=d
  2100ms pay to=c rao=7
node c nouid
  3s pay to=a rao=3
node d nouid`)
		cfg.BlockNs, cfg.Blocks, cfg.Signed, cfg.DigestEpochs = host.Second, 16, signed, 1
		cfg.Genesis.Params.TempoBlocks = 5
		rows := new(digests)
		cfg.Recorder, cfg.Trace = rows, Recording{Blocks: 1, Digests: 1}
		_, d := run(t, cfg)
		return strings.Join(*rows, "\n"), d.String()
	}
	rows, digest := live(false)
	signedRows, signedDigest := live(true)
	if rows != signedRows {
		t.Errorf("blocks unsigned:\n%s\nsigned:\n%s", rows, signedRows)
	}
	if digest != signedDigest {
		t.Errorf("run digest %s unsigned, %s signed", digest, signedDigest)
	}
	included, rejected := 0, 0
	for _, line := range strings.Split(rows, "\n") {
		var height int
		var hex string
		var in, out int
		fmt.Sscanf(line, "%d %64s%d %d", &height, &hex, &in, &out)
		included, rejected = included+in, rejected+out
	}
	if included < 4 || rejected < 1 {
		t.Errorf("%d transactions included and %d rejected, expected some of both", included, rejected)
	}
}

// TestASignatureCostsBandwidth: the 64 bytes are on the link whether they say something or not.
func TestASignatureCostsBandwidth(t *testing.T) {
	for _, signed := range []bool{false, true} {
		cfg := script(t, `
node a stake=1000 up=8
  0s pay to=b rao=1
node b`)
		// 154 bytes of transaction and 1 of header at 1 byte a second: not at 154 s.
		cfg.BlockNs, cfg.Blocks, cfg.Signed, cfg.Links.HeaderBytes = host.Second, 170, signed, 1
		cfg.Chain.ExpiryBlocks = 200
		log, _ := run(t, cfg)
		if !strings.Contains(log, "2m36s a: transaction in block 156") {
			t.Errorf("signed %v:\n%s", signed, log)
		}
	}
}

func TestChancesOfNodeAndNetworkAreIndependent(t *testing.T) {
	for _, c := range []struct{ node, links, want float64 }{
		{0.5, 0, 0.5}, {0, 0.5, 0.5}, {0.5, 0.5, 0.75}, {0.2, 0.1, 0.28}, {1, 0, 1}, {0, 0, 0},
	} {
		const asked = 4000
		heard := 0
		b := &idler{handle: func(_ host.Env, e host.Event) {
			if _, ok := e.(host.Incoming); ok {
				heard++
			}
		}}
		a := &idler{}
		w := world(t, a, b)
		a.handle = func(env host.Env, e host.Event) {
			if _, ok := e.(host.Start); ok {
				for range asked {
					env.Call(w.nodes[1].ids[0].peer, host.Request{}, host.Second)
				}
			}
		}
		w.cfg.Links.Loss, w.nodes[0].cfg.Loss = c.links, c.node
		w.nodes[1].admission.Rules = host.AdmissionRules{Slots: host.MaxSlots, Capacity: host.MaxCapacity, LongestService: 1}
		if err := w.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		// Four standard deviations of a share of 4,000.
		if lost := 1 - float64(heard)/asked; lost < c.want-0.032 || lost > c.want+0.032 {
			t.Errorf("node %g, links %g: %g of the messages were lost, expected %g", c.node, c.links, lost, c.want)
		}
	}
}

// TestWhoHeldASeatAndWhoTookIt: the rows of a run that ends, that is interrupted, and that is
// repeated up to there.
func TestWhoHeldASeatAndWhoTookIt(t *testing.T) {
	text := `
node a stake=1
node b stake=2
node c nouid
  1500ms register hotkey=c
node d nouid
  3500ms register hotkey=d`
	seats := func(until Position, interrupted bool) []string {
		cfg := script(t, text)
		cfg.Genesis.Params.MaxUIDs, cfg.Genesis.Params.ImmunityBlocks, cfg.Genesis.Params.MinNonImmune = 2, 1, 0
		cfg.BlockNs, cfg.Blocks, cfg.Until = host.Second, 9, until
		var got []string
		cfg.Recorder = recorder(func(row trace.Row) {
			if s, ok := row.(trace.Seat); ok {
				got = append(got, strings.Join([]string{fmt.Sprint(s.UID), number32(s.Node), fmt.Sprint(s.FromBlock), number64(s.UntilBlock), s.End,
					number32(s.SuccessorNode)}, " "))
			}
		})
		cfg.Trace = Recording{Seats: true}
		w, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Context(context.Background())
		if interrupted {
			ctx = &patience{Context: ctx}
		}
		if err := w.Run(ctx); err != nil && !interrupted {
			t.Fatal(err)
		}
		if interrupted {
			w.Close()
		}
		return got
	}
	for _, c := range []struct {
		name        string
		until       Position
		interrupted bool
		want        string
	}{
		{"to the end", Position{}, false, "[0 0 0 2 pruned 2|1 1 0 4 pruned 3|0 2 2 - held -|1 3 4 - held -]"},
		{"until block 3", Position{3, 7}, false, "[0 0 0 2 pruned 2|0 2 2 - held -|1 1 0 - held -]"},
		{"interrupted at once", Position{}, true, "[0 0 0 - held -|1 1 0 - held -]"},
	} {
		if got := "[" + strings.Join(seats(c.until, c.interrupted), "|") + "]"; got != c.want {
			t.Errorf("%s: %s, expected %s", c.name, got, c.want)
		}
	}
}

// recorder is a function that takes rows.
type recorder func(trace.Row)

func (r recorder) Record(row trace.Row) { r(row) }

func number32(p *uint32) string {
	if p == nil {
		return "-"
	}
	return fmt.Sprint(*p)
}

func number64(p *uint64) string {
	if p == nil {
		return "-"
	}
	return fmt.Sprint(*p)
}
