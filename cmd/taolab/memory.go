package main

import (
	"os"
	"runtime/debug"
)

const (
	floorBytes = 16 << 20
	growth     = 50 // percent by which the heap grows between two collections; a model's weights cost no time there
)

// tuneCollector makes a run's peak of memory hardly depend on its length, unless the environment says how
// the heap may grow. The caller keeps the returned bytes alive: they are never touched, so they take no memory
// of the machine, but the collector counts them. A run of a small network, of which little is in use at any
// moment, would be collected every few milliseconds otherwise.
func tuneCollector() (floor []byte) {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	debug.SetGCPercent(growth)
	return make([]byte, floorBytes)
}
