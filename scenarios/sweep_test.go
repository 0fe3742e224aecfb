package scenarios

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAVariantOfAScenarioIsThatScenarioWithItsSettings(t *testing.T) {
	for _, path := range []string{"testdata/metagraph/trees.toml", "testdata/economy/file.toml"} {
		base, err := Load(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		want, err := Load(path, []string{"seed=7"})
		if err != nil {
			t.Fatal(err)
		}
		got, err := base.With("seed=7")
		if err != nil {
			t.Fatal(err)
		}
		if string(got.resolved()) != string(want.resolved()) {
			t.Errorf("%s: the variant is %s, expected %s", path, got.resolved(), want.resolved())
		}
	}
}

// A search may look at a subset that comes in mid-run, as expectations may.
func TestASearchMayLookAtWhatIsAppended(t *testing.T) {
	text, err := os.ReadFile("library/append.toml")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "append.toml")
	text = append(text, `
[[tune.keys]]
key = "base.steps"
low = 10
high = 20
scale = "int"
[[tune.objectives]]
metric = "loss.subset.Ubuntu IRC.last"
`...)
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path, nil); err != nil {
		t.Error(err)
	}
}
