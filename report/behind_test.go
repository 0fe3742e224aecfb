package report

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"taolab/sim/trace"
)

// mixed is a block for every number, and with some of them a fault or a total.
func mixed(to trace.Recorder, from, until uint64) {
	for i := from; i < until; i++ {
		to.Record(trace.Block{Height: i, Included: uint32(i % 5)})
		if i%7 == 0 {
			to.Record(trace.Fault{TimeNs: int64(i), Kind: "loss"})
		}
		if i%11 == 0 {
			trace.Record(to, faults{{TimeNs: int64(i), Kind: "delay"}, {TimeNs: int64(i), Kind: "pause"}})
		}
		to.Record(trace.Totals{Block: i})
	}
}

// faults are rows that are made where they are written.
type faults []trace.Fault

func (faults) Table() trace.Table { return trace.Faults }
func (f faults) Len() int         { return len(f) }
func (f faults) Each(to func(trace.Row)) {
	for _, row := range f {
		to(row)
	}
}

// elapsed is a stopwatch.
func elapsed() int64 { return int64(time.Since(stopwatchBegan)) }

var stopwatchBegan = time.Now()

func TestRowsWrittenBehindMakeTheBytesOfRowsWrittenAtOnce(t *testing.T) {
	cuts := []uint64{0, 1, 700, behindRows, behindRows + 1, 3*behindRows + 50}
	selection := []trace.Table{trace.Blocks, trace.Faults}
	type synced struct {
		tables []TableInfo
		state  string
	}
	write := func(dir string, behind bool) (moments []synced) {
		w, err := NewWriter(dir, selection...)
		if err != nil {
			t.Fatal(err)
		}
		b := NewBehind(w, elapsed)
		to, writer := trace.Recorder(w), func() *Writer { return w }
		if behind {
			to, writer = b, b.Writer
		}
		for i, cut := range cuts[1:] {
			mixed(to, cuts[i], cut)
			if err := writer().Sync(); err != nil {
				t.Fatal(err)
			}
			state, err := writer().AppendState(nil)
			if err != nil {
				t.Fatal(err)
			}
			moments = append(moments, synced{writer().Tables(), string(state)})
		}
		mixed(to, cuts[len(cuts)-1], 5*behindRows)
		if err := writer().Close(); err != nil {
			t.Fatal(err)
		}
		return append(moments, synced{tables: writer().Tables()})
	}
	once, behind := t.TempDir(), t.TempDir()
	want, got := write(once, false), write(behind, true)
	for i := range want {
		if !slices.Equal(got[i].tables, want[i].tables) || got[i].state != want[i].state {
			t.Errorf("sync %d: tables %v, expected %v, with equal states", i, got[i].tables, want[i].tables)
		}
	}
	if names := list(t, behind); !slices.Equal(names, []string{"blocks.parquet", "faults.parquet"}) {
		t.Errorf("the folder holds %v", names)
	}
	for _, name := range list(t, once) {
		if read(t, filepath.Join(behind, name)) != read(t, filepath.Join(once, name)) {
			t.Errorf("%s has other bytes", name)
		}
	}
}

// stalledDisk makes files when it is told to go on.
type stalledDisk struct {
	disk
	goOn chan struct{}
}

func (d stalledDisk) Create(name string) (file, error) {
	<-d.goOn
	return d.disk.Create(name)
}

func TestTheRecorderWaitsForASlowDiskOnlyWhenBothBuffersAreFull(t *testing.T) {
	goOn := make(chan struct{})
	w, err := newWriter(stalledDisk{disk(t.TempDir()), goOn}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := NewBehind(w, elapsed)
	record := func(rows int) (done chan struct{}) {
		done = make(chan struct{})
		go func() {
			defer close(done)
			for range rows {
				b.Record(trace.Block{})
			}
		}()
		return done
	}
	select {
	case <-record(2*behindRows - 1):
	case <-time.After(20 * time.Second):
		t.Fatal("the recorder waits for the disk with room for more rows")
	}
	last := record(1)
	select {
	case <-last:
		t.Error("the recorder takes more rows than its bound")
	case <-time.After(50 * time.Millisecond):
	}
	close(goOn)
	<-last
	if err := b.Writer().Close(); err != nil {
		t.Fatal(err)
	}
	if waited := time.Duration(b.WaitNs()); waited < 50*time.Millisecond {
		t.Errorf("Record says that it waited %v, expected 50 ms at least", waited)
	}
	if rows := w.Tables()[0].Rows; rows != 2*behindRows {
		t.Errorf("%d rows were written, expected %d", rows, 2*behindRows)
	}
}

func TestRowsThatAreMadeBehindCountAgainstTheBound(t *testing.T) {
	for _, selected := range []bool{true, false} {
		selection := []trace.Table{trace.Blocks}
		if selected {
			selection = append(selection, trace.Faults)
		}
		w, err := NewWriter(t.TempDir(), selection...)
		if err != nil {
			t.Fatal(err)
		}
		b := NewBehind(w, elapsed)
		rows := 0
		for len(b.waiting) == rows && rows < behindRows {
			rows++
			trace.Record(b, make(faults, behindRows/4))
		}
		if want := map[bool]int{true: 4, false: 1}[selected]; rows != want {
			t.Errorf("recorded %t: handed over after %d times a quarter of the rows, want %d", selected, rows, want)
		}
		if err := b.Writer().Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFailureBehindIsKnownAtTheNextHandOver(t *testing.T) {
	left := 0
	w, err := newWriter(fullDisk{disk(t.TempDir()), &left}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := NewBehind(w, elapsed)
	for range 2*behindRows - 1 {
		b.Record(trace.Block{})
	}
	if b.Failed() {
		t.Error("a failure was told before the rows were settled")
	}
	b.Record(trace.Block{})
	if !b.Failed() {
		t.Error("a full disk was not told at the hand-over behind it")
	}
	if err := b.Writer().Err(); !errors.Is(err, errFull) {
		t.Errorf("the writer's error is %v, expected %v", err, errFull)
	}
}

// strange is a row of a known table that is of another type than its rows.
type strange struct{}

func (strange) Table() trace.Table { return trace.Blocks }

// panicking is a disk with a fault in its program.
type panicking struct{ disk }

func (panicking) Create(string) (file, error) { panic("out of range") }

func TestAFaultOfTheProgramBehindEndsTheRunAndNotTheProcess(t *testing.T) {
	for _, c := range []struct {
		fs   files
		row  trace.Row
		want string
	}{
		{disk(t.TempDir()), strange{}, "table blocks: a row of type report.strange, expected trace.Block"},
		{panicking{disk(t.TempDir())}, trace.Block{}, "table blocks: out of range\n"},
	} {
		w, err := newWriter(c.fs, nil)
		if err != nil {
			t.Fatal(err)
		}
		b := NewBehind(w, elapsed)
		b.Record(c.row)
		if err := b.Writer().Err(); err == nil || !strings.Contains(err.Error(), c.want) || !b.Failed() {
			t.Errorf("error %v, known: %v; expected %q", err, b.Failed(), c.want)
		}
	}
}

func TestWhatWasSyncedBehindIsReadAfterAKill(t *testing.T) {
	dir := t.TempDir()
	w, err := NewWriter(dir, trace.Blocks)
	if err != nil {
		t.Fatal(err)
	}
	b := NewBehind(w, elapsed)
	mixed(b, 0, 700)
	if err := b.Writer().Sync(); err != nil {
		t.Fatal(err)
	}
	mixed(b, 700, 2*behindRows) // lost
	b.settle()                  // while the folder is copied
	killed := t.TempDir()
	if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	r := &Run{Dir: killed, Manifest: Manifest{Format: ManifestFormat}}
	if rows := readBack[trace.Block](t, r); len(rows) != 700 {
		t.Errorf("%d rows are left, expected the 700 that were synced", len(rows))
	}
}
