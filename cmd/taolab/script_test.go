package main

import (
	"context"
	"flag"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write the expected output in the scripts anew")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"taolab": func() { os.Exit(execute(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// TestTheCommandDoesWhatItsScriptsSay runs the command lines in testdata/script and compares what
// they print, where they exit and what they leave behind.
func TestTheCommandDoesWhatItsScriptsSay(t *testing.T) {
	tiny, err := os.ReadFile("../../scenarios/testdata/tiny.toml")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
		Setup: func(env *testscript.Env) error {
			env.Setenv("TAOLAB_CACHE", env.WorkDir+"/cache")
			return os.WriteFile(env.WorkDir+"/tiny.toml", tiny, 0o644)
		},
	})
}

// exits runs a command line and demands its exit code: exits CODE COMMAND...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	// The code of a failed command is in the error's text, which is all that the library tells.
	err := ts.Exec(args[1], args[2:]...)
	got := "exit status 0"
	if err != nil {
		got = err.Error()
	}
	if want := "exit status " + args[0]; got != want {
		ts.Fatalf("%s, want %s", got, want)
	}
}
