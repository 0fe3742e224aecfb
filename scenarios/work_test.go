package scenarios

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"taolab/sim/trace"
	"taolab/sim/virtual"
)

// intervals are how many adjustment intervals a test of work watches.
const intervals = 2500

// hashesPerS is the hash rate of the 48 miners that have no seat.
const hashesPerS = 48e6

// worked is the result of a network of hashing miners.
type worked struct {
	meanCount  float64 // registrations per interval over the target
	above      float64 // share of the intervals with more than the target
	difficulty float64 // mean over hash rate x interval / target
	path       []float64
}

// work lets miners hash for a number of intervals, of which the first twentieth does not count.
func work(t *testing.T, n int, target, blocks uint64, sets ...string) worked {
	t.Helper()
	naive := hashesPerS * float64(blocks) * 12 / float64(target)
	sets = append([]string{
		fmt.Sprintf("chain.difficulty=%.0f", naive),
		fmt.Sprintf("time.hours=%g", float64(uint64(n)*blocks)*12/3600),
		fmt.Sprintf("chain.target_registrations=%d", target), fmt.Sprintf("chain.adjustment_blocks=%d", blocks),
	}, sets...)
	file, err := Load("testdata/economy/work.toml", sets)
	if err != nil {
		t.Fatal(err)
	}
	registered := &registrations{blocks: blocks}
	network, err := file.Build(&Material{}, Options{Recorder: registered})
	if err != nil {
		t.Fatal(err)
	}
	world, err := virtual.New(network.Config)
	if err != nil {
		t.Fatal(err)
	}
	var w worked
	counted, skip := 0.0, n/20
	for i := 1; i < n; i++ {
		world.PauseAt(uint64(i) * blocks)
		if err := world.Run(context.Background()); !errors.Is(err, virtual.ErrPaused) {
			t.Fatal(err)
		}
		d := float64(world.Chain().Difficulty()) / naive
		w.path = append(w.path, d)
		if i >= skip {
			w.difficulty += d
			counted++
		}
	}
	w.difficulty /= counted
	for _, count := range registered.count[skip:] {
		w.meanCount += float64(count) / counted / float64(target)
		if count > target {
			w.above += 1 / counted
		}
	}
	return w
}

// registrations counts those of each interval.
type registrations struct {
	blocks uint64
	count  []uint64
}

// Record implements trace.Recorder.
func (r *registrations) Record(row trace.Row) {
	if tx, ok := row.(trace.Transaction); ok && tx.Kind == "RegisterWork" && tx.Outcome == trace.Included {
		for at := int((tx.Block - 1) / r.blocks); at >= len(r.count); {
			r.count = append(r.count, 0)
		}
		r.count[(tx.Block-1)/r.blocks]++
	}
}

// TestRegistrationsByWorkSettleAtTheStationaryLaws compares thousands of intervals of a constant hash rate
// with what the rules come to on average: of 2023 by target, of 2022 by doubling and halving, each with the
// limits of a block and of an interval that are in force.
func TestRegistrationsByWorkSettleAtTheStationaryLaws(t *testing.T) {
	if testing.Short() {
		t.Skip("not run with -short: years of hashing")
	}
	for _, c := range []struct {
		name           string
		target, blocks uint64
		count          float64 // registrations per interval over the target
		difficulty     float64 // over hash rate x interval / target; 0: the limits move it
		half           bool    // of the intervals have more than the target
		sets           []string
	}{
		{name: "2023, 2 in 100 blocks", target: 2, blocks: 100, count: 1.157},
		{name: "2023, 1 in 360 blocks", target: 1, blocks: 360, count: 1.270},
		{name: "2023, 16 in 360 blocks, no limit is met", target: 16, blocks: 360, count: 1.021, difficulty: 1,
			sets: []string{"chain.registrations_per_block=65535"}},
		{name: "2022, 2 in 100 blocks", target: 2, blocks: 100, count: 1.542, half: true,
			sets: []string{"chain.era=nakamoto-2022-03", "chain.adjust_by=double-halve"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := work(t, intervals, c.target, c.blocks, c.sets...)
			t.Logf("%.4f of the target, %.4f of the intervals above it, difficulty %.4f", w.meanCount, w.above, w.difficulty)
			if math.Abs(w.meanCount/c.count-1) > 0.05 {
				t.Errorf("%.4f registrations per interval and target, want %.3f within 5 %%", w.meanCount, c.count)
			}
			if c.difficulty > 0 && math.Abs(w.difficulty/c.difficulty-1) > 0.05 {
				t.Errorf("mean difficulty %.4f of hash rate x interval / target, want %g within 5 %%", w.difficulty, c.difficulty)
			}
			if c.half && math.Abs(w.above-0.5) > 0.01 {
				t.Errorf("%.4f of the intervals have more registrations than the target, want half", w.above)
			}
		})
	}
}

// TestDifficultyFollowsADoublingOfTheHashRate averages runs in which as many miners again begin to hash: under
// the rule of 2023 half of the distance is left after each interval.
func TestDifficultyFollowsADoublingOfTheHashRate(t *testing.T) {
	if testing.Short() {
		t.Skip("not run with -short: many runs")
	}
	const before, after, runs = 60, 6, 60
	var mean [after]float64
	for seed := range runs {
		w := work(t, before+after+1, 16, 360, fmt.Sprintf("seed=%d", seed+1), "chain.registrations_per_block=65535",
			"miners[2].count=48", fmt.Sprintf("miners[2].joins_h=%g", float64(before*360*12)/3600))
		for i := range mean {
			mean[i] += w.path[before-1+i] / runs / 2
		}
	}
	for i, want := range []float64{0.5, 0.75, 0.875, 0.9375, 0.96875, 0.984375} {
		if math.Abs(mean[i]-want) > 0.05 {
			t.Errorf("%d intervals after the doubling difficulty is %.3f of the new balance, want %.3f; in all %.3f", i, mean[i], want, mean)
			break
		}
	}
	t.Logf("after the doubling: %.3f", mean)
}
