package replica

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var soak = flag.Duration("soak", 0, "how long TestMemoryStaysFlat watches nodes; 0 skips it")

// residentMiB is the memory of a process.
func residentMiB(t *testing.T, pid int) int {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("no /proc/PID/status to read the memory of a process from")
	}
	_, rest, _ := strings.Cut(string(data), "VmRSS:")
	kB, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kB / 1024
}

func TestAnIdleNodeTakesLittleMemory(t *testing.T) {
	g := testGenesis(t, 4, 8, 300*time.Millisecond, nil)
	all, _ := processes(t, g, 4)
	for _, c := range all {
		level(t, c, all, 30*time.Second)
	}
	time.Sleep(3 * time.Second)
	for _, c := range all {
		mib := residentMiB(t, c.cmd.Process.Pid)
		t.Logf("node %d has %d MiB", c.Index, mib)
		if mib > 80 {
			t.Errorf("node %d has %d MiB, want at most 80", c.Index, mib)
		}
	}
}

// TestMemoryStaysFlat watches a lone node that is idle, and two that take transfers, with a sample each minute.
func TestMemoryStaysFlat(t *testing.T) {
	if *soak == 0 {
		t.Skip("a long run: ask for it with -soak 15m -timeout 30m")
	}
	g := testGenesis(t, 1, 1, time.Second, nil)
	lone, _ := processes(t, g, 1)
	g = testGenesis(t, 2, 1, time.Second, nil)
	pair, _ := processes(t, g, 2)
	level(t, pair[0], pair, 60*time.Second)
	all := append(lone, pair...)
	samples := make([][]int, len(all))
	nonce, end, next := uint64(0), time.Now().Add(*soak), time.Now()
	for time.Now().Before(end) {
		s, err := pair[0].status()
		if err != nil {
			t.Fatal(err)
		}
		for range 10 { // a second
			if pair[0].submit(transfer(t, g.ChainID, "user0", nonce, s.Height, public("cold0"))) == nil {
				nonce++
			}
		}
		if !time.Now().Before(next) {
			next = next.Add(time.Minute)
			for i, c := range all {
				samples[i] = append(samples[i], residentMiB(t, c.cmd.Process.Pid))
			}
			t.Logf("block %d, %d transfers, MiB: %v", s.Height, nonce, samples)
		}
		time.Sleep(time.Second)
	}
	if nonce == 0 {
		t.Fatal("no transfer is taken")
	}
	for i, of := range samples {
		third := len(of) / 3
		if third == 0 {
			continue
		}
		middle, last := slices.Max(of[third:2*third]), slices.Max(of[2*third:])
		t.Logf("node %d: at most %d MiB in the second third, %d in the last", i, middle, last)
		if last > middle+max(middle/5, 8) {
			t.Errorf("node %d grows: %v MiB", i, of)
		}
	}
}
