package agents

import (
	"fmt"
	"slices"
	"testing"

	"taolab/agents/mind"
	"taolab/agents/score"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// steps lets a validator make n steps. Truth is the probability that a question's answer gives to the
// true tokens; 0 leaves it unanswered.
func (d *driver) steps(n int, truth func(ask) float64) {
	v := d.agent.(*Validator)
	for range n {
		if v.step.phase == pausing {
			d.fire()
		}
		d.done()
		for _, a := range slices.Clone(v.step.asks) {
			response := host.Response{Code: host.Timeout}
			if p := truth(a); p > 0 {
				response = host.Response{Code: host.Success, Body: d.trueAnswer(a.call, p)}
			}
			d.handle(host.Answer{Call: a.call, Response: response})
		}
		for v.step.phase == reading || v.step.phase == learning {
			d.done()
		}
		d.env.state.Advance(1)
	}
}

func validatorAtWork(t *testing.T, n int, c testConfig) (*Validator, *driver) {
	v := c.validator()
	d := &driver{env: newFakeEnv(t, n), agent: v}
	d.handle(host.Start{})
	return v, d
}

func TestWhoAnswersWhereItIsScoredAloneEndsWithAFifthAtMost(t *testing.T) {
	const n, dodger = 8, 3
	c := gatedValidator(n, testValidator(n))
	c.text.Rows, c.Peers, c.EpochBlocks = 8, 3, 1000
	v, d := validatorAtWork(t, n, c)
	d.steps(120, func(a ask) float64 {
		if a.uid == dodger && a.lane == score.ServiceLane {
			return 0
		}
		return 0.2
	})
	cheat, honest := v.averages.Entry(dodger), v.averages.Entry(4)
	if cheat.Score.Value < 0.8*honest.Score.Value || honest.Unanswered() != 0 {
		t.Fatalf("both are scored alike: %+v and %+v", cheat, honest)
	}
	if cheat.Weight() > 0.2*honest.Weight() {
		t.Errorf("it weighs %g, the honest %g", cheat.Weight(), honest.Weight())
	}
	v.endEpoch(d.env)
	at := slices.Index(v.weights.uids, dodger)
	if at >= 0 && v.weights.values[at] > v.weights.values[slices.Index(v.weights.uids, 4)]/5 {
		t.Errorf("weights %d on %d; want on uid %d at most a fifth of the others'", v.weights.values, v.weights.uids, dodger)
	}
	asked := 0
	for _, row := range d.env.rows {
		if q, ok := row.(trace.Query); ok && q.UID == dodger && q.Lane == trace.ServiceLane && q.Step > 60 {
			asked++
		}
	}
	if asked > 30 {
		t.Errorf("the gate still names it in %d of 60 steps", asked)
	}
}

func TestTheServiceLaneMovesNeitherStandingNorScore(t *testing.T) {
	const n = 6
	c := gatedValidator(n, testValidator(n))
	c.Peers = 3
	v, d := validatorAtWork(t, n, c)
	v.judge.(openJudge).seen.gates = [][]float32{{0, 0, 0, 0, 0, 1}} // uid 5 is always named
	d.done()
	v.step.asks = slices.DeleteFunc(v.step.asks, func(a ask) bool { return a.lane == score.ScoringLane && a.uid == 5 })
	for _, a := range slices.Clone(v.step.asks) {
		d.handle(host.Answer{Call: a.call, Response: host.Response{Code: host.Success, Body: d.trueAnswer(a.call, 0.5)}})
	}
	d.done() // reading
	turn := v.step.asks[0].uid
	for uid := uint16(1); uid < n; uid++ {
		e, scored := v.averages.Entry(uid), uid == turn
		if got := v.peers[uid].standing == score.Responsive; got != scored {
			t.Errorf("uid %d, %d in turn: standing %d", uid, turn, v.peers[uid].standing)
		}
		if got := e.Score.Updates > 0; got != scored || e.LatencyNs.Updates != e.Score.Updates || e.Loss.Updates != e.Score.Updates {
			t.Errorf("uid %d, %d in turn: %+v", uid, turn, e)
		}
	}
	if v.averages.Entry(5).ServiceRows == 0 && turn != 5 {
		t.Error("uid 5 has served no row")
	}
}

// The base score comes from each batch's loss up to release 3.5.1, and from the moving average, which the
// first answer starts, from 3.6.0 on.
func TestFromThreeSixOnTheLossIsAveragedBeforeThePower(t *testing.T) {
	for _, c := range []struct {
		era   string
		bases func(p score.Powers, losses []float64) []float64
	}{
		{"3.5.1", func(p score.Powers, losses []float64) (bases []float64) {
			for _, l := range losses {
				bases = append(bases, p.BaseScore(l))
			}
			return bases
		}},
		{"3.6.0", func(p score.Powers, losses []float64) (bases []float64) {
			mean := losses[0]
			for i, l := range losses {
				if i > 0 {
					mean = float64(0.75*mean) + float64(0.25*l)
				}
				bases = append(bases, p.BaseScore(mean))
			}
			return bases
		}},
	} {
		config := testValidator(2)
		config.Era, config.Alpha, config.EpochBlocks = c.era, 0.25, 1000
		v, d := validatorAtWork(t, 2, config)
		truths := []float64{0.3, 0.05, 0.4, 0.01}
		step := 0
		d.steps(len(truths), func(ask) float64 { step++; return truths[step-1] })
		var losses, got []float64
		want := score.Average{}
		for _, row := range d.env.rows {
			if q, ok := row.(trace.Query); ok {
				got = append(got, *q.Base)
				want.ObserveFromZero(*q.Base+*q.Synergy, 0.25)
				losses = append(losses, float64(*q.Loss))
			}
		}
		for i, base := range c.bases(v.powers, losses) {
			if ratio := got[i] / base; ratio < 0.9999 || ratio > 1.0001 {
				t.Errorf("release %s: bases %v of losses %v, want %v at %d", c.era, got, losses, base, i)
			}
		}
		if v.averages.Entry(1).Score != want {
			t.Errorf("release %s: the zeroing average is %v, want %v", c.era, v.averages.Entry(1).Score, want)
		}
	}
}

func TestPowersOfBaseAndSynergyReachTheirScores(t *testing.T) {
	credits := func(base, synergy float64) []score.Credit {
		c := testValidator(4)
		c.Power, c.SynergyPower = base, synergy
		v := c.validator()
		v.sync(newFakeEnv(t, 4))
		v.step.asks = []ask{
			{uid: 1, rows: []uint16{0, 1}, losses: []float64{2, 4}}, {uid: 2, rows: []uint16{0, 1}, losses: []float64{4, 2}},
		}
		return v.credit()
	}
	both, base, synergy := credits(0.5, 0.5)[0], credits(0.6, 0.5)[0], credits(0.5, 0.6)[0]
	if base.Base == both.Base || base.Synergy != both.Synergy || synergy.Base != both.Base || synergy.Synergy == both.Synergy {
		t.Errorf("powers 0.5 and 0.5: %+v; 0.6 and 0.5: %+v; 0.5 and 0.6: %+v", both, base, synergy)
	}
	if release, _ := score.EraNamed("3.3.4"); release.SynergyPower == release.Power {
		t.Fatal("a release of one power shows nothing")
	}
	c := testValidator(4)
	c.Era = "3.3.4"
	if v := c.validator(); v.powers.Base != 0.5 || v.powers.Synergy != 0.6 {
		t.Errorf("powers %+v without any in the config, want the release's", v.powers)
	}
}

func TestAGatedStepNeedsEightRowsInCommonForSynergy(t *testing.T) {
	for _, rows := range []int{7, 8} {
		c := gatedValidator(4, testValidator(4))
		c.text.Rows, c.Peers, c.Gate.ScorePeers = rows, 2, 2
		_, d := validatorAtWork(t, 4, c)
		d.done()
		v := d.agent.(*Validator)
		for i := range v.step.asks {
			a := &v.step.asks[i]
			a.losses = slices.Repeat([]float64{3}, rows)
			a.losses[i] = 0.5
		}
		if got := v.credit()[0].Synergy > 0; got != (rows >= 8) {
			t.Errorf("%d rows: synergy %t", rows, got)
		}
	}
}

// A state in the middle of a gated step is refused where anything in it contradicts the rest.
func TestAGatedStateThatContradictsItselfIsRefused(t *testing.T) {
	c := gatedValidator(5, testValidator(5))
	for name, spoil := range map[string]func(*Validator){ // order-free: each case stands alone
		"":                           func(*Validator) {},
		"a row beyond the batch":     func(v *Validator) { v.step.asks[1].rows = []uint16{9} },
		"rows out of order":          func(v *Validator) { v.step.asks[0].rows = []uint16{1, 0} },
		"a question of no rows":      func(v *Validator) { v.step.asks[0].rows = nil },
		"an unknown lane":            func(v *Validator) { v.step.asks[0].lane = 7 },
		"losses of other rows":       func(v *Validator) { v.step.asks[0].losses = []float64{1} },
		"questions without a batch":  func(v *Validator) { v.judge.Drop() },
		"questions before the batch": func(v *Validator) { v.step.phase = pausing },
		"an unknown standing":        func(v *Validator) { v.peers[1].standing = score.Unasked + 1 },
	} {
		v, d := validatorAtWork(t, 5, c)
		d.done()
		spoil(v)
		if err := c.validator().RestoreState(v.AppendState(nil)); (err == nil) != (name == "") {
			t.Errorf("%q: %v", name, err)
		} else if err != nil && testing.Verbose() {
			t.Log(fmt.Sprint(name, ": ", err))
		}
	}
}

func TestTheGateLearnsFromBothLanesAndThatSilenceOfServiceIsWorthNothing(t *testing.T) {
	c := gatedValidator(6, testValidator(6))
	c.text.Rows, c.Peers, c.Gate.ScorePeers = 4, 4, 2
	v, d := validatorAtWork(t, 6, c)
	d.done()
	silent := map[score.Lane]uint16{}
	for _, a := range slices.Clone(v.step.asks) { // the last of each lane is silent
		silent[a.lane] = a.uid
	}
	var want []mind.Lesson
	for _, a := range slices.Clone(v.step.asks) {
		response, target := host.Response{Code: host.Timeout}, float32(0)
		if a.uid != silent[a.lane] {
			response = host.Response{Code: host.Success, Body: d.trueAnswer(a.call, 0.1)}
			target = v.target(2.302585)
		}
		if a.lane == score.ServiceLane || target > 0 {
			want = append(want, mind.Lesson{UID: a.uid, Lane: a.lane, Rows: a.rows, Targets: slices.Repeat([]float32{target}, len(a.rows))})
		}
		d.handle(host.Answer{Call: a.call, Response: response})
	}
	d.done() // reading
	got := v.judge.(openJudge).lessons
	same := func(a, b mind.Lesson) bool {
		return a.UID == b.UID && a.Lane == b.Lane && slices.Equal(a.Rows, b.Rows) &&
			slices.EqualFunc(a.Targets, b.Targets, func(x, y float32) bool { return x > y-1e-3 && x < y+1e-3 })
	}
	if !slices.EqualFunc(got, want, same) || len(got) < 4 {
		t.Fatalf("learns %+v, want %+v", got, want)
	}
}
