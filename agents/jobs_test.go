package agents

import (
	"testing"

	"taolab/sim/host"
)

func TestARestKeepsTheDuty(t *testing.T) {
	for _, c := range []struct {
		visit host.Time
		duty  float64
		rest  host.Time
	}{
		{host.Second, 1, 0},
		{host.Second, 0.5, host.Second},
		{host.Second, 0.25, 3 * host.Second},
		{0, 0.5, 0},
		{host.Hour, 1e-12, maxRest},
	} {
		if got := restAfter(c.visit, c.duty); got != c.rest {
			t.Errorf("after %d ns at duty %g: %d, want %d", c.visit, c.duty, got, c.rest)
		}
	}
}
