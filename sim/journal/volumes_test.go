package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// The oldest volumes of one agent go, by life and number and not by the spelling of their names; those of agents
// with longer names stay, and so does what is not a volume.
func TestTheOldestVolumesOfOneAgentGo(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"a-2-1.journal", "a-2-10.journal", "a-2-9.journal", "a-1-300.journal", "a-10-1.journal",
		"a-1-1-1.journal", "a-1.journal", "a-01-1.journal", "a-1-x.journal", "-1-1.journal", "a.state", "a-1-1.journal.old",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list := func(agent string) []string {
		all, err := Volumes(dir, agent)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, v := range all {
			names = append(names, fmt.Sprint(v.Life, ".", v.Number))
		}
		return names
	}
	if got := list("a"); !slices.Equal(got, []string{"1.300", "2.1", "2.9", "2.10", "10.1"}) {
		t.Errorf("volumes %q", got)
	}
	if err := Prune(dir, "a", 2); err != nil {
		t.Fatal(err)
	}
	if got := list("a"); !slices.Equal(got, []string{"2.10", "10.1"}) {
		t.Errorf("volumes %q stay", got)
	}
	if files, _ := os.ReadDir(dir); len(files) != 9 || len(list("a-1")) != 1 {
		t.Errorf("%d files stay", len(files))
	}
}
