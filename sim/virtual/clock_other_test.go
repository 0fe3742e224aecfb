//go:build !linux

package virtual

import "time"

var began = time.Now()

// cpuTime is the time since the start: what else runs on the machine counts.
func cpuTime() time.Duration { return time.Since(began) }
