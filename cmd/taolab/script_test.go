package main

import (
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
	files := map[string][]byte{}
	for _, path := range []string{"testdata/tiny.toml", "regression/kappa.toml"} {
		text, err := os.ReadFile("../../scenarios/" + path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = text
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "append": appendFile, "substitute": substitute, "shards": shards,
			"unhex": unhex,
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("TAOLAB_CACHE", env.WorkDir+"/cache")
			for name, text := range files { // order-free: each is a file of its own
				if err := os.WriteFile(filepath.Join(env.WorkDir, name), text, 0o644); err != nil {
					return err
				}
			}
			return nil
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

// appendFile adds a file to the end of another: append FILE PART.
func appendFile(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0]) + ts.ReadFile(args[1])
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}

// substitute replaces a text that stands in a file: substitute FILE OLD NEW.
func substitute(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.ReplaceAll(text, args[1], args[2])), 0o644))
}

// unhex writes a file of bytes from one of hexadecimal digits: unhex FILE DIGITS.
func unhex(ts *testscript.TestScript, _ bool, args []string) {
	data, err := hex.DecodeString(strings.Join(strings.Fields(ts.ReadFile(args[1])), ""))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o644))
}

// shards writes a small corpus of two subsets: shards FOLDER.
func shards(ts *testscript.TestScript, _ bool, args []string) {
	words := strings.Fields("the a one two three red blue green cat dog bird sees hears likes and or but not soon")
	var b strings.Builder
	x := uint32(1)
	for i := range 600 {
		fmt.Fprintf(&b, `{"meta": {"pile_set_name": "%c"}, "text": "`, 'A'+rune(i%2))
		for range 60 {
			x = x*1664525 + 1013904223
			b.WriteString(words[(x>>8)%uint32(len(words))] + " ")
		}
		b.WriteString("\"}\n")
	}
	ts.Check(os.MkdirAll(ts.MkAbs(args[0]), 0o755))
	ts.Check(os.WriteFile(filepath.Join(ts.MkAbs(args[0]), "00.jsonl"), []byte(b.String()), 0o644))
}
