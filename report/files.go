package report

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// files is the folder that a run is written to; tests put a failing one in its place.
type files interface {
	Create(name string) (file, error) // truncates
	Open(name string) (input, error)
	Mkdir(name string) error // no error where the folder exists
	Rename(from, to string) error
	Remove(name string) error // a file, or an empty folder
	Exists(name string) bool
	List(name string) ([]string, error) // what is in a folder, in order; nothing where there is none
	Sync(name string) error             // what a folder lists; "" is the run's own
}

type file interface {
	io.WriteCloser
	Sync() error
}

// input is a file that is read, wherever in it.
type input interface {
	io.ReaderAt
	io.Closer
	Size() (int64, error)
}

// disk is a folder on disk.
type disk string

func (d disk) path(name string) string { return filepath.Join(string(d), name) }

func (d disk) Create(name string) (file, error) { return os.Create(d.path(name)) }
func (d disk) Open(name string) (input, error)  { return openInput(d.path(name)) }
func (d disk) Rename(from, to string) error     { return os.Rename(d.path(from), d.path(to)) }
func (d disk) Remove(name string) error         { return os.Remove(d.path(name)) }

func (d disk) Mkdir(name string) error {
	err := os.Mkdir(d.path(name), 0o777)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	return err
}

func (d disk) Exists(name string) bool {
	_, err := os.Lstat(d.path(name))
	return err == nil
}

func (d disk) List(name string) ([]string, error) {
	entries, err := os.ReadDir(d.path(name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

func (d disk) Sync(name string) error {
	f, err := os.Open(d.path(name))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// diskFile is an input on disk.
type diskFile struct{ *os.File }

func openInput(path string) (input, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return diskFile{f}, nil
}

func (f diskFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// partial is the name of a file that is not finished.
func partial(name string) string { return name + ".partial" }

// writeWhole writes a small file under its final name, whole or not at all: a reader finds
// the old text or the new one, after a loss of power too.
func writeWhole(fs files, name string, text []byte) error {
	f, err := fs.Create(partial(name))
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = fs.Rename(partial(name), name)
	}
	if err != nil {
		fs.Remove(partial(name)) // the first error is the one to tell
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return fs.Sync("")
}
