package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestARunOfTheFirstReleaseIsReportedComparedAndNotRepeated(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../report/testdata/first_release")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		{[]string{"report", dir}, exitOK, "seed 3, run digest e1f42e9b", ""},
		{[]string{"diff", dir, dir}, exitOK, "\nequal\n", ""},
		{[]string{"replay", dir}, exitDigest, "", "made by an earlier release"},
	} {
		var stdout, stderr bytes.Buffer
		if got := execute(t.Context(), c.args, &stdout, &stderr); got != c.code ||
			!strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("%v: exit code %d\n%s%s", c.args, got, stdout.String(), stderr.String())
		}
	}
}
