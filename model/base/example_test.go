package base_test

import (
	"context"
	"fmt"

	"taolab/model/base"
	"taolab/model/lm"
	"taolab/model/pile"
)

func Example() {
	ctx, cache := context.Background(), base.Cache{} // keeps nothing
	open := func() (pile.Source, error) { return pile.NewSynthetic(1, 500_000, []string{"Github"}) }
	text, err := base.Read(ctx, open, 288, cache)
	if err != nil {
		fmt.Println(err)
		return
	}
	recipe := base.Recipe{
		Shape: lm.Config{Vocab: 288, Context: 8, Width: 8, Layers: 1, Heads: 2}, Seed: 1, Steps: 10, Rows: 2, Rate: 6e-3,
	}
	models, err := base.Models(ctx, text.Store, []base.Recipe{recipe}, 1, cache, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(recipe.Name(), recipe.Tokens(), "tokens,", len(models[0].Weights), "weights")
	// Output:
	// d8-l1-h2-c8-v288 160 tokens, 3256 weights
}
