package base

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheCacheForgetsTheOldestAndNeverReturnsDamagedBytes(t *testing.T) {
	c := Cache{Dir: t.TempDir(), MaxBytes: 200}
	foreign := filepath.Join(c.Dir, "thesis.txt")
	if err := os.WriteFile(foreign, make([]byte, 300), 0o644); err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		if err := c.put("model", cacheKey(i), make([]byte, 50)); err != nil {
			t.Fatal(err)
		}
	}
	if c.get("model", cacheKey(0)) != nil || c.get("model", cacheKey(1)) != nil {
		t.Error("the oldest entries are still there")
	}
	if got := c.get("model", cacheKey(3)); len(got) != 50 {
		t.Errorf("the newest entry has %d bytes", len(got))
	}
	path := c.path("model", cacheKey(3))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.path("model", cacheKey(4)), data, 0o644); err != nil {
		t.Fatal(err)
	}
	if c.get("model", cacheKey(4)) != nil {
		t.Error("an entry was returned under another one's name")
	}
	data[10] ^= 1
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	warned := 0
	c.Warn = func(string) { warned++ }
	if c.get("model", cacheKey(3)) != nil || warned != 1 {
		t.Errorf("a damaged entry was returned, or %d warnings", warned)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Errorf("somebody else's file: %v", err)
	}
	if (Cache{}).get("x", "3") != nil || (Cache{}).put("x", "3", nil) != nil {
		t.Error("a cache without a folder keeps nothing and complains about nothing")
	}
}

func TestTheCacheSweepsWhatKilledRunsLeft(t *testing.T) {
	c := Cache{Dir: t.TempDir(), MaxBytes: 1 << 20}
	left, fresh := filepath.Join(c.Dir, ".new-123"), filepath.Join(c.Dir, ".new-456")
	for _, path := range []string{left, fresh} {
		if err := os.WriteFile(path, make([]byte, 10), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(left)
	if err != nil {
		t.Fatal(err)
	}
	old := info.ModTime().Add(-2 * unfinishedAge)
	if err := os.Chtimes(left, old, old); err != nil {
		t.Fatal(err)
	}
	if err := c.put("model", cacheKey(1), make([]byte, 50)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("an old unfinished entry is still there")
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Error("another run's unfinished entry was removed")
	}
}

func TestACacheThatCannotBeWrittenIsWarnedOf(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var warning string
	c := Cache{Dir: filepath.Join(file, "cache"), MaxBytes: 1 << 20, Warn: func(text string) { warning = text }}
	if c.keep("model", cacheKey(1), nil); warning == "" {
		t.Error("nobody was told")
	}
}
