package main

import (
	"fmt"
	"runtime"
	"time"

	"taolab/model/lm/kernel"
	"taolab/report"
	"taolab/sim/virtual"
)

// heapBytes is the memory that is in use.
func heapBytes() uint64 {
	var memory runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&memory)
	return memory.HeapAlloc
}

// costOf is what a world that has run took of the machine; before is heapBytes before it was built.
func costOf(world *virtual.World, before uint64, workers int, wallSeconds float64) report.Cost {
	p := world.Progress()
	seconds := func(ns int64) float64 { return time.Duration(ns).Seconds() }
	after := heapBytes()
	runtime.KeepAlive(world)
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return report.Cost{
		Threads: workers, Tokens: p.Tokens,
		JobSeconds:  seconds(p.JobNs),
		LoopSeconds: max(0, wallSeconds-seconds(p.LoopNs)-seconds(p.WaitNs)),
		WaitSeconds: seconds(p.WaitNs),
		PeakFLOPS:   peakFLOPS(),
		HeapBytes:   after - min(before, after), SystemBytes: memory.Sys,
	}
}

// peakFLOPS is the most that one thread's multiply-adds come to, the best of a few short tries.
func peakFLOPS() float64 {
	best := 0.0
	for range 5 {
		start, done := time.Now(), 0
		for time.Since(start) < 2*time.Millisecond {
			done += kernel.Peak(kernel.Active(), 100)
		}
		best = max(best, float64(done)/time.Since(start).Seconds())
	}
	return best
}

// costLine is the cost in a line for people.
func costLine(m *report.Manifest) string {
	c, bytes := m.Cost, int64(0)
	for _, t := range m.Tables {
		bytes += t.Bytes
	}
	const least = 1e-9 // seconds, so that nothing is divided by zero
	wall, jobs := max(m.WallSeconds, least), max(c.JobSeconds, least)
	per := func(x, seconds float64) string { return short(x / seconds) }
	agents := max(len(m.Nodes), 1)
	return fmt.Sprintf("%s in %.1f s on %d threads: %s events/s, %s tokens/s, %sFLOP/s; "+
		"in jobs %.0f %% of a thread's %sFLOP/s; the loop outside jobs %.0f %%, idle %.0f %%; "+
		"%sB for each of %d nodes, %sB from the system; tables %sB",
		clock(m.VirtualNs), m.WallSeconds, c.Threads, per(float64(m.Events), wall),
		per(float64(c.Tokens), wall), per(float64(m.FLOP), wall),
		percent(float64(m.FLOP)/jobs, max(c.PeakFLOPS, 1)), short(c.PeakFLOPS),
		percent(c.LoopSeconds, wall), percent(c.WaitSeconds, wall),
		short(float64(c.HeapBytes)/float64(agents)), len(m.Nodes), short(float64(c.SystemBytes)), short(float64(bytes)))
}

func percent(part, whole float64) float64 { return float64(100*part) / whole }
