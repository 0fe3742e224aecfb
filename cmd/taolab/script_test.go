package main

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the expected output in the scripts")

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
			"unhex": unhex, "long": long, "joined": joined, "weights": weights, "windows": windows,
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

// long writes a corpus whose first line has a document of so many megabytes: long MEGABYTES FILE.
func long(ts *testscript.TestScript, _ bool, args []string) {
	megabytes, err := strconv.Atoi(args[0])
	ts.Check(err)
	text := fmt.Sprintf(`{"meta": {"pile_set_name": "Essays"}, "text": "%s"}%s`, strings.Repeat("wide plain", megabytes*100_000),
		"\n"+`{"meta": {"pile_set_name": "Notes"}, "text": "after"}`+"\n")
	ts.Check(os.MkdirAll(filepath.Dir(ts.MkAbs(args[1])), 0o755))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o644))
}

// joined lists the merges of a tokenizer's file as older files do, both halves in one string, or the other way round: joined FILE.
func joined(ts *testscript.TestScript, _ bool, args []string) {
	var file map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &file))
	merges := file["model"].(map[string]any)["merges"].([]any)
	for i, merge := range merges {
		if halves, ok := merge.([]any); ok {
			merges[i] = halves[0].(string) + " " + halves[1].(string)
		} else {
			halves := strings.Split(merge.(string), " ")
			merges[i] = []string{halves[0], halves[1]}
		}
	}
	text, err := json.Marshal(file)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o644))
}

// weights writes a file of tensors: its header, in which \\x00 is a NUL, and four bytes: weights FILE HEADER.
func weights(ts *testscript.TestScript, _ bool, args []string) {
	header := strings.ReplaceAll(args[1], `\x00`, "\x00")
	data := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), append(data, 0, 0, 0x80, 0x3f), 0o644))
}

// windows ends the lines of a file as Windows does: windows FILE.
func windows(ts *testscript.TestScript, _ bool, args []string) {
	text := strings.ReplaceAll(ts.ReadFile(args[0]), "\n", "\r\n")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}
