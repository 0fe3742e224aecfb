package mind_test

import (
	"fmt"

	"taolab/agents/mind"
	"taolab/model/lm"
	"taolab/model/num"
)

// A transformer that never trains needs no text. Validate explains why a config is unusable.
func ExampleTransformerConfig_Validate() {
	shape := lm.Config{Vocab: 264, Context: 16, Width: 8, Layers: 1, Heads: 1}
	config := mind.TransformerConfig{
		Base: lm.New(shape, num.NewStream(1, "base")), TopK: 33, MaxRows: 32, MaxCols: 64,
	}
	fmt.Println(config.Validate())
	config.MaxCols = shape.Context
	fmt.Println(config.Validate())
	// Output:
	// miner: requests of at most 64 tokens, expected 1 to the model's context 16
	// <nil>
}
