package report

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"

	"taolab/sim/snapshot"
	"taolab/sim/trace"
)

// A run that goes on from a snapshot needs its tables as they were then: the same rows, and none of
// those that came later, which will come again. The writer's state says how many rows there are and where
// the digests stand; Cut makes the files agree with it.

// AppendState appends what Reopen needs to go on from here. Every row must be synced.
func (w *Writer) AppendState(b []byte) ([]byte, error) {
	for _, t := range tables {
		if s := w.sinks[t.name]; s != nil && s.pending() > 0 {
			return nil, fmt.Errorf("table %s: %d rows are not synced", t.name, s.pending())
		}
	}
	c := snapshot.Append(b)
	w.layout(c)
	return c.Written(), c.Err()
}

// Reopen makes a writer that goes on in dir from the state of an earlier one. It touches no file: the
// caller calls Cut before the first row.
func Reopen(dir string, state []byte, selection ...trace.Table) (*Writer, error) {
	w, err := selecting(disk(dir), selection)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	c := snapshot.Read(state)
	w.layout(c)
	if err := c.End(); err != nil {
		return nil, fmt.Errorf("%s: the state of its tables cannot be read: %w", dir, err)
	}
	return w, nil
}

// layout codes the tables that have rows.
func (w *Writer) layout(c *snapshot.Coder) {
	var names []trace.Table
	for _, t := range tables {
		if s := w.sinks[t.name]; s != nil {
			names = append(names, t.name)
		}
	}
	snapshot.List(c, &names, func(name *trace.Table) {
		snapshot.Text(c, name)
		t, ok := tableNamed(*name)
		if !ok || c.Reading() && w.sinks[*name] != nil {
			c.Fail(fmt.Errorf("table %q is unknown or stands twice", *name))
			return
		}
		if c.Reading() {
			w.sinks[*name] = t.open(t, w.fs)
		}
		w.sinks[*name].layout(c)
	})
}

// Cut removes from the folder every row that the writer does not know of. On an error the rows that
// it does know of are still there.
func (w *Writer) Cut() error {
	for _, t := range tables {
		s := w.sinks[t.name]
		if s == nil {
			s = t.open(t, w.fs) // of no rows
		}
		if err := s.cut(); err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
	}
	return nil
}

// Copy fills the writer's own folder, which is empty, with the rows that it knows of, from the run
// that they were recorded in.
func (w *Writer) Copy(run string) error {
	for _, t := range tables {
		if s := w.sinks[t.name]; s != nil {
			if err := s.copy(disk(run)); err != nil {
				return fmt.Errorf("%s: table %s: %w", run, t.name, err)
			}
		}
	}
	return nil
}

// errOtherRows says that a folder's rows are not those of a snapshot.
var errOtherRows = errors.New("its rows are not those that the snapshot was made with: the folder was changed since")

// layout codes how far the table goes; where its rows lie is for the folder to say.
func (s *typedSink[T]) layout(c *snapshot.Coder) {
	c.Part(&s.digest)
	if !c.Reading() || c.Err() != nil {
		return
	}
	digests := s.digest.Tables()
	if len(digests) != 1 || digests[0].Table != s.table.name || digests[0].Rows == 0 {
		c.Fail(fmt.Errorf("table %s: digests %v, expected one of its rows", s.table.name, digests))
		return
	}
	s.rows = digests[0].Rows
	s.info.Rows, s.info.Digest = s.rows, s.sum()
}

// cut leaves on disk the rows that the sink knows of, and no others.
func (s *typedSink[T]) cut() error {
	name := fileName(s.table.name)
	for _, left := range []string{partial(string(s.table.name)), partial(name)} {
		if err := s.remove(left); err != nil {
			return err
		}
	}
	switch {
	case s.rows == 0:
		return errors.Join(s.remove(name), s.removeParts(func(string) bool { return false }))
	case s.fs.Exists(name):
		return s.cutWhole(name)
	}
	return s.cutParts()
}

// cutWhole makes a part of the first rows of the one file of all rows. Parts next to it are rests:
// their rows are in it.
func (s *typedSink[T]) cutWhole(name string) error {
	part, err := s.take(s.fs, []string{name})
	if err != nil {
		return err
	}
	if err = s.removeParts(func(string) bool { return false }); err == nil {
		err = s.place(part)
	}
	if err == nil {
		err = s.fs.Remove(name)
	}
	return err
}

// cutParts removes the parts behind the last row.
func (s *typedSink[T]) cutParts() error {
	var err error
	if s.parts, s.info.Bytes, err = s.find(s.fs); err != nil {
		return err
	}
	return s.removeParts(func(name string) bool {
		return slices.ContainsFunc(s.parts, func(first uint64) bool { return s.part(first) == name })
	})
}

// find is which parts of a folder hold the rows that the sink knows of, and their length.
func (s *typedSink[T]) find(in files) (parts []uint64, bytes int64, err error) {
	for next := uint64(0); next < s.rows; {
		rows, size, err := measure[T](in, s.part(next), s.table)
		switch {
		case errors.Is(err, os.ErrNotExist):
			return nil, 0, fmt.Errorf("%s is missing: %w", s.part(next), errOtherRows)
		case err != nil:
			return nil, 0, fmt.Errorf("%s: %w", s.part(next), err)
		case rows == 0 || rows > s.rows-next:
			return nil, 0, fmt.Errorf("%s has %d rows, expected 1 to %d: %w", s.part(next), rows, s.rows-next, errOtherRows)
		}
		parts, bytes, next = append(parts, next), bytes+size, next+rows
	}
	return parts, bytes, nil
}

// copy makes the table's first part of another folder's rows.
func (s *typedSink[T]) copy(from files) error {
	names := []string{fileName(s.table.name)}
	if !from.Exists(names[0]) {
		parts, _, err := s.find(from)
		if err != nil {
			return err
		}
		names = names[:0]
		for _, first := range parts {
			names = append(names, s.part(first))
		}
	}
	part, err := s.take(from, names)
	if err != nil {
		return err
	}
	return s.place(part)
}

// take writes the rows that the sink knows of into a file that is not a part yet.
func (s *typedSink[T]) take(from files, names []string) (*growing[T], error) {
	part, err := create[T](s.table, s.fs, partial(string(s.table.name)))
	if err != nil {
		return nil, err
	}
	var digest trace.Digester
	left := s.rows
	for _, name := range names {
		err = readFile(from, name, s.table, func(row T) error {
			if left == 0 {
				return errEnough
			}
			left--
			digest.Record(row)
			return part.add(row)
		})
		if err != nil && err != errEnough {
			part.abandon(s.fs)
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if sums := digest.Tables(); left > 0 || hex.EncodeToString(sums[0].SHA256[:]) != s.info.Digest {
		part.abandon(s.fs)
		return nil, errOtherRows
	}
	if err := part.finish(s.info.Digest); err != nil {
		part.abandon(s.fs)
		return nil, err
	}
	return part, nil
}

// place makes a file of all rows the table's one part.
func (s *typedSink[T]) place(part *growing[T]) error {
	folder := partsName(s.table.name)
	err := s.fs.Mkdir(folder)
	if err == nil {
		err = s.fs.Rename(part.name, s.part(0))
	}
	if err == nil {
		err = s.fs.Sync(folder)
	}
	if err == nil {
		err = s.fs.Sync("")
	}
	s.parts, s.info.Bytes = []uint64{0}, part.out.n
	return err
}

// removeParts removes the parts, and what is left of unfinished ones, but for those to keep.
func (s *typedSink[T]) removeParts(keep func(name string) bool) error {
	folder := partsName(s.table.name)
	names, err := s.fs.List(folder)
	if err != nil {
		return err
	}
	kept := 0
	for _, name := range names {
		if name = folder + "/" + name; keep(name) {
			kept++
		} else if err := s.fs.Remove(name); err != nil {
			return err
		}
	}
	if kept > 0 {
		return s.fs.Sync(folder)
	}
	return s.remove(folder)
}

// remove removes a file that may be there, or an empty folder.
func (s *typedSink[T]) remove(name string) error {
	if !s.fs.Exists(name) {
		return nil
	}
	return s.fs.Remove(name)
}

// measure is how many rows a file says it has, and its length.
func measure[T trace.Row](in files, name string, t *table) (rows uint64, size int64, err error) {
	f, err := in.Open(name)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	if size, err = f.Size(); err != nil {
		return 0, 0, err
	}
	err = guarded(func() error {
		reader, err := openRows[T](f, t)
		if err == nil {
			rows = uint64(reader.NumRows())
			err = reader.Close()
		}
		return err
	})
	return rows, size, err
}
