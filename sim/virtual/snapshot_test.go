package virtual

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"taolab/model/num"
	"taolab/sim/host"
	"taolab/sim/snapshot"
	"taolab/sim/trace"
)

// rowsOf keeps the rows that it gets, as text.
type rowsOf []string

func (r *rowsOf) Record(row trace.Row) {
	*r = append(*r, fmt.Sprintf("%s %x", row.Table(), trace.AppendRow(nil, row)))
}

// delayed is the busy network with nodes that see blocks late, in which everything is recorded.
func delayed(t *testing.T, rows *rowsOf) Config {
	cfg := busy(t)
	cfg.Nodes[5].BlockDelay = 2500 * host.Millisecond
	cfg.Nodes[7].Admission = host.AdmissionRules{MinInterval: host.Second}
	cfg.DigestEpochs = 1
	cfg.Recorder = rows
	cfg.Trace = Recording{Blocks: 1, Ledger: 1, Epochs: 1, Weights: 1, Bonds: 1, Seats: true, Transactions: true, Faults: true}
	return cfg
}

func TestARestoredNodeThatHasSeenNoBlockYetSeesNoneThroughACut(t *testing.T) {
	cfg := func() Config {
		cfg := script(t, `fault stale node=a blocks=10 from=0s to=12s
fault cut node=a direction=in from=6500ms to=9s
node a
  7s pay to=b rao=1000000
node b`)
		cfg.BlockNs, cfg.Blocks = host.Second, 15
		return cfg
	}
	straight, _ := lived(t, cfg())
	w, err := New(cfg())
	if err != nil {
		t.Fatal(err)
	}
	w.PauseAt(5)
	if err := w.Run(context.Background()); err != ErrPaused {
		t.Fatal(err)
	}
	second, err := restore(cfg(), saved(t, w))
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if second.Digest() != straight.Digest() {
		t.Errorf("run digest %v, straight %v", second.Digest(), straight.Digest())
	}
}

// saved is the snapshot of a world.
func saved(t *testing.T, w *World) []byte {
	t.Helper()
	var b bytes.Buffer
	out := snapshot.NewWriter(&b)
	if err := errors.Join(w.WriteSnapshot(context.Background(), out), out.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func restore(cfg Config, b []byte) (*World, error) {
	in, err := snapshot.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return Restore(cfg, in)
}

// after is a world that has lived for so many turns.
func after(t *testing.T, cfg Config, turns int) *World {
	t.Helper()
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for range turns {
		if err := w.turn(context.Background()); err != nil || w.err != nil {
			t.Fatal(err, w.err)
		}
	}
	return w
}

func TestARunThatIsRestoredFromASnapshotGoesOnAsIfItHadNeverStopped(t *testing.T) {
	var want rowsOf
	straight, err := New(delayed(t, &want))
	if err != nil {
		t.Fatal(err)
	}
	turns := 0
	for straight.producer.ledger.Height() < straight.cfg.Blocks {
		if err := straight.turn(context.Background()); err != nil {
			t.Fatal(err)
		}
		turns++
	}
	if err := straight.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	draw := num.NewStream(1, "cuts")
	for i := range 20 {
		cut := draw.IntN(turns)
		var rows rowsOf
		first := after(t, delayed(t, &rows), cut)
		b := saved(t, first)
		if again := saved(t, first); !bytes.Equal(b, again) {
			t.Errorf("turn %d: two snapshots of one moment differ", cut)
		}
		cfg := delayed(t, &rows)
		cfg.Workers = 1 + i%3
		second, err := restore(cfg, b)
		if err != nil {
			t.Fatal(err)
		}
		if again := saved(t, second); !bytes.Equal(b, again) {
			t.Errorf("turn %d: the restored world writes another snapshot", cut)
		}
		if err := second.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if second.Digest() != straight.Digest() || second.LedgerDigest() != straight.LedgerDigest() {
			t.Errorf("cut at turn %d of %d: run digest %v, ledger %v; straight %v, %v", cut, turns,
				second.Digest(), second.LedgerDigest(), straight.Digest(), straight.LedgerDigest())
		}
		if p, q := second.Progress(), straight.Progress(); p.Events != q.Events || p.FLOP != q.FLOP {
			t.Errorf("cut at turn %d: %d events and %d FLOP, straight %d and %d", cut, p.Events, p.FLOP, q.Events, q.FLOP)
		}
		if !slices.Equal(rows, want) {
			t.Errorf("cut at turn %d: %d rows, straight %d, or other ones", cut, len(rows), len(want))
		}
	}
}

// A snapshot of a time at which a bookkeeper is down has what it will hear of its transactions.
func TestABookkeeperHearsTheSameFromASnapshotOfAnyMoment(t *testing.T) {
	paying := func(rows *logged) Config {
		cfg := script(t, "node a books crash=2500ms+2s\n2400ms pay to=b rao=5\n2450ms pay to=b rao=6\n5s pay to=b rao=7\nnode b")
		cfg.BlockNs, cfg.Blocks, cfg.Recorder = host.Second, 8, rows
		return cfg
	}
	var want logged
	turns := 0
	for w := after(t, paying(&want), 0); w.producer.ledger.Height() < w.cfg.Blocks; turns++ {
		if err := w.turn(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Count(want.String(), "transaction in block") != 3 {
		t.Fatalf("it does not hear of its three payments:\n%s", &want)
	}
	for cut := range turns {
		var rows logged
		second, err := restore(paying(&rows), saved(t, after(t, paying(&rows), cut)))
		if err != nil {
			t.Fatal(err)
		}
		if err := second.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if rows.String() != want.String() {
			t.Errorf("cut at turn %d of %d: the log is\n%sstraight\n%s", cut, turns, &rows, &want)
		}
	}
}

func TestWritingASnapshotChangesNothing(t *testing.T) {
	_, want := run(t, busy(t))
	w := after(t, busy(t), 500)
	saved(t, w)
	if err := w.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := w.Digest(); got != want {
		t.Errorf("digest %v, expected %v", got, want)
	}
}

func TestASnapshotOfAnotherNetworkOrADamagedOneIsRefused(t *testing.T) {
	var rows rowsOf
	b := saved(t, after(t, delayed(t, &rows), 300))
	for name, change := range map[string]func(*Config){
		"seed":       func(c *Config) { c.Seed++ },
		"block time": func(c *Config) { c.BlockNs++ },
		"origin":     func(c *Config) { c.Origin[0]++ },
		"name":       func(c *Config) { c.Nodes[4].Name = "other" },
		"delay":      func(c *Config) { c.Nodes[5].BlockDelay = 9 * host.Second },
	} {
		cfg := delayed(t, &rows)
		change(&cfg)
		if _, err := restore(cfg, b); err == nil {
			t.Errorf("with another %s the snapshot was taken", name)
		}
	}
	if err := snapshot.Verify(bytes.NewReader(b)); err != nil {
		t.Error(err)
	}
	for _, n := range []int{0, 10, 40, len(b) / 2, len(b) - 1} {
		if err := snapshot.Verify(bytes.NewReader(b[:n])); err == nil {
			t.Errorf("%d of %d bytes were taken", n, len(b))
		}
		if n < len(b)/2+1 {
			if _, err := restore(delayed(t, &rows), b[:n]); err == nil {
				t.Errorf("%d of %d bytes were restored", n, len(b))
			}
		}
	}
	damaged := bytes.Clone(b)
	damaged[len(b)/3] ^= 1
	if err := snapshot.Verify(bytes.NewReader(damaged)); !errors.Is(err, snapshot.ErrDamaged) {
		t.Errorf("a flipped bit: %v, expected %v", err, snapshot.ErrDamaged)
	}
}

// TestARestoredNodeKnowsItsLinksAndItsView: links that are booked, the order of transactions, and what
// a node that is cut off from the block producer still sees show seldom in a digest.
func TestARestoredNodeKnowsItsLinksAndItsView(t *testing.T) {
	var rows rowsOf
	booked, ordered, cutOff := 0, 0, 0
	for turns := 20; turns < 1200; turns += 60 {
		first := after(t, delayed(t, &rows), turns)
		second, err := restore(delayed(t, &rows), saved(t, first))
		if err != nil {
			t.Fatal(err)
		}
		for i := range first.nodes {
			a, b := &first.nodes[i], &second.nodes[i]
			if a.upFree != b.upFree || a.downFree != b.downFree || a.txArrival != b.txArrival || a.cutOff != b.cutOff {
				t.Fatalf("turn %d, %v: links free at %d and %d, transactions from %d, %d partitions; was %d, %d, %d, %d",
					turns, a, b.upFree, b.downFree, b.txArrival, b.cutOff, a.upFree, a.downFree, a.txArrival, a.cutOff)
			}
			if first.viewOf(a).Height() != second.viewOf(b).Height() {
				t.Fatalf("turn %d, %v sees block %d, saw %d", turns, a, second.viewOf(b).Height(), first.viewOf(a).Height())
			}
			booked += min(1, int(a.downFree))
			ordered += min(1, int(a.txArrival))
			cutOff += a.cutOff
		}
	}
	if booked == 0 || ordered == 0 || cutOff == 0 {
		t.Errorf("%d links were booked, %d nodes had sent transactions, %d were cut off: expected some of each",
			booked, ordered, cutOff)
	}
}

// TestARunPausesRightBehindABlock has hours without anything to do, which pass in one step: the run stops
// in their midst all the same, and is the same run.
func TestARunPausesRightBehindABlock(t *testing.T) {
	quiet := func() Config {
		cfg := busy(t)
		cfg.Blocks = 5000
		return cfg
	}
	_, want := run(t, quiet())
	w, err := New(quiet())
	if err != nil {
		t.Fatal(err)
	}
	for _, height := range []uint64{1, 3, 17, 1234, 4321, 5000} {
		w.PauseAt(height)
		if err := w.Run(context.Background()); err != ErrPaused || w.Progress().Height != height {
			t.Fatalf("%v at block %d, expected %v at block %d", err, w.Progress().Height, ErrPaused, height)
		}
		if w.now != host.Time(height)*w.cfg.BlockNs {
			t.Errorf("block %d: the time is %d ns", height, w.now)
		}
		saved(t, w)
	}
	w.PauseAt(4000) // which is past
	if err := w.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := w.Digest(); got != want {
		t.Errorf("run digest %v, without pauses %v", got, want)
	}
}
