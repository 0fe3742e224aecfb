package report

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"taolab/sim/trace"
)

func TestAReportIsMadeOfWhateverWasRecorded(t *testing.T) {
	figures := map[trace.Table][]string{
		trace.Blocks: {"emission"}, trace.Epochs: {"income", "earnings", "money", "validators", "seats"}, trace.Weights: {"weights"},
		trace.Bonds: {"bonds"}, trace.Queries: {"routing", "service"}, trace.Answers: {"abilities", "choice"},
		trace.Training: {"loss", "subsets"}, trace.Applications: {"service"}, trace.Seats: {"seats"}, trace.Decisions: {"topics"},
	}
	shown := regexp.MustCompile(`<figure id="(\w+)">`)
	for _, table := range Tables() {
		dir := t.TempDir()
		writeSynthetic(t, dir, table)
		if err := Write(dir); err != nil {
			t.Errorf("with only table %s: %v", table, err)
			continue
		}
		page := read(t, filepath.Join(dir, PageFile))
		var names []string
		for _, match := range shown.FindAllStringSubmatch(page, -1) {
			names = append(names, match[1])
		}
		if !slices.Equal(names, figures[table]) {
			t.Errorf("with only table %s the page shows %v, expected %v", table, names, figures[table])
		}
		if !strings.Contains(page, "Not drawn: ") {
			t.Errorf("with only table %s the page does not say what is left out", table)
		}
	}
}

func TestARunWithoutRowsHasAReport(t *testing.T) {
	dir := t.TempDir()
	m := newSynthetic(1).manifest
	m.Nodes, m.VirtualNs, m.Finished, m.Interrupted = nil, 0, false, true
	if err := WriteManifest(dir, m); err != nil {
		t.Fatal(err)
	}
	if err := Write(dir); err != nil {
		t.Fatal(err)
	}
	if page := read(t, filepath.Join(dir, PageFile)); !strings.Contains(page, "the run was interrupted") {
		t.Error("the page does not say that the run was interrupted")
	}
}

func TestThePageNeedsNothingBesideItself(t *testing.T) {
	dir := t.TempDir()
	s := newSynthetic(2)
	s.manifest.Name = `<script src="http://x">`
	for i := range s.manifest.Nodes {
		if s.manifest.Nodes[i].Behaviour == "frozen" {
			s.manifest.Nodes[i].Behaviour, s.manifest.Nodes[i].Group = `<img src="http://y">`, `</script><img src="http://z">`
		}
	}
	w, err := NewWriter(dir)
	if err != nil {
		t.Fatal(err)
	}
	s.record(w)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s.manifest.Tables = w.Tables()
	if err := WriteManifest(dir, s.manifest); err != nil {
		t.Fatal(err)
	}
	if err := Write(dir); err != nil {
		t.Fatal(err)
	}
	page := read(t, filepath.Join(dir, PageFile))
	outside := regexp.MustCompile(`(?i)<script[^>]*src|<(link|iframe|img)|@import|(src|href)\s*=\s*"[^d#]|url\(`)
	if found := outside.FindString(page); found != "" {
		t.Errorf("the page holds %q", found)
	}
	if n := strings.Count(page, "<svg"); n != 18 {
		t.Errorf("%d figures on the page, expected 18", n)
	}
}

func TestWritingAReportAgainChangesNothing(t *testing.T) {
	dir := t.TempDir()
	writeSynthetic(t, dir)
	snapshot := func() map[string]string {
		if err := Write(dir); err != nil {
			t.Fatal(err)
		}
		files := make(map[string]string)
		for _, pattern := range []string{"*.*", "figures/*"} {
			paths, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range paths {
				files[p] = read(t, p)
			}
		}
		return files
	}
	first, second := snapshot(), snapshot()
	if len(first) != len(tables)+3+3*18 || len(second) != len(first) {
		t.Errorf("%d files, then %d", len(first), len(second))
	}
	for p, text := range first {
		if second[p] != text {
			t.Errorf("%s is not the same the second time", p)
		}
	}
	var s Summary
	d := json.NewDecoder(bytes.NewReader([]byte(first[filepath.Join(dir, SummaryFile)])))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil || s.Miners != miners {
		t.Errorf("summary.json: %v, %d miners", err, s.Miners)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
