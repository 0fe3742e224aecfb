package report

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"taolab/sim/trace"
)

func TestAManifestReadsBackAsItWasWritten(t *testing.T) {
	dir := t.TempDir()
	want := writeSynthetic(t, dir).manifest
	got, err := ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	want.Format = ManifestFormat
	compact := func(m *Manifest) {
		var b bytes.Buffer
		if err := json.Compact(&b, m.Scenario); err != nil {
			t.Fatal(err)
		}
		m.Scenario = b.Bytes()
	}
	compact(&got)
	compact(&want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if names := list(t, dir); strings.Contains(strings.Join(names, " "), "partial") {
		t.Errorf("the folder holds %v", names)
	}
}

func TestAWrongManifestIsRefusedWithTheReason(t *testing.T) {
	dir := t.TempDir()
	writeSynthetic(t, dir)
	path := filepath.Join(dir, ManifestFile)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"seed": 42`, `"seed": 42, "sede": 1`, `unknown field "sede"`},
		{`"format": 2`, `"format": 9`, "format 9, expected 1 or 2"},
		{`"seed": 42`, `"seed": -1`, "seed: found a JSON number -1"},
		{`"table": "blocks"`, `"table": "neurons"`, `unknown table "neurons"`},
		{`"table": "epochs"`, `"table": "blocks"`, `"blocks" stands twice`},
		{`"index": 3,`, `"index": 4,`, "nodes[3]: index 4"},
		{"\"uid\": 9\n", "\"uid\": 8\n", "nodes[1]: uid 8 is nodes[0]’s too"},
		{`"kind": "application"`, `"kind": "oracle"`, `kind "oracle"`},
		{`"name": "synthetic"`, `"name": ""`, "name is empty"},
		{`"seed": 42`, `"seed": 42, "recorded": ["bonds", "neurons"]`, `recorded[1]: unknown table "neurons"`},
		{`"seed": 42`, `"seed": 42, "corpus_digest": "77"`, "corpus_digest:"},
		{`"run_digest": "00`, `"run_digest": "0x`, "run_digest:"},
		{`"finished": true`, `"finished": true, "fault": "x"`, "expected one ending"},
		{"\n}\n", "\n} {}\n", "text after the manifest"},
		{"\n}\n", "\n", "the text ends before its JSON does"},
	} {
		bad := strings.Replace(string(good), c.old, c.new, 1)
		if bad == string(good) {
			t.Fatalf("%q is not in the manifest", c.old)
		}
		if err := os.WriteFile(path, []byte(bad), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadManifest(dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("with %s: error %v, expected %q", c.new, err, c.want)
		}
	}
	if _, err := ReadManifest(t.TempDir()); err == nil || !strings.Contains(err.Error(), "expected the folder of a run") {
		t.Errorf("an empty folder: %v", err)
	}
}

func TestABadManifestIsNotWritten(t *testing.T) {
	dir := t.TempDir()
	m := newSynthetic(1).manifest
	m.RunDigest = "abc"
	if err := WriteManifest(dir, m); err == nil || !strings.Contains(err.Error(), "run_digest") {
		t.Errorf("a short digest: %v", err)
	}
	if names := list(t, dir); len(names) > 0 {
		t.Errorf("the folder holds %v", names)
	}
}

func TestAFolderWithACutTableIsNotOpened(t *testing.T) {
	dir := t.TempDir()
	s := writeSynthetic(t, dir)
	if err := os.Truncate(filepath.Join(dir, "queries.parquet"), s.manifest.Tables[4].Bytes-1); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "changed or cut") {
		t.Errorf("a cut table: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "queries.parquet")); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "incomplete") {
		t.Errorf("a missing table: %v", err)
	}
}

// A table whose bytes were changed, at the same length, is refused or read; it never panics.
func TestADamagedTableIsRefusedWithAnError(t *testing.T) {
	dir := t.TempDir()
	writeSynthetic(t, dir, trace.Ledger)
	path := filepath.Join(dir, "ledger.parquet")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	random, refused, damaged := splitMix(1), 0, 0
	for range 300 {
		bad := slices.Clone(whole)
		for range 1 + random.next()%3 {
			bad[random.next()%uint64(len(bad))] = byte(random.next())
		}
		if err := os.WriteFile(path, bad, 0o666); err != nil {
			t.Fatal(err)
		}
		switch err := Rows(r, func(trace.Totals) error { return nil }); {
		case err == nil:
		case !strings.Contains(err.Error(), path):
			t.Fatalf("%v: does not name the file", err)
		case strings.Contains(err.Error(), "the file is damaged"):
			damaged++
			fallthrough
		default:
			refused++
		}
	}
	for _, bad := range [][]byte{nil, whole[:11], append(slices.Clone(whole[:len(whole)-8]), "\xff\xff\xff\x7fPAR1"...)} {
		if err := os.WriteFile(path, bad, 0o666); err != nil {
			t.Fatal(err)
		}
		err := Rows(r, func(trace.Totals) error { return nil })
		if err == nil || !strings.Contains(err.Error(), "the file is damaged: ") {
			t.Errorf("%d bytes: %v", len(bad), err)
		}
	}
	if refused < 100 || damaged == 0 {
		t.Errorf("of 300 damaged tables %d were refused, %d of them where the library panics", refused, damaged)
	}
}

// Rows of another table would read as zeros.
func TestATableUnderAnotherNameIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := writeSynthetic(t, dir, trace.Weights, trace.Bonds)
	weights, bonds := filepath.Join(dir, "weights.parquet"), filepath.Join(dir, "bonds.parquet")
	if err := os.Rename(weights, bonds); err != nil {
		t.Fatal(err)
	}
	for _, info := range s.manifest.Tables {
		if info.Table == trace.Weights {
			s.manifest.Tables = []TableInfo{{Table: trace.Bonds, Rows: info.Rows, Digest: info.Digest, Bytes: info.Bytes}}
		}
	}
	if err := WriteManifest(dir, s.manifest); err != nil {
		t.Fatal(err)
	}
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	err = Rows(r, func(trace.Bond) error { return nil })
	if err == nil || !strings.Contains(err.Error(), `column 6 is "weight"`) {
		t.Errorf("weights read as bonds: %v", err)
	}
}

// FuzzReadManifest looks for text that panics, or that is taken and then not written as it was read.
func FuzzReadManifest(f *testing.F) {
	m := newSynthetic(1).manifest
	m.Format, m.Nodes = ManifestFormat, m.Nodes[:2]
	text, err := json.Marshal(m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"format":1}`))
	f.Add([]byte(`{"format":1,"name":"x","nodes":[{"index":0,"kind":"miner"}],"tables":[{}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parseManifest(text)
		if err != nil {
			return
		}
		out, err := json.Marshal(m)
		if err != nil {
			t.Fatalf("taken, but not writable: %v", err)
		}
		again, err := parseManifest(out)
		if err != nil {
			t.Fatalf("taken, but its own text is refused: %v", err)
		}
		twice, err := json.Marshal(again)
		if err != nil || !bytes.Equal(out, twice) {
			t.Fatalf("written differently the second time: %v", err)
		}
	})
}
