package scenarios

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"taolab/agents/role"
	"taolab/agents/settings"
	"taolab/sim/chain"
)

// Each key of [chain.hard] is moved away from what the preset live has.
func init() {
	era, err := chain.Era("finney-2023")
	if err != nil {
		panic(err)
	}
	live := []string{"chain.hard.preset=live"}
	hard := reflect.ValueOf(era.Live().Hard)
	table := reflect.TypeFor[role.Hard]()
	for _, f := range settings.Fields(table) {
		path, field := "chain.hard."+f.Key, hard.FieldByName(table.FieldByIndex(f.Index).Name)
		if _, known := moves[path]; known {
			continue
		}
		switch {
		case f.Key == "preset":
			moves[path] = move{set: live[0]}
		case field.Kind() == reflect.Bool:
			moves[path] = move{set: fmt.Sprintf("%s=%t", path, !field.Bool()), with: live}
		default:
			moves[path] = move{set: fmt.Sprintf("%s=%d", path, field.Uint()+1), with: live}
		}
	}
}

func TestAParameterThatNoLedgerTakesIsNamedByItsKey(t *testing.T) {
	for set, want := range map[string]string{ // order-free: each is on its own
		"chain.hard.fee_rao=1":         "chain.hard.max_block_work: 0; expected 16384 to 1099511627776; or preset = \"live\"",
		"chain.max_validators=0":       "chain.max_validators: 0; expected 1 to ",
		"chain.hard.existential_rao=1": "chain.hard.existential_rao: set without strict_nonce",
	} {
		if _, err := Load("quickstart", []string{set}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", set, err, want)
		}
	}
}
