package report

import (
	"errors"
	"fmt"
	"os"

	"taolab/sim/snapshot"
	"taolab/sim/trace"
)

const (
	// GroupRows is the length of a row group and the most rows of a table that wait in memory.
	// All tables together hold about 100 MB at most, however long the run.
	GroupRows = 16_384

	// PartRows is the most rows of a part.
	PartRows = 1 << 20

	// pageBytes is the most that a column gathers before it is compressed as a page. With a batch of
	// rows on top it stays within one zstd block of 128 KiB: a longer page costs the encoder a history
	// of 16 MiB, which a long run would take and a short one would not.
	pageBytes = 64 << 10

	// batchRows is how many rows are handed to the parquet writer at a time.
	batchRows = 512
)

// Writer writes a run's rows as they come, each table for itself. It implements trace.Recorder.
//
// A table grows in NAME.partial. Sync, which the owner of the writer calls now and then, and every
// PartRows rows make a whole parquet file of it, which is synced and gets its name:
// NAME.parts/FIRST.parquet, after the table's first row in it. Close makes NAME.parquet of all rows,
// the same bytes wherever the parts were cut, and removes the parts when that file is synced and
// its rows were read back. So a folder holds, at every moment and after a kill -9, each row that
// was synced, in NAME.parquet if it is there and in NAME.parts if not.
//
// After a failed write the writer takes no more rows; Close then syncs what it can and leaves the
// parts. Nothing that can be read is ever removed before its rows are whole elsewhere in the folder.
// A table without rows has no file.
//
// A Writer belongs to one goroutine.
type Writer struct {
	fs       files
	partRows uint64
	selected map[trace.Table]bool
	sinks    map[trace.Table]sink
	err      error
	closed   bool
}

var _ trace.Recorder = (*Writer)(nil)

// NewWriter makes dir where it is missing and writes the rows of the given tables into it, of all
// tables when none is given. It refuses a folder that holds tables already.
func NewWriter(dir string, selection ...trace.Table) (*Writer, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	w, err := newWriter(disk(dir), selection)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return w, nil
}

func newWriter(fs files, selection []trace.Table) (*Writer, error) {
	w, err := selecting(fs, selection)
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		for _, name := range []string{fileName(t.name), partsName(t.name), partial(string(t.name))} {
			if fs.Exists(name) {
				return nil, fmt.Errorf("%s is there already: choose another folder, or remove the old run", name)
			}
		}
	}
	return w, nil
}

// selecting is a writer of the given tables that has looked at no file.
func selecting(fs files, selection []trace.Table) (*Writer, error) {
	if len(selection) == 0 {
		selection = Tables()
	}
	w := &Writer{
		fs: fs, partRows: PartRows,
		selected: make(map[trace.Table]bool), sinks: make(map[trace.Table]sink),
	}
	for _, name := range selection {
		if _, ok := tableNamed(name); !ok {
			return nil, fmt.Errorf("unknown table %q, expected one of %v", name, Tables())
		}
		w.selected[name] = true
	}
	return w, nil
}

func fileName(t trace.Table) string  { return string(t) + ".parquet" }
func partsName(t trace.Table) string { return string(t) + ".parts" }

// Record takes a row of a selected table and drops any other. After a failure it does nothing.
func (w *Writer) Record(row trace.Row) {
	name := row.Table()
	if w.err != nil || w.closed || !w.selected[name] {
		return
	}
	s := w.sinks[name]
	if s == nil {
		t, _ := tableNamed(name)
		s = t.open(t, w.fs)
		w.sinks[name] = s
	}
	err := s.add(row)
	if err == nil && s.pending() >= w.partRows {
		err = s.sync()
	}
	if err != nil {
		s.abandon()
		w.fail(name, err)
	}
}

// Err is the first failure, or nil. A run asks for it to end early on a full disk.
func (w *Writer) Err() error { return w.err }

func (w *Writer) fail(name trace.Table, err error) {
	if w.err == nil {
		w.err = fmt.Errorf("table %s: %w", name, err)
	}
}

// Sync puts every row so far into a whole file on disk.
func (w *Writer) Sync() error {
	if w.err == nil && !w.closed {
		w.syncAll()
	}
	return w.err
}

// syncAll syncs every table, whatever becomes of another.
func (w *Writer) syncAll() {
	for _, t := range tables {
		if s := w.sinks[t.name]; s != nil {
			if err := s.sync(); err != nil {
				s.abandon()
				w.fail(t.name, err)
			}
		}
	}
}

// Close makes one file of each table. After a failure, of now or of before, the tables that are not
// whole in one file stay in their parts, and Close returns the first failure. A second Close returns
// what the first returned.
func (w *Writer) Close() error {
	if w.closed {
		return w.err
	}
	w.closed = true
	if w.err != nil {
		w.syncAll()
		return w.err
	}
	for _, t := range tables {
		if s := w.sinks[t.name]; s != nil {
			if err := s.finish(); err != nil {
				s.abandon()
				w.fail(t.name, err)
			}
		}
	}
	return w.err
}

// Tables lists what is whole on disk, in the order of the documents.
func (w *Writer) Tables() []TableInfo {
	var list []TableInfo
	for _, t := range tables {
		if s := w.sinks[t.name]; s != nil && s.whole().Rows > 0 {
			list = append(list, s.whole())
		}
	}
	return list
}

// sink writes one table.
type sink interface {
	add(trace.Row) error
	pending() uint64  // rows that are not whole on disk
	sync() error      // makes them a part
	finish() error    // makes one file of all rows
	abandon()         // gives up what is not whole
	whole() TableInfo // what is on disk

	layout(*snapshot.Coder) // codes how far the table goes
	cut() error             // removes the rows on disk that it does not know of
	copy(from files) error  // brings those that it knows of from another folder
}

// errVerify says that a table read back differs from what was recorded.
var errVerify = errors.New("its rows read back are not those that were recorded: the disk is faulty")
