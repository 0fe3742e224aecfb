package consensus

import "testing"

func TestARuleSaysWhetherItStoresRankAndTrust(t *testing.T) {
	for _, name := range Names() {
		rule, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		var ws Workspace
		out := rule.Epoch(&ws, crowd(t, rule, 40, 4, 8, Params{}), 1e9)
		if stored := len(out.Rank) > 0 && len(out.Trust) > 0; stored != name.StoresRank() {
			t.Errorf("%s stores ranks: %v, and says %v", name, stored, name.StoresRank())
		}
	}
}
