package settings

import "testing"

func TestAHintComesOnlyWhereAWordIsSpelledAlike(t *testing.T) {
	names := []string{"", "quickstart", "honest", "pile", "2025-01", "2026", "nakamoto-2022-03", "spearman.loss_incentive"}
	for word, want := range map[string]string{
		"quikstart": "quickstart", "honset": "honest", "pil": "pile", "2027": "2026", "nakamto": "nakamoto-2022-03",
		"spearman.los_incentive": "spearman.loss_incentive", "/dev/null": "", "x": "", "": "", "missing": "", "eof.json": "",
	} {
		if want != "" {
			want = "did you mean " + want + "?"
		}
		if got := Meant(word, names); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
