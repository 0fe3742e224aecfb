package scenarios

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"taolab/model/base"
	"taolab/sim/trace"
	"taolab/sim/virtual"
)

// TestAgentsLiveThroughFaultsOfEveryKind exposes real agents to damaged bytes, jumping clocks, lost
// states and all other faults, and checks the ledger at every step.
func TestAgentsLiveThroughFaultsOfEveryKind(t *testing.T) {
	text, err := os.ReadFile("testdata/keys.toml")
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(text), "[[faults]]")
	var b strings.Builder
	b.WriteString(before)
	b.WriteString("[waves]\nquiet_s = 120\nstorm_s = 60\ntogether = 6\ntail_s = 600\n")
	for i, kind := range virtual.FaultKinds() {
		modes := kind.Modes
		if modes == nil {
			modes = []string{""}
		}
		for _, mode := range modes {
			fmt.Fprintf(&b, "[[faults]]\nkind = %q\nmode = %q\nwave = true\nduration_s = 120\nseed = %d\nmembers = 0.5\n", kind.Name, mode, i)
			if kind.Name == "churn" { // stake stays behind, so a network of none but newcomers does not live
				b.WriteString("group = \"bulk\"\n")
			}
			if kind.Name == "clock" {
				b.WriteString("offset_ms = 600000\ndrift_ppm = 50000\n")
			}
		}
	}
	digests := map[string]bool{}
	for _, workers := range []int{1, 3} {
		sc, err := Decode("faults.toml", b.String(), []string{"time.hours=3"})
		if err != nil {
			t.Fatal(err)
		}
		file := &File{Scenario: sc, Origin: "faults.toml", Dir: ".", Text: b.String()}
		material, err := file.Prepare(context.Background(), base.Cache{}, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		kinds := began{}
		network, err := file.Build(material, Options{Workers: workers, Recorder: kinds, Paranoid: true})
		if err != nil {
			t.Fatal(err)
		}
		world := ran(t, network)
		digests[world.Digest().String()] = true
		for _, kind := range virtual.FaultKinds() {
			if !kinds[kind.Name] {
				t.Errorf("no %s began", kind.Name)
			}
		}
	}
	if len(digests) != 1 {
		t.Errorf("with other workers other bits: %v", digests)
	}
}

// began has the kinds of the faults that began.
type began map[string]bool

func (k began) Record(r trace.Row) {
	if f, is := r.(trace.Fault); is && f.Kind == "begin" {
		kind, _, _ := strings.Cut(f.Detail, " ")
		k[kind] = true
	}
}

func TestTheFaultsOfTheHowToAreFaults(t *testing.T) {
	page, err := os.ReadFile("../docs/how-to.md")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("testdata/keys.toml")
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(text), "[[faults]]")
	blocks := regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	found := 0
	for _, block := range blocks {
		if !strings.Contains(block[1], "[[faults]]") {
			continue
		}
		found++
		sets := []string{"time.hours=24"}
		sc, err := Decode("how-to.toml", strings.ReplaceAll(before+block[1], `group = "honest"`, `group = "bulk"`), sets)
		if err != nil {
			t.Errorf("%v\n%s", err, block[1])
			continue
		}
		if len(sc.faults()) == 0 {
			t.Errorf("it has no faults:\n%s", block[1])
		}
	}
	if found != 2 {
		t.Errorf("%d examples, expected 2", found)
	}
}
