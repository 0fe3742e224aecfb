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
		{[]string{"report", dir}, exitOK, "the first release named seats", ""},
		{[]string{"compare", dir, dir}, exitOK, "loss.median", ""},
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
