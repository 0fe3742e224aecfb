//go:build !linux

package main

import "time"

// benchClock says what the time of a measurement is.
const benchClock = "wall time"

var benchBegan = time.Now()

// benchTime is the time since the start: what else runs on the machine counts.
func benchTime() time.Duration { return time.Since(benchBegan) }
