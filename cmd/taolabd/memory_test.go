package main

import (
	"runtime/debug"
	"testing"
)

func TestTheHeapGrowsAsTheEnvironmentSaysOrByHalf(t *testing.T) {
	before := debug.SetGCPercent(100)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	for _, c := range []struct {
		environment string
		want        int
	}{{"100", 100}, {"", growth}} {
		t.Setenv("GOGC", c.environment)
		tuneCollector()
		if got := debug.SetGCPercent(100); got != c.want {
			t.Errorf("GOGC=%s: the heap grows by %d %%, expected %d", c.environment, got, c.want)
		}
	}
}
