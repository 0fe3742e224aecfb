package agents

import (
	"slices"
	"testing"

	"taolab/agents/score"
	"taolab/sim/host"
)

// gated returns a validator of n uids that has begun an epoch, with the given gates.
func gated(t *testing.T, n int, c func(*ValidatorConfig), gates ...float32) (*Validator, *fakeEnv) {
	config := testValidator(n)
	config.Routing = Gated
	if c != nil {
		c(&config)
	}
	v, env := NewValidator(config), newFakeEnv(t, n)
	v.startEpoch(env)
	v.step.gates = gates
	return v, env
}

func TestGatedRoutingAsksTheHighestGates(t *testing.T) {
	v, env := gated(t, 5, func(c *ValidatorConfig) { c.Gate.Explore = 0 }, 0.9, 0.1, 0.8, 0.2, 0.7)
	if got := v.choose(env); !slices.Equal(got, []uint16{2, 4}) {
		t.Fatalf("asks %v, want 2 and 4, the highest but its own", got)
	}
}

func TestNoiseOpensTheGateToOthers(t *testing.T) {
	v, env := gated(t, 5, func(c *ValidatorConfig) { c.Gate = Gate{Noise: 3} }, 0.9, 0.1, 0.8, 0.2, 0.7)
	counts := make([]int, 5)
	for range 200 {
		for _, uid := range v.choose(env) {
			counts[uid]++
		}
	}
	if counts[0] != 0 || counts[1] < 20 || counts[2] <= counts[1] {
		t.Fatalf("asked %v times; want itself never, the lowest sometimes, the highest more often", counts)
	}
}

func TestEqualGatesLeaveTheChoiceToChance(t *testing.T) {
	v, env := gated(t, 5, func(c *ValidatorConfig) { c.Gate = Gate{} }, 0.5, 0.5, 0.5, 0.5, 0.5)
	counts := make([]int, 5)
	for range 200 {
		for _, uid := range v.choose(env) {
			counts[uid]++
		}
	}
	for uid, n := range counts[1:] {
		if n < 50 {
			t.Fatalf("uid %d was asked %d times of 200, want about 100", uid+1, n)
		}
	}
}

func TestExplorationFillsItsPlacesInTurn(t *testing.T) {
	v, env := gated(t, 7, func(c *ValidatorConfig) { c.Gate.Explore, c.Peers = 1, 3 },
		0.9, 0.8, 0.7, 0.1, 0.1, 0.1, 0.1)
	asked := make([]int, 7)
	for range 6 {
		got := v.choose(env)
		if len(got) != 3 {
			t.Fatalf("asks %v, want three", got)
		}
		for _, uid := range got {
			asked[uid]++
		}
	}
	for uid := 1; uid < 7; uid++ {
		if asked[uid] == 0 {
			t.Errorf("uid %d was not asked in six steps that explore one each: %v", uid, asked)
		}
	}
}

// Without any exploration, and with gates that never change their mind, every target is asked
// within ten ledger epochs all the same.
func TestNobodyWaitsLongerThanTenLedgerEpochs(t *testing.T) {
	const n, blocksPerStep = 30, 2
	gates := make([]float32, n)
	gates[5], gates[6] = 0.9, 0.8
	v, env := gated(t, n, func(c *ValidatorConfig) { c.Gate = Gate{} }, gates...)
	bound := 10 * env.Chain().Params().TempoBlocks
	last := slices.Repeat([]uint64{env.state.Height()}, n)
	for range 1000 {
		env.state.Advance(blocksPerStep)
		height := env.state.Height()
		for _, uid := range v.choose(env) {
			v.peers[uid].askedAt, last[uid] = height, height
		}
		for uid := 1; uid < n; uid++ {
			if height-last[uid] > bound {
				t.Fatalf("at block %d uid %d was last asked at %d, want at most %d blocks of waiting",
					height, uid, last[uid], bound)
			}
		}
	}
}

func TestUniformRoutingAsksEverybodyBeforeAnybodyTwice(t *testing.T) {
	v, env := gated(t, 6, func(c *ValidatorConfig) { c.Routing, c.Peers = Uniform, 2 })
	for range 5 {
		v.rotation.StartEpoch()
		var asked []uint16
		for range 3 {
			asked = append(asked, v.choose(env)...)
		}
		slices.Sort(asked)
		if !slices.Equal(asked, []uint16{1, 2, 3, 4, 5}) {
			t.Fatalf("three steps ask %v, want each of the five others once", asked)
		}
	}
}

func TestValidatorsAreAskedOnlyWhereEveryoneIs(t *testing.T) {
	for _, c := range []struct {
		targets Targets
		want    []uint16
	}{
		{Serving, []uint16{1, 3, 4}},
		{Everyone, []uint16{1, 2, 3, 4}},
	} {
		config := testValidator(5)
		config.Targets, config.Peers = c.targets, 4
		v, env := NewValidator(config), newFakeEnv(t, 5)
		env.setWeights(2, 3, 4)
		env.state.Advance(1)
		env.setWeights(1, 1) // a lone weight on itself keeps a miner active
		env.state.Advance(1)
		v.startEpoch(env)
		if got := v.choose(env); !slices.Equal(got, c.want) {
			t.Errorf("targets %d: asks %v, want %v", c.targets, got, c.want)
		}
	}
}

func TestAnEpochEndsWithItsBlocksAndTargetsOrWithTwiceItsBlocks(t *testing.T) {
	v, env := gated(t, 5, nil)
	env.state.Advance(10)
	if v.epochOver(env) {
		t.Error("over after E blocks though nobody was asked")
	}
	for i := range v.peers[1:] {
		v.peers[i+1].standing = score.Quiet
	}
	if !v.epochOver(env) {
		t.Error("not over after E blocks and all targets")
	}
	v.peers[3].standing = score.Unasked
	env.state.Advance(10)
	if !v.epochOver(env) {
		t.Error("not over after 2E blocks")
	}
}

func TestASilentPeerLosesATenthOfItsScore(t *testing.T) {
	v, env := gated(t, 5, nil)
	d := driver{env: env, agent: v}
	d.handle(host.Start{})
	d.done()
	call := env.calls[0]
	uid, _ := env.Chain().UIDOf(call.to)
	d.handle(host.Answer{Call: call.id, Response: host.Response{Code: host.Success, Body: d.trueAnswer(0.5)}})
	d.handle(host.Answer{Call: env.calls[1].id, Response: host.Response{Code: host.Timeout}})
	before := v.averages.Entry(uint16(uid)).Score.Value
	if before <= 0 {
		t.Fatalf("a good answer scores %g", before)
	}
	v.averages.Silent(uint16(uid), v.peers[uid].hotkey)
	want := 0.9 * before
	if got := v.averages.Entry(uint16(uid)).Score.Value; got < 0.999*want || got > 1.001*want {
		t.Errorf("silence makes %g of %g, want %g", got, before, want)
	}
}
