package report

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"

	"taolab/sim/trace"
)

const (
	// GroupRows is the length of a row group and the most rows of a table that wait in memory.
	// All nine tables together hold about 70 MB at most, however long the run.
	GroupRows = 65_536

	// batchRows is how many rows are handed to the parquet writer at a time.
	batchRows = 512
)

// Writer writes a run's rows as they come, one file per table. It implements trace.Recorder.
//
// A file is named <table>.parquet.partial until Close, which renames all of them together when
// every one is complete. After a failed write all files are removed: a folder holds the tables of
// a whole recording (which an interruption may have cut short), or none. What a killed process
// leaves behind ends in .partial, and the next Writer in that folder removes it. A table without
// rows has no file.
//
// A Writer belongs to one goroutine.
type Writer struct {
	fs       files
	selected map[trace.Table]bool
	sinks    map[trace.Table]sink
	written  []TableInfo
	err      error
	closed   bool
}

var _ trace.Recorder = (*Writer)(nil)

// NewWriter makes dir where it is missing and writes the rows of the given tables into it, of all
// tables when none is given. It refuses a folder that holds a run already.
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
	if len(selection) == 0 {
		selection = Tables()
	}
	w := &Writer{fs: fs, selected: make(map[trace.Table]bool), sinks: make(map[trace.Table]sink)}
	for _, name := range selection {
		if _, ok := tableNamed(name); !ok {
			return nil, fmt.Errorf("unknown table %q, expected one of %v", name, Tables())
		}
		w.selected[name] = true
	}
	taken := []string{ManifestFile}
	for _, t := range tables {
		taken = append(taken, fileName(t.name))
	}
	for _, name := range taken {
		if fs.Exists(name) {
			return nil, fmt.Errorf("%s is there already: choose another folder, or remove the old run", name)
		}
		if fs.Exists(partial(name)) {
			if err := fs.Remove(partial(name)); err != nil {
				return nil, fmt.Errorf("clearing what a killed run left: %w", err)
			}
		}
	}
	return w, nil
}

func fileName(t trace.Table) string { return string(t) + ".parquet" }

// Record takes a row of a selected table and drops any other. After a failure it does nothing.
func (w *Writer) Record(row trace.Row) {
	if w.err != nil || w.closed {
		return
	}
	name := row.Table()
	s := w.sinks[name]
	if s == nil {
		if !w.selected[name] {
			return
		}
		t, _ := tableNamed(name)
		var err error
		if s, err = t.open(t, w.fs); err != nil {
			w.fail(name, err)
			return
		}
		w.sinks[name] = s
	}
	if err := s.add(row); err != nil {
		w.fail(name, err)
	}
}

// Err is the first failure, or nil. A run may ask now and then, to stop early on a full disk.
func (w *Writer) Err() error { return w.err }

func (w *Writer) fail(name trace.Table, err error) {
	if w.err == nil {
		w.err = fmt.Errorf("table %s: %w; free disk space or choose another folder, and run again", name, err)
	}
}

// Close finishes every file and gives it its name. On a failure, of now or of before, it removes
// them all and returns the first one. A second Close returns what the first returned.
func (w *Writer) Close() error {
	if w.closed {
		return w.err
	}
	w.closed = true
	for _, t := range tables {
		if s := w.sinks[t.name]; s != nil && w.err == nil {
			info, err := s.finish()
			if err != nil {
				w.fail(t.name, err)
			}
			w.written = append(w.written, info)
		}
	}
	for _, info := range w.written {
		if name := fileName(info.Table); w.err == nil {
			if err := w.fs.Rename(partial(name), name); err != nil {
				w.fail(info.Table, err)
			}
		}
	}
	if w.err != nil {
		w.removeAll()
	}
	return w.err
}

// removeAll takes back everything written, finished or not; what cannot be removed is told.
func (w *Writer) removeAll() {
	w.written = nil
	for _, t := range tables {
		s := w.sinks[t.name]
		if s == nil {
			continue
		}
		s.abandon()
		for _, name := range []string{fileName(t.name), partial(fileName(t.name))} {
			if !w.fs.Exists(name) {
				continue
			}
			if err := w.fs.Remove(name); err != nil {
				w.err = errors.Join(w.err, err)
			}
		}
	}
}

// Tables lists what was written, in the order of the documents; it is empty before Close and after
// a failure.
func (w *Writer) Tables() []TableInfo {
	if !w.closed {
		return nil
	}
	return w.written
}

// sink writes one table.
type sink interface {
	add(trace.Row) error
	finish() (TableInfo, error) // completes the file under its partial name and closes it
	abandon()                   // closes the file, whatever is in it
}

type typedSink[T trace.Row] struct {
	file   file
	out    *counter
	pq     *parquet.GenericWriter[T]
	batch  []T
	digest trace.Digester
	closed bool
}

func openSink[T trace.Row](t *table, fs files) (sink, error) {
	f, err := fs.Create(partial(fileName(t.name)))
	if err != nil {
		return nil, err
	}
	out := &counter{w: f}
	options := []parquet.WriterOption{
		parquet.Compression(&parquet.Zstd),
		parquet.MaxRowsPerRowGroup(GroupRows),
		parquet.CreatedBy("taolab", "1", "0"),
		parquet.KeyValueMetadata("table", string(t.name)),
	}
	for _, c := range t.columns {
		options = append(options,
			parquet.KeyValueMetadata("unit."+c.Name, c.Unit),
			parquet.KeyValueMetadata("doc."+c.Name, c.Doc))
	}
	for _, o := range t.options() {
		options = append(options, o.(parquet.WriterOption))
	}
	return &typedSink[T]{
		file: f, out: out,
		pq: parquet.NewGenericWriter[T](out, options...), batch: make([]T, 0, batchRows),
	}, nil
}

func (s *typedSink[T]) add(row trace.Row) error {
	r, ok := row.(T)
	if !ok {
		return fmt.Errorf("a row of type %T, expected %T", row, r)
	}
	s.digest.Record(r)
	s.batch = append(s.batch, r)
	if len(s.batch) < batchRows {
		return nil
	}
	return s.flush()
}

func (s *typedSink[T]) flush() error {
	_, err := s.pq.Write(s.batch)
	s.batch = s.batch[:0]
	return err
}

func (s *typedSink[T]) finish() (TableInfo, error) {
	sum := s.digest.Tables()[0] // a sink is opened for its first row
	info := TableInfo{Table: sum.Table, Rows: sum.Rows, Digest: hex.EncodeToString(sum.SHA256[:])}
	s.pq.SetKeyValueMetadata("digest", info.Digest)
	if err := s.flush(); err != nil {
		return info, err
	}
	if err := s.pq.Close(); err != nil {
		return info, err
	}
	if err := s.file.Sync(); err != nil {
		return info, err
	}
	s.closed = true
	info.Bytes = s.out.n
	return info, s.file.Close()
}

func (s *typedSink[T]) abandon() {
	if !s.closed {
		s.closed = true
		s.file.Close() // the file is about to be removed
	}
}

// counter counts the bytes that pass.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
