package command

import (
	"strings"
	"testing"
)

func TestProgramsOfCodeThatNoRevisionHasAreToldApart(t *testing.T) {
	for revision, digest := range map[string]bool{"6781cc4": false, unknownRevision: true, "6781cc4" + localChanges: true} {
		name, err := Version{Version: "v1", Revision: revision}.Identity()
		if err != nil {
			t.Fatal(err)
		}
		rest, named := strings.CutPrefix(name, "v1 "+revision)
		if !named || strings.HasPrefix(rest, ", build ") != digest || digest && len(rest) != len(", build ")+16 {
			t.Errorf("%s: the program is called %q", revision, name)
		}
	}
}
