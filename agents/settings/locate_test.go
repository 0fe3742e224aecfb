package settings

import (
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

// FuzzLocateFindsKeysOnTheirLines holds the line finder against a text that carries the line
// numbers as values.
func FuzzLocateFindsKeysOnTheirLines(f *testing.F) {
	f.Add("a", "b", "c.d", uint8(3))
	f.Fuzz(func(t *testing.T, x, y, z string, gap uint8) {
		var b strings.Builder
		want := map[string]int{}
		for i, key := range []string{x, y, z} {
			if strings.Trim(key, "abcdefghijklmnopqrstuvwxyz") != "" || key == "" {
				t.Skip("not a bare key")
			}
			b.WriteString(strings.Repeat("\n", int(gap%4)))
			b.WriteString("# " + key + " = 1\n")
			line := strings.Count(b.String(), "\n") + 1
			path := key
			if i > 0 {
				b.WriteString("[table." + string(rune('a'+i)) + "]\n")
				path, line = "table."+string(rune('a'+i))+"."+key, line+1
			}
			b.WriteString(key + " = [\n  1, # ]\n  2\n]\n")
			want[path] = line
		}
		var tree map[string]any
		if _, err := toml.Decode(b.String(), &tree); err != nil {
			t.Skip("not TOML: " + err.Error())
		}
		got := Locate(b.String())
		for path, line := range want {
			if got[path] != line {
				t.Errorf("%s: line %d, want %d in\n%s", path, got[path], line, b.String())
			}
		}
	})
}
