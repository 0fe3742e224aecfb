package report

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/parquet-go/parquet-go"

	"taolab/sim/trace"
)

// ErrNoTable says that a run did not record a table, or recorded no row of it.
var ErrNoTable = errors.New("table was not recorded")

// Run is a finished run's folder.
type Run struct {
	Dir      string
	Manifest Manifest
	Window   Window // epochs that statistics are taken over; zero: the last quarter
}

// Open reads a run's manifest and checks that every table that it lists is there, whole.
func Open(dir string) (*Run, error) {
	m, err := ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	r := &Run{Dir: dir, Manifest: m}
	for _, t := range m.Tables {
		info, err := os.Stat(r.path(t.Table))
		if err != nil {
			return nil, fmt.Errorf("%w; %s lists it: the folder is incomplete", err, ManifestFile)
		}
		if info.Size() != t.Bytes {
			return nil, fmt.Errorf("%s: %d bytes, %s says %d: the file was changed or cut",
				r.path(t.Table), info.Size(), ManifestFile, t.Bytes)
		}
	}
	return r, nil
}

func (r *Run) path(t trace.Table) string { return filepath.Join(r.Dir, fileName(t)) }

// Has reports whether the run recorded rows of the table.
func (r *Run) Has(t trace.Table) bool {
	for _, info := range r.Manifest.Tables {
		if info.Table == t {
			return true
		}
	}
	return false
}

// Recorded reports whether the run was asked to record the table, though no row may have come. Of
// runs whose manifest does not say, it is what Has says.
func (r *Run) Recorded(t trace.Table) bool {
	return r.Has(t) || slices.Contains(r.Manifest.Recorded, t)
}

// Rows calls do with every row of T's table in the order of recording, holding a bounded number in
// memory. It ends at the first error, and returns it. The error is ErrNoTable for a table that the
// run did not record.
func Rows[T trace.Row](r *Run, do func(T) error) error {
	var zero T
	t, ok := tableNamed(zero.Table())
	if !ok || !r.Has(t.name) {
		return fmt.Errorf("%s: %s: %w", r.Dir, zero.Table(), ErrNoTable)
	}
	path := r.path(t.name)
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := readRows(f, t, do); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func readRows[T trace.Row](f *os.File, t *table, do func(T) error) error {
	var rows *parquet.GenericReader[T]
	if err := guarded(func() (err error) {
		rows, err = openRows[T](f, t)
		return err
	}); err != nil {
		return err
	}
	defer guarded(rows.Close)
	batch := make([]T, batchRows)
	for {
		n := 0
		err := guarded(func() (err error) {
			n, err = rows.Read(batch)
			return err
		})
		for _, row := range batch[:n] {
			if err := do(row); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return errors.New("the file is damaged: it holds fewer rows than it says")
		}
	}
}

// guarded turns a panic of the parquet library, which trusts the lengths in a file, into an error.
func guarded(read func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the file is damaged: %v", p)
		}
	}()
	return read()
}

func openRows[T trace.Row](f *os.File, t *table) (*parquet.GenericReader[T], error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := footerFits(f, info.Size()); err != nil {
		return nil, err
	}
	pf, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		return nil, err
	}
	var zero T
	var columns []parquet.SchemaOption
	var options []parquet.ReaderOption
	for _, o := range t.options() {
		columns, options = append(columns, o), append(options, o.(parquet.ReaderOption))
	}
	if err := sameColumns(t, parquet.SchemaOf(zero, columns...), pf.Schema()); err != nil {
		return nil, err
	}
	return parquet.NewGenericReader[T](pf, options...), nil
}

// footerFits reads the length of the footer, which stands before the last four bytes, and refuses
// one that the file cannot hold: the library would take as much memory.
func footerFits(f *os.File, size int64) error {
	var length [4]byte
	const ends = 4 + 4 + 4 // the magic word at both ends, and the length
	if size < ends {
		return fmt.Errorf("the file is damaged: %d bytes are no table", size)
	}
	if _, err := f.ReadAt(length[:], size-8); err != nil {
		return err
	}
	if n := int64(binary.LittleEndian.Uint32(length[:])); n > size-ends {
		return fmt.Errorf("the file is damaged: a footer of %d bytes in a file of %d", n, size)
	}
	return nil
}

// sameColumns refuses a file of another layout, which would read as rows of zeros.
func sameColumns(t *table, want, have *parquet.Schema) error {
	fields := have.Fields()
	if len(fields) != len(t.columns) {
		return fmt.Errorf("%d columns, expected %d: written by another version of taolab", len(fields), len(t.columns))
	}
	for i, expected := range want.Fields() {
		if fields[i].Name() != expected.Name() || !parquet.EqualNodes(fields[i], expected) {
			return fmt.Errorf("column %d is %q (%v), expected %q (%v): written by another version of taolab",
				i, fields[i].Name(), fields[i], expected.Name(), expected)
		}
	}
	return nil
}
