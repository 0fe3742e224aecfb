package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"taolab/report"
	"taolab/sim/trace"
)

// trained is how far the agents of a trace came: the least and the greatest step of any miner, and of any validator.
type trained struct {
	rows                        int
	firstStep, lastStep         uint64
	firstAsked, lastAsked, asks uint32
}

func trainedIn(t *testing.T, dir string) (x trained) {
	t.Helper()
	r, err := report.Open(dir)
	if err != nil {
		return x // it is not there yet
	}
	if r.Has(trace.Training) {
		if err := report.Rows(r, func(row trace.Train) error {
			if x.rows++; x.rows == 1 {
				x.firstStep = row.Steps
			}
			x.firstStep, x.lastStep = min(x.firstStep, row.Steps), max(x.lastStep, row.Steps)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if r.Has(trace.Queries) {
		if err := report.Rows(r, func(row trace.Query) error {
			if x.asks++; x.asks == 1 {
				x.firstAsked = row.Step
			}
			x.firstAsked, x.lastAsked = min(x.firstAsked, row.Step), max(x.lastAsked, row.Step)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return x
}

// TestWhatAgentsLearnedAndTheTraceOutliveAKill kills a whole network in one process and starts it again: miners and
// validators go on from what they had saved, and a new folder of the trace begins behind the one that the kill left.
func TestWhatAgentsLearnedAndTheTraceOutliveAKill(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a network for half a minute")
	}
	t.Setenv("TAOLAB_CACHE", t.TempDir())
	at := home(t.TempDir())
	f := devFlags{miners: 2, validators: 1, block: 200 * time.Millisecond, tempo: 10}
	if err := f.make(at); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(at.settings())
	if err != nil {
		t.Fatal(err)
	}
	faster := strings.NewReplacer("[node]\n", "[node]\nsave_s = 0.3\n", "[base]\n", "[trace]\non = true\nsync_s = 0.3\n\n[base]\n", "[evaluation]\n", "[evaluation]\nperiod_blocks = 10\n").
		Replace(string(text))
	if err := os.WriteFile(at.settings(), []byte(faster), 0o600); err != nil {
		t.Fatal(err)
	}
	start := func() *exec.Cmd {
		cmd := exec.Command("taolabd", "dev", "--home", string(at), "--log", "warn")
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		return cmd
	}
	first, second := filepath.Join(at.traces(), "000001"), filepath.Join(at.traces(), "000002")
	cmd := start()
	var before trained
	until(t, time.Minute, func() bool {
		before = trainedIn(t, first)
		return before.lastStep >= 40 && before.lastAsked >= 5
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	r, err := report.Open(first)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := report.Summarise(r); err != nil || r.Manifest.Whole() || s.Ending == "" || r.Manifest.Blocks == 0 {
		t.Errorf("what a kill left: %v, %d blocks, ending %q", err, r.Manifest.Blocks, r.Manifest.Ending())
	}
	cmd = start()
	var after trained
	until(t, time.Minute, func() bool {
		after = trainedIn(t, second)
		return after.lastStep > before.lastStep && after.lastAsked > before.lastAsked
	})
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() != 0 {
		t.Errorf("after Ctrl-C: %v", err)
	}
	t.Logf("first life %+v, second %+v", before, after)
	if after.firstStep == 0 || after.firstAsked < before.lastAsked/2 {
		t.Errorf("after a kill agents began with %d steps and at question %d; before it they had %d and %d",
			after.firstStep, after.firstAsked, before.lastStep, before.lastAsked)
	}
	again, err := report.Open(second)
	if err != nil {
		t.Fatal(err)
	}
	if m := again.Manifest; !m.Interrupted || m.GenesisBlock < r.Manifest.Blocks {
		t.Errorf("the second folder: interrupted %v, from block %d; the first had %d", m.Interrupted, m.GenesisBlock, r.Manifest.Blocks)
	}
}
