package report

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"taolab/sim/trace"
)

// kept is a recorder that remembers every row.
type kept []trace.Row

func (k *kept) Record(r trace.Row) { *k = append(*k, r) }

func readBack[T trace.Row](t *testing.T, r *Run) []trace.Row {
	t.Helper()
	var rows []trace.Row
	if err := Rows(r, func(row T) error { rows = append(rows, row); return nil }); err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestEveryRowIsReadBackAsItWasRecorded(t *testing.T) {
	dir := t.TempDir()
	s := writeSynthetic(t, dir)
	var all kept
	newSynthetic(25).record(&all)
	want := make(map[trace.Table][]trace.Row)
	for _, row := range all {
		want[row.Table()] = append(want[row.Table()], row)
	}
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[trace.Table][]trace.Row{
		trace.Blocks: readBack[trace.Block](t, r), trace.Epochs: readBack[trace.Epoch](t, r),
		trace.Weights: readBack[trace.Weight](t, r), trace.Bonds: readBack[trace.Bond](t, r),
		trace.Queries: readBack[trace.Query](t, r), trace.Training: readBack[trace.Train](t, r),
		trace.Ledger: readBack[trace.Totals](t, r), trace.Faults: readBack[trace.Fault](t, r),
		trace.Applications: readBack[trace.Application](t, r),
	}
	for _, info := range s.manifest.Tables {
		if !reflect.DeepEqual(got[info.Table], want[info.Table]) {
			t.Errorf("%s: read back %d rows that differ from the %d recorded", info.Table,
				len(got[info.Table]), len(want[info.Table]))
		}
		if info.Rows != uint64(len(want[info.Table])) {
			t.Errorf("%s: listed with %d rows, recorded %d", info.Table, info.Rows, len(want[info.Table]))
		}
	}
	if len(s.manifest.Tables) != len(tables) {
		t.Errorf("%d tables listed, expected all %d", len(s.manifest.Tables), len(tables))
	}
}

func TestExtremeValuesSurvive(t *testing.T) {
	dir := t.TempDir()
	w, err := NewWriter(dir)
	if err != nil {
		t.Fatal(err)
	}
	rows := []trace.Block{
		{Height: math.MaxUint64, TimeNs: math.MinInt64, Included: math.MaxUint32, IssuanceRao: 1 << 63, Digest: trace.Some("ff")},
		{Height: 0, TimeNs: math.MaxInt64, EmissionRao: math.MaxUint64},
	}
	query := trace.Query{UID: math.MaxUint16, Code: "α, \"quoted\"\n", Loss: trace.Some(float32(math.Inf(1))),
		Base: trace.Some(math.SmallestNonzeroFloat64), Subset: trace.Some(""), Route: trace.Some(float32(0)), Peer: trace.Some(uint32(0))}
	for _, r := range rows {
		w.Record(r)
	}
	w.Record(query)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := &Run{Dir: dir, Manifest: Manifest{Tables: w.Tables()}}
	if diff := cmp.Diff([]trace.Row{rows[0], rows[1]}, readBack[trace.Block](t, r)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]trace.Row{query}, readBack[trace.Query](t, r)); diff != "" {
		t.Error(diff)
	}
}

func TestRowGroupsAreAppendedWhileTheRunGoesOn(t *testing.T) {
	dir := t.TempDir()
	w, err := NewWriter(dir)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "weights.parquet.partial")
	size := func() int64 {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	random := splitMix(1)
	last := int64(-1)
	for group := range 3 {
		for range GroupRows {
			w.Record(trace.Weight{Epoch: uint32(group), To: uint16(random.next()), Weight: uint32(uint16(random.next()))})
		}
		w.Record(trace.Weight{}) // the first of the next group sends the full one off
		for range batchRows {
			w.Record(trace.Weight{})
		}
		if now := size(); now <= last+GroupRows {
			t.Fatalf("after group %d the file has %d bytes, %d before: rows pile up in memory", group, now, last)
		} else {
			last = now
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "weights.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	pf, err := parquet.OpenFile(f, w.Tables()[0].Bytes)
	if err != nil {
		t.Fatal(err)
	}
	for i, g := range pf.RowGroups() {
		if g.NumRows() > GroupRows {
			t.Errorf("row group %d has %d rows, at most %d expected", i, g.NumRows(), GroupRows)
		}
	}
	if n := len(pf.RowGroups()); n != 4 {
		t.Errorf("%d row groups, expected 4", n)
	}
	if unit, _ := pf.Lookup("unit.weight"); unit != "1/65535" {
		t.Errorf("unit of column weight is %q in the file's metadata", unit)
	}
	if sum, _ := pf.Lookup("digest"); sum != w.Tables()[0].Digest {
		t.Errorf("digest in the file's metadata is %q", sum)
	}
}

func TestATableWithoutRowsHasNoFile(t *testing.T) {
	dir := t.TempDir()
	w, err := NewWriter(dir, trace.Blocks, trace.Faults)
	if err != nil {
		t.Fatal(err)
	}
	w.Record(trace.Block{Height: 1})
	w.Record(trace.Totals{Block: 1}) // not selected
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if names := list(t, dir); !reflect.DeepEqual(names, []string{"blocks.parquet"}) {
		t.Errorf("the folder holds %v", names)
	}
	r := &Run{Dir: dir, Manifest: Manifest{Tables: w.Tables()}}
	err = Rows(r, func(trace.Fault) error { return nil })
	if !errors.Is(err, ErrNoTable) {
		t.Errorf("reading a table that is not there: %v, expected ErrNoTable", err)
	}
}

func TestAWriterRefusesTheFolderOfAnotherRunAndUnknownTables(t *testing.T) {
	dir := t.TempDir()
	writeSynthetic(t, dir, trace.Ledger)
	if _, err := NewWriter(dir); err == nil || !strings.Contains(err.Error(), "choose another folder") {
		t.Errorf("writing over a run: %v", err)
	}
	if _, err := NewWriter(t.TempDir(), "neurons"); err == nil || !strings.Contains(err.Error(), `unknown table "neurons"`) {
		t.Errorf("an unknown table: %v", err)
	}
}

func TestAnInterruptedRunLeavesValidFilesAndAKilledOneOnlyPartialOnes(t *testing.T) {
	dir := t.TempDir()
	w, err := NewWriter(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(batchRows + 3) {
		w.Record(trace.Block{Height: i})
	}
	if names := list(t, dir); !reflect.DeepEqual(names, []string{"blocks.parquet.partial"}) {
		t.Fatalf("before Close the folder holds %v", names)
	}
	again, err := NewWriter(dir) // the first was killed: the second clears the folder
	if err != nil {
		t.Fatal(err)
	}
	if names := list(t, dir); len(names) != 0 {
		t.Fatalf("a new writer left %v", names)
	}
	again.Record(trace.Block{Height: 5})
	if err := again.Close(); err != nil { // interrupted after one row
		t.Fatal(err)
	}
	r := &Run{Dir: dir, Manifest: Manifest{Tables: again.Tables()}}
	if rows := readBack[trace.Block](t, r); len(rows) != 1 {
		t.Errorf("%d rows, expected 1", len(rows))
	}
	again.Record(trace.Block{Height: 6}) // too late, and harmless
	if err := again.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
}

// fullDisk fails at the n-th operation that may fail and at every later write.
type fullDisk struct {
	disk
	left *int
}

type fullFile struct {
	file
	left *int
}

var errFull = errors.New("no space left on device")

func spend(left *int) error {
	*left--
	if *left < 0 {
		return errFull
	}
	return nil
}

func (d fullDisk) Create(name string) (file, error) {
	if err := spend(d.left); err != nil {
		return nil, err
	}
	f, err := d.disk.Create(name)
	return fullFile{f, d.left}, err
}

func (d fullDisk) Rename(from, to string) error {
	if err := spend(d.left); err != nil {
		return err
	}
	return d.disk.Rename(from, to)
}

func (f fullFile) Write(p []byte) (int, error) {
	if err := spend(f.left); err != nil {
		return 0, err
	}
	return f.file.Write(p)
}

func (f fullFile) Sync() error {
	if err := spend(f.left); err != nil {
		return err
	}
	return f.file.Sync()
}

func TestAFailingDiskLeavesNothingHalfWritten(t *testing.T) {
	write := func(budget int) (dir string, w *Writer, used int, err error) {
		dir = t.TempDir()
		left := budget
		w, err = newWriter(fullDisk{disk(dir), &left}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range uint64(3 * batchRows) {
			w.Record(trace.Block{Height: i, Digest: trace.Some(fmt.Sprint(i))})
			w.Record(trace.Totals{Block: i})
		}
		err = w.Close()
		return dir, w, budget - left, err
	}
	_, _, total, err := write(1 << 30)
	if err != nil {
		t.Fatal(err)
	}
	for budget := range total {
		dir, w, _, err := write(budget)
		if !errors.Is(err, errFull) || !errors.Is(w.Err(), errFull) {
			t.Fatalf("operation %d of %d failed: Close returned %v, Err %v", budget, total, err, w.Err())
		}
		if names := list(t, dir); len(names) > 0 {
			t.Errorf("operation %d of %d failed: the folder holds %v", budget, total, names)
		}
		if len(w.Tables()) > 0 {
			t.Errorf("operation %d of %d failed: tables %v are listed", budget, total, w.Tables())
		}
	}
	if total < 8 {
		t.Errorf("only %d operations were tried", total)
	}
}

func list(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestColumnNamesAreSnakeCase(t *testing.T) {
	for name, want := range map[string]string{
		"UID": "uid", "TimeNs": "time_ns", "EmissionRao": "emission_rao", "HeldOutLoss": "held_out_loss",
		"ValidatorTrust": "validator_trust", "AnswerUID": "answer_uid", "To": "to",
	} {
		if got := snake(name); got != want {
			t.Errorf("snake(%q) = %q, expected %q", name, got, want)
		}
	}
}

func TestEveryColumnHasAUnitAndADescription(t *testing.T) {
	for _, name := range Tables() {
		for _, c := range Columns(name) {
			if c.Unit == "" || c.Doc == "" {
				t.Errorf("%s.%s: unit %q, doc %q", name, c.Name, c.Unit, c.Doc)
			}
		}
	}
	if Columns("neurons") != nil {
		t.Error("an unknown table has columns")
	}
}

// BenchmarkRecord writes rows of the widest table, digest included.
func BenchmarkRecord(b *testing.B) {
	w, err := NewWriter(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	random := splitMix(1)
	row := trace.Query{Subset: trace.Some("Github"), Code: success}
	b.ReportAllocs()
	for i := range b.N {
		row.TimeNs, row.Step, row.UID = int64(i)*1e8, uint32(i/10), uint16(random.next()%4096)
		loss := float32(random.next()>>40) / (1 << 24)
		row.Loss, row.EquivLoss, row.Base = &loss, trace.Some(loss*1.2), trace.Some(float64(loss)*1e3)
		w.Record(row)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(w.Tables()[0].Bytes)/float64(b.N), "B/row")
}
