package scenarios

import (
	"context"
	"encoding/hex"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"taolab/model/base"
	"taolab/model/golden"
	"taolab/model/lm/kernel"
	"taolab/model/pile"
	"taolab/report"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
	"taolab/sim/virtual"
)

// way is one way of making the same run.
type way struct {
	name      string
	workers   int
	record    bool
	signed    bool
	roundTrip host.Time
	cache     base.Cache
	damage    bool // change a byte of each of the cache's entries first
	isa       kernel.ISA
}

// TestOneRunDigestHoweverTheRunIsMade runs the tiny scenario in every way that must not matter, and
// compares the digest with that of all other machines.
func TestOneRunDigestHoweverTheRunIsMade(t *testing.T) {
	best := kernel.Active()
	cache := base.Cache{Dir: t.TempDir(), MaxBytes: base.DefaultBytes}
	ways := []way{
		{name: "one worker, cold cache", workers: 1, cache: cache, isa: best},
		{name: "two workers, warm cache", workers: 2, cache: cache, isa: best},
		{name: "two workers, cache with changed bytes", workers: 2, cache: cache, damage: true, isa: best},
		{name: "eight workers, no cache, recording and signing", workers: 8, record: true, signed: true, isa: best},
		{name: "states sent through bytes", workers: 2, roundTrip: 634 * host.Second, cache: cache, isa: best},
		{name: "states sent through bytes later, generic kernels", workers: 2, roundTrip: 1500*host.Second + 1, isa: kernel.Generic},
	}
	if best > kernel.AVX2 {
		ways = append(ways, way{name: "AVX2", workers: 2, isa: kernel.AVX2})
	}
	path := filepath.Join("testdata", "tiny.digest")
	if golden.Updating() {
		if err := os.WriteFile(path, []byte(runWay(t, ways[0])+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range ways {
		if testing.Short() && w.name != ways[0].name {
			break // one way is enough where every step is emulated
		}
		t.Run(w.name, func(t *testing.T) {
			if got := runWay(t, w); got != strings.TrimSpace(string(want)) {
				t.Errorf("run digest %s, want %s", got, want)
			}
		})
	}
}

func runWay(t *testing.T, w way) string {
	t.Helper()
	defer kernel.Force(w.isa)()
	if w.damage {
		damage(t, w.cache.Dir)
	}
	world := buildTiny(t, w.cache, Options{Workers: w.workers, RoundTripAt: w.roundTrip, Recorder: recorder(w.record), Signed: w.signed})
	if err := world.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	digest := world.Digest()
	return hex.EncodeToString(digest[:])
}

// damage changes a byte in the middle of every file of a folder.
func damage(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%d entries, %v", len(files), err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		data[len(data)/2] ^= 1
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func recorder(on bool) trace.Recorder {
	if on {
		return trace.Discard
	}
	return nil
}

func buildTiny(t testing.TB, cache base.Cache, opt Options, sets ...string) *virtual.World {
	t.Helper()
	world, err := virtual.New(configTiny(t, cache, opt, sets...))
	if err != nil {
		t.Fatal(err)
	}
	return world
}

// configTiny is the network of the tiny scenario.
func configTiny(t testing.TB, cache base.Cache, opt Options, sets ...string) virtual.Config {
	t.Helper()
	file, err := Load("testdata/tiny.toml", sets)
	if err != nil {
		t.Fatal(err)
	}
	material, err := file.Prepare(context.Background(), cache, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	network, err := file.Build(material, opt)
	if err != nil {
		t.Fatal(err)
	}
	return network.Config
}

// TestTheRunDigestBeginsWithTheBytesThatTheRunStartsFrom changes the last bit of one weight of the base
// model, and of one token.
func TestTheRunDigestBeginsWithTheBytesThatTheRunStartsFrom(t *testing.T) {
	network := func(change func(*Material)) (chain.Digest, []report.Content) {
		file, err := Load("testdata/tiny.toml", nil)
		if err != nil {
			t.Fatal(err)
		}
		material, err := file.Prepare(context.Background(), base.Cache{}, 2, nil)
		if err != nil {
			t.Fatal(err)
		}
		change(material)
		network, err := file.Build(material, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return network.Config.Origin, file.Manifest(material, network).Contents
	}
	origin, contents := network(func(*Material) {})
	if len(contents) != 3 || origin == (chain.Digest{}) {
		t.Errorf("origin %s of %d contents, want tokenizer, store and one base", origin, len(contents))
	}
	again, same := network(func(*Material) {})
	if again != origin || !slices.Equal(same, contents) {
		t.Errorf("origin %s, then %s", origin, again)
	}
	for i, change := range []func(*Material){
		2: func(m *Material) {
			model := m.Bases[0].Model
			model.Weights[7] = math.Float32frombits(math.Float32bits(model.Weights[7]) ^ 1)
		},
		1: func(m *Material) {
			tokens := m.Store.Tokens(0, pile.Train)
			tokens[len(tokens)/2] ^= 1
		},
	} {
		if change == nil {
			continue
		}
		other, changed := network(change)
		if other == origin || changed[i] == contents[i] {
			t.Errorf("%s was changed by a bit; origin %s, content %+v", contents[i].Name, other, changed[i])
		}
	}
}

// TestAgentsInTheMiddleOfSomethingSurviveBytes encodes and restores all states while commits wait for
// their reveal and newcomers for their registration.
func TestAgentsInTheMiddleOfSomethingSurviveBytes(t *testing.T) {
	cache := base.Cache{Dir: t.TempDir(), MaxBytes: base.DefaultBytes}
	sets := []string{"chain.commit_reveal=true", "chain.burn_tao=0.5", "chain.immunity_blocks=40", "miners[1].joins_h=0.3",
		"chain.min_allowed_weights=2", "chain.max_weight=1"}
	digest := func(at host.Time) string {
		world := buildTiny(t, cache, Options{Workers: 2, RoundTripAt: at, Paranoid: at == 0}, sets...)
		if err := world.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		return world.Digest().String()
	}
	want := digest(0)
	for _, at := range []host.Time{400 * host.Second, 1000 * host.Second, 1100 * host.Second} {
		if got := digest(at); got != want {
			t.Errorf("run digest %s with states sent through bytes at %d s, %s without", got, at/host.Second, want)
		}
	}
}

// rows keeps what a test asks about.
type rows struct{ all map[trace.Table][]trace.Row }

func (r *rows) Record(row trace.Row) {
	r.all[row.Table()] = append(r.all[row.Table()], row)
}

func TestEveryTableGetsRowsAndTheBooksBalance(t *testing.T) {
	r := &rows{all: map[trace.Table][]trace.Row{}}
	if err := buildTiny(t, base.Cache{}, Options{Workers: 2, Recorder: r}).Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, table := range []trace.Table{
		trace.Seats, trace.Blocks, trace.Transactions, trace.Epochs, trace.Weights, trace.Bonds, trace.Queries, trace.Training, trace.Ledger, trace.Applications,
	} {
		if len(r.all[table]) == 0 {
			t.Errorf("table %s has no rows", table)
		}
	}
	for _, row := range r.all[trace.Ledger] {
		b := row.(trace.Totals)
		if sum := b.FreeRao + b.StakedRao + b.UnbondingRao + b.PendingRao + b.BurnedRao + b.DustRao + b.UnallocatedRao; sum != b.MintedRao {
			t.Fatalf("block %d: minted %d rao, found %d", b.Block, b.MintedRao, sum)
		}
	}
}

// TestTheLedgersAccountHasTheOwnersCut compares the column with what is left of the minted money once
// everybody else was paid.
func TestTheLedgersAccountHasTheOwnersCut(t *testing.T) {
	r := &rows{all: map[trace.Table][]trace.Row{}}
	network := buildTiny(t, base.Cache{}, Options{Workers: 2, Recorder: r}, "chain.owner=validator", "chain.owner_cut=0.18")
	if err := network.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	first, last := r.all[trace.Ledger][0].(trace.Totals), trace.Totals{}
	for _, row := range r.all[trace.Ledger] {
		last = row.(trace.Totals)
	}
	left := last.MintedRao - first.MintedRao + first.PendingRao -
		last.PendingRao - (last.DustRao - first.DustRao) - (last.UnallocatedRao - first.UnallocatedRao)
	for _, row := range r.all[trace.Epochs] {
		left -= row.(trace.Epoch).EmissionRao
	}
	if last.OwnerRao != left || left == 0 {
		t.Errorf("the owner's cut is %d rao, and %d rao were paid to nobody else", last.OwnerRao, left)
	}
}

func TestAnInterruptedPreparationSaysSo(t *testing.T) {
	file, err := Load("testdata/tiny.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := file.Prepare(ctx, base.Cache{}, 1, nil); err != context.Canceled {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
