package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"taolab/sim/trace"
)

// story records rows from up to but not including to, of tables that begin at different moments.
func story(w *Writer, from, to int) {
	for i := from; i < to; i++ {
		w.Record(trace.Block{Height: uint64(i)})
		if i >= 300 {
			w.Record(trace.Fault{TimeNs: int64(i), Kind: "loss"})
		}
		if i >= 700 {
			w.Record(trace.Seat{UID: uint16(i)})
		}
	}
}

// folder is every file below dir with its bytes.
func folder(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() && path != dir {
			files[strings.TrimPrefix(path, dir)] = "folder"
		} else if err == nil && !entry.IsDir() {
			files[strings.TrimPrefix(path, dir)] = read(t, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func sameFolder(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s: %s has %d bytes, expected others, %d", what, name, len(got[name]), len(text))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: %s was left behind", what, name)
		}
	}
}

// stood is the state of a writer after 500 of 1,000 rows; the folder holds what after does then.
func stood(t *testing.T, dir string, after func(*Writer)) []byte {
	t.Helper()
	w, err := NewWriter(dir)
	if err != nil {
		t.Fatal(err)
	}
	story(w, 0, 200)
	w.Sync()
	story(w, 200, 500)
	if _, err := w.AppendState(nil); err == nil || !strings.Contains(err.Error(), "300 rows are not synced") {
		t.Errorf("a state with rows that are not on disk: %v", err)
	}
	if err := w.Sync(); err != nil {
		t.Fatal(err)
	}
	state, err := w.AppendState(nil)
	if err != nil {
		t.Fatal(err)
	}
	after(w)
	return state
}

// endings are what may happen between a snapshot and the end of the program.
var endings = map[string]func(t *testing.T, dir string, w *Writer){
	"nothing more":        func(*testing.T, string, *Writer) {},
	"rows in part files":  func(_ *testing.T, _ string, w *Writer) { story(w, 500, 800); w.Sync(); story(w, 800, 810); w.Sync() },
	"rows not synced":     func(_ *testing.T, _ string, w *Writer) { story(w, 500, 900) },
	"the run interrupted": func(_ *testing.T, _ string, w *Writer) { story(w, 500, 900); w.Close() },
	"a kill in a merge": func(t *testing.T, dir string, w *Writer) {
		story(w, 500, 900)
		w.Sync()
		saved := t.TempDir()
		if err := os.CopyFS(saved, os.DirFS(filepath.Join(dir, "blocks.parts"))); err != nil {
			t.Fatal(err)
		}
		w.Close()
		os.Remove(filepath.Join(saved, "000000000000.parquet")) // they are removed in order
		if err := os.CopyFS(filepath.Join(dir, "blocks.parts"), os.DirFS(saved)); err != nil {
			t.Fatal(err)
		}
	},
}

// straight is the folder of a run that nothing stopped.
func straight(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	w, err := NewWriter(dir)
	if err != nil {
		t.Fatal(err)
	}
	story(w, 0, 1000)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return folder(t, dir)
}

func TestTablesGoOnFromAStateWithoutMissingOrDoubledRows(t *testing.T) {
	want := straight(t)
	for name, after := range endings {
		dir := t.TempDir()
		state := stood(t, dir, func(w *Writer) { after(t, dir, w) })
		w, err := Reopen(dir, state)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Cut(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if again, err := w.AppendState(nil); err != nil || string(again) != string(state) {
			t.Errorf("%s: the state is another one after it was read: %v", name, err)
		}
		r := &Run{Dir: dir, Manifest: Manifest{Format: ManifestFormat, Tables: w.Tables()}}
		if rows := readBack[trace.Block](t, r); len(rows) != 500 {
			t.Errorf("%s: %d rows after the cut, expected 500", name, len(rows))
		}
		story(w, 500, 1000)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		sameFolder(t, name, folder(t, dir), want)
	}
}

func TestAForkHoldsTheRowsBeforeItAndLeavesItsParentAlone(t *testing.T) {
	want := straight(t)
	for name, after := range endings {
		parent, dir := t.TempDir(), t.TempDir()
		state := stood(t, parent, func(w *Writer) { after(t, parent, w) })
		before := folder(t, parent)
		w, err := Reopen(dir, state)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Copy(parent); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		story(w, 500, 1000)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		sameFolder(t, name, folder(t, dir), want)
		sameFolder(t, name+", the parent", folder(t, parent), before)
	}
}

// TestACutThatFailsLosesNoRowOfTheState lets each operation fail in turn.
func TestACutThatFailsLosesNoRowOfTheState(t *testing.T) {
	want := straight(t)
	for name, after := range endings {
		failures := 0
		for left := 0; ; left++ {
			dir := t.TempDir()
			state := stood(t, dir, func(w *Writer) { after(t, dir, w) })
			w, err := Reopen(dir, state)
			if err != nil {
				t.Fatal(err)
			}
			n := left
			w.fs = fullDisk{disk(dir), &n}
			for _, s := range w.sinks {
				onDisk(s, w.fs)
			}
			if w.Cut() == nil {
				break
			}
			failures++
			if w, err = Reopen(dir, state); err == nil {
				err = w.Cut()
			}
			if err != nil {
				t.Fatalf("%s, after a failure of operation %d: %v", name, left, err)
			}
			story(w, 500, 1000)
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			sameFolder(t, name, folder(t, dir), want)
		}
		if failures < 2 {
			t.Errorf("%s: %d operations can fail, expected some", name, failures)
		}
	}
}

// onDisk puts another disk below a sink of story.
func onDisk(s sink, fs files) {
	switch s := s.(type) {
	case *typedSink[trace.Block]:
		s.fs = fs
	case *typedSink[trace.Fault]:
		s.fs = fs
	}
}

func TestAFolderThatWasChangedSinceItsSnapshotIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(dir string) error
		want   string
	}{
		"a part gone": {func(dir string) error { return os.Remove(filepath.Join(dir, "blocks.parts/000000000200.parquet")) },
			"000000000200.parquet is missing"},
		"a shorter part": {func(dir string) error {
			return os.Rename(filepath.Join(dir, "blocks.parts/000000000000.parquet"), filepath.Join(dir, "blocks.parts/000000000200.parquet"))
		}, "000000000000.parquet is missing"},
		"other rows": {func(dir string) error {
			w, err := NewWriter(filepath.Join(dir, "other"))
			if err != nil {
				return err
			}
			story(w, 1, 801)
			w.Close()
			return os.Rename(filepath.Join(dir, "other/blocks.parquet"), filepath.Join(dir, "blocks.parquet"))
		}, errOtherRows.Error()},
		"damage": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "faults.parts/000000000000.parquet"), []byte("PAR1 and no more PAR1"), 0o666)
		}, "the file is damaged"},
	} {
		dir := t.TempDir()
		state := stood(t, dir, func(*Writer) {})
		if err := c.change(dir); err != nil {
			t.Fatal(err)
		}
		w, err := Reopen(dir, state)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Cut(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected %q", name, err, c.want)
		}
	}
}

func TestAStateThatNoWriterWroteIsRefused(t *testing.T) {
	dir := t.TempDir()
	state := stood(t, dir, func(*Writer) {})
	for n := range state {
		if _, err := Reopen(dir, state[:n]); err == nil {
			t.Errorf("%d of %d bytes were taken", n, len(state))
		}
	}
	for i := range state {
		changed := []byte(string(state))
		changed[i] ^= 0x41
		if w, err := Reopen(dir, changed); err == nil {
			w.Tables() // whatever it says, it says without a panic
		}
	}
}
