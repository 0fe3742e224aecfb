package agents_test

import (
	"fmt"

	"taolab/agents"
)

// Agents are state machines whose whole state is bytes: a lazy validator's is its name alone.
func ExampleLazy() {
	lazy := agents.NewLazy(agents.LazyConfig{EpochBlocks: 100})
	state := lazy.AppendState(nil)
	fmt.Println(len(state), lazy.RestoreState(state))
	fmt.Println(lazy.RestoreState(nil))
	// Output:
	// 16 <nil>
	// agents: state of a lazy validator, byte 0: version needs 1 bytes, 0 are left
}
