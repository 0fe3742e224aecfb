package live

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"taolab/sim/host"
	"taolab/sim/journal"
)

// busy is an agent whose next job begins where the last one ended. Its state is how many there were.
type busy struct{ jobs uint64 }

func (b *busy) Handle(env host.Env, e host.Event) {
	switch e := e.(type) {
	case host.Start:
	case host.Done:
		b.jobs = binary.LittleEndian.Uint64(e.Result)
	default:
		return
	}
	env.Compute(after(b.jobs))
}

func (b *busy) AppendState(s []byte) []byte { return binary.LittleEndian.AppendUint64(s, b.jobs) }
func (b *busy) RestoreState(s []byte) error { b.jobs = binary.LittleEndian.Uint64(s); return nil }

// after is a job that comes to the next number, not at once.
type after uint64

func (after) Work() int64 { return 1 }
func (a after) Run(*host.Scratch) []byte {
	time.Sleep(2 * time.Millisecond)
	return binary.LittleEndian.AppendUint64(nil, uint64(a)+1)
}

// volumesOf are the volumes of a busy agent's journal after it had some time.
func volumesOf(t *testing.T, stay int) (dir string, volumes []journal.Volume) {
	t.Helper()
	dir = t.TempDir()
	ledger := newSolo(t, genesis([]string{"a"}, 1, nil))
	cfg := config(ledger, nil)
	cfg.Nodes = []Node{{Name: "a", Agent: new(busy), Hotkey: keyOf("a")}}
	cfg.Dir, cfg.SaveEvery, cfg.Journal, cfg.JournalBytes, cfg.JournalVolumes = dir, time.Millisecond, true, 1, stay
	s := play(t, cfg, nil)
	begun := func(number uint64) bool {
		_, err := os.Stat(filepath.Join(dir, journal.Volume{Agent: "a", Life: 1, Number: number}.String()))
		return err == nil
	}
	for late := time.Now().Add(20 * time.Second); !begun(8); time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatal("no volume began behind a full one")
		}
	}
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
	volumes, err := journal.Volumes(dir, "a")
	if err != nil {
		t.Fatal(err)
	}
	return dir, volumes
}

// An agent that always computes is saved, and its journal goes on in a new volume, between the end of a job and
// its Done. Each volume replays by itself and ends where the next begins.
func TestVolumesReplayOneByOne(t *testing.T) {
	dir, volumes := volumesOf(t, 0)
	if len(volumes) < 8 || volumes[0].Number != 1 {
		t.Fatalf("the volumes are %v; expected at least 8 from the first on", volumes)
	}
	var turns, jobs uint64
	for _, v := range volumes {
		f, err := os.Open(filepath.Join(dir, v.String()))
		if err != nil {
			t.Fatal(err)
		}
		again := new(busy)
		r, err := journal.Replay(f, again, viewsOf(t, genesis([]string{"a"}, 1, nil), nil))
		f.Close()
		if err != nil || r.Cut {
			t.Fatalf("%v: %+v, %v", v, r, err)
		}
		turns += r.Turns
		jobs = again.jobs
	}
	if turns != jobs+1 { // Start, and Done of each job
		t.Errorf("%d turns in %d volumes, of %d jobs", turns, len(volumes), jobs)
	}
}

// Old volumes go where the config says how many stay, and only there.
func TestTheNewestVolumesStay(t *testing.T) {
	_, volumes := volumesOf(t, 3)
	if len(volumes) != 3 || volumes[2].Number < 8 || volumes[0].Number != volumes[2].Number-2 {
		t.Errorf("the volumes are %v; expected the newest 3", volumes)
	}
}

// heavy is an agent with a large state, made of parts.
type heavy struct {
	eager
	part []byte
}

func (heavy) Handle(host.Env, host.Event) {}
func (h heavy) AppendState(b []byte) []byte {
	for range 8 {
		b = append(b, h.part...)
	}
	return b
}

// From the second on a save takes the memory of one copy of the state: that of a large model has gigabytes.
func TestASaveTakesOneCopyOfTheState(t *testing.T) {
	n := &node{cfg: Node{Name: "a"}, agent: &heavy{part: make([]byte, 1<<20)}}
	size := len(n.state())
	least := math.MaxInt
	for range 5 { // others in the process may take memory, too
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		again := n.state()
		runtime.ReadMemStats(&after)
		if least = min(least, int(after.TotalAlloc-before.TotalAlloc)); len(again) != size {
			t.Fatalf("a state of %d bytes, then of %d", size, len(again))
		}
	}
	if least > size+size/8 {
		t.Errorf("%d bytes were taken for a state of %d", least, size)
	}
}
