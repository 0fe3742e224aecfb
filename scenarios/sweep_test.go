package scenarios

import "testing"

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
