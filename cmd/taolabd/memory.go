package main

import (
	"os"
	"runtime/debug"
)

// growth is the percentage by which the heap grows between two collections where agents live: their models are most of
// it, and cost a collection no time.
const growth = 50

// tuneCollector keeps what agents drop from doubling the memory of their models, unless the environment says how the
// heap may grow.
func tuneCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(growth)
	}
}
