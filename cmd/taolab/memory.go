package main

import (
	"os"
	"runtime/debug"
)

// floor is never touched, so it takes no memory of the machine. The collector counts it: a run of a small
// network, of which little is in use at any moment, would be collected every few milliseconds otherwise.
var floor []byte

const (
	floorBytes = 16 << 20
	growth     = 50 // percent by which the heap grows between two collections; a model's weights cost no time there
)

// tuneCollector makes a run's peak of memory hardly depend on its length, unless the environment says how
// the heap may grow.
func tuneCollector() {
	if os.Getenv("GOGC") == "" {
		floor = make([]byte, floorBytes)
		debug.SetGCPercent(growth)
	}
}
