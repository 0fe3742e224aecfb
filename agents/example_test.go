package agents_test

import (
	"fmt"

	"taolab/agents"
	"taolab/model/lm"
	"taolab/model/num"
)

// A miner that serves its base model as it is needs no text; where a config cannot work, Validate
// says why.
func ExampleMinerConfig_Validate() {
	shape := lm.Config{Vocab: 264, Context: 16, Width: 8, Layers: 1, Heads: 1}
	config := agents.MinerConfig{
		Behaviour: agents.Frozen, Base: lm.New(shape, num.NewStream(1, "base")),
		TopK: 33, MaxRows: 32, MaxCols: 64, Waiting: 4,
	}
	fmt.Println(config.Validate())
	config.MaxCols = shape.Context
	fmt.Println(config.Validate())
	// Output:
	// miner: requests of at most 64 tokens, expected 1 to the model's context 16
	// <nil>
}

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
