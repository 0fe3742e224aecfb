package scenarios

import (
	"slices"
	"strings"
	"testing"
)

// A group's gain is that of one, times the part of it that decides at a time, and its limit falls with the age
// of the signal: a try there and back is one decision old. A warning comes above half of the limit.
func TestAGainIsOfThoseWhoDecideAtATime(t *testing.T) {
	for _, c := range []struct {
		rate, every, by string
		value           string
		warned          bool
	}{
		{"0.9", "1", "pay", "gain 0.9 of at most 2", false},
		{"1.2", "1", "pay", "gain 1.2 of at most 2", true},
		{"1.2", "5", "pay", "gain 0.24 of at most 2", false},
		{"0.45", "1", "income", "gain 0.45 of at most 1", false},
		{"0.9", "1", "income", "gain 0.9 of at most 1", true},
	} {
		file, err := Load("testdata/economy/learn.toml", []string{"miners[0].decide.mix_rate=" + c.rate,
			"miners[0].decide.every_epochs=" + c.every, "miners[0].decide.mix_by=" + c.by})
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.ContainsFunc(file.Warnings(), func(w string) bool { return strings.Contains(w, "a gain of") }); got != c.warned {
			t.Errorf("%+v: warnings %q", c, file.Warnings())
		}
		if got := settingOf(t, file, "mix"); got != c.value {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestSettingsInForceSayThatNobodyHashes(t *testing.T) {
	for want, sets := range map[string][]string{ // order-free: each stands alone
		"granted": nil, // however much they would hash
		"": {"chain.seal=keccak-hotkey", "time.hours=6", "chain.difficulty=10000",
			"miners[0].decide.hashes_per_s=10", "miners[1].decide.hashes_per_s=10", "miners[2].decide.hashes_per_s=10"},
	} {
		file, err := Load("testdata/economy/work.toml", sets)
		if err != nil {
			t.Fatal(err)
		}
		if got := settingOf(t, file, "seal"); got != want {
			t.Errorf("%q: seal %q, want %q", sets, got, want)
		}
	}
}

// settingOf is the value of the setting in force whose name ends so, or nothing.
func settingOf(t *testing.T, file *File, name string) string {
	t.Helper()
	list, err := file.InForce()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		if s.Name == name || strings.HasSuffix(s.Name, ": "+name) {
			return s.Value
		}
	}
	return ""
}
