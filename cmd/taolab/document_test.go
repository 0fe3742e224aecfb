package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"taolab/cmd/internal/command"
	"taolab/report"
	"taolab/scenarios"
	"taolab/sim/virtual"
)

const root = "../.."

// TestEveryCommandInTheDocumentsRuns runs, in the order in which they stand, all lines of the
// documents' sh blocks. Each document starts in an empty folder. Runs are shortened, which leaves
// their shape as it is; commands of other programs are only checked against a list.
func TestEveryCommandInTheDocumentsRuns(t *testing.T) {
	t.Setenv("TAOLAB_CACHE", t.TempDir())
	var documents []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".md") && !strings.Contains(path, "/runs/") {
			documents = append(documents, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range documents {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		commands := shellLines(string(text))
		if len(commands) == 0 {
			continue
		}
		t.Run(strings.TrimPrefix(path, root+"/"), func(t *testing.T) {
			t.Chdir(t.TempDir())
			for _, command := range commands {
				runDocumented(t, command)
			}
		})
	}
}

// shellLines are the command lines of the sh blocks of a document.
func shellLines(text string) []string {
	var commands []string
	inside := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```sh"
		case inside && line != "" && line[0] != '#':
			commands = append(commands, line)
		}
	}
	return commands
}

// foreign are commands that the test does not run itself: CI runs the first, people the others.
var foreign = []string{"go test ./...", "go install ./cmd/taolab", "go install ./cmd/taolabd", ".ci/run",
	"go test ./scenarios -run Claim -claims -timeout 90m -v",
	"go test ./sim/live/replica -run Acknowledged -kills 500 -nets 3 -timeout 2h",
	"go test ./sim/live/replica -run Throughput -throughput 20000 -v"}

// shorter is what makes a documented run short: a few epochs of a few blocks, hardly any measuring.
var shorter = []string{"time.hours=0.15", "chain.tempo_blocks=20", "base.steps=10", "corpus.megabytes=0.5",
	"evaluation.rows=22"}

func runDocumented(t *testing.T, command string) {
	words := strings.Fields(command)
	for i, word := range words {
		if bare := strings.Trim(word, "'"); bare != word {
			words[i] = bare
		} else if strings.ContainsAny(word, "[]*?") {
			t.Errorf("%s: %s is a pattern to the shell; quote it", command, word)
		}
	}
	switch {
	case slices.Contains(foreign, command), words[0] == "taolabd", words[0] == "export":
		return // taolabd has a test of its own for its commands
	case strings.HasPrefix(command, "go run ./cmd/taolab "):
		words = words[3:]
	case words[0] == "taolab":
		words = words[1:]
	default:
		t.Errorf("%s: no test runs this command; use taolab, or add it to the foreign ones", command)
		return
	}
	if words[0] == "run" || slices.Contains(words, "market") { // a sweep of models
		if slices.Contains(words, "early.toml") { // its miners would come after the end
			words = append(words, "--set", "miners[1].joins_h=0.05")
		}
		for _, set := range shorter {
			words = append(words, "--set", set)
		}
	}
	var stdout, stderr bytes.Buffer
	if code := execute(t.Context(), words, &stdout, &stderr); code != exitOK {
		t.Errorf("%s: exit code %d\n%s", command, code, stderr.String())
	}
}

// TestTheDocumentsNameFilesThatAreThere looks for the Go files that the guides name, and for what they link.
func TestTheDocumentsNameFilesThatAreThere(t *testing.T) {
	named := regexp.MustCompile("`([a-z_/]+/[a-z_]+\\.go)`")
	linked := regexp.MustCompile(`\]\(([^):#]+)[)#]`) // addresses have a colon
	for _, page := range []string{"README.md", "CHANGELOG.md", "docs/explanation.md", "docs/how-to.md", "docs/queries.md", "docs/tutorial.md"} {
		text, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		look := func(path, name string) {
			found++
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s names %s, which is not there", page, name)
			}
		}
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			look(filepath.Join(root, m[1]), m[1])
		}
		for _, m := range linked.FindAllStringSubmatch(string(text), -1) {
			look(filepath.Join(root, filepath.Dir(page), m[1]), m[1])
		}
		if found == 0 {
			t.Errorf("%s: no file is named; the patterns are wrong", page)
		}
	}
}

func TestTheDocumentsCountTheKindsOfFaults(t *testing.T) {
	counted := regexp.MustCompile(`(\d+) kinds[\] ][^\n]*reference/faults\.md`)
	for _, page := range []string{"CHANGELOG.md", "docs/explanation.md"} {
		text, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Fatal(err)
		}
		m := counted.FindSubmatch(text)
		if want := fmt.Sprint(len(virtual.FaultKinds())); m == nil || string(m[1]) != want {
			t.Errorf("%s counts %q, expected %s kinds of faults", page, m, want)
		}
	}
}

func TestTheReadmeListsEveryScenario(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.HasPrefix(cells[1], " `") {
			continue
		}
		listed = append(listed, strings.Trim(cells[1], " `"))
	}
	slices.Sort(listed)
	if names := scenarios.Names(); !slices.Equal(listed, names) {
		t.Errorf("the table lists %v; the library has %v", listed, names)
	}
}

// TestTheReferenceIsCurrent compares the reference pages with what the program says of itself.
func TestTheReferenceIsCurrent(t *testing.T) {
	for name, text := range map[string]string{
		"scenario.md": scenarioReference(t), "tables.md": tableReference(), "commands.md": command.Reference("Commands", newRoot()),
		"metrics.md": metricReference(), "faults.md": faultReference(),
	} {
		path := filepath.Join(root, "docs", "reference", name)
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(got), text); diff != "" {
			t.Errorf("%s (-) is not what the program says (+); go test ./cmd/taolab -update rewrites it:\n%s", path, diff)
		}
	}
}

func scenarioReference(t *testing.T) string {
	var b strings.Builder
	b.WriteString("# Scenario files\n\nA scenario is a TOML file. Unknown keys, wrong types and impossible values are refused. " +
		"Where a key may hold a span, a pair `[from, to]` is spread over the members of the group, in equal ratios. " +
		"What is unset is as the era has it, where the meaning says nothing else.\n")
	if err := scenarios.WriteReference(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func faultReference() string {
	var b strings.Builder
	b.WriteString("# Kinds of faults\n\nA `[[faults]]` table of a scenario names one of these kinds, when it begins and how long it lasts, " +
		"and its targets: see [scenario.md](scenario.md). Settings that are not written have the default. Faults of messages " +
		"may be narrowed to those between two ends (`peer_node`, `peer_group`, `peer_region`) and to one `direction`. " +
		"A fault draws from a stream of its own, and one of no effect leaves the run digest as it is.\n")
	for _, kind := range virtual.FaultKinds() {
		about := ""
		if kind.Messages {
			about = " It is about messages."
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s.%s\n", kind.Name, strings.ToUpper(kind.Doc[:1])+kind.Doc[1:], about)
		if len(kind.Modes) > 0 {
			fmt.Fprintf(&b, "\nModes: `%s`; the first is the default.\n", strings.Join(kind.Modes, "`, `"))
		}
		if len(kind.Settings) > 0 {
			b.WriteString("\n| setting | default | range | meaning |\n| --- | --- | --- | --- |\n")
		}
		for _, s := range kind.Settings {
			fmt.Fprintf(&b, "| `%s` | %g | %g..%g | %s |\n", s.Name, s.Default, s.Min, s.Max, s.Doc)
		}
	}
	return b.String()
}

func tableReference() string {
	var b strings.Builder
	b.WriteString("# Tables\n\nEach table is one parquet file in the run's folder, zstd-compressed, of plain types. " +
		"While the run goes on, it is a folder NAME.parts of whole parquet files in the order of their names, which becomes " +
		"that one file at the end. A table without rows is not written. Unit and meaning of each column stand in the file's metadata too.\n")
	for _, table := range report.Tables() {
		fmt.Fprintf(&b, "\n## %s\n\n| column | type | unit | meaning |\n| --- | --- | --- | --- |\n", table)
		for _, column := range report.Columns(table) {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", column.Name, column.Type, column.Unit, column.Doc)
		}
	}
	return b.String()
}

func metricReference() string {
	var b strings.Builder
	b.WriteString("# Metrics\n\nThe numbers of a run's summary, by the names that `[[expect]]`, `taolab report RUN --metrics` and " +
		"`taolab compare` know them by. A word in braces stands for the name of a group, behaviour, shape, miner, subset or " +
		"fault of the run; `{validator}` is the behaviour of validators. A metric with an interval has NAME.low and NAME.high " +
		"for its interval where there are five things or more to resample: miners, or runs of successive epochs. One with a last " +
		"value has NAME.last, the value at the last epoch only. A run has only those metrics that its recorded tables tell.\n\n" +
		"| metric | unit | interval | last value | needs tables | meaning |\n| --- | --- | --- | --- | --- | --- |\n")
	yes := map[bool]string{true: "yes"}
	for _, f := range report.MetricFamilies() {
		var needs []string
		for _, t := range f.Needs {
			needs = append(needs, string(t))
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", f.Name, f.Unit, yes[f.Interval], yes[f.Last], strings.Join(needs, ", "), f.Doc)
	}
	return b.String()
}
