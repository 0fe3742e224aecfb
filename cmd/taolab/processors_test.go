package main

import (
	"bytes"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"
)

// aSweep has a few runs without models.
const aSweep = `
format = 2
name = "two"
mode = "economy"
[time]
hours = 500
[[miners]]
name = "miner"
count = 10
behaviour = "idle"
[[validators]]
name = "validator"
behaviour = "scripted"
stake_tao = 10
weights = ["1000 + draw(1000, seed, i, j, t)"]
[sweep]
replications = 3
[[sweep.keys]]
key = "chain.kappa"
values = [0.4, 0.5]
`

func TestAWorkerOfASweepIsOneProcessor(t *testing.T) {
	before := runtime.GOMAXPROCS(2)
	defer runtime.GOMAXPROCS(before)
	t.Setenv("TAOLAB_CACHE", t.TempDir())
	t.Chdir(t.TempDir())
	if err := os.WriteFile("two.toml", []byte(aSweep), 0o644); err != nil {
		t.Fatal(err)
	}
	ended, fewest := make(chan struct{}), 2
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			select {
			case <-ended:
				return
			case <-time.After(100 * time.Microsecond):
				fewest = min(fewest, runtime.GOMAXPROCS(0))
			}
		}
	})
	var stdout, stderr bytes.Buffer
	got := execute(t.Context(), []string{"sweep", "two.toml", "--workers", "1"}, &stdout, &stderr)
	close(ended)
	watching.Wait()
	if got != exitOK {
		t.Fatalf("exit code %d: %s%s", got, stdout.String(), stderr.String())
	}
	if after := runtime.GOMAXPROCS(0); fewest != 1 || after != 2 {
		t.Errorf("%d processors at the fewest and %d afterwards, want 1 while one worker makes runs, and then 2 again", fewest, after)
	}
}
