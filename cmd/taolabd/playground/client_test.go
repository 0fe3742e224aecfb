package playground

import (
	"flag"
	"os/exec"
	"strings"
	"testing"
)

var openai = flag.String("openai", "", "folder in which npm install openai was run; empty: the test of that client is not run")

// TestOpenAIsClientGetsAStream needs node and the package openai of npm.
func TestOpenAIsClientGetsAStream(t *testing.T) {
	if *openai == "" {
		t.Skip("not run: -openai names no folder with the package openai of npm")
	}
	out, err := exec.Command("node", "testdata/openai.mjs", *openai, start(t, 1, 0, nil).serve(t)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	const want = "models mean best\nstream 12 length 12\nwhole true\nrefused 404 there is no model \"gpt-4\"; expected mean or best\n"
	if !strings.HasPrefix(string(out), want) {
		t.Errorf("the client says\n%swant\n%s", out, want)
	}
}
