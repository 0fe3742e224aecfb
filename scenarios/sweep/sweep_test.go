package sweep

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"taolab/report"
	"taolab/scenarios"
	"taolab/scenarios/small"
	"taolab/sim/virtual"
)

// smallSweep has six points of three seeds, one of which no run can begin.
const smallSweep = `
[sweep]
replications = 3
[[sweep.keys]]
key = "chain.kappa"
values = [0.4, 0.5, 7]
[[sweep.keys]]
key = "chain.emission"
words = ["height", "issuance"]
`

// sweepOf is a sweep of the file in a folder.
func sweepOf(t *testing.T, file *scenarios.File, dir string, workers int) *Sweep {
	t.Helper()
	design, err := New(file, "test")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return &Sweep{
		File: file, Design: design, Dir: dir, Shard: Shard{0, 1}, Workers: workers,
		Lock: small.Lock, Experiment: small.Experiment, Now: small.Now, CPU: small.CPU,
	}
}

// tableOf is the table of the results in folders.
func tableOf(t *testing.T, s *Sweep, dirs ...string) ([]byte, Counts) {
	t.Helper()
	table, err := Gather(s.Design, dirs...)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := table.Write(dir); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, TableFile))
	if err != nil {
		t.Fatal(err)
	}
	return b, table.Counts
}

func whole18(t *testing.T) (file *scenarios.File, s *Sweep, table []byte) {
	t.Helper()
	file = small.Load(t, smallSweep)
	s = sweepOf(t, file, t.TempDir(), 2)
	if err := s.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	table, counts := tableOf(t, s, s.Dir)
	if want := (Counts{Planned: 18, OK: 12, Failed: 6}); counts != want {
		t.Fatalf("counts are %+v, expected %+v", counts, want)
	}
	return file, s, table
}

func TestSeedsAreThoseOfTheFormula(t *testing.T) {
	for _, c := range []struct {
		master, replication uint64
		point               []byte
		want                string
	}{
		{1, 0, nil, "085713a3c8cc1969"}, {1, 1, nil, "3c41d594b082b089"}, {2, 0, nil, "6fd63e99be1de390"},
		{1, 0, make([]byte, 32), "25e83cd887051800"},
	} {
		if got := fmt.Sprintf("%016x", Seed(c.master, c.replication, "run", c.point)); got != c.want {
			t.Errorf("seed of %d, %d, %x is %s, expected %s", c.master, c.replication, c.point, got, c.want)
		}
	}
}

func TestReplicationsShareSeedsAcrossPointsUnlessToldOtherwise(t *testing.T) {
	for _, common := range []bool{true, false} {
		design, err := New(small.Load(t, smallSweep, fmt.Sprintf("sweep.common=%t", common)), "test")
		if err != nil {
			t.Fatal(err)
		}
		if same := design.Run(0).Seed == design.Run(3).Seed; same != common {
			t.Errorf("common = %t: replication 0 of two points has one seed: %t", common, same)
		}
		if design.Run(0).Seed == design.Run(1).Seed {
			t.Error("two replications of a point have one seed")
		}
	}
}

func TestKeysTellRunsOfOtherProgramsAndScenariosApart(t *testing.T) {
	file := small.Load(t, smallSweep)
	seen := map[Key]string{}
	for name, design := range map[string]func() (*Design, error){
		"as it is":       func() (*Design, error) { return New(file, "test") },
		"other program":  func() (*Design, error) { return New(file, "later") },
		"other scenario": func() (*Design, error) { return New(small.Load(t, smallSweep, "time.hours=3"), "test") },
		"other seed":     func() (*Design, error) { return New(small.Load(t, smallSweep, "seed=2"), "test") },
	} {
		d, err := design()
		if err != nil {
			t.Fatal(err)
		}
		for i := range d.Runs() {
			key := d.Run(i).Key
			if other, met := seen[key]; met {
				t.Fatalf("run %d, %s, has the key of one of %s", i, name, other)
			}
			seen[key] = name
		}
	}
}

func TestTableHasTheSameBytesForOneWorkerAndForShards(t *testing.T) {
	file, _, want := whole18(t)
	one := sweepOf(t, file, t.TempDir(), 1)
	if err := one.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got, _ := tableOf(t, one, one.Dir); !bytes.Equal(got, want) {
		t.Error("one worker gives another table than two")
	}
	var dirs []string
	for i := range 4 {
		s := sweepOf(t, file, t.TempDir(), 2)
		s.Shard = Shard{i, 4}
		if err := s.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, s.Dir)
	}
	out := t.TempDir()
	table, err := Merge(out, dirs...)
	if err != nil {
		t.Fatal(err)
	}
	if table.Counts.Missing > 0 {
		t.Errorf("four shards leave %d runs out", table.Counts.Missing)
	}
	got, err := os.ReadFile(filepath.Join(out, TableFile))
	if err != nil || !bytes.Equal(got, want) {
		t.Error("four shards that were joined give another table than one sweep", err)
	}
	merged := sweepOf(t, file, out, 2)
	if err := merged.Run(context.Background()); err != nil || merged.Progress().Done != 0 {
		t.Errorf("a joined sweep made %d runs again: %v", merged.Progress().Done, err)
	}
}

// Logs that a kill cut at any byte give the same table after the sweep went on.
func TestSweepGoesOnBehindWhateverAKillLeft(t *testing.T) {
	file, s, want := whole18(t)
	name := filepath.Join(resultsFolder, "0-of-1.log")
	log, err := os.ReadFile(filepath.Join(s.Dir, name))
	if err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{0, 5, len(resultsHeading), len(resultsHeading) + 3, len(log) / 3, len(log) / 2, len(log) - 1} {
		dir := t.TempDir()
		if err := s.Design.Keep(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(dir, resultsFolder), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), log[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		again := sweepOf(t, file, dir, 2)
		if err := again.Run(context.Background()); err != nil {
			t.Fatalf("cut at byte %d: %v", cut, err)
		}
		p := again.Progress()
		if p.Done+p.Before != 18 || cut == len(log)-1 && p.Done != 1 {
			t.Errorf("cut at byte %d: %d runs were there and %d were made, expected 18 in all", cut, p.Before, p.Done)
		}
		if got, _ := tableOf(t, again, dir); !bytes.Equal(got, want) {
			t.Errorf("cut at byte %d: another table", cut)
		}
	}
}

func TestRefusedPointIsARowWithItsError(t *testing.T) {
	_, s, _ := whole18(t)
	table, err := Gather(s.Design, s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	err = table.Each(func(r Run, _ *record, out *Outcome) error {
		if out.Status == Refused {
			refused++
			if s.Design.Points[r.Point][0] != "7" || !strings.Contains(out.Error, "kappa") || out.RunDigest != "" {
				t.Errorf("point %d: %+v", r.Point, out)
			}
		}
		return nil
	})
	if err != nil || refused != 6 {
		t.Errorf("%d runs are refused, expected 6: %v", refused, err)
	}
	again := sweepOf(t, s.File, s.Dir, 1)
	again.Retry = true
	if err := again.Run(context.Background()); err != nil || again.Progress().Done != 6 {
		t.Errorf("%d failed runs were made again, expected 6: %v", again.Progress().Done, err)
	}
	known, err := readResults(s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for key, p := range known.places { // order-free: each is checked by itself
		if want := map[bool]int{true: 1}[p.failed]; p.attempt != want {
			t.Errorf("run %s, failed: %t: attempt %d, expected %d", key, p.failed, p.attempt, want)
		}
	}
}

func TestRunThatPanicsIsARowWithItsError(t *testing.T) {
	s := sweepOf(t, small.Load(t, smallSweep, "sweep.replications=1", "sweep.keys=[]"), t.TempDir(), 1)
	s.Experiment = func(*scenarios.File, string) *scenarios.Experiment { panic("out of luck") }
	if err := s.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	table, err := Gather(s.Design, s.Dir)
	if err != nil || table.Counts.Failed != 1 {
		t.Fatalf("%+v, %v", table.Counts, err)
	}
	err = table.Each(func(_ Run, _ *record, out *Outcome) error {
		if out.Status != Failed || !strings.Contains(out.Error, "the program failed: out of luck") {
			t.Errorf("%+v", out)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestAnotherSweepInTheFolderIsRefused(t *testing.T) {
	_, s, _ := whole18(t)
	other := sweepOf(t, small.Load(t, smallSweep, "time.hours=3"), s.Dir, 1)
	if err := other.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "another sweep (of another scenario)") {
		t.Errorf("got %v", err)
	}
}

func TestShardsMayBeginAtOnceInOneFolder(t *testing.T) {
	design, err := New(small.Load(t, smallSweep), "test")
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		dir := t.TempDir()
		var shards sync.WaitGroup
		for range 4 {
			shards.Go(func() {
				if err := design.Keep(dir); err != nil {
					t.Error(err)
				}
			})
		}
		shards.Wait()
	}
}

func TestFolderOfSomethingElseIsRefused(t *testing.T) {
	s := sweepOf(t, small.Load(t, smallSweep), t.TempDir(), 1)
	if err := os.WriteFile(filepath.Join(s.Dir, "thesis.tex"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "the folder has thesis.tex in it and no design.json") {
		t.Errorf("got %v", err)
	}
	if entries, err := os.ReadDir(s.Dir); err != nil || len(entries) != 1 {
		t.Errorf("%v, %d files are in the folder, expected the one that was there", err, len(entries))
	}
}

func TestLogThatAnotherProcessWritesIsLeftToIt(t *testing.T) {
	s := sweepOf(t, small.Load(t, smallSweep), t.TempDir(), 1)
	s.Lock = func(path string) (func(), error) {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
		return nil, fmt.Errorf("%s is locked", filepath.Base(path))
	}
	if err := s.Run(context.Background()); err == nil || err.Error() != "0-of-1.log is locked" || s.Progress().Done != 0 {
		t.Errorf("%d runs were made, error %v", s.Progress().Done, err)
	}
}

func TestResultThatCannotBeWrittenEndsTheSweep(t *testing.T) {
	s := sweepOf(t, small.Load(t, smallSweep), t.TempDir(), 1)
	begun := 0
	make := s.Experiment
	s.Experiment = func(file *scenarios.File, dir string) *scenarios.Experiment {
		begun++
		return make(file, dir)
	}
	session, err := s.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.log.close(); err != nil {
		t.Fatal(err)
	}
	err = session.Make(context.Background(), s.Design)
	if err == nil || !strings.Contains(err.Error(), "0-of-1.log cannot be written") || begun != 1 {
		t.Errorf("%d runs began, error %v; expected one run", begun, err)
	}
}

func TestProgressMayBeAskedAtAnyTime(t *testing.T) {
	s := sweepOf(t, small.Load(t, smallSweep), t.TempDir(), 2)
	ended, asked := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(asked)
		for last := (Progress{}); ; {
			p := s.Progress()
			if p.Done < last.Done || p.Failed > p.Done || p.Runs > 0 && p.Done > p.Runs {
				t.Errorf("%+v after %+v", p, last)
			}
			last = p
			select {
			case <-ended:
				if last = s.Progress(); last.Done != 18 || last.Failed != 6 || last.Runs != 18 || !last.Oldest.Since.IsZero() {
					t.Errorf("%+v, expected 18 runs, 6 of them failed, and none under way", last)
				}
				return
			case <-time.After(100 * time.Microsecond):
			}
		}
	}()
	if err := s.Run(context.Background()); err != nil {
		t.Error(err)
	}
	close(ended)
	<-asked
}

func TestFoldersOfRunsStayOnlyWhereTracesAreKept(t *testing.T) {
	for _, keep := range []bool{false, true} {
		s := sweepOf(t, small.Load(t, smallSweep, "sweep.replications=1", "sweep.keys=[]"), t.TempDir(), 1)
		s.Keep = keep
		if err := s.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		found, err := filepath.Glob(filepath.Join(s.Dir, "runs", "*", "blocks.parquet"))
		if err != nil || (len(found) == 1) != keep {
			t.Errorf("traces kept: %t; error %v, tables %v", keep, err, found)
		}
		runs, err := KeptRuns(s.Dir)
		if keep && (err != nil || len(runs) != 1 || runs[0].Dir != filepath.Dir(found[0])) || !keep && (err == nil || !strings.Contains(err.Error(), "--keep traces")) {
			t.Errorf("traces kept: %t; error %v, runs %v", keep, err, runs)
		}
	}
	if runs, err := KeptRuns(t.TempDir()); runs != nil || err != nil {
		t.Errorf("a folder of no sweep has the runs %v, error %v", runs, err)
	}
}

func TestTheRunsOfASweepAreListedInTheOrderOfTheDesign(t *testing.T) {
	s := sweepOf(t, small.Load(t, smallSweep), t.TempDir(), 2)
	s.Keep = true
	if err := s.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	runs, err := KeptRuns(s.Dir)
	const refused = 6 // those at the last two points, of a kappa of 7
	if err != nil || len(runs) != s.Design.Runs()-refused {
		t.Fatalf("error %v, runs %v; want %d", err, runs, s.Design.Runs()-refused)
	}
	for i, run := range runs {
		m, err := report.ReadManifest(run.Dir)
		if want := s.Design.Run(i).Seed; err != nil || m.Seed != want {
			t.Errorf("run %d has the seed %d, error %v; want %d", i, m.Seed, err, want)
		}
	}
	if first, last := runs[0].Point, runs[len(runs)-1].Point; first != "kappa=0.4, emission=height" || last != "kappa=0.5, emission=issuance" {
		t.Errorf("the points are %q to %q", first, last)
	}
}

// A hub hands a run out again where it misses its worker, and the process of that worker may get it.
func TestTwoWorkersOfAProcessMayMakeOneRun(t *testing.T) {
	s := sweepOf(t, small.Load(t, smallSweep), t.TempDir(), 2)
	run := s.Design.Run(0)
	experiment, within := s.Experiment, false
	var second Outcome
	s.Experiment = func(file *scenarios.File, dir string) *scenarios.Experiment {
		e := experiment(file, dir)
		if !within {
			within = true
			e.Adjust = func(*virtual.Config) { second, _, _ = s.Perform(context.Background(), s.Design, run, 1) }
		}
		return e
	}
	first, _, _ := s.Perform(context.Background(), s.Design, run, 0)
	if first.Status != OK || second.Status != OK || first.RunDigest != second.RunDigest {
		t.Errorf("%s %q and %s %q, expected one result", first.Status, first.Error, second.Status, second.Error)
	}
	if left, _ := filepath.Glob(filepath.Join(s.Dir, "runs", "*")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

func TestMeterSharesTheTimeOfTheProcess(t *testing.T) {
	now := time.Duration(0)
	m := meter{now: func() time.Duration { return now }}
	m.begin(0)
	now = 4
	m.begin(1)
	now = 10
	if got := m.end(0); got != 7 {
		t.Errorf("worker 0 spent %d, expected 4 by itself and half of 6", got)
	}
	now = 15
	if got := m.end(1); got != 8 {
		t.Errorf("worker 1 spent %d, expected half of 6 and 5 by itself", got)
	}
}

func TestShardsPartTheRuns(t *testing.T) {
	design, err := New(small.Load(t, smallSweep, "sweep.replications=200"), "test")
	if err != nil {
		t.Fatal(err)
	}
	counts := make([]int, 4)
	for i := range design.Runs() {
		held := 0
		for k := range counts {
			if (Shard{k, 4}).Holds(design.Run(i).Key) {
				counts[k]++
				held++
			}
		}
		if held != 1 {
			t.Fatalf("run %d is in %d shards", i, held)
		}
	}
	for k, n := range counts { // 1,200 runs: 300 and 15 either way are a standard deviation
		if math.Abs(float64(n)-300) > 75 {
			t.Errorf("shard %d has %d of 1,200 runs", k, n)
		}
	}
}

func TestDesignsCombineValues(t *testing.T) {
	const keys = `
[[sweep.keys]]
key = "chain.kappa"
values = [0.4, 0.5]
%s
[[sweep.keys]]
key = "miners[0].count"
low = 2
high = 4
steps = 2
scale = "int"
%s
`
	head, _, _ := strings.Cut(smallSweep, "[[sweep.keys]]")
	linked := `linked = "a"`
	for _, c := range []struct {
		name, links, set, want string
	}{
		{"grid", "", "sweep.design=grid", "[[0.4 2] [0.4 4] [0.5 2] [0.5 4]]"},
		{"list", "", "sweep.design=list", "[[0.4 2] [0.5 4]]"},
		{"linked", linked, "sweep.design=grid", "[[0.4 2] [0.5 4]]"},
	} {
		d, err := New(small.Load(t, head+fmt.Sprintf(keys, c.links, c.links), c.set), "test")
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(d.Points); got != c.want {
			t.Errorf("%s: %s, expected %s", c.name, got, c.want)
		}
	}
	for _, set := range []string{"sweep.design=lhs", "sweep.design=sobol"} {
		d, err := New(small.Load(t, head+fmt.Sprintf(keys, linked, linked), set, "sweep.points=16"), "test")
		if err != nil {
			t.Fatal(err)
		}
		var first, second []string
		for _, p := range d.Points {
			first, second = append(first, p[0]), append(second, p[1])
		}
		slices.Sort(first)
		if len(first) != 16 || first[7] != "0.4" || first[8] != "0.5" || !slices.Contains(second, "3") {
			t.Errorf("%s: points are %v", set, d.Points)
		}
	}
}

func TestExpectationsAreOfTheWorstPoint(t *testing.T) {
	text, _, _ := strings.Cut(smallSweep, "[[sweep.keys]]")
	text += "[[sweep.keys]]\nkey = \"time.hours\"\nvalues = [1, 2]\n[[sweep.expect]]\nmetric = \"run.blocks\"\ncomparison = \">\"\nvalue = 400\nshare = 0.5\n"
	s := sweepOf(t, small.Load(t, text), t.TempDir(), 2)
	if err := s.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	table, err := Gather(s.Design, s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	verdicts, err := table.Judge(s.File.Sweep.Expect)
	if err != nil {
		t.Fatal(err)
	}
	if v := verdicts[0]; v.Met || v.Share != 0 || v.Point != 0 {
		t.Errorf("a point at which no run holds: %s, met: %t", v, v.Met)
	}
	easier := s.File.Sweep.Expect[0]
	easier.Value = []float64{100}
	if verdicts, err = table.Judge([]scenarios.SweepExpect{easier}); err != nil || !verdicts[0].Met || verdicts[0].Share != 1 {
		t.Errorf("an expectation that holds everywhere: %v, %v", verdicts, err)
	}
}

func TestSweepThatIsCutLeavesWholeResults(t *testing.T) {
	file, _, want := whole18(t)
	s := sweepOf(t, file, t.TempDir(), 2)
	ctx, cancel := context.WithCancel(context.Background())
	make := s.Experiment
	begun := 0
	s.Workers = 1
	s.Experiment = func(file *scenarios.File, dir string) *scenarios.Experiment {
		if begun++; begun == 4 {
			cancel()
		}
		return make(file, dir)
	}
	if err := s.Run(ctx); err == nil {
		t.Fatal("a sweep that was cut says nothing")
	}
	if p := s.Progress(); p.Done != 3 || p.Failed != 0 {
		t.Fatalf("%d runs are done and %d failed, expected 3 and 0", p.Done, p.Failed)
	}
	again := sweepOf(t, file, s.Dir, 2)
	if err := again.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got, _ := tableOf(t, again, s.Dir); !bytes.Equal(got, want) {
		t.Error("another table than undisturbed")
	}
}
