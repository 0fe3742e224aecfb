package main

import "runtime"

// limitProcessors keeps the process to as many processors as it has workers, until release is called. A worker
// is one processor, as a scheduler of jobs expects: the rows that it records and the memory that is collected for it
// are its own work. With more processors one worker would take a part of a second one, and two would be less
// than twice as fast.
func limitProcessors(workers int) (release func()) {
	before := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(min(workers, before))
	return func() { runtime.GOMAXPROCS(before) }
}
