// Package small has a ledger of a few epochs, and what runs it, for tests of sweeps, searches and hubs. Only tests may
// import it.
package small

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"taolab/model/base"
	"taolab/scenarios"
)

// Ledger is an economy of five epochs, in which servers get exactly the share that its settings give them.
const Ledger = `
format = 2
name = "small"
mode = "economy"
[time]
hours = 1
[chain]
era = "2026"
tempo_blocks = 60
[[miners]]
name = "miner"
count = 4
behaviour = "idle"
stake_tao = 0
[[validators]]
name = "validator"
count = 2
behaviour = "scripted"
stake_tao = [1000, 100000]
every_epochs = 2
weights = ["1000 + draw(1000, seed, j, t)"]
`

// Path is a file of the ledger and further sections.
func Path(t testing.TB, sections string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "small.toml")
	if err := os.WriteFile(path, []byte(Ledger+sections), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Load reads the ledger with further sections.
func Load(t testing.TB, sections string, sets ...string) *scenarios.File {
	t.Helper()
	file, err := scenarios.Load(Path(t, sections), sets)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// Experiment runs a file in a folder, on one thread.
func Experiment(file *scenarios.File, dir string) *scenarios.Experiment {
	return &scenarios.Experiment{File: file, Dir: dir, Cache: base.Cache{}, Workers: 1, Now: Now}
}

var readings atomic.Int64

// Now is a clock on which a second passes between two readings.
func Now() time.Time { return time.Unix(readings.Add(1), 0) }

// CPU is a process that takes no time.
func CPU() time.Duration { return 0 }

// Lock takes nothing.
func Lock(string) (release func(), err error) { return func() {}, nil }
