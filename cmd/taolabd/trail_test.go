package main

import (
	"crypto/ed25519"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"taolab/report"
	"taolab/sim/chain"
	"taolab/sim/live/wallet"
	"taolab/sim/trace"
)

// testTrail is a trace of two nodes, of which only one has a uid, on a ledger that stands still. Nobody has begun it.
func testTrail(t *testing.T, table traceTable) *trail {
	t.Helper()
	params, err := chain.Era("2026")
	if err != nil {
		t.Fatal(err)
	}
	key := func(name string) chain.Key { return wallet.Public(wallet.Known(name)) }
	state, err := chain.New(chain.Genesis{ChainID: "net", Params: params, Neurons: []chain.GenesisNeuron{
		{Hotkey: key("stranger"), Coldkey: key("cold"), StakeRao: 5}, {Hotkey: key("seated"), Coldkey: key("cold"), StakeRao: 7},
	}})
	if err != nil {
		t.Fatal(err)
	}
	table.On, table.Rows = true, "off"
	if table.SyncS == 0 {
		table.SyncS = 3600
	}
	return &trail{
		traceTable: table, dir: filepath.Join(t.TempDir(), "traces"), view: state.View, log: slog.New(slog.DiscardHandler),
		describe: func() (report.Manifest, []trace.Node) {
			m := report.Manifest{Name: "net", ScenarioTOML: "seed = 1\n", Recorded: table.tables()}
			for i, name := range []string{"seated", "waiting"} {
				public := wallet.Known(name).Public().(ed25519.PublicKey)
				m.Nodes = append(m.Nodes, report.Node{Index: i, Name: name, Kind: report.KindMiner, Hotkey: chain.Key(public).String()})
			}
			return m, []trace.Node{{Node: 0, Name: "seated"}, {Node: 1, Name: "waiting"}}
		},
	}
}

// block records block h with a transaction in front of it, and what an agent did after it.
func block(to trace.Recorder, h uint64) {
	to.Record(trace.Transaction{Block: h, Kind: "Transfer", Outcome: trace.Included})
	to.Record(trace.Block{Height: h, TimeNs: int64(h) * 1e9, Digest: trace.Some(chain.Digest{byte(h)}.String())})
	to.Record(trace.Train{Block: h, Steps: h})
}

// heights are the blocks of a folder's table.
func heights[T trace.Row](t *testing.T, r *report.Run, height func(T) uint64) (list []uint64) {
	t.Helper()
	if err := report.Rows(r, func(row T) error {
		list = append(list, height(row))
		return nil
	}); err != nil {
		t.Error(err)
	}
	return list
}

// opened opens a folder of a trace.
func opened(t *testing.T, dir, name string) *report.Run {
	t.Helper()
	r, err := report.Open(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestATraceGoesOnInTheNextFolderAfterItsBlocks(t *testing.T) {
	tr := testTrail(t, traceTable{FolderBlocks: 10})
	if err := tr.begin(); err != nil {
		t.Fatal(err)
	}
	for h := uint64(1); h <= 25; h++ {
		block(tr, h)
	}
	tr.end(nil)
	next := uint64(1)
	for i, name := range []string{"000001", "000002", "000003"} {
		r := opened(t, tr.dir, name)
		m := r.Manifest
		if last := i == 2; m.Finished == last || m.Interrupted != last || m.GenesisBlock != uint64(10*i) || m.Blocks != min(uint64(10*i+10), 25) {
			t.Errorf("%s: finished %v, interrupted %v, blocks %d to %d", name, m.Finished, m.Interrupted, m.GenesisBlock, m.Blocks)
		}
		var want []uint64
		for ; next <= m.Blocks; next++ {
			want = append(want, next)
		}
		blocks := heights(t, r, func(b trace.Block) uint64 { return b.Height })
		txs := heights(t, r, func(x trace.Transaction) uint64 { return x.Block })
		trained := heights(t, r, func(x trace.Train) uint64 { return x.Block })
		if !slices.Equal(blocks, want) || !slices.Equal(txs, want) || !slices.Equal(trained, want) {
			t.Errorf("%s: blocks %d, transactions %d, training %d, expected %d", name, blocks, txs, trained, want)
		}
		if i < 2 { // the world records those that last at its end
			if seats := heights(t, r, func(s trace.Seat) uint64 { return uint64(s.UID) }); !slices.Equal(seats, []uint64{0, 1}) {
				t.Errorf("%s: seats %d", name, seats)
			}
		}
		if n := m.Nodes; !n[0].HasUID || n[0].UID != 1 || n[1].HasUID {
			t.Errorf("%s: nodes %+v", name, n)
		}
		if _, err := report.Summarise(r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAsManyFoldersOfATraceStayAsTheSettingsSay(t *testing.T) {
	for _, c := range []struct {
		folders uint64
		want    []string
	}{{0, []string{"000001", "000002", "000003", "000004", "mine"}}, {2, []string{"000003", "000004", "mine"}}} {
		tr := testTrail(t, traceTable{FolderBlocks: 10, Folders: c.folders})
		if err := os.MkdirAll(filepath.Join(tr.dir, "mine"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := tr.begin(); err != nil {
			t.Fatal(err)
		}
		for h := uint64(1); h <= 35; h++ {
			block(tr, h)
		}
		tr.end(nil)
		var names []string
		entries, err := os.ReadDir(tr.dir)
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if err != nil || !slices.Equal(names, c.want) {
			t.Errorf("folders = %d: %q, %v", c.folders, names, err)
		}
	}
}

func TestARowThatTheDiskIsTooSlowForIsCountedAndNobodyWaits(t *testing.T) {
	tr := testTrail(t, traceTable{FolderBlocks: 1 << 20})
	tr.queue, tr.ended = make(chan trace.Row, 3), make(chan struct{})
	if err := tr.open(0); err != nil {
		t.Fatal(err)
	}
	block(tr, 1)
	block(tr, 2) // the disk has done nothing yet
	go tr.write()
	tr.end(nil)
	r := opened(t, tr.dir, "000001")
	if w := r.Manifest.Warnings; len(w) != 1 || !strings.HasPrefix(w[0], "3 rows are missing") {
		t.Errorf("warnings %q", w)
	}
	if got := heights(t, r, func(b trace.Block) uint64 { return b.Height }); !slices.Equal(got, []uint64{1}) {
		t.Errorf("blocks %d", got)
	}
}

func TestATraceThatCannotBeWrittenEndsAndTheNodeGoesOn(t *testing.T) {
	tr := testTrail(t, traceTable{FolderBlocks: 10})
	var said strings.Builder
	tr.log = slog.New(slog.NewTextHandler(&said, nil))
	if err := tr.begin(); err != nil {
		t.Fatal(err)
	}
	for h := uint64(1); h <= 10; h++ {
		block(tr, h)
	}
	until(t, time.Minute, func() bool { return len(tr.queue) == 0 })
	if err := os.Rename(tr.dir, tr.dir+" elsewhere"); err != nil { // as a disk that goes away
		t.Fatal(err)
	}
	if err := os.WriteFile(tr.dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for h := uint64(11); h <= 40; h++ {
		block(tr, h)
	}
	tr.end(nil)
	if !strings.Contains(said.String(), "no trace is written any more") {
		t.Errorf("the log says %q", said.String())
	}
	if err := testTrailAt(t, tr.dir).begin(); err == nil || !strings.Contains(err.Error(), "the trace cannot be begun") {
		t.Errorf("a trace in a file: %v", err)
	}
}

// The folder that is over when the next cannot be begun is whole, as any other.
func TestAFolderIsWholeWhenTheNextCannotBeBegun(t *testing.T) {
	tr := testTrail(t, traceTable{FolderBlocks: 10})
	if err := tr.begin(); err != nil {
		t.Fatal(err)
	}
	describe := tr.describe
	tr.describe = func() (report.Manifest, []trace.Node) {
		m, nodes := describe()
		m.Recorded = append(m.Recorded, "none") // a table that the writer does not know
		return m, nodes
	}
	for h := uint64(1); h <= 20; h++ {
		block(tr, h)
	}
	tr.end(nil)
	if m := opened(t, tr.dir, "000001").Manifest; !m.Finished || m.Fault != "" || m.Blocks != 10 {
		t.Errorf("finished %v, fault %q, blocks %d", m.Finished, m.Fault, m.Blocks)
	}
}

func testTrailAt(t *testing.T, dir string) *trail {
	tr := testTrail(t, traceTable{FolderBlocks: 10})
	tr.dir = dir
	return tr
}

func TestWhatEndedTheAgentsStandsInTheTrace(t *testing.T) {
	tr := testTrail(t, traceTable{FolderBlocks: 10})
	if err := tr.begin(); err != nil {
		t.Fatal(err)
	}
	block(tr, 1)
	tr.end(os.ErrDeadlineExceeded)
	if m := opened(t, tr.dir, "000001").Manifest; m.Interrupted || m.Finished || m.Fault != os.ErrDeadlineExceeded.Error() {
		t.Errorf("fault %q", m.Fault)
	}
}
