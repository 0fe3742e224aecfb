package scenarios

import (
	"testing"
	"time"

	"taolab/model/base"
)

// TestClaimTheLibraryShowsCauses runs each scenario with expectations unchanged, with three seeds, and
// without the cause of its finding: the named expectations must fail then, and only then.
func TestClaimTheLibraryShowsCauses(t *testing.T) {
	skipUnlessClaims(t)
	for _, c := range []struct {
		scenario, cause string
		without         string
		fail            []string
	}{
		{"newcomers", "all seats are taken", "chain.max_uids=18", []string{"every newcomer got a seat",
			"the first took the seats of noise", "the second took those of untrained models"}},
		{"newcomers", "immunity ends", "chain.immunity_blocks=4096", []string{"the second took those of untrained models"}},
		{"dissent", "a row against the others", "validators[1].favour=[]", []string{"dissent costs dividends"}},
		{"dissent", "weights need a majority", "chain.kappa=0.05", []string{"dissent costs dividends", "friends gain nothing"}},
		{"finders", "some find late", "validators[1].alpha=0.5", []string{"early finders earn more", "late finders earn less"}},
		{"load", "the larger stake goes first", "miners[0].historic=true", []string{"a larger stake is taken more often",
			"a larger stake waits less"}},
		{"load", "too little hardware", "miners[0].hardware_mflops=10", []string{"miners cannot serve everybody",
			"a larger stake is taken more often", "a larger stake waits less"}},
	} {
		t.Run(c.scenario+": "+c.cause, func(t *testing.T) {
			for _, seed := range []string{"seed=1", "seed=2", "seed=3"} {
				if failed := unmet(t, c.scenario, seed); len(failed) > 0 {
					t.Errorf("%s: not met: %v", seed, failed)
				}
			}
			failed := unmet(t, c.scenario, c.without)
			t.Logf("with %s: %v", c.without, failed)
			for _, name := range c.fail {
				if _, ok := failed[name]; !ok {
					t.Errorf("with %s %q holds: it does not show that %s", c.without, name, c.cause)
				}
				delete(failed, name)
			}
			if len(failed) > 0 {
				t.Errorf("with %s not met, unexpectedly: %v", c.without, failed)
			}
		})
	}
}

// unmet runs a scenario of the library and returns the expectations that are not met, by name.
func unmet(t *testing.T, scenario string, sets ...string) map[string]string {
	t.Helper()
	file, err := Load(scenario, sets)
	if err != nil {
		t.Fatal(err)
	}
	if len(file.Expect) == 0 {
		t.Fatalf("%s expects nothing", scenario)
	}
	e := &Experiment{File: file, Dir: t.TempDir(), Cache: base.DefaultCache(), Workers: 2, Now: time.Now}
	if _, err := liveThrough(t, e); err != nil {
		t.Fatal(err)
	}
	verdicts, err := e.Judge()
	if err != nil {
		t.Fatal(err)
	}
	failed := make(map[string]string)
	for _, v := range verdicts {
		if !v.Met {
			failed[v.Expectation.Name] = v.Have
		}
	}
	return failed
}
