package scenarios

import (
	"fmt"
	"testing"
	"time"
)

func TestDbgYear(t *testing.T) {
	start := time.Now()
	r := runEconomy(t, "century", nil, "miners[0].count=240", "validators[0].count=16", "validators[0].every_epochs=10")
	fmt.Println(time.Since(start), len(r.epochs), r.rows, r.world.Progress())
}
