package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"taolab/report"
	"taolab/scenarios"
	"taolab/sim/trace"
)

// survival multiplies the moments at which runs are cut: the kills, signals and full disks of these tests.
var survival = flag.Int("survival", 1, "repeat kills, signals and full disks so many times, each at other moments")

// endless is a run that no test waits for.
var endless = []string{"run", "small", "--set", "time.hours=2000", "--sync-every", "30ms", "--figures=false"}

// started is the program, running on its own.
type started struct {
	*exec.Cmd
	dir     string
	console *lockedText
	exited  chan error
}

// launch starts the program and returns when its run has saved rows.
func launch(t *testing.T, dir string, args ...string) *started {
	t.Helper()
	s := start(t, dir, args...)
	s.await(t, "rows to be saved", func() bool {
		m, err := report.ReadManifest(dir)
		return err == nil && m.Begun()
	})
	return s
}

// lockedText is what a program has said so far.
type lockedText struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.Write(p)
}

func (l *lockedText) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.String()
}

func start(t *testing.T, dir string, args ...string) *started {
	t.Helper()
	path, err := exec.LookPath("taolab")
	if err != nil {
		t.Fatal(err)
	}
	if dir != "" {
		args = append(args, "--out", dir)
	}
	s := &started{Cmd: exec.Command(path, args...), dir: dir, console: new(lockedText),
		exited: make(chan error, 1)}
	s.Stderr = s.console
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Process.Kill() })
	go func() { s.exited <- s.Wait() }()
	return s
}

func (s *started) await(t *testing.T, what string, true func() bool) {
	t.Helper()
	for until := time.Now().Add(time.Minute); !true(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("waited a minute for %s: %s", what, s.console)
		}
	}
}

func (s *started) signal(t *testing.T, sig os.Signal) {
	t.Helper()
	if err := s.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// ended waits for the program and returns its exit code.
func (s *started) ended(t *testing.T) int {
	t.Helper()
	select {
	case err := <-s.exited:
		s.exited <- err // for callers that ask again
		return s.ProcessState.ExitCode()
	case <-time.After(time.Minute):
		t.Fatalf("the program has not ended after a minute: %s", s.console)
		return 0
	}
}

// left reads what a run left and returns its manifest: the rows of blocks, epochs and queries up to
// the block in it must be there.
func left(t *testing.T, dir string) *report.Run {
	t.Helper()
	r, err := report.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	m := &r.Manifest
	last := uint64(0)
	if err := report.Rows(r, func(b trace.Block) error {
		if b.Height != last+1 {
			return fmt.Errorf("block %d after block %d", b.Height, last)
		}
		last = b.Height
		return nil
	}); err != nil && (r.Manifest.Begun() || !errors.Is(err, report.ErrNoTable)) {
		t.Fatal(err)
	}
	if last < m.Blocks {
		t.Errorf("run.json is of block %d, the rows end with block %d", m.Blocks, last)
	}
	for _, info := range m.Tables {
		rows := uint64(0)
		count := func() error { rows++; return nil }
		switch info.Table {
		case trace.Epochs:
			err = report.Rows(r, func(trace.Epoch) error { return count() })
		case trace.Queries:
			err = report.Rows(r, func(trace.Query) error { return count() })
		default:
			continue
		}
		if err != nil || rows < info.Rows {
			t.Errorf("%s: %v, %d rows, run.json lists %d", info.Table, err, rows, info.Rows)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, report.ScenarioFile)); err != nil {
		t.Error(err)
	}
	return r
}

// TestRowsUpToTheLastMomentSurviveAKill kills runs ten times, or as often as -survival asks, wherever that is, and reads, reports,
// compares and repeats what it left.
func TestRowsUpToTheLastMomentSurviveAKill(t *testing.T) {
	t.Setenv("TAOLAB_CACHE", t.TempDir())
	t.Chdir(t.TempDir())
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 10 * *survival {
		dir := fmt.Sprint("run-", i)
		s := launch(t, dir, endless...)
		time.Sleep(time.Duration(random.IntN(700)) * time.Millisecond)
		s.signal(t, syscall.SIGKILL)
		s.ended(t)
		killed := time.Now()
		m := left(t, dir).Manifest
		info, err := os.Stat(filepath.Join(dir, report.ManifestFile))
		if err != nil {
			t.Fatal(err)
		}
		if age := killed.Sub(info.ModTime()); age > 2*time.Second {
			t.Errorf("run.json was last written %s before the kill, expected about 30ms", age)
		}
		if m.Finished || m.Interrupted || !m.Ended.IsZero() {
			t.Errorf("finished %t, interrupted %t, ended %s", m.Finished, m.Interrupted, m.Ended)
		}
	}
	var stdout, stderr bytes.Buffer
	if got := execute(t.Context(), []string{"report", "run-0"}, &stdout, &stderr); got != exitOK ||
		!strings.Contains(stderr.String(), "the run was killed, or still goes on") {
		t.Errorf("report: exit code %d: %s", got, stderr.String())
	}
	stdout.Reset()
	if got := execute(t.Context(), []string{"diff", "run-0", "run-1"}, &stdout, &stderr); got != exitDigest ||
		!strings.Contains(stdout.String(), "has no such row: its table ends before") {
		t.Errorf("diff: exit code %d: %s", got, stdout.String())
	}
	stdout.Reset()
	if got := execute(t.Context(), []string{"replay", "run-0"}, &stdout, &stderr); got != exitOK {
		t.Errorf("replay: exit code %d: %s%s", got, stdout.String(), stderr.String())
	}
}

// TestARunThatIsKilledAgainAndAgainLeavesWhatAStraightOneLeaves kills a run at random moments, while it
// writes snapshots or not, and goes on each time; once a Ctrl-C ends it in order.
func TestARunThatIsKilledAgainAndAgainLeavesWhatAStraightOneLeaves(t *testing.T) {
	t.Setenv("TAOLAB_CACHE", t.TempDir())
	t.Chdir(t.TempDir())
	var stdout, stderr bytes.Buffer
	whole := []string{"run", "small", "--set", "time.hours=6", "--figures=false"}
	if got := execute(t.Context(), append(whole, "--out", "straight"), &stdout, &stderr); got != exitOK {
		t.Fatal(stderr.String())
	}
	want, err := report.ReadManifest("straight")
	if err != nil {
		t.Fatal(err)
	}
	often := []string{"--sync-every", "20ms", "--snapshot-every", "30ms", "--figures=false"}
	random := rand.New(rand.NewPCG(5, 6))
	s := start(t, "cut", append(slices.Clone(whole), often...)...)
	newest := func() uint64 {
		if list, _ := scenarios.Snapshots("cut"); len(list) > 0 {
			return list[0].Height
		}
		return 0
	}
	kills, before := 0, uint64(0)
	for ; kills < 8; kills++ {
		s.await(t, "a later snapshot", func() bool { return newest() > before })
		before = newest()
		time.Sleep(time.Duration(random.IntN(100)) * time.Millisecond)
		if kills == 3 {
			s.signal(t, os.Interrupt)
		} else {
			s.signal(t, syscall.SIGKILL)
		}
		s.ended(t)
		if m := left(t, "cut").Manifest; m.Finished {
			break
		}
		if kills == 7 {
			often = []string{"--figures=false"}
		}
		s = start(t, "", append([]string{"resume", "cut"}, often...)...)
	}
	if got := s.ended(t); kills == 8 && got != exitOK {
		t.Fatalf("exit code %d: %s", got, s.console)
	}
	got := left(t, "cut").Manifest
	if got.RunDigest != want.RunDigest || got.LedgerDigest != want.LedgerDigest || !slices.Equal(got.Tables, want.Tables) {
		t.Errorf("after %d kills the run digest is %s and the tables %v; straight %s and %v", kills, got.RunDigest, got.Tables,
			want.RunDigest, want.Tables)
	}
	for _, info := range want.Tables {
		name := string(info.Table) + ".parquet"
		a, err1 := os.ReadFile(filepath.Join("cut", name))
		b, err2 := os.ReadFile(filepath.Join("straight", name))
		if err1 != nil || err2 != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: %v, %v, %d bytes, straight %d", name, err1, err2, len(a), len(b))
		}
	}
	if kills < 4 || len(got.Resumed) == 0 {
		t.Errorf("killed %d times, resumed at %v: the run is too short for this test", kills, got.Resumed)
	}
}

// TestASweepThatIsInterruptedAndKilledLeavesTheTableOfAStraightOne ends a sweep by Ctrl-C and by a kill, each after
// another result, and finds it locked while it goes on.
func TestASweepThatIsInterruptedAndKilledLeavesTheTableOfAStraightOne(t *testing.T) {
	t.Setenv("TAOLAB_CACHE", t.TempDir())
	t.Chdir(t.TempDir())
	path, err := exec.LookPath("taolab")
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"sweep", "economy/split", "--workers", "1", "--set", "time.hours=1500", "--set", "sweep.replications=5"}
	if text, err := exec.Command(path, append(args, "--out", "straight")...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	size := func() int64 {
		info, err := os.Stat(filepath.Join("cut", "results", "0-of-1.log"))
		if err != nil {
			return 0
		}
		return info.Size()
	}
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGKILL} {
		before := max(size(), 100) // more than the heading
		s := start(t, "cut", args...)
		s.await(t, "a result", func() bool { return size() > before })
		if sig == os.Interrupt {
			text, err := exec.Command(path, append(args, "--out", "cut")...).CombinedOutput()
			if err == nil || !strings.Contains(string(text), "another program is still busy in this folder") {
				t.Errorf("a second program in its folder: %v: %s", err, text)
			}
		}
		s.signal(t, sig)
		if got := s.ended(t); sig == os.Interrupt && (got != exitInterrupted || !strings.Contains(s.console.String(), "the same command again makes the others")) {
			t.Errorf("exit code %d: %s", got, s.console)
		}
		if _, err := os.Stat(filepath.Join("cut", "table.parquet")); err == nil {
			t.Fatal("the sweep was not cut: it is too short for this test")
		}
	}
	text, err := exec.Command(path, append(args, "--out", "cut")...).CombinedOutput()
	if err != nil || strings.Contains(string(text), "; 0 were done before") {
		t.Fatalf("%v: %s", err, text)
	}
	a, err1 := os.ReadFile(filepath.Join("cut", "table.parquet"))
	b, err2 := os.ReadFile(filepath.Join("straight", "table.parquet"))
	if err1 != nil || err2 != nil || !bytes.Equal(a, b) {
		t.Errorf("the tables differ: %v, %v", err1, err2)
	}
}

func TestARunThatGoesOnIsNotResumedBesides(t *testing.T) {
	t.Setenv("TAOLAB_CACHE", t.TempDir())
	t.Chdir(t.TempDir())
	s := start(t, "out", append(slices.Clone(endless), "--snapshot-every", "20ms")...)
	s.await(t, "a snapshot", func() bool {
		list, _ := scenarios.Snapshots("out")
		return len(list) > 0
	})
	var stdout, stderr bytes.Buffer
	if got := execute(t.Context(), []string{"resume", "out"}, &stdout, &stderr); got != exitFailure ||
		!strings.Contains(stderr.String(), "another program is still busy in this folder") {
		t.Errorf("exit code %d: %s", got, stderr.String())
	}
	s.signal(t, os.Interrupt)
	if got := s.ended(t); got != exitInterrupted || !strings.Contains(s.console.String(), "taolab resume out goes on") {
		t.Errorf("exit code %d: %s", got, s.console)
	}
}

// TestSignalsEndARunInOrder interrupts a run at five moments, and lets its terminal close.
func TestSignalsEndARunInOrder(t *testing.T) {
	t.Setenv("TAOLAB_CACHE", t.TempDir())
	t.Chdir(t.TempDir())
	random := rand.New(rand.NewPCG(3, 4))
	signals := []os.Signal{os.Interrupt, os.Interrupt, os.Interrupt, os.Interrupt, os.Interrupt,
		syscall.SIGTERM, syscall.SIGHUP, syscall.SIGHUP}
	for i, sig := range slices.Repeat(signals, *survival) {
		dir := fmt.Sprint("run-", i)
		s := launch(t, dir, endless...)
		time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
		s.signal(t, sig)
		if sig == syscall.SIGHUP {
			s.signal(t, sig) // a shell and the kernel both tell
		}
		if got := s.ended(t); got != exitInterrupted || !strings.Contains(s.console.String(), "the tables in "+dir+" are valid") {
			t.Fatalf("%v: exit code %d: %s", sig, got, s.console)
		}
		r := left(t, dir)
		if m := r.Manifest; !m.Interrupted || m.Finished || m.Ended.IsZero() {
			t.Errorf("%v: %+v", sig, m)
		}
		held := 0
		if err := report.Rows(r, func(s trace.Seat) error {
			if s.UntilBlock == nil {
				held++
			}
			return nil
		}); err != nil || held != 11 {
			t.Errorf("%v: %v, %d seats are held at the end, expected 11", sig, err, held)
		}
		for _, pattern := range []string{"*.parts", "*.partial"} {
			if found, _ := filepath.Glob(filepath.Join(dir, pattern)); len(found) > 0 {
				t.Errorf("%v: %v are left", sig, found)
			}
		}
	}
}

func TestASignalDuringPreparationLeavesNoFolder(t *testing.T) {
	t.Setenv("TAOLAB_CACHE", "off")
	t.Chdir(t.TempDir())
	s := start(t, "out", "run", "small", "--set", "base.steps=1000000")
	s.await(t, "run.json", func() bool {
		m, err := report.ReadManifest("out")
		return err == nil && !m.Finished && m.RunDigest == ""
	})
	time.Sleep(300 * time.Millisecond)
	s.signal(t, os.Interrupt)
	if got := s.ended(t); got != exitInterrupted {
		t.Errorf("exit code %d: %s", got, s.console)
	}
	if _, err := os.Stat("out"); err == nil {
		t.Error("a folder without rows was left behind")
	}
}

// A second Ctrl-C does not wait for what the first one waits for: here a job that takes minutes.
func TestASecondInterruptEndsTheProgramAtOnce(t *testing.T) {
	t.Setenv("TAOLAB_CACHE", t.TempDir())
	t.Chdir(t.TempDir())
	s := start(t, "out", "run", "small", "--workers", "1", "--set", "base.steps=0",
		"--set", "miners[0].steps=1000", "--set", "miners[0].width=256", "--set", "miners[0].layers=4", "--set", "miners[0].rows=64",
		"--set", "miners[0].duty=1", "--set", "validators[0].step_s=600", "--set", "miners[0].hardware_mflops=1e6")
	s.await(t, "the network", func() bool {
		m, err := report.ReadManifest("out")
		return err == nil && len(m.Nodes) > 0
	})
	time.Sleep(2 * time.Second)
	s.signal(t, os.Interrupt)
	select {
	case <-s.exited:
		t.Fatalf("the first signal ended it: there is nothing to wait for: %s", s.console)
	case <-time.After(500 * time.Millisecond):
	}
	s.signal(t, os.Interrupt)
	begun := time.Now()
	if got := s.ended(t); got != exitInterrupted || time.Since(begun) > time.Second {
		t.Errorf("exit code %d after %s: %s", got, time.Since(begun), s.console)
	}
	if m := left(t, "out").Manifest; m.Whole() {
		t.Errorf("%+v", m)
	}
}

func TestAnInterruptDuringFiguresIsHonouredAtOnce(t *testing.T) {
	t.Setenv("TAOLAB_CACHE", t.TempDir())
	t.Chdir(t.TempDir())
	s := start(t, "out", "run", "small", "--set", "time.hours=12")
	s.await(t, "figures", func() bool { return strings.Contains(s.console.String(), "drawing figures") })
	s.signal(t, os.Interrupt)
	begun := time.Now()
	if got := s.ended(t); got != exitInterrupted || !strings.Contains(s.console.String(), "interrupted while figures were drawn") {
		t.Errorf("exit code %d: %s", got, s.console)
	}
	if took := time.Since(begun); took > time.Second {
		t.Errorf("it took %s to end", took)
	}
	if m := left(t, "out").Manifest; !m.Finished {
		t.Errorf("finished %t", m.Finished)
	}
}

// TestARunUnderNohupOutlivesItsTerminal ignores HUP before the program starts, as nohup does.
func TestARunUnderNohupOutlivesItsTerminal(t *testing.T) {
	t.Setenv("TAOLAB_CACHE", t.TempDir())
	t.Chdir(t.TempDir())
	path, err := exec.LookPath("taolab")
	if err != nil {
		t.Fatal(err)
	}
	s := &started{Cmd: exec.Command("sh", "-c", `trap "" HUP; exec "$@"`, "sh", path), console: new(lockedText), exited: make(chan error, 1)}
	s.Args = append(append(s.Args, endless...), "--out", "out")
	s.Stderr = s.console
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Process.Kill() })
	go func() { s.exited <- s.Wait() }()
	blocks := func() uint64 {
		m, _ := report.ReadManifest("out")
		return m.Blocks
	}
	s.await(t, "rows", func() bool { return blocks() > 0 })
	s.signal(t, syscall.SIGHUP)
	time.Sleep(100 * time.Millisecond)
	before := blocks()
	s.await(t, "more rows after the signal", func() bool { return blocks() > before+100 })
	s.signal(t, os.Interrupt)
	if got := s.ended(t); got != exitInterrupted {
		t.Errorf("exit code %d: %s", got, s.console)
	}
}

// TestAFullDiskEndsTheRunAndKeepsItsRows runs on ten small disks until each is full.
func TestAFullDiskEndsTheRunAndKeepsItsRows(t *testing.T) {
	t.Setenv("TAOLAB_CACHE", t.TempDir())
	t.Chdir(t.TempDir())
	for i := range 10 * *survival {
		mount := fmt.Sprint("disk-", i)
		if err := os.Mkdir(mount, 0o777); err != nil {
			t.Fatal(err)
		}
		size := fmt.Sprintf("size=%dk", 200+137*(i%10)+13*(i/10))
		if err := syscall.Mount("tmpfs", mount, "tmpfs", 0, size); err != nil {
			t.Skipf("no small disk can be made: mounting a tmpfs: %v; run as root", err)
		}
		t.Cleanup(func() { syscall.Unmount(mount, 0) })
		dir := filepath.Join(mount, "out")
		s := start(t, dir, endless...)
		if got := s.ended(t); got != exitFailure {
			t.Fatalf("%s: exit code %d: %s", size, got, s.console)
		}
		for _, want := range []string{"no space left on device", "rows are whole in " + dir, "free space there"} {
			if !strings.Contains(s.console.String(), want) {
				t.Errorf("%s: %q is not in %s", size, want, s.console)
			}
		}
		r := left(t, dir)
		if r.Manifest.Blocks == 0 || r.Manifest.Finished {
			t.Errorf("%s: block %d, finished %t", size, r.Manifest.Blocks, r.Manifest.Finished)
		}
	}
}

// TestAStudyOnAFullDiskTellsItsNumbers asks for a study of which the first table does not fit.
func TestAStudyOnAFullDiskTellsItsNumbers(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("disk", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", "disk", "tmpfs", 0, "size=8k"); err != nil {
		t.Skipf("no small disk can be made: mounting a tmpfs: %v; run as root", err)
	}
	t.Cleanup(func() { syscall.Unmount("disk", 0) })
	var stdout, stderr bytes.Buffer
	got := execute(t.Context(), []string{"retention", "--neurons", "48", "--validators", "8", "--stakes", "0.6", "--draws", "60", "--out", "disk/study"}, &stdout, &stderr)
	if got != exitFailure || !strings.Contains(stdout.String(), "yuma2, kappa 0.5") || !strings.Contains(stderr.String(), "no space left on device") {
		t.Errorf("exit code %d, output %q and %q; want %d, the numbers and the reason", got, stdout.String(), stderr.String(), exitFailure)
	}
	for _, name := range []string{"study.json", "needed.parquet", "contours.parquet"} {
		info, err := os.Stat(filepath.Join("disk", "study", name))
		if err == nil && info.Size()%4096 == 0 {
			t.Errorf("%s has been cut at %d bytes", name, info.Size())
		}
	}
	if left, _ := filepath.Glob("disk/study/.new-*"); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// TestAReportOnAFullDiskTellsTheNumbers asks for the report where no file of it can be written.
func TestAReportOnAFullDiskTellsTheNumbers(t *testing.T) {
	t.Setenv("TAOLAB_CACHE", t.TempDir())
	t.Chdir(t.TempDir())
	if err := os.Mkdir("disk", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", "disk", "tmpfs", 0, "size=400k"); err != nil {
		t.Skipf("no small disk can be made: mounting a tmpfs: %v; run as root", err)
	}
	t.Cleanup(func() { syscall.Unmount("disk", 0) })
	dir := filepath.Join("disk", "out")
	start(t, dir, endless...).ended(t)
	filler, err := os.Create(filepath.Join("disk", "filler"))
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = filler.Write(make([]byte, 4096))
	}
	filler.Close()
	var stdout, stderr bytes.Buffer
	got := execute(t.Context(), []string{"report", dir}, &stdout, &stderr)
	if got != exitFailure || !strings.Contains(stdout.String(), "run digest") {
		t.Errorf("exit code %d, output %q; want %d and the numbers", got, stdout.String(), exitFailure)
	}
	for _, want := range []string{"what is there goes to block", "no space left on device", "free space there or copy"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("%q is not in %s", want, stderr.String())
		}
	}
}
