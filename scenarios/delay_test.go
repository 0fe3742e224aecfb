package scenarios_test

import (
	"context"
	"testing"

	"taolab/model/base"
	"taolab/scenarios"
	"taolab/sim/virtual"
)

// TestNoNodeSeesBlocksMoreThanAHundredLate: the delay is exponential, and what a world keeps of the
// past grows with the longest.
func TestNoNodeSeesBlocksMoreThanAHundredLate(t *testing.T) {
	file, err := scenarios.Load("testdata/tiny.toml", []string{"network.block_delay_ms=600000", "time.block_s=4", "time.hours=0.05"})
	check(t, err)
	material, err := file.Prepare(context.Background(), base.Cache{}, 1, nil)
	check(t, err)
	network, err := file.Build(material, scenarios.Options{Workers: 1})
	check(t, err)
	const most = 100 * 4e9
	capped := 0
	for _, n := range network.Config.Nodes {
		if n.BlockDelay > most {
			t.Errorf("%s sees blocks %d ns late, expected at most %d", n.Name, n.BlockDelay, int64(most))
		}
		if n.BlockDelay == most {
			capped++
		}
	}
	if n := len(network.Config.Nodes); capped == 0 || capped == n {
		t.Errorf("%d of %d nodes see blocks at the limit, expected some with a mean of 150 blocks", capped, n)
	}
	world, err := virtual.New(network.Config)
	check(t, err)
	check(t, world.Run(context.Background()))
}
