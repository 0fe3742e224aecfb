package scenarios

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"taolab/model/base"
	"taolab/report"
)

const (
	digestA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	digestB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// withExpectations writes a scenario file and loads it.
func withExpectations(t *testing.T, text string) *File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.toml")
	if err := os.WriteFile(path, []byte(minimal+text), 0o640); err != nil {
		t.Fatal(err)
	}
	file, err := Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestRelearningChangesDigestsAndNothingElse(t *testing.T) {
	text := "# digest = \"new\"\r\n" +
		"[[expect]]\r\n  digest  =   \"new\"\t# why\r\n" +
		"[[expect]]\nmetric = \"run.blocks\"\ncomparison = \"==\"\nvalue = 3 # digest = \"new\"\n" +
		"[[expect]]\nname = '''\ndigest = \"new\"\n'''\nof = \"epochs\"\n\"digest\"='" + digestA + "'\n" +
		"[[expect]]\ndigest = \"" + digestA + "\""
	file := withExpectations(t, text)
	if err := file.Relearn([]string{digestB, "", digestB, ""}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file.Origin)
	if err != nil {
		t.Fatal(err)
	}
	want := minimal + strings.Replace(strings.Replace(text, "  digest  =   \"new\"", "  digest  =   \""+digestB+"\"", 1),
		"\"digest\"='"+digestA+"'", "\"digest\"=\""+digestB+"\"", 1)
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat(file.Origin); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the file's mode is %v, %v", info.Mode(), err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(file.Origin)); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	// The text that was run is not the file's any more.
	if err := file.Relearn([]string{digestB, "", digestB, digestB}); err == nil || !strings.Contains(err.Error(), "changed since it was read") {
		t.Errorf("a file that has changed: %v", err)
	}
}

func TestRelearningRefusesWhatItCannotPlace(t *testing.T) {
	file := withExpectations(t, "")
	inline := "expect = [{digest = \"new\"}]\n" + minimal
	if err := os.WriteFile(file.Origin, []byte(inline), 0o644); err != nil {
		t.Fatal(err)
	}
	file, err := Load(file.Origin, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Relearn([]string{digestB}); err == nil || !strings.Contains(err.Error(), "a line of its own") {
		t.Errorf("an inline table: %v", err)
	}
	if got, _ := os.ReadFile(file.Origin); string(got) != inline {
		t.Errorf("the file was changed to %s", got)
	}
	library, err := Load("quickstart", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := library.Relearn(nil); err == nil || !strings.Contains(err.Error(), "no file to write to") {
		t.Errorf("a scenario of the library: %v", err)
	}
}

func TestAManifestGivesBackItsScenario(t *testing.T) {
	for _, name := range Names() {
		file, err := Load(name, []string{"network.loss=0.125", "description=\"tab\\t, quote \\\", \\u007F\""})
		if err != nil {
			t.Fatal(err)
		}
		m := &report.Manifest{Scenario: file.resolved(), CorpusPath: "/corpus"}
		again, err := FromManifest("run", m, "")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := *file.Scenario
		if want.Corpus.Kind == "shards" {
			want.Corpus.Path = "/corpus"
		}
		if diff := cmp.Diff(&want, again.Scenario, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for text, want := range map[string]string{
		``:                           "missing",
		`{"seed": 1}`:                "made by the first release",
		`{"format": 2}`:              "at least one [[miners]] table",
		`{"format": 2, "sead": 1}`:   "did you mean seed?",
		`{"format": 2, "seed": "1"}`: "a whole number",
		`{"seed": 1e999}`:            "out of range",
		`{"miners": [{"x":1}]`:       "unexpected EOF",
	} {
		_, err := FromManifest("run", &report.Manifest{Scenario: []byte(text)}, "")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// TestEveryNumberOfARunCanBeExpected holds the names that a scenario accepts against those that
// its run has, with faults of every kind that a scenario can make.
func TestEveryNumberOfARunCanBeExpected(t *testing.T) {
	text, err := os.ReadFile("testdata/tiny.toml")
	if err != nil {
		t.Fatal(err)
	}
	faults := "\n[[faults]]\ngroup = \"honest\"\nat_s = 300\n[[faults]]\nkind = \"partition\"\nregion = \"asia\"\nat_s = 600\n"
	sc, err := Decode("tiny.toml", string(text)+faults, []string{"network.loss=0.05", "time.hours=0.4"})
	if err != nil {
		t.Fatal(err)
	}
	file := &File{Scenario: sc, Origin: "tiny.toml", Dir: ".", Text: string(text) + faults}
	material, err := file.Prepare(context.Background(), base.Cache{}, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	w, err := report.NewWriter(dir)
	if err != nil {
		t.Fatal(err)
	}
	network, err := file.Build(material, Options{Workers: 1, Recorder: w})
	if err != nil {
		t.Fatal(err)
	}
	world := ran(t, network)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	manifest := file.Manifest(material, network)
	Finish(manifest, world)
	manifest.Tables = w.Tables()
	summary, err := report.Summarise(&report.Run{Dir: dir, Manifest: *manifest})
	if err != nil {
		t.Fatal(err)
	}
	names := report.MetricNames(sc.participants(), sc.Tables(), sc.textNames(), sc.yearNames())
	for _, m := range summary.Metrics() {
		if !slices.Contains(names, m.Name) {
			t.Errorf("%s = %g cannot be expected", m.Name, m.Value)
		}
	}
	for _, kind := range []string{"crash", "restart", "partition", "heal", "loss"} {
		if _, ok := summary.Metric("faults." + kind); !ok {
			t.Errorf("no %s happened", kind)
		}
	}
}

func TestAnUnknownSubsetOfShardsIsFoundBeforeAnythingIsTrained(t *testing.T) {
	dir := t.TempDir()
	var b strings.Builder
	for i := range 400 {
		b.WriteString(`{"meta": {"pile_set_name": "A"}, "text": "` + strings.Repeat("the cat sees a dog and a bird ", 8+i%5) + "\"}\n")
	}
	if err := os.WriteFile(filepath.Join(dir, "00.jsonl"), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	file, err := Load("testdata/tiny.toml", []string{"corpus.kind=shards", "corpus.path=" + dir, "corpus.vocab=264",
		"miners[0].subsets=[\"B\"]", "validators[0].topk=8", "applications[0].topk=8"})
	if err != nil {
		t.Fatal(err)
	}
	trained := false
	_, err = file.Prepare(context.Background(), base.Cache{}, 1, func(name string, _, _ int64) {
		trained = trained || name == "training base models"
	})
	if err == nil || !strings.Contains(err.Error(), `--set miners[0].subsets=["B"]: miners[0].subsets: the corpus has no subset "B"; expected one of ["A"]`) {
		t.Errorf("%v", err)
	}
	if trained {
		t.Error("base models were trained first")
	}
}

func TestWorkOfAbsurdHardwareIsANumber(t *testing.T) {
	sets := []string{"miners[0].hardware_mflops=1e9", "time.hours=87600", "miners[0].duty=1"}
	file, err := Load("quickstart", sets)
	if err != nil {
		t.Fatal(err)
	}
	w := file.Work()
	if !(w.FLOP > 1e24 && w.FLOP < 1e27 && w.TrainTokens > 0 && w.ServeTokens > 0) {
		t.Errorf("%+v", w)
	}
}
