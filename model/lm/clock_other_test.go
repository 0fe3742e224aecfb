//go:build !linux

package lm

import "time"

var began = time.Now()

// cpuTime returns the time since the start: what else runs on the machine counts.
func cpuTime() time.Duration { return time.Since(began) }
