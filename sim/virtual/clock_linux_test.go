package virtual

import (
	"syscall"
	"time"
)

// cpuTime is what the calling thread has used of a processor: other programs' work does not count.
func cpuTime() time.Duration {
	const thread = 1 // RUSAGE_THREAD
	var used syscall.Rusage
	if err := syscall.Getrusage(thread, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
