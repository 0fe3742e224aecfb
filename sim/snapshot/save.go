package snapshot

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
)

// pageBytes is the size of a write.
const pageBytes = 1 << 20

// Save writes a snapshot to a file atomically: it is called NAME.partial until all of it is synced. On
// an error Save removes that file and leaves an older one as it was.
func Save(path string, write func(*Writer) error) error {
	partial := path + ".partial"
	f, err := os.Create(partial)
	if err != nil {
		return err
	}
	page := bufio.NewWriterSize(f, pageBytes)
	out := NewWriter(page)
	if err = write(out); err == nil {
		err = out.Close()
	}
	if err == nil {
		err = page.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(partial, path)
	}
	if err != nil {
		os.Remove(partial) // the first error counts
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Open opens a snapshot while read runs.
func Open(path string, read func(*Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	in, err := NewReader(bufio.NewReaderSize(f, pageBytes))
	if err != nil {
		return err
	}
	return read(in)
}
