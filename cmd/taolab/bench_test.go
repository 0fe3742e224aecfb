package main

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"
)

// TestTheReferenceOfMeasurementsIsCurrent compares the page with what the program says of itself.
func TestTheReferenceOfMeasurementsIsCurrent(t *testing.T) {
	path := filepath.Join(root, "docs", "reference", "bench.md")
	text := benchReference()
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != text {
		t.Errorf("%s is not current (%v); go test ./cmd/taolab -update rewrites it", path, err)
	}
}

func TestEveryMeasurementHasANameOfItsOwnAndALineOfWords(t *testing.T) {
	var names []string
	for _, b := range benches() {
		if b.doc == "" || b.unit == "" || slices.Contains(names, b.name) {
			t.Errorf("%q, unit %q: %q", b.name, b.unit, b.doc)
		}
		names = append(names, b.name)
	}
	for _, r := range benchRatios {
		if !slices.Contains(names, r.above) || !slices.Contains(names, r.below) {
			t.Errorf("%s over %s: no such measurements", r.above, r.below)
		}
	}
}

// TestALoopCountsAllItsWork measures work of known length.
func TestALoopCountsAllItsWork(t *testing.T) {
	runtime.LockOSThread() // the clock is the thread's
	defer runtime.UnlockOSThread()
	done := 0
	start := benchTime()
	perSecond := loop(func() float64 {
		for begin := benchTime(); benchTime()-begin < 10*time.Microsecond; {
		}
		done++
		return 1
	})(5 * time.Millisecond)
	took := (benchTime() - start).Seconds()
	if took < 0.005 || math.Abs(perSecond*took/float64(done)-1) > 0.2 {
		t.Errorf("%d in %v s, but %v a second", done, took, perSecond)
	}
}

func TestRatiosAndMeansAreOfRounds(t *testing.T) {
	list := withRatios(withMeans([]benchResult{
		{Name: "matmul.generic.1x1x1", Unit: "GFLOP/s", values: []float64{1, 2}, shares: []float64{50, 50}},
		{Name: "matmul.generic.2x2x2", Unit: "GFLOP/s", values: []float64{4, 8}, shares: []float64{100, 200}},
		{Name: "train.b", values: []float64{10, 20}},
		{Name: "train.b.workers2", values: []float64{19, 40}},
	}))
	var names []string
	for i := range list {
		list[i].finish()
		names = append(names, list[i].Name)
	}
	want := []string{"matmul.generic.1x1x1", "matmul.generic.2x2x2", "matmul.generic.mean", "train.b", "train.b.workers2",
		"train.b.workers2.ratio"}
	if !slices.Equal(names, want) {
		t.Fatalf("%q", names)
	}
	if mean := list[2]; math.Abs(mean.Low-2) > 1e-12 || math.Abs(mean.High-4) > 1e-12 || mean.Peak == nil {
		t.Errorf("%+v", mean)
	}
	if ratio := list[5]; ratio.Low != 1.9 || ratio.High != 2 || ratio.Peak != nil {
		t.Errorf("%+v", ratio)
	}
}
