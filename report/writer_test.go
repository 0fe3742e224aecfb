package report

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
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
		trace.Applications: readBack[trace.Application](t, r), trace.Nodes: readBack[trace.Node](t, r),
		trace.Seats: readBack[trace.Seat](t, r), trace.Transactions: readBack[trace.Transaction](t, r),
		trace.Answers: readBack[trace.Answer](t, r), trace.Scores: readBack[trace.Score](t, r),
		trace.Decisions: readBack[trace.Decision](t, r),
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
	path := filepath.Join(dir, "weights.partial")
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

// pieces writes blocks and faults and syncs them after each of the given numbers of blocks.
func pieces(t *testing.T, dir string, blocks uint64, syncs ...uint64) *Writer {
	t.Helper()
	w, err := NewWriter(dir)
	if err != nil {
		t.Fatal(err)
	}
	random := splitMix(3)
	for i := range blocks {
		if slices.Contains(syncs, i) {
			if err := w.Sync(); err != nil {
				t.Fatal(err)
			}
		}
		row := trace.Block{Height: i, TimeNs: int64(i) * 12e9, Included: uint32(random.next() % 9)}
		if random.next()%3 == 0 {
			row.Digest = trace.Some(fmt.Sprintf("%016x", random.next()))
		}
		w.Record(row)
		if i%7 == 0 {
			w.Record(trace.Fault{TimeNs: int64(i), Kind: "loss", Detail: fmt.Sprint(i)})
		}
	}
	return w
}

func TestEqualRowsMakeEqualBytesWhereverTheyWereCut(t *testing.T) {
	const blocks = 3*GroupRows + 100
	want := map[string]string{}
	for i, cut := range []struct {
		partRows uint64
		syncs    []uint64
	}{
		{PartRows, nil},
		{PartRows, []uint64{1}},
		{PartRows, []uint64{blocks - 1}},
		{PartRows, []uint64{5, 6, 511, 512, 513, GroupRows - 1, GroupRows, GroupRows + 1, 2*GroupRows + 77}},
		{50_001, nil},
		{9_999, []uint64{7, 20_000, 70_000}},
	} {
		dir := t.TempDir()
		w := pieces(t, dir, 0)
		w.partRows = cut.partRows
		random := splitMix(5)
		for i := range uint64(blocks) {
			if slices.Contains(cut.syncs, i) {
				if err := w.Sync(); err != nil {
					t.Fatal(err)
				}
			}
			w.Record(trace.Block{Height: i, TimeNs: int64(random.next() >> 20), Included: uint32(i % 5)})
			if i%9000 == 0 {
				w.Record(trace.Fault{TimeNs: int64(i), Kind: "loss", Detail: fmt.Sprint(i)})
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if names := list(t, dir); !slices.Equal(names, []string{"blocks.parquet", "faults.parquet"}) {
			t.Fatalf("cut %d: the folder holds %v", i, names)
		}
		for _, name := range list(t, dir) {
			text := read(t, filepath.Join(dir, name))
			if want[name] == "" {
				want[name] = text
			}
			if text != want[name] {
				t.Errorf("cut %d: %s has %d other bytes than without cuts, %d", i, name, len(text), len(want[name]))
			}
		}
		for _, info := range w.Tables() {
			if got := int64(len(read(t, filepath.Join(dir, fileName(info.Table))))); info.Bytes != got {
				t.Errorf("cut %d: %s is listed with %d bytes and has %d", i, info.Table, info.Bytes, got)
			}
		}
	}
}

// A killed process leaves the folder as it stood: what was synced is read, by us and by
// only the names of its files.
func TestWhatWasSyncedIsReadAfterAKill(t *testing.T) {
	dir := t.TempDir()
	w := pieces(t, dir, 1000, 300, 700, 701)
	listed := w.Tables()
	r := &Run{Dir: dir, Manifest: Manifest{Format: ManifestFormat, Tables: listed}}
	if listed[0].Table != trace.Blocks || listed[0].Rows != 701 {
		t.Fatalf("listed %v, expected 701 blocks", listed)
	}
	rows := readBack[trace.Block](t, r)
	if len(rows) != 701 || rows[700].(trace.Block).Height != 700 {
		t.Errorf("%d rows were read, expected 701", len(rows))
	}
	if got := len(readBack[trace.Fault](t, r)); got != 101 {
		t.Errorf("%d faults were read, expected 101", got)
	}
	if names := list(t, filepath.Join(dir, "blocks.parts")); !slices.Equal(names,
		[]string{"000000000000.parquet", "000000000300.parquet", "000000000700.parquet"}) {
		t.Errorf("the parts are %v", names)
	}
	if _, err := NewWriter(dir); err == nil || !strings.Contains(err.Error(), "blocks.parts is there already") {
		t.Errorf("a second writer in the folder of a killed run: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "blocks.parts", "000000000300.parquet")); err != nil {
		t.Fatal(err)
	}
	err := Rows(r, func(trace.Block) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "000000000700.parquet: it begins with row 700, but 300 rows lie before it") {
		t.Errorf("a missing part: %v", err)
	}
}

// Between the new file's name and the removal of the parts both are there: the rows count once.
func TestRowsAreNotDoubledByAKillWhileTheyAreMerged(t *testing.T) {
	dir := t.TempDir()
	w := pieces(t, dir, 100, 50)
	saved := t.TempDir()
	if err := os.CopyFS(saved, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, "blocks.parts"), os.DirFS(filepath.Join(saved, "blocks.parts"))); err != nil {
		t.Fatal(err)
	}
	r := &Run{Dir: dir, Manifest: Manifest{Format: ManifestFormat}}
	if got := len(readBack[trace.Block](t, r)); got != 100 {
		t.Errorf("%d rows, expected 100", got)
	}
}

func TestAClosedWriterTakesNoMoreRows(t *testing.T) {
	dir := t.TempDir()
	w := pieces(t, dir, 5)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w.Record(trace.Block{Height: 6}) // too late, and harmless
	if err := errors.Join(w.Sync(), w.Close()); err != nil {
		t.Errorf("a second Close: %v", err)
	}
	if w.Tables()[0].Rows != 5 {
		t.Errorf("listed %v", w.Tables())
	}
}

// fullDisk fails at the n-th operation that may fail and at every later one that needs space.
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

func (d fullDisk) Mkdir(name string) error {
	if err := spend(d.left); err != nil {
		return err
	}
	return d.disk.Mkdir(name)
}

func (d fullDisk) Sync(name string) error {
	if err := spend(d.left); err != nil {
		return err
	}
	return d.disk.Sync(name)
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

// TestAFullDiskTakesNothingThatWasSynced lets each operation fail in turn, the merging at the end
// among them, and reads what is left.
func TestAFullDiskTakesNothingThatWasSynced(t *testing.T) {
	const blocks = 5 * batchRows
	write := func(budget int) (dir string, w *Writer, synced uint64, used int, err error) {
		dir = t.TempDir()
		left := budget
		w, err = newWriter(fullDisk{disk(dir), &left}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range uint64(blocks) {
			if i%600 == 599 && w.Sync() == nil {
				synced = i
			}
			w.Record(trace.Block{Height: i, Digest: trace.Some(fmt.Sprint(i))})
			w.Record(trace.Totals{Block: i})
		}
		err = w.Close()
		return dir, w, synced, budget - left, err
	}
	_, _, _, total, err := write(1 << 30)
	if err != nil {
		t.Fatal(err)
	}
	for budget := range total {
		dir, w, synced, _, err := write(budget)
		if !errors.Is(err, errFull) || !errors.Is(w.Err(), errFull) {
			t.Fatalf("operation %d of %d failed: Close returned %v, Err %v", budget, total, err, w.Err())
		}
		r := &Run{Dir: dir, Manifest: Manifest{Format: ManifestFormat, Tables: w.Tables()}}
		count := func(table trace.Table, rows func() []trace.Row) {
			have := 0
			if r.Has(table) {
				have = len(rows())
			}
			if uint64(have) < max(synced, r.listed(table).Rows) {
				t.Errorf("operation %d of %d failed: %d rows of %s are left, %d were synced, %d are listed",
					budget, total, have, table, synced, r.listed(table).Rows)
			}
		}
		count(trace.Blocks, func() []trace.Row { return readBack[trace.Block](t, r) })
		count(trace.Ledger, func() []trace.Row { return readBack[trace.Totals](t, r) })
	}
	if total < 60 {
		t.Errorf("only %d operations were tried", total)
	}
}

// A part whose bytes changed on disk is noticed when the parts are merged: they stay.
func TestPartsStayWhereTheMergedRowsDiffer(t *testing.T) {
	dir := t.TempDir()
	w := pieces(t, dir, 100, 50)
	other := t.TempDir()
	v := pieces(t, other, 50, 49) // one row fewer in its first part
	if err := v.Sync(); err != nil {
		t.Fatal(err)
	}
	part := filepath.Join("blocks.parts", "000000000000.parquet")
	if err := os.WriteFile(filepath.Join(dir, part), []byte(read(t, filepath.Join(other, part))), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); !errors.Is(err, errVerify) {
		t.Errorf("Close: %v, expected %v", err, errVerify)
	}
	if names := list(t, dir); !slices.Contains(names, "blocks.parts") || slices.Contains(names, "blocks.parquet") {
		t.Errorf("the folder holds %v", names)
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
