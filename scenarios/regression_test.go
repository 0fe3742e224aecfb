package scenarios

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// readRecord splits the rows of the README's tables into cells, with the headers.
func readRecord(t *testing.T) (guarded, record [][]string) {
	t.Helper()
	text, err := os.ReadFile("regression/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		switch {
		case !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "| ---"):
		case len(cells) == 2:
			guarded = append(guarded, cells)
		default:
			record = append(record, cells)
		}
	}
	return guarded[1:], record[1:]
}

var quoted = regexp.MustCompile("`([^`]+)`")

func TestEveryGuardedScenarioIsListedAndExpectsADigest(t *testing.T) {
	guarded, _ := readRecord(t)
	var listed []string
	for _, row := range guarded {
		listed = append(listed, strings.Trim(row[0], "` "))
	}
	paths, err := filepath.Glob("regression/*.toml")
	if err != nil || len(paths) < 8 {
		t.Fatalf("%d scenarios, %v", len(paths), err)
	}
	for _, path := range paths {
		if !slices.Contains(listed, filepath.Base(path)) {
			t.Errorf("%s is not in the README", path)
		}
		file, err := Load(path, nil)
		if err != nil {
			t.Error(err)
			continue
		}
		digests, metrics := 0, 0
		for _, e := range file.Expect {
			if e.Digest != "" {
				digests++
			} else {
				metrics++
			}
		}
		if digests == 0 || metrics == 0 {
			t.Errorf("%s expects %d digests and %d numbers; at least one of each", path, digests, metrics)
		}
	}
	if len(listed) != len(paths) {
		t.Errorf("the README lists %d scenarios, there are %d", len(listed), len(paths))
	}
}

// TestWhatCatchesAFaultExists looks for every guard that the track record names: a scenario of the
// folder, a script, or a folder and a test in it.
func TestWhatCatchesAFaultExists(t *testing.T) {
	_, record := readRecord(t)
	if len(record) < 15 {
		t.Fatalf("%d faults", len(record))
	}
	for _, row := range record {
		if len(row) != 4 {
			t.Errorf("%q has %d cells, expected 4", row[0], len(row))
			continue
		}
		guards := quoted.FindAllStringSubmatch(row[3], -1)
		if len(guards) == 0 {
			t.Errorf("%q is caught by nothing", row[0])
		}
		for _, guard := range guards {
			if !guardExists(t, guard[1]) {
				t.Errorf("%q: there is no %s", strings.TrimSpace(row[0]), guard[1])
			}
		}
	}
}

func guardExists(t *testing.T, guard string) bool {
	t.Helper()
	folder, name, isTest := strings.Cut(guard, " ")
	if !isTest {
		for _, path := range []string{filepath.Join("regression", guard), filepath.Join("..", guard)} {
			if _, err := os.Stat(path); err == nil {
				return true
			}
		}
		return false
	}
	files, err := filepath.Glob(filepath.Join("..", folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
