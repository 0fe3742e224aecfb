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

// A miner whose owner ends its training in the middle of a visit does not rest afterwards: it trains again as soon
// as it may.
func TestAMinerThatIsToldToStopDoesNotRest(t *testing.T) {
	m, env := NewMiner(testMiner()), newFakeEnv(t, 2)
	done := func() {
		job := env.job
		env.job, env.now = nil, env.now+host.Second
		m.Handle(env, host.Done{ID: env.jobID, Result: job.Run(new(host.Scratch))})
	}
	m.Handle(env, host.Start{})
	done() // the first measurement
	m.SetDuty(env.now, 0)
	if done(); env.job != nil || m.resting {
		t.Errorf("it trains on, or rests: %v", env.log)
	}
	m.SetDuty(env.now, 0.5)
	if m.Handle(env, host.Cancelled{}); env.job == nil || m.busy != training {
		t.Errorf("it does not train again: %v", env.log)
	}
}
