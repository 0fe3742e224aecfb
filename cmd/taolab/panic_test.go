package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"taolab/cmd/internal/command"
	"taolab/sim/host"
	"taolab/sim/virtual"
)

// clumsy is an agent that panics at its first event.
type clumsy struct{ host.Agent }

func (clumsy) Handle(host.Env, host.Event) { panic("slipped") }

// An agent that panics costs its own scenario; the others run, and the results are written.
func TestACheckGoesOnAfterAPanicInAnAgent(t *testing.T) {
	t.Setenv("TAOLAB_CACHE", t.TempDir())
	text, err := os.ReadFile("../../scenarios/testdata/tiny.toml")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	expect := "\n[[expect]]\nmetric = \"run.blocks\"\ncomparison = \"==\"\nvalue = 150\n"
	for name, title := range map[string]string{"a.toml": "fragile", "b.toml": "sound"} { // order-free: each is a file of its own
		changed := strings.Replace(string(text), `name = "tiny"`, `name = "`+title+`"`, 1) + expect
		if err := os.WriteFile(name, []byte(changed), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var stdout, stderr bytes.Buffer
	err = check(t.Context(), []string{"a.toml", "b.toml"}, checkFlags{
		jobs: 1, junit: "out.xml",
		adjust: func(c *virtual.Config) {
			if c.Genesis.ChainID == "fragile" {
				c.Nodes[2].Agent = clumsy{c.Nodes[2].Agent}
			}
		},
	}, &stdout, &stderr)
	if command.CodeOf(err) != exitFailure {
		t.Errorf("%v, expected exit code %d", err, exitFailure)
	}
	lines := strings.Split(stdout.String(), "\n")
	if !strings.HasPrefix(lines[0], "error   a.toml  0/1") || !strings.Contains(lines[0], "node 2 (honest-3)") ||
		!strings.Contains(lines[0], "slipped") || !strings.HasPrefix(lines[1], "ok      b.toml  1/1") {
		t.Errorf("%s", stdout.String())
	}
	junit, err := os.ReadFile("out.xml")
	if err != nil || !bytes.Contains(junit, []byte("slipped")) || !bytes.Contains(junit, []byte(`errors="1"`)) {
		t.Errorf("%v, %s", err, junit)
	}
}
