package scenarios

import (
	"runtime"
	"time"

	"taolab/model/lm/kernel"
	"taolab/report"
)

// heapBytes is the heap memory in use.
func heapBytes() uint64 {
	var memory runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&memory)
	return memory.HeapAlloc
}

// cost is the resources that a finished run used.
func (e *Experiment) cost() report.Cost {
	spent := e.spent()
	lived := spent.wall - int64(e.Now().Sub(e.begun)-e.lived) // without the time after the last event
	seconds := func(ns int64) float64 { return time.Duration(ns).Seconds() }
	after := heapBytes()
	runtime.KeepAlive(e.World)
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return report.Cost{
		Threads: e.Workers, Tokens: e.World.Progress().Tokens,
		JobSeconds:      seconds(spent.jobs),
		LoopSeconds:     seconds(max(0, lived-spent.ownJobs-spent.waiting-spent.snapshots)),
		WaitSeconds:     seconds(spent.waiting),
		SnapshotSeconds: seconds(spent.snapshots),
		PeakFLOPS:       peakFLOPS(e.Now),
		HeapBytes:       after - min(e.heapBefore, after), SystemBytes: memory.Sys,
	}
}

// peakFLOPS is the peak rate of one thread's multiply-adds, the best of a few short tries.
func peakFLOPS(now func() time.Time) float64 {
	best := 0.0
	for range 5 {
		start, took, done := now(), time.Duration(0), 0
		for took < 2*time.Millisecond {
			done += kernel.Peak(kernel.Active(), 100)
			took = now().Sub(start)
		}
		best = max(best, float64(done)/took.Seconds())
	}
	return best
}
