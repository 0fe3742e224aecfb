package scenarios

import (
	"testing"

	"taolab/sim/chain"
)

// playUpgrade is the state after the scenario of an upgrade.
func playUpgrade(t *testing.T, sets ...string) chain.View {
	t.Helper()
	file, err := Load("economy/upgrade", sets)
	if err != nil {
		t.Fatal(err)
	}
	return runFile(t, file, nil).world.Chain()
}

// A running network has other rules from a height on, if they were planned.
func TestARunningNetworkCrossesToOtherRules(t *testing.T) {
	v := playUpgrade(t)
	if p := v.Params(); p.Rule != "yuma3" || v.Rules() != 3 {
		t.Errorf("rule %s, version %d", p.Rule, v.Rules())
	}
	if v := playUpgrade(t, "chain.upgrade_rules=0", "chain.upgrade_height=0"); v.Params().Rule != "yuma2" || v.Rules() != 1 {
		t.Errorf("without an upgrade: rule %s, version %d", v.Params().Rule, v.Rules())
	}
}

// A producer that was away for a day is jailed, one that signed twice is slashed, and without a
// fault neither happens.
func TestFaultsOfAScenarioReachItsSeats(t *testing.T) {
	count := func(v chain.View) (jailed, barred int) {
		for _, o := range v.Operators() {
			if o.Jailed {
				jailed++
			}
			if o.BarredUntil > 0 {
				barred++
			}
		}
		return jailed, barred
	}
	v := playUpgrade(t)
	if jailed, barred := count(v); jailed != 1 || barred != 1 || v.Totals().Burned == 0 {
		t.Errorf("%d jailed, %d barred, %d rao burned", jailed, barred, v.Totals().Burned)
	}
	v = playUpgrade(t, "faults[0].duration_s=1", `faults[1].node="miner-1"`)
	if jailed, barred := count(v); jailed != 0 || barred != 0 || v.Totals().Burned != 0 {
		t.Errorf("without them %d jailed, %d barred, %d rao burned", jailed, barred, v.Totals().Burned)
	}
}
