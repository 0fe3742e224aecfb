package report

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// files is the folder that a run is written to; tests put a failing one in its place.
type files interface {
	Create(name string) (file, error) // truncates
	Rename(from, to string) error
	Remove(name string) error
	Exists(name string) bool
}

type file interface {
	io.WriteCloser
	Sync() error
}

// disk is a folder on disk.
type disk string

func (d disk) Create(name string) (file, error) { return os.Create(filepath.Join(string(d), name)) }
func (d disk) Remove(name string) error         { return os.Remove(filepath.Join(string(d), name)) }
func (d disk) Rename(from, to string) error {
	return os.Rename(filepath.Join(string(d), from), filepath.Join(string(d), to))
}
func (d disk) Exists(name string) bool {
	_, err := os.Lstat(filepath.Join(string(d), name))
	return err == nil
}

// partial is the name of a file that is not finished.
func partial(name string) string { return name + ".partial" }

// writeWhole writes a small file under its final name, whole or not at all.
func writeWhole(fs files, name string, text []byte) error {
	f, err := fs.Create(partial(name))
	if err != nil {
		return err
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
	return nil
}
