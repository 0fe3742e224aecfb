package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"taolab/report"
)

// TestAnInterruptedRunIsRepeatedUpToTheSameEvent interrupts a run somewhere, wherever that is, and
// replays it from what it left.
func TestAnInterruptedRunIsRepeatedUpToTheSameEvent(t *testing.T) {
	t.Setenv("TAOLAB_CACHE", t.TempDir())
	t.Chdir(t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { // a little after the first table was opened
		for ctx.Err() == nil {
			if _, err := os.Stat("out/blocks.partial"); err == nil {
				time.Sleep(100 * time.Millisecond)
				cancel()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	var stdout, stderr bytes.Buffer
	args := []string{"run", "small", "--out", "out", "--set", "time.hours=200", "--set", "trace.queries=off"}
	if got := execute(ctx, args, &stdout, &stderr); got != exitInterrupted {
		t.Fatalf("exit code %d, want %d: %s", got, exitInterrupted, stderr.String())
	}
	m, err := report.ReadManifest("out")
	if err != nil || !m.Interrupted || m.Events == 0 {
		t.Fatalf("%v, interrupted %t after %d events", err, m.Interrupted, m.Events)
	}
	if got := execute(t.Context(), []string{"replay", "out"}, &stdout, &stderr); got != exitOK {
		t.Errorf("replay: exit code %d: %s%s", got, stdout.String(), stderr.String())
	}
	if _, err := os.Stat("out-replay"); err == nil {
		t.Error("an equal run was left behind")
	}
}

func TestAnInterruptedCheckSaysWhatItDidNotCheck(t *testing.T) {
	t.Setenv("TAOLAB_CACHE", t.TempDir())
	t.Chdir(t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	args := []string{"check", "small", "--junit", "out.xml"}
	if got := execute(ctx, args, &stdout, &stderr); got != exitInterrupted {
		t.Errorf("exit code %d, want %d: %s", got, exitInterrupted, stderr.String())
	}
	if !strings.HasPrefix(stdout.String(), "interrupted small  0/4") {
		t.Errorf("%s", stdout.String())
	}
	if text, err := os.ReadFile("out.xml"); err != nil || !bytes.Contains(text, []byte(`errors="1"`)) {
		t.Errorf("%v, %s", err, text)
	}
}
