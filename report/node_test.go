package report

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestANodeWithoutASeatHasNoUidInTheManifest(t *testing.T) {
	seated, unseated := Node{Name: "a-1", UID: 0, HasUID: true}, Node{Name: "b-1", UID: 0}
	for _, n := range []Node{seated, unseated} {
		text, err := json.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		if want := `"uid":0`; strings.Contains(string(text), want) != n.HasUID || strings.Contains(string(text), "has_uid") {
			t.Errorf("%s: %s", n.Name, text)
		}
		var back Node
		if err := json.Unmarshal(text, &back); err != nil || back.HasUID != n.HasUID || back.Name != n.Name {
			t.Errorf("%s reads back as %+v (%v)", text, back, err)
		}
	}
	var old Node
	if err := json.Unmarshal([]byte(`{"name":"c","uid":0,"has_uid":false}`), &old); err != nil || old.HasUID {
		t.Errorf("a node of the first release: %+v (%v)", old, err)
	}
	if err := json.Unmarshal([]byte(`{"name":"c","uid":3,"has_uid":true}`), &old); err != nil || !old.HasUID || old.UID != 3 {
		t.Errorf("a node of the first release: %+v (%v)", old, err)
	}
	if err := json.Unmarshal([]byte(`{"nmae":"c"}`), &old); err == nil {
		t.Error("an unknown key of a node is taken")
	}
}

func TestANodesGroupIsItsNameWithoutTheNumberWhereNoneIsGiven(t *testing.T) {
	for _, c := range []struct{ name, group, want string }{
		{"miner-07", "", "miner"}, {"miner-7", "x", "x"}, {"lazy", "", "lazy"}, {"a-b-12", "", "a-b"}, {"a-b", "", "a-b"}, {"-3", "", "-3"},
	} {
		n := Node{Name: c.name, Group: c.group}
		if got := n.group(); got != c.want {
			t.Errorf("%q in %q: %q, want %q", c.name, c.group, got, c.want)
		}
	}
}
