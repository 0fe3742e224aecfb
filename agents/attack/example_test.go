package attack_test

import (
	"fmt"

	"taolab/agents/attack"
)

// Agents are state machines whose whole state is bytes.
func ExampleLazy() {
	lazy := attack.NewLazy(attack.LazyConfig{EpochBlocks: 100})
	state := lazy.AppendState(nil)
	fmt.Println(len(state), lazy.RestoreState(state))
	fmt.Println(lazy.RestoreState(nil))
	// Output:
	// 32 <nil>
	// agents: state of a lazy validator, byte 0: version needs 1 bytes, 0 are left
}
