package main

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the expected output in the scripts, and the reference")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"taolabd": func() { os.Exit(execute(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// TestTheCommandDoesWhatItsScriptsSay runs the command lines in testdata/script and compares what they print,
// where they exit and what they leave behind.
func TestTheCommandDoesWhatItsScriptsSay(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "waitfor": waitFor, "apiof": apiOf},
		Setup: func(env *testscript.Env) error {
			text, err := os.ReadFile("../../scenarios/testdata/metagraph/trees.json")
			if err != nil {
				return err
			}
			if err := os.WriteFile(env.WorkDir+"/trees.json", text, 0o644); err != nil {
				return err
			}
			env.Setenv("TAOLABD_HOME", env.WorkDir+"/home")
			env.Setenv("TAOLAB_CACHE", env.WorkDir+"/cache")
			return nil
		},
	})
}

// exits runs a command line and demands its exit code: exits CODE COMMAND...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := err.(*exec.ExitError)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// waitFor runs a command line until it succeeds: waitfor COMMAND...
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: waitfor COMMAND...")
	}
	for begin := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		err := ts.Exec(args[0], args[1:]...)
		if err == nil {
			return
		}
		if time.Since(begin) > time.Minute {
			ts.Fatalf("%v after a minute", err)
		}
	}
}

// apiOf sets API to the URL of the node that runs in a folder, and ADDRESS to its host and port: apiof FOLDER.
func apiOf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: apiof FOLDER")
	}
	r, err := home(ts.MkAbs(args[0])).running()
	ts.Check(err)
	ts.Setenv("API", "http://"+r.API)
	ts.Setenv("ADDRESS", r.API)
}
