package virtual

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"taolab/model/num"
	"taolab/sim/host"
)

// FuzzEventsLeaveTheQueueInOrder compares the queue with a slice. Each byte is an operation:
// push at a time near the last popped one, pop, or now and then a removal of every third event.
func FuzzEventsLeaveTheQueueInOrder(f *testing.F) {
	f.Add([]byte{10, 20, 5, 200, 200, 7, 7, 7, 255, 200, 200, 200})
	s := num.NewStream(1, "queue")
	for _, n := range []int{3000, 9000} {
		long := make([]byte, n)
		for i := range long {
			long[i] = byte(s.Uint32())
			if i < 6*n/10 { // more than the nearest caches hold before they leave
				long[i] = byte(s.IntN(160))
			}
		}
		f.Add(long)
	}
	f.Fuzz(func(t *testing.T, ops []byte) {
		var q queue
		var twin []event
		var now host.Time
		order := func(a, b event) int {
			return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.seq, b.seq))
		}
		for i, op := range ops {
			switch {
			case op == 255:
				third := func(e event) bool { return e.seq%3 != 0 }
				q.retain(third)
				twin = slices.DeleteFunc(twin, func(e event) bool { return !third(e) })
			case op >= 160 && len(twin) > 0:
				least := slices.MinFunc(twin, order)
				if got := q.pop(); got != least {
					t.Fatalf("operation %d: popped %+v, expected %+v", i, got, least)
				}
				now = least.at
				twin = slices.Delete(twin, slices.Index(twin, least), slices.Index(twin, least)+1)
			default:
				e := event{at: now + host.Time(op%16), seq: uint64(i)}
				if op >= 128 { // some lie far ahead, and farther and farther
					e.at += host.Time(op%32) << (i % 40)
				}
				q.push(e)
				twin = append(twin, e)
			}
		}
		if q.len() != len(twin) {
			t.Fatalf("%d events are left, expected %d", q.len(), len(twin))
		}
	})
}

func TestCrowdsLeaveNoMemoryInTheBuckets(t *testing.T) {
	const rounds, alone, crowd, span = 200, 1000, 5000, 1 << 20
	var q queue
	seq := uint64(0)
	push := func(at host.Time) {
		seq++
		q.push(event{at: at, seq: seq})
	}
	crowded := map[int]bool{}
	for round := range host.Time(rounds) {
		for i := range host.Time(alone) {
			push(round*span + i*span/alone)
		}
		q.pop() // lays the buckets over three quarters of the span
		at := round*span + span/8 + round*span/(2*rounds)
		crowded[int((at-q.start)/q.width)] = true
		for range crowd {
			push(at)
		}
		for q.len() > 0 {
			q.pop()
		}
	}
	kept := 0
	for _, b := range q.buckets {
		kept += cap(b)
	}
	if len(crowded) < rounds/2 || kept > crowd {
		t.Errorf("%d buckets had crowds of %d; the memory of %d events is kept", len(crowded), crowd, kept)
	}
}

// FuzzPendingRecordsAreFoundUntilTaken compares the table with a map.
func FuzzPendingRecordsAreFoundUntilTaken(f *testing.F) {
	f.Add([]byte{1, 1, 1, 130, 1, 129, 131, 1})
	f.Fuzz(func(t *testing.T, ops []byte) {
		var p pending[int]
		twin := map[uint64]int{}
		id := uint64(0)
		for i, op := range ops {
			if op < 128 {
				id += uint64(op%4) + 1
				p.add(id, i)
				twin[id] = i
				continue
			}
			wanted := id - min(id, uint64(op-128))
			value, there := twin[wanted]
			if got := p.get(wanted); (got != nil) != there || there && *got != value {
				t.Fatalf("operation %d: record %d is %v, expected %d %v", i, wanted, got, value, there)
			}
			if got, ok := p.take(wanted); ok != there || got != value {
				t.Fatalf("operation %d: took %d %v, expected %d %v", i, got, ok, value, there)
			}
			delete(twin, wanted)
			if p.live != len(twin) || len(p.entries) > 2*p.live+16 {
				t.Fatalf("operation %d: %d live in %d entries, expected %d", i, p.live, len(p.entries), len(twin))
			}
		}
	})
}

func TestDurationsAreRoundedUpAndNeverOverflow(t *testing.T) {
	for _, c := range []struct {
		amount, speed int64
		want          host.Time
	}{
		{8_000_000, 10_000_000, 800 * host.Millisecond},
		{1, 3, 333_333_334},
		{1, 1_000_000_000, 1},
		{1, 2_000_000_000, 1},
		{0, 5, 0},
		{5, 0, 0},
		{1 << 62, 1, maxDuration},
		{1 << 62, 1 << 62, host.Second},
	} {
		if got := duration(c.amount, c.speed); got != c.want {
			t.Errorf("duration(%d, %d) = %d ns, expected %d", c.amount, c.speed, got, c.want)
		}
	}
}

// BenchmarkHold is the hold model: with so many events pending, pop the earliest and push one an
// exponential time later.
func BenchmarkHold(b *testing.B) {
	for _, n := range []int{1e3, 1e5, 1e6} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := NewHold(n)
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			b.ReportAllocs()
			b.ResetTimer()
			from := cpuTime()
			h.Run(b.N)
			b.ReportMetric(float64(b.N)/(cpuTime()-from).Seconds()/1e6, "Mevents/CPU-s")
		})
	}
}
