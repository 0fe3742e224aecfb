package report

import (
	"encoding/hex"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"

	"taolab/sim/trace"
)

// typedSink writes one table.
type typedSink[T trace.Row] struct {
	table  *table
	fs     files
	digest trace.Digester
	rows   uint64
	parts  []uint64  // the place of each one's first row: eight bytes for 45 seconds of a run
	info   TableInfo // of the rows in parts, or in the one file
	open   *growing[T]
}

func openSink[T trace.Row](t *table, fs files) sink {
	return &typedSink[T]{table: t, fs: fs, info: TableInfo{Table: t.name}}
}

func (s *typedSink[T]) add(row trace.Row) error {
	r, ok := row.(T)
	if !ok {
		return fmt.Errorf("a row of type %T, expected %T", row, r)
	}
	if s.open == nil {
		var err error
		if s.open, err = create[T](s.table, s.fs, partial(string(s.table.name))); err != nil {
			return err
		}
	}
	s.digest.Record(r)
	s.rows++
	return s.open.add(r)
}

func (s *typedSink[T]) pending() uint64  { return s.rows - s.info.Rows }
func (s *typedSink[T]) whole() TableInfo { return s.info }

// sum is the digest of all rows so far; there is one at least.
func (s *typedSink[T]) sum() string {
	digest := s.digest.Tables()[0].SHA256
	return hex.EncodeToString(digest[:])
}

func (s *typedSink[T]) sync() error {
	if s.open == nil {
		return nil
	}
	sum := s.sum()
	if err := s.open.finish(sum); err != nil {
		return err
	}
	folder, name := partsName(s.table.name), s.part(s.info.Rows)
	if len(s.parts) == 0 {
		if err := s.fs.Mkdir(folder); err != nil {
			return err
		}
		if err := s.fs.Sync(""); err != nil {
			return err
		}
	}
	if err := s.fs.Rename(s.open.name, name); err != nil {
		return err
	}
	s.parts = append(s.parts, s.info.Rows)
	s.info.Rows, s.info.Digest = s.rows, sum
	s.info.Bytes += s.open.out.n
	s.open = nil
	return s.fs.Sync(folder)
}

// part is the name of the part that begins with a row.
func (s *typedSink[T]) part(first uint64) string {
	return fmt.Sprintf("%s/%012d.parquet", partsName(s.table.name), first)
}

// finish makes one file of all rows: the only one that there is, or a merged one.
func (s *typedSink[T]) finish() error {
	if len(s.parts) > 0 {
		if err := s.sync(); err != nil {
			return err
		}
		return s.merge()
	}
	sum := s.sum() // a sink is opened for its first row
	if err := s.open.finish(sum); err != nil {
		return err
	}
	if err := s.fs.Rename(s.open.name, fileName(s.table.name)); err != nil {
		return err
	}
	s.info.Rows, s.info.Digest, s.info.Bytes = s.rows, sum, s.open.out.n
	s.open = nil
	return s.fs.Sync("")
}

// merge writes the rows of all parts into one file, as if they had never been cut, and removes the
// parts when the file is known to hold them.
func (s *typedSink[T]) merge() error {
	merged, err := create[T](s.table, s.fs, partial(fileName(s.table.name)))
	if err != nil {
		return err
	}
	for _, first := range s.parts {
		if err == nil {
			err = readFile(s.fs, s.part(first), s.table, merged.add)
		}
	}
	if err == nil {
		err = merged.finish(s.info.Digest)
	}
	if err == nil {
		err = s.verify(merged.name)
	}
	if err == nil {
		err = s.fs.Rename(merged.name, fileName(s.table.name))
	}
	if err == nil {
		err = s.fs.Sync("")
	}
	if err != nil {
		merged.abandon(s.fs) // its rows are in the parts
		return err
	}
	s.info.Bytes = merged.out.n
	for _, first := range s.parts {
		if err := s.fs.Remove(s.part(first)); err != nil {
			return err
		}
	}
	s.parts = nil
	return s.fs.Remove(partsName(s.table.name))
}

// verify reads a file back and compares its rows with those that were recorded.
func (s *typedSink[T]) verify(name string) error {
	var d trace.Digester
	if err := readFile(s.fs, name, s.table, func(row T) error { d.Record(row); return nil }); err != nil {
		return err
	}
	for _, t := range d.Tables() {
		if hex.EncodeToString(t.SHA256[:]) == s.info.Digest {
			return nil
		}
	}
	return errVerify
}

// abandon gives up the rows that are not whole on disk. Nobody can read a parquet file without its
// end, and the space may be what other tables need for theirs.
func (s *typedSink[T]) abandon() {
	if s.open != nil && !s.open.closed {
		s.open.abandon(s.fs)
	}
	s.open = nil
}

// growing is a parquet file that is being written.
type growing[T trace.Row] struct {
	name   string
	file   file
	out    *counter
	pq     *parquet.GenericWriter[T]
	batch  []T
	closed bool
}

func create[T trace.Row](t *table, fs files, name string) (*growing[T], error) {
	f, err := fs.Create(name)
	if err != nil {
		return nil, err
	}
	out := &counter{w: f}
	options := []parquet.WriterOption{
		parquet.Compression(&parquet.Zstd),
		parquet.MaxRowsPerRowGroup(GroupRows),
		parquet.PageBufferSize(pageBytes),
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
	return &growing[T]{
		name: name, file: f, out: out,
		pq: parquet.NewGenericWriter[T](out, options...), batch: make([]T, 0, batchRows),
	}, nil
}

// add takes a row. Batches are as long in every file, so that equal rows make equal bytes.
func (g *growing[T]) add(row T) error {
	g.batch = append(g.batch, row)
	if len(g.batch) < batchRows {
		return nil
	}
	return g.flush()
}

func (g *growing[T]) flush() error {
	_, err := g.pq.Write(g.batch)
	g.batch = g.batch[:0]
	return err
}

// finish completes the file, with the digest of the table's rows up to its last one.
func (g *growing[T]) finish(digest string) error {
	if err := g.flush(); err != nil {
		return err
	}
	g.pq.SetKeyValueMetadata("digest", digest)
	if err := g.pq.Close(); err != nil {
		return err
	}
	if err := g.file.Sync(); err != nil {
		return err
	}
	g.closed = true
	return g.file.Close()
}

func (g *growing[T]) abandon(fs files) {
	if !g.closed {
		g.closed = true
		g.file.Close() // the file is about to be removed
	}
	fs.Remove(g.name) // the first error is the one to tell
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
