package whole

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Replace writes a file under a temporary name in the same folder, .new- and a number, and renames it to
// path once its bytes are on disk. On an error it removes the temporary file and leaves path as it was.
func Replace(path string, mode fs.FileMode, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	err = errors.Join(write(f), f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return SyncFolder(filepath.Dir(path))
}

// Write is Replace with the given bytes, in a file that all may read.
func Write(path string, data []byte) error {
	return Replace(path, 0o644, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// SyncFolder makes a folder's entries survive a power cut, on systems that can sync folders.
func SyncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
