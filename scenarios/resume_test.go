package scenarios

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"taolab/model/base"
	"taolab/model/num"
	"taolab/report"
	"taolab/sim/trace"
	"taolab/sim/virtual"
)

// cutShort is the folder of a run of the tiny scenario that stopped after a number of rows, in one of the
// ways in which runs stop, with an earlier snapshot.
func cutShort(t *testing.T, cache base.Cache, rows int, kill bool, sets ...string) string {
	t.Helper()
	e := tinyExperiment(t, cache, sets...)
	if err := e.Begin(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stop := &stopAtRow{rows, cancel}
	e.Adjust = func(c *virtual.Config) { c.Recorder = trace.Tee(c.Recorder, stop) }
	if err := e.Prepare(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	e.SnapshotEvery = time.Hour
	if !kill {
		if m, err := e.Run(ctx); err != nil || !m.Interrupted {
			t.Fatal(err)
		}
		return e.Dir
	}
	e.begun = e.Now()
	e.World.Run(ctx)
	if err := errors.Join(e.save(), e.keep(false)); err != nil {
		t.Fatal(err)
	}
	stop.rows, stop.stop = 300, func() {} // it goes on, syncs once more and is killed
	later, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	e.World.Run(later)
	if err := e.save(); err != nil {
		t.Fatal(err)
	}
	return e.Dir
}

// resumed resumes a run in a folder, to its end.
func resumed(t *testing.T, cache base.Cache, dir string) *report.Manifest {
	t.Helper()
	m, err := report.ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	file, err := FromManifest(dir, &m, "")
	if err != nil {
		t.Fatal(err)
	}
	list, faults := Snapshots(dir)
	if len(list) == 0 || len(faults) > 0 {
		t.Fatalf("%d snapshots, %v", len(list), faults)
	}
	e := &Experiment{File: file, Dir: dir, Cache: cache, Workers: 1, Now: time.Now, From: list[0]}
	again, err := liveThrough(t, e)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// sameRun compares digests, and every table byte for byte.
func sameRun(t *testing.T, what string, got, want *report.Manifest, dir, straight string) {
	t.Helper()
	if !got.Finished || got.RunDigest != want.RunDigest || got.LedgerDigest != want.LedgerDigest {
		t.Errorf("%s: finished %t, run digest %s and ledger digest %s, straight %s and %s", what, got.Finished,
			got.RunDigest, got.LedgerDigest, want.RunDigest, want.LedgerDigest)
	}
	if got.Events != want.Events || got.FLOP != want.FLOP || got.Cost.Tokens != want.Cost.Tokens {
		t.Errorf("%s: %d events, straight %d", what, got.Events, want.Events)
	}
	if !slices.Equal(got.Tables, want.Tables) {
		t.Errorf("%s: tables %v, straight %v", what, got.Tables, want.Tables)
	}
	for _, info := range want.Tables {
		name := string(info.Table) + ".parquet"
		a, err1 := os.ReadFile(filepath.Join(dir, name))
		b, err2 := os.ReadFile(filepath.Join(straight, name))
		if err1 != nil || err2 != nil || string(a) != string(b) {
			t.Errorf("%s: %s: %v, %v, %d bytes and %d", what, name, err1, err2, len(a), len(b))
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.part*s")); len(left) > 0 {
		t.Errorf("%s: %v are left", what, left)
	}
}

func TestAResumedRunLeavesWhatAStraightOneLeaves(t *testing.T) {
	cutAndResume(t, 6, "time.hours=0.3", "chain.digest_epochs=1")
}

// TestARunWithFaultsOfEveryKindGoesOn: each kind has a state of its own while it is active.
func TestARunWithFaultsOfEveryKindGoesOn(t *testing.T) {
	var faults []string
	for i, kind := range virtual.FaultKinds() {
		target := []string{`group="honest"`, `group="validator"`, `node="noise-1"`, `region="europe"`}[i%4]
		if kind.Name == "partition" {
			target = `region="europe"`
		}
		faults = append(faults, fmt.Sprintf(`{kind=%q, %s, at_s=%d, duration_s=400}`, kind.Name, target, 120+20*i))
	}
	dir := cutAndResume(t, 20, "time.hours=0.3", "chain.digest_epochs=1", "faults=["+strings.Join(faults, ", ")+"]")
	r, err := report.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	begun := 0
	if err := report.Rows(r, func(f trace.Fault) error {
		if f.Kind == "begin" {
			begun++
		}
		return nil
	}); err != nil || begun != len(faults) {
		t.Errorf("%v, %d faults began, expected %d", err, begun, len(faults))
	}
}

// cutAndResume interrupts a run of the tiny scenario several times, half of them by a kill, and returns the
// folder of an uninterrupted one.
func cutAndResume(t *testing.T, times int, sets ...string) string {
	t.Helper()
	cache := base.Cache{Dir: t.TempDir(), MaxBytes: 1 << 30}
	straight := tinyExperiment(t, cache, sets...)
	want, err := liveThrough(t, straight)
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, info := range want.Tables {
		rows += int(info.Rows)
	}
	draw := num.NewStream(1, "cuts")
	for i := range times {
		at := 20 + draw.IntN(rows-40)
		dir := cutShort(t, cache, at, i%2 == 0, sets...)
		got := resumed(t, cache, dir)
		sameRun(t, fmt.Sprintf("cut after %d of %d rows", at, rows), got, want, dir, straight.Dir)
		if len(got.Resumed) != 1 || got.Parent != nil {
			t.Errorf("resumed at %v, forked from %v", got.Resumed, got.Parent)
		}
	}
	return straight.Dir
}

// snapshotAt runs the tiny scenario with a snapshot at a height.
func snapshotAt(t *testing.T, cache base.Cache, height uint64, sets ...string) (*Experiment, *report.Manifest) {
	t.Helper()
	e := tinyExperiment(t, cache, sets...)
	e.SnapshotAt = []uint64{height}
	m, err := liveThrough(t, e)
	if err != nil {
		t.Fatal(err)
	}
	return e, m
}

// forked is a run forked from another at its only snapshot.
func forked(t *testing.T, cache base.Cache, parent *Experiment, m *report.Manifest, sets ...string) (*Experiment, *report.Manifest) {
	t.Helper()
	f, err := NewFork(parent.Dir, m, "", sets)
	if err != nil {
		t.Fatal(err)
	}
	list, faults := Snapshots(parent.Dir)
	if len(list) != 1 || len(faults) > 0 {
		t.Fatalf("%v, %v", list, faults)
	}
	e := &Experiment{File: f.File, Dir: t.TempDir(), Cache: cache, Workers: 2, Now: time.Now}
	f.Begin(e, parent.Dir, m, list[0])
	got, err := liveThrough(t, e)
	if err != nil {
		t.Fatalf("%v: %v", sets, err)
	}
	return e, got
}

func TestAForkWithoutChangesIsTheStraightRun(t *testing.T) {
	cache := base.Cache{Dir: t.TempDir(), MaxBytes: 1 << 30}
	for _, height := range []uint64{1, 44, 75} {
		sets := []string{"time.hours=0.25"}
		parent, m := snapshotAt(t, cache, height, sets...)
		plain := tinyExperiment(t, cache, sets...)
		want, err := liveThrough(t, plain)
		if err != nil {
			t.Fatal(err)
		}
		sameRun(t, "with a snapshot", m, want, parent.Dir, plain.Dir)
		child, got := forked(t, cache, parent, m)
		sameRun(t, "forked", got, want, child.Dir, plain.Dir)
		p := got.Parent
		if p == nil || p.Block != height || p.RunDigest != want.RunDigest || p.Folder != parent.Dir || p.CommonDigest == "" {
			t.Errorf("parent %+v", p)
		}
	}
}

// TestAForkHandlesNoEventBeforeItsHeight counts what the new run does.
func TestAForkHandlesNoEventBeforeItsHeight(t *testing.T) {
	cache := base.Cache{Dir: t.TempDir(), MaxBytes: 1 << 30}
	parent, m := snapshotAt(t, cache, 60, "time.hours=0.25")
	f, err := NewFork(parent.Dir, m, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	list, _ := Snapshots(parent.Dir)
	e := &Experiment{File: f.File, Dir: t.TempDir(), Cache: cache, Workers: 1, Now: time.Now}
	f.Begin(e, parent.Dir, m, list[0])
	var rows []trace.Row
	change := e.Adjust
	e.Adjust = func(c *virtual.Config) {
		if change != nil {
			change(c)
		}
		c.Recorder = trace.Tee(c.Recorder, keptRows{&rows})
	}
	if _, err := liveThrough(t, e); err != nil {
		t.Fatal(err)
	}
	blocks := 0
	for _, row := range rows {
		if b, ok := row.(trace.Block); ok {
			blocks++
			if b.Height <= 60 {
				t.Errorf("block %d was made again", b.Height)
			}
		}
		if q, ok := row.(trace.Query); ok && q.TimeNs < int64(60*12e9) {
			t.Errorf("a question of %d ns was answered again", q.TimeNs)
		}
	}
	if blocks != 15 {
		t.Errorf("%d blocks, expected 15", blocks)
	}
}

type keptRows struct{ rows *[]trace.Row }

func (k keptRows) Record(r trace.Row) { *k.rows = append(*k.rows, r) }

// TestAForkLivesWithItsOwnSettings changes one key after the other.
func TestAForkLivesWithItsOwnSettings(t *testing.T) {
	cache := base.Cache{Dir: t.TempDir(), MaxBytes: 1 << 30}
	parent, m := snapshotAt(t, cache, 60, "time.hours=0.4")
	for _, set := range []string{
		"time.hours=0.5", "chain.tempo_blocks=7", "chain.kappa=0.9", "chain.min_allowed_weights=1", "chain.immunity_blocks=9",
		"chain.weights_rate_limit_blocks=40", "chain.burn_tao=3", "chain.commit_reveal=true",
		"network.loss=0.3", "network.jitter_ms=900", "network.header_bytes=100000",
		"miners[0].duty=1", "miners[0].learning_rate=0.5", "miners[0].steps=9", "miners[0].hardware_mflops=1",
		"miners[0].up_mbps=0.001", "miners[0].loss=0.5", "miners[0].min_stake_tao=1000", "miners[0].min_interval_s=100", "miners[0].queue=1",
		"validators[0].alpha=0.9", "validators[0].power=0.2", "validators[0].timeout_s=0.1", "validators[0].step_s=30",
		"validators[0].epoch_blocks=5", "validators[0].hardware_mflops=1", "validators[0].targets=everyone",
		"applications[0].session_s=20", "applications[0].peers=1", "applications[0].timeout_s=0.1",
	} {
		_, got := forked(t, cache, parent, m, set)
		inert := set == "chain.immunity_blocks=9" || set == "chain.min_allowed_weights=1" ||
			set == "chain.weights_rate_limit_blocks=40" || set == "miners[0].queue=1" || set == "chain.kappa=0.9"
		if got.RunDigest == m.RunDigest && got.LedgerDigest == m.LedgerDigest && !inert {
			t.Errorf("%s: the fork is as its parent", set)
		}
		if !slices.Equal(got.Parent.Sets, []string{set}) {
			t.Errorf("%s: run.json says %v", set, got.Parent.Sets)
		}
	}
}

func TestAForkSaysWhyAKeyCannotChange(t *testing.T) {
	m := &report.Manifest{}
	file, err := Load("testdata/tiny.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	m.Scenario = file.resolved()
	for set, want := range map[string]string{
		"seed=9":                   "keys, streams and initial weights came from it",
		"time.block_s=6":           "between the blocks of the past",
		"miners[0].count=9":        "nodes and their keys are fixed at the beginning",
		"miners[0].width=16":       "the state of the agents was made with it",
		"miners[0].stake_tao=5":    "the stake at the beginning",
		"chain.rule=yuma3":         "a chain keeps the family of rules",
		"chain.max_uids=20":        "a gate for each uid",
		"corpus.megabytes=1":       "the models learned from it",
		"network.block_delay_ms=7": "drew their region",
		"validators[0].tokens=6":   "the state of the agents was made with it",
	} {
		_, err := NewFork("parent", m, "", []string{set})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--set "+set) {
			t.Errorf("%s: %v, want %q", set, err, want)
		}
	}
	if _, err := NewFork("parent", m, "", []string{"sead=1"}); err == nil || !strings.Contains(err.Error(), "did you mean seed?") {
		t.Errorf("%v", err)
	}
}

// TestAForkHasFaultsOfItsOwn: one with future faults is the straight run that has them, one without an active
// fault lives on without it.
func TestAForkHasFaultsOfItsOwn(t *testing.T) {
	const (
		active = `{kind="cut", region="europe", at_s=300, duration_s=100000}`
		past   = `{kind="loss", group="honest", share=0.5, at_s=60, duration_s=120}`
		later  = `{kind="crash", group="honest", members=0.5, at_s=1300, duration_s=60}, {kind="churn", group="noise", at_s=900, duration_s=90}, {kind="block_delay", mean_ms=20000, at_s=800, duration_s=300}`
	)
	cache := base.Cache{Dir: t.TempDir(), MaxBytes: 1 << 30}
	sets := []string{"time.hours=0.4", "faults=[" + active + "," + past + "]"}
	parent, m := snapshotAt(t, cache, 60, sets...)
	for _, c := range []struct {
		faults string
		equal  bool
	}{{later + "," + active + "," + past, true}, {past, false}, {"", false}} {
		set := "faults=[" + c.faults + "]"
		child, got := forked(t, cache, parent, m, set)
		straight := tinyExperiment(t, cache, "time.hours=0.4", set)
		want, err := liveThrough(t, straight)
		if err != nil {
			t.Fatal(err)
		}
		if (got.RunDigest == want.RunDigest) != c.equal || got.RunDigest == m.RunDigest {
			t.Errorf("%s: run digest %s, straight %s, parent %s", set, got.RunDigest, want.RunDigest, m.RunDigest)
		}
		if c.equal {
			continue
		}
		r, err := report.Open(child.Dir)
		if err != nil {
			t.Fatal(err)
		}
		ended := int64(0)
		if err := report.Rows(r, func(f trace.Fault) error {
			if f.Kind == "end" && strings.HasPrefix(f.Detail, "cut") {
				ended = f.TimeNs
			}
			return nil
		}); err != nil || ended != 60*12e9 {
			t.Errorf("%v, the cut ended at %d ns, expected at the fork", err, ended)
		}
	}
}

func TestAForkKeepsTheFaultsThatComeInWaves(t *testing.T) {
	file, err := Load("testdata/tiny.toml", []string{"waves.quiet_s=100", `faults=[{kind="pause", wave=true, duration_s=9}]`})
	if err != nil {
		t.Fatal(err)
	}
	m := &report.Manifest{Scenario: file.resolved()}
	if _, err := NewFork("parent", m, "", []string{"faults[0].duration_s=60"}); err == nil || !strings.Contains(err.Error(), "the waves were drawn at the beginning") {
		t.Errorf("%v", err)
	}
}

func TestAForkRefusesANewFaultBeforeItsHeight(t *testing.T) {
	file, err := Load("testdata/tiny.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	m := &report.Manifest{Scenario: file.resolved()}
	for at, refused := range map[int]bool{719: true, 720: false} {
		f, err := NewFork("parent", m, "", []string{fmt.Sprintf(`faults=[{kind="pause", at_s=%d, duration_s=9}]`, at)})
		if err != nil {
			t.Fatal(err)
		}
		err = f.CheckFaults(&Snapshot{Height: 60})
		if refused != (err != nil && strings.Contains(err.Error(), "719 s, before the fork at 720 s (block 60)")) {
			t.Errorf("at %d s: %v", at, err)
		}
	}
}

func TestOfSnapshotsTheNewestTwoStayAndThoseThatWereAskedFor(t *testing.T) {
	e := tinyExperiment(t, base.Cache{}, "time.hours=0.25")
	e.SnapshotEvery, e.SnapshotAt = time.Millisecond, []uint64{50, 10, 3000}
	m, err := liveThrough(t, e)
	if err != nil {
		t.Fatal(err)
	}
	list, faults := Snapshots(e.Dir)
	asked := 0
	for i, s := range list {
		if err := s.Verify(); err != nil {
			t.Error(err)
		}
		if i > 0 && list[i-1].compare(s) < 0 {
			t.Error("a newer snapshot stands behind an older one")
		}
		if s.Asked {
			asked++
		}
	}
	if len(faults) > 0 || asked != 2 || len(list) != 4 || list[0].Height < m.Blocks-20 {
		t.Errorf("%v, %d snapshots, %d of them asked for, the newest of block %d", faults, len(list), asked, list[0].Height)
	}
}

func TestASnapshotThatCannotBeWrittenIsAWarningAndTheRunGoesOn(t *testing.T) {
	e := tinyExperiment(t, base.Cache{}, "time.hours=0.1")
	e.SnapshotAt = []uint64{10}
	var warned []string
	e.Warn = func(text string) { warned = append(warned, text) }
	if err := os.WriteFile(filepath.Join(e.Dir, SnapshotsFolder), nil, 0o666); err != nil { // in place of the folder
		t.Fatal(err)
	}
	m, err := liveThrough(t, e)
	if err != nil || !m.Finished {
		t.Fatal(err)
	}
	if len(warned) != 1 || !strings.Contains(warned[0], "no snapshot at block 10: ") || !strings.Contains(warned[0], "the run continues") {
		t.Errorf("%q", warned)
	}
}

var cuts = flag.Int("cuts", 0, "moments at which quickstart is cut and resumed, each ten seconds of a core")

// TestQuickstartGoesOnFromAnyMoment copies the folder at several moments of one run, and resumes every copy
// to the end.
func TestQuickstartGoesOnFromAnyMoment(t *testing.T) {
	if *cuts == 0 {
		t.Skip("-cuts=20 cuts quickstart at 20 moments, in a few minutes")
	}
	file, err := Load("quickstart", nil)
	if err != nil {
		t.Fatal(err)
	}
	cache := base.DefaultCache()
	straight := &Experiment{File: file, Dir: t.TempDir(), Cache: cache, Workers: 2, Now: time.Now}
	want, err := liveThrough(t, straight)
	if err != nil {
		t.Fatal(err)
	}
	var rows []int
	draw := num.NewStream(2, "cuts")
	for range *cuts {
		total := 0
		for _, info := range want.Tables {
			total += int(info.Rows)
		}
		rows = append(rows, 1+draw.IntN(total-1))
	}
	slices.Sort(rows)
	e := &Experiment{File: file, Dir: t.TempDir(), Cache: cache, Workers: 2, Now: time.Now}
	stop := new(stopAtRow)
	e.Adjust = func(c *virtual.Config) { c.Recorder = trace.Tee(c.Recorder, stop) }
	if err := errors.Join(e.Begin(), e.Prepare(t.Context(), nil)); err != nil {
		t.Fatal(err)
	}
	e.begun = e.Now()
	before, copies := 0, t.TempDir()
	for i, at := range rows {
		ctx, cancel := context.WithCancel(t.Context())
		stop.rows, stop.stop = max(at-before, 1), cancel
		if err := e.World.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Logf("cut %d of %d lies in the last moments", i+1, len(rows))
			break
		}
		before = at
		copied := filepath.Join(copies, fmt.Sprint(i))
		if err := errors.Join(e.save(), e.keep(false), os.CopyFS(copied, os.DirFS(e.Dir))); err != nil {
			t.Fatal(err)
		}
		p := e.World.Progress()
		begun := time.Now()
		got := resumed(t, cache, copied)
		sameRun(t, fmt.Sprintf("cut at block %d, event %d", p.Height, p.Events), got, want, copied, straight.Dir)
		t.Logf("cut at block %d of %d, event %d of %d: resumed in %.1f s", p.Height, p.Blocks, p.Events, want.Events, time.Since(begun).Seconds())
		os.RemoveAll(copied)
	}
}
