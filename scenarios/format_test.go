package scenarios

import (
	"strings"
	"testing"
)

func TestAFileOfTheFirstFormatIsToldWhatItNowMeans(t *testing.T) {
	old := "name = \"x\"\n[chain]\nkappa = 0\ntempo_blocks = 30\n[[miners]]\nname = \"crowd\"\ncount = 12\n" +
		"[[validators]]\nname = \"one\"\nrouting = \"gated\"\n"
	read := func(text string, sets ...string) string {
		sc, err := Decode("old.toml", text, sets)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join((&File{Scenario: sc, Text: text, Sets: sets}).Notes(), "\n")
	}
	notes := read(old)
	for _, want := range []string{
		`validators[0]: batch is "mixed"`, "score_peers replaces explore", "one-1", "crowd is crowd-1",
		"chain.kappa = 0 is 0", "drawn by its name", "write format = 2",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("nothing says %q in\n%s", want, notes)
		}
	}
	if strings.Contains(notes, "tempo_blocks") {
		t.Errorf("a tempo of 30 means what it meant, but\n%s", notes)
	}
	if got := read(old, "validators[0].batch=subset"); strings.Contains(got, "batch is") {
		t.Errorf("the batch is written, but\n%s", got)
	}
	if got := read("format = 1\n" + old); got != notes {
		t.Errorf("format 1 says\n%s\nnone says\n%s", got, notes)
	}
	if got := read("format = 2\n" + old); got != "" {
		t.Errorf("a file of this format is told\n%s", got)
	}
}

func TestEveryScenarioThatComesWithTheProgramNamesTheCurrentFormat(t *testing.T) {
	for _, name := range Names() {
		file, err := Load(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if notes := file.Notes(); len(notes) > 0 {
			t.Errorf("%s: %q", name, notes)
		}
	}
}
