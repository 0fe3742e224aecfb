package report

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"

	"taolab/sim/trace"
)

// ErrNoTable says that a run did not record a table, or recorded no row of it.
var ErrNoTable = errors.New("table was not recorded")

// Run is the folder of a run: of one that has ended, of one that was killed, or of one that still
// goes on.
type Run struct {
	Dir      string
	Manifest Manifest
	Window   Window // epochs that statistics are taken over; zero: the last quarter
	Arm      string // name of its arm in a comparison; empty: the name of its scenario
}

// Open reads a run's manifest and checks that every table that it lists is there, whole.
func Open(dir string) (*Run, error) {
	m, err := ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	r := &Run{Dir: dir, Manifest: m}
	for _, t := range m.Tables {
		path := r.path(fileName(t.Table))
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) && len(r.parts(t.Table)) > 0: // each part is checked when it is read
		case err != nil:
			return nil, fmt.Errorf("%w; %s lists it: the folder is incomplete", err, ManifestFile)
		case info.Size() != t.Bytes && m.Whole():
			return nil, fmt.Errorf("%s: %d bytes, %s says %d: the file was changed or cut",
				path, info.Size(), ManifestFile, t.Bytes)
		}
	}
	return r, nil
}

func (r *Run) path(name string) string { return filepath.Join(r.Dir, name) }

// parts lists the parts of a table in the order of its rows.
func (r *Run) parts(t trace.Table) []string {
	paths, _ := filepath.Glob(filepath.Join(globEscaped(r.Dir), partsName(t), "*.parquet")) // sorted, as the names are
	return paths
}

// globEscaped is a folder's name as a pattern that matches only it.
func globEscaped(dir string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(dir)
}

// stored lists the files that hold a table's rows: the one file of all of them, or its parts.
func (r *Run) stored(t trace.Table) []string {
	whole := r.path(fileName(t))
	if _, err := os.Stat(whole); err == nil {
		return []string{whole}
	}
	return r.parts(t)
}

// listed is what the manifest says of a table; nothing, if it does not list it.
func (r *Run) listed(t trace.Table) TableInfo {
	for _, info := range r.Manifest.Tables {
		if info.Table == t {
			return info
		}
	}
	return TableInfo{}
}

// Has reports whether the run recorded rows of the table.
func (r *Run) Has(t trace.Table) bool {
	return r.listed(t).Table == t || !r.Manifest.Whole() && len(r.stored(t)) > 0
}

// Recorded reports whether the run was asked to record the table, though no row may have come. Of
// runs whose manifest does not say, it is what Has says.
func (r *Run) Recorded(t trace.Table) bool {
	return r.Has(t) || slices.Contains(r.Manifest.Recorded, t)
}

// Rows calls do with every row of T's table in the order of recording, holding a bounded number in
// memory. It ends at the first error, and returns it. The error is ErrNoTable for a table that the
// run did not record. Rows that the first release wrote are translated.
func Rows[T trace.Row](r *Run, do func(T) error) error {
	return scan(r, func(row T, _ trace.Row) error { return do(row) })
}

// scan calls do with every row of T's table and with the row as it was recorded: the digest in
// run.json is over those.
func scan[T trace.Row](r *Run, do func(row T, recorded trace.Row) error) error {
	var zero T
	t, ok := tableNamed(zero.Table())
	if !ok || !r.Has(t.name) {
		return fmt.Errorf("%s: %s: %w", r.Dir, zero.Table(), ErrNoTable)
	}
	if r.Manifest.Format == firstFormat {
		return scanFirst(r, do)
	}
	return scanFiles(r, t, func(row T) error { return do(row, row) })
}

// scanFiles calls do with the rows of a table's files. Each part tells by its name how many rows lie
// before it.
func scanFiles[T trace.Row](r *Run, t *table, do func(T) error) error {
	paths, rows := r.stored(t.name), uint64(0)
	if len(paths) == 0 {
		return fmt.Errorf("%s: there is neither %s nor a folder %s with parts in it, though %s lists the table",
			r.Dir, fileName(t.name), partsName(t.name), ManifestFile)
	}
	for _, path := range paths {
		if first, ok := firstRow(path); ok && first != rows {
			return fmt.Errorf("%s: it begins with row %d, but %d rows lie before it: a part is missing",
				path, first, rows)
		}
		err := readFile(disk(""), path, t, func(row T) error {
			rows++
			return do(row)
		})
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// firstRow is the place in the table of a part's first row, as its name has it.
func firstRow(path string) (uint64, bool) {
	name := strings.TrimSuffix(filepath.Base(path), ".parquet")
	first, err := strconv.ParseUint(name, 10, 64)
	return first, err == nil && filepath.Ext(filepath.Dir(path)) == ".parts"
}

func readFile[T trace.Row](fs files, name string, t *table, do func(T) error) error {
	f, err := fs.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return readRows(f, t, do)
}

func readRows[T trace.Row](f input, t *table, do func(T) error) error {
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

func openRows[T trace.Row](f input, t *table) (*parquet.GenericReader[T], error) {
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	if err := footerFits(f, size); err != nil {
		return nil, err
	}
	pf, err := parquet.OpenFile(f, size)
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
func footerFits(f io.ReaderAt, size int64) error {
	var length [4]byte
	const ends = 4 + 4 + 4 // the magic word at both ends, and the length
	if size < ends {
		return fmt.Errorf("the file is damaged: %d bytes are not a table", size)
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
