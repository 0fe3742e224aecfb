package agents

import (
	"slices"
	"testing"

	"taolab/agents/score"
	"taolab/sim/host"
)

// gated returns a gated validator of n uids that has begun an epoch and drawn a batch; gates are the
// scores of each row, or of all rows where there is one list.
func gated(t *testing.T, n int, c func(*testConfig), gates ...[]float32) (*Validator, *fakeEnv) {
	t.Helper()
	config := gatedValidator(n, testValidator(n))
	if c != nil {
		c(&config)
	}
	v, env := config.validator(), newFakeEnv(t, n)
	v.startEpoch(env)
	v.judge.Draw(env)
	v.judge.(openJudge).seen.gates = gates
	return v, env
}

func TestEachRowGoesToThePeersThatTheGateNamesForIt(t *testing.T) {
	v, env := gated(t, 7, func(c *testConfig) { c.text.Rows, c.Peers = 3, 3 },
		[]float32{0, .9, .8, .7, .1, .1, .1}, []float32{0, .1, .1, .1, .9, .8, .7}, []float32{0, .1, .9, .1, .8, .1, .7})
	for range 20 {
		asks := v.choose(env)
		turn := asked(asks, score.ScoringLane)
		if len(turn) != 1 || !slices.Equal(asks[0].rows, []uint16{0, 1, 2}) {
			t.Fatalf("the scoring lane is %+v, want one peer with the whole batch", asks)
		}
		got := map[uint16][]uint16{}
		for _, a := range asks[1:] {
			if a.lane != score.ServiceLane || got[a.uid] != nil || a.uid == turn[0] {
				t.Fatalf("%+v; want one question for each peer of the service lane, and none for the one in turn", asks)
			}
			got[a.uid] = a.rows
		}
		for row, ranked := range [][]uint16{{1, 2, 3}, {4, 5, 6}, {2, 4, 6}} {
			want := slices.DeleteFunc(ranked, func(uid uint16) bool { return uid == turn[0] })[:2]
			for uid := range uint16(7) {
				if has := slices.Contains(got[uid], uint16(row)); has != slices.Contains(want, uid) {
					t.Errorf("row %d, uid %d in turn: %v; want it at the best two others of %v", row, turn[0], got, ranked)
				}
			}
		}
	}
}

func TestNoiseOpensTheGateToOthersInMeasureOfItsSize(t *testing.T) {
	for _, c := range []struct {
		noise    float64
		from, to int // how often the last by gate is named, of 400 rows
	}{{0, 0, 0}, {0.1, 0, 0}, {1, 1, 30}, {30, 55, 105}} {
		v, env := gated(t, 6, func(config *testConfig) { config.Gate.Noise = c.noise },
			[]float32{.5, .2, .9, .8, .7, .6})
		last := 0
		for range 200 {
			for _, a := range v.choose(env) {
				if a.uid == 0 {
					t.Fatal("asks itself")
				}
				if a.uid == 1 && a.lane == score.ServiceLane {
					last += len(a.rows)
				}
			}
		}
		if last < c.from || last > c.to {
			t.Errorf("noise %g: the last by gate is named %d times of 400, want %d to %d", c.noise, last, c.from, c.to)
		}
	}
}

func TestNoiseIsMeasuredInTheDeviationOfTheRow(t *testing.T) {
	narrow, wide := make([]float32, 6), make([]float32, 6)
	for i := range narrow {
		narrow[i], wide[i] = .5+float32(i)/1024, float32(i)/8
	}
	var counts [2]int
	for k, gates := range [][]float32{narrow, wide} {
		v, env := gated(t, 6, func(c *testConfig) { c.Gate.Noise = 0.5 }, gates)
		for range 300 {
			for _, a := range v.choose(env) {
				if a.uid == 5 && a.lane == score.ServiceLane {
					counts[k] += len(a.rows)
				}
			}
		}
	}
	if counts[0] != counts[1] || counts[0] == 600 {
		t.Errorf("the best is named %v times of 600 with narrow and with wide scores, want equally often and not always", counts)
	}
}

func TestEqualGatesLeaveTheChoiceToChance(t *testing.T) {
	v, env := gated(t, 5, func(c *testConfig) { c.Gate.Noise = 0 }, slices.Repeat([]float32{0.5}, 5))
	counts := make([]int, 5)
	for range 200 {
		for _, uid := range asked(v.choose(env), score.ServiceLane) {
			counts[uid]++
		}
	}
	for uid, n := range counts[1:] {
		if n < 30 {
			t.Fatalf("uid %d was named in %d steps of 200, want about 90", uid+1, n)
		}
	}
}

func TestTheScoringLaneTakesItsPeersInTurn(t *testing.T) {
	v, env := gated(t, 7, func(c *testConfig) { c.Peers, c.Gate.ScorePeers = 3, 2 },
		[]float32{0.9, 0.8, 0.7, 0.1, 0.1, 0.1, 0.1})
	var turns []uint16
	for range 3 {
		turns = append(turns, asked(v.choose(env), score.ScoringLane)...)
	}
	slices.Sort(turns)
	if !slices.Equal(turns, []uint16{1, 2, 3, 4, 5, 6}) {
		t.Errorf("three steps of two score %v, want each of the six others once", turns)
	}
}

// Even with gates that never change, and a scoring lane whose questions have all failed so far, every
// target is scored within ten ledger epochs.
func TestNobodyWaitsLongerThanTenLedgerEpochs(t *testing.T) {
	const n, blocksPerStep = 30, 2
	gates := make([]float32, n)
	gates[5], gates[6] = 0.9, 0.8
	v, env := gated(t, n, nil, gates)
	bound := 10 * env.Chain().Params().TempoBlocks
	last := slices.Repeat([]uint64{env.state.Height()}, n)
	for range 1000 {
		env.state.Advance(blocksPerStep)
		height := env.state.Height()
		v.rotation = score.Rotation{Selection: score.FreshEachStep} // luck alone would leave some out
		for _, uid := range asked(v.choose(env), score.ScoringLane) {
			v.peers[uid].askedAt, last[uid] = height, height
		}
		for uid := 1; uid < n; uid++ {
			if height-last[uid] > bound {
				t.Fatalf("at block %d uid %d was last scored at %d, want at most %d blocks of waiting",
					height, uid, last[uid], bound)
			}
		}
	}
}

func TestUniformRoutingAsksEverybodyBeforeAnybodyTwice(t *testing.T) {
	v, env := testValidator(6).validator(), newFakeEnv(t, 6)
	v.startEpoch(env)
	for range 5 {
		v.rotation.StartEpoch()
		var uids []uint16
		for range 3 {
			asks := v.choose(env)
			if len(asked(asks, score.ServiceLane)) > 0 {
				t.Fatalf("%+v; uniform routing has no service lane", asks)
			}
			uids = append(uids, asked(asks, score.ScoringLane)...)
		}
		slices.Sort(uids)
		if !slices.Equal(uids, []uint16{1, 2, 3, 4, 5}) {
			t.Fatalf("three steps ask %v, want each of the five others once", uids)
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
		v, env := config.validator(), newFakeEnv(t, 5)
		env.setWeights(2, 3, 4)
		env.state.Advance(1)
		env.setWeights(1, 1) // a lone weight on itself keeps a miner active
		env.state.Advance(1)
		v.startEpoch(env)
		if got := asked(v.choose(env), score.ScoringLane); !slices.Equal(got, c.want) {
			t.Errorf("targets %d: asks %v, want %v", c.targets, got, c.want)
		}
	}
}

func TestAnEpochEndsWithItsBlocksAndTargetsOrWithTwiceItsBlocks(t *testing.T) {
	v, env := testValidator(5).validator(), newFakeEnv(t, 5)
	v.startEpoch(env)
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
	v, env := testValidator(5).validator(), newFakeEnv(t, 5)
	d := driver{env: env, agent: v}
	d.handle(host.Start{})
	d.done()
	call := env.calls[0]
	uid, _ := env.Chain().UIDOf(call.to)
	d.handle(host.Answer{Call: call.id, Response: host.Response{Code: host.Success, Body: d.trueAnswer(call.id, 0.5)}})
	d.handle(host.Answer{Call: env.calls[1].id, Response: host.Response{Code: host.Timeout}})
	d.done() // reading
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
