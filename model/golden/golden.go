// Package golden compares the results of tests with golden files. The flag -update, which it defines, rewrites
// these files, and the expected output of datadriven scripts with them. Only tests may import it.
package golden

import (
	"errors"
	"flag"
	"os"
	"strconv"
	"testing"

	_ "github.com/cockroachdb/datadriven" // defines the flag that rewrites its scripts
	"github.com/google/go-cmp/cmp"
)

var update bool

func init() {
	flag.BoolFunc("update", "rewrite golden files and the expected output of scripts", func(on string) (err error) {
		update, err = strconv.ParseBool(on)
		return errors.Join(err, flag.Set("rewrite", on))
	})
}

// Updating reports whether golden files are to be rewritten.
func Updating() bool { return update }

// Compare fails a test unless a golden file holds got. It writes the file first if that is asked for.
func Compare(t testing.TB, path, got string) {
	t.Helper()
	if update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-) is not the result (+); if the change is meant, run the test with -update:\n%s", path, diff)
	}
}
