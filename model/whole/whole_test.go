package whole_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"taolab/model/whole"
)

func Example() {
	dir, err := os.MkdirTemp("", "whole")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "result.txt")
	if err := whole.Write(path, []byte("42")); err != nil {
		panic(err)
	}
	text, _ := os.ReadFile(path)
	fmt.Printf("%s\n", text)
	// Output: 42
}

func TestAFileThatCannotBeWrittenIsAsItWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := whole.Write(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	full := errors.New("full")
	err := whole.Replace(path, 0o600, func(w io.Writer) error {
		w.Write([]byte("ne"))
		return full
	})
	if !errors.Is(err, full) {
		t.Errorf("%v, expected %v", err, full)
	}
	wantFile(t, path, "old", 0o644)
	if err := whole.Replace(path, 0o600, func(w io.Writer) error { _, err := w.Write([]byte("new")); return err }); err != nil {
		t.Fatal(err)
	}
	wantFile(t, path, "new", 0o600)
}

// wantFile looks at a file, and that nothing else lies in its folder.
func wantFile(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	got, err := os.ReadFile(path)
	info, err2 := os.Stat(path)
	list, err3 := os.ReadDir(filepath.Dir(path))
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	if string(got) != text || info.Mode().Perm() != mode || len(list) != 1 {
		t.Errorf("%q, mode %o, %d files; expected %q, %o, 1", got, info.Mode().Perm(), len(list), text, mode)
	}
}
