package scenarios

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"taolab/model/base"
	"taolab/report"
	"taolab/sim/host"
	"taolab/sim/trace"
	"taolab/sim/virtual"
)

// tinyExperiment is a run of the tiny scenario, about to begin.
func tinyExperiment(t *testing.T, cache base.Cache, sets ...string) *Experiment {
	t.Helper()
	file, err := Load("testdata/tiny.toml", sets)
	if err != nil {
		t.Fatal(err)
	}
	return &Experiment{File: file, Dir: t.TempDir(), Cache: cache, Workers: 2, Now: time.Now}
}

func liveThrough(t *testing.T, e *Experiment) (*report.Manifest, error) {
	t.Helper()
	if err := e.Begin(); err != nil {
		t.Fatal(err)
	}
	if err := e.Prepare(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return e.Run(t.Context())
}

// TestARunIsTheSameHoweverOftenItsTablesAreSynced compares every byte of every table, with syncs
// between nearly all events and without any.
func TestARunIsTheSameHoweverOftenItsTablesAreSynced(t *testing.T) {
	cache := base.Cache{Dir: t.TempDir(), MaxBytes: 1 << 30}
	sets := "time.hours=0.2"
	straight, cut := tinyExperiment(t, cache, sets), tinyExperiment(t, cache, sets)
	cut.SyncEvery = time.Millisecond
	want, err := liveThrough(t, straight)
	if err != nil {
		t.Fatal(err)
	}
	got, err := liveThrough(t, cut)
	if err != nil {
		t.Fatal(err)
	}
	if got.RunDigest != want.RunDigest || got.LedgerDigest != want.LedgerDigest {
		t.Errorf("run digest %s and ledger digest %s, want %s and %s", got.RunDigest, got.LedgerDigest, want.RunDigest, want.LedgerDigest)
	}
	if cut.savedBlock == 0 || straight.savedBlock > 0 {
		t.Errorf("saved at block %d with syncs, at block %d without", cut.savedBlock, straight.savedBlock)
	}
	for _, info := range want.Tables {
		name := string(info.Table) + ".parquet"
		a, err1 := os.ReadFile(filepath.Join(straight.Dir, name))
		b, err2 := os.ReadFile(filepath.Join(cut.Dir, name))
		if err1 != nil || err2 != nil || string(a) != string(b) {
			t.Errorf("%s: %v, %v, %d bytes and %d", name, err1, err2, len(a), len(b))
		}
	}
	if left, _ := filepath.Glob(filepath.Join(cut.Dir, "*.parts")); len(left) > 0 || len(want.Tables) < 8 {
		t.Errorf("%v are left, of %d tables", left, len(want.Tables))
	}
	if !want.Finished || want.Ended.IsZero() || want.Ending() != "" {
		t.Errorf("finished %t, ended %s", want.Finished, want.Ended)
	}
}

func TestTheFolderTellsOfTheRunBeforeAnythingIsPrepared(t *testing.T) {
	e := tinyExperiment(t, base.Cache{}, "seed=7")
	if err := e.Begin(); err != nil {
		t.Fatal(err)
	}
	m, err := report.ReadManifest(e.Dir)
	if err != nil || m.Finished || m.Whole() || m.Seed != 7 || m.Name != "tiny" || len(m.Scenario) == 0 || m.Begun() {
		t.Errorf("%v, %+v", err, m)
	}
	text, err := os.ReadFile(filepath.Join(e.Dir, report.ScenarioFile))
	if err != nil || string(text) != e.File.Text {
		t.Errorf("%v, %s", err, text)
	}
}

// At a sync, run.json agrees with the synced rows, and names the event up to which the run can
// be repeated.
func TestARunIsRepeatedUpToItsLastSync(t *testing.T) {
	cache := base.Cache{Dir: t.TempDir(), MaxBytes: 1 << 30}
	e := tinyExperiment(t, cache)
	if err := e.Begin(); err != nil {
		t.Fatal(err)
	}
	if err := e.Prepare(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	e.stop = cancel
	e.begun = e.Now()
	e.World.Run(stopAtBlock{ctx, e, 40})
	if err := e.save(); err != nil { // and here the program is killed
		t.Fatal(err)
	}
	m, err := report.ReadManifest(e.Dir)
	if err != nil || m.Blocks < 40 || m.Whole() {
		t.Fatalf("%v, block %d, whole %t", err, m.Blocks, m.Whole())
	}
	again := tinyExperiment(t, cache)
	again.Adjust = func(c *virtual.Config) { c.Until = virtual.Position{Height: m.Blocks, Events: m.Events} }
	repeated, err := liveThrough(t, again)
	if err != nil {
		t.Fatal(err)
	}
	if repeated.RunDigest != m.RunDigest || repeated.LedgerDigest != m.LedgerDigest {
		t.Errorf("run digest %s, want %s", repeated.RunDigest, m.RunDigest)
	}
	digests := map[trace.Table]string{}
	for _, info := range repeated.Tables {
		digests[info.Table] = info.Digest
	}
	for _, info := range m.Tables {
		if digests[info.Table] != info.Digest {
			t.Errorf("%s: digest %s, want %s", info.Table, digests[info.Table], info.Digest)
		}
	}
}

// stopAtBlock is a context that ends when the world has come to a block.
type stopAtBlock struct {
	context.Context
	e     *Experiment
	block uint64
}

func (s stopAtBlock) Err() error {
	if s.e.World.Progress().Height >= s.block {
		return context.Canceled
	}
	return s.Context.Err()
}

// clumsy is an agent that panics at its first event after a time.
type clumsy struct {
	host.Agent
	at host.Time
}

func (c clumsy) Handle(env host.Env, e host.Event) {
	if env.Now() >= c.at {
		panic("slipped")
	}
	c.Agent.Handle(env, e)
}

func TestAPanicInAnAgentEndsTheRunWithItsNameAndKeepsTheRows(t *testing.T) {
	e := tinyExperiment(t, base.Cache{})
	e.SyncEvery = time.Millisecond
	e.Adjust = func(c *virtual.Config) { c.Nodes[3].Agent = clumsy{c.Nodes[3].Agent, 900 * host.Second} }
	m, err := liveThrough(t, e)
	if err == nil || !strings.Contains(err.Error(), "node 3 (honest-4)") || !strings.Contains(err.Error(), "slipped") {
		t.Fatalf("%v", err)
	}
	if m.Finished || m.Interrupted || !strings.Contains(m.Fault, "node 3 (honest-4)") || strings.Contains(m.Fault, "\n") {
		t.Errorf("%+v", m)
	}
	r, err := report.Open(e.Dir)
	if err != nil {
		t.Fatal(err)
	}
	blocks := uint64(0)
	if err := report.Rows(r, func(trace.Block) error { blocks++; return nil }); err != nil || blocks < 70 {
		t.Errorf("%v, %d blocks are left of 75", err, blocks)
	}
	if r.Manifest.Fault != m.Fault {
		t.Errorf("run.json says %q, want %q", r.Manifest.Fault, m.Fault)
	}
}

func TestAnExperimentJudgesItself(t *testing.T) {
	e := tinyExperiment(t, base.Cache{})
	e.File.Expect = []report.Expectation{
		{Metric: "run.blocks", Comparison: "==", Value: []float64{150}},
		{Metric: "run.blocks", Comparison: "<", Value: []float64{150}},
	}
	if _, err := liveThrough(t, e); err != nil {
		t.Fatal(err)
	}
	verdicts, err := e.Judge()
	if err != nil || len(verdicts) != 2 || !verdicts[0].Met || verdicts[1].Met {
		t.Errorf("%v, %+v", err, verdicts)
	}
}

func TestAFolderThatHoldsARunIsNotBegunAgain(t *testing.T) {
	e := tinyExperiment(t, base.Cache{}, "time.hours=0.1")
	if _, err := liveThrough(t, e); err != nil {
		t.Fatal(err)
	}
	again := &Experiment{File: e.File, Dir: e.Dir, Workers: 1, Now: time.Now}
	if err := again.Begin(); err == nil || !strings.Contains(err.Error(), "is there already: choose another folder") {
		t.Errorf("%v", err)
	}
	if m, err := report.ReadManifest(e.Dir); err != nil || !m.Finished {
		t.Errorf("the first run was touched: %v, %+v", err, m)
	}
}
