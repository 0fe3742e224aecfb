package agents

import (
	"fmt"
	"slices"
	"testing"

	"taolab/agents/score"
	"taolab/model/lm"
	"taolab/sim/chain"
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
		if v.step.phase == learning {
			d.done()
		}
		d.env.state.Advance(1)
	}
}

func validatorAtWork(t *testing.T, n int, c ValidatorConfig) (*Validator, *driver) {
	v := NewValidator(c)
	d := &driver{env: newFakeEnv(t, n), agent: v}
	d.handle(host.Start{})
	return v, d
}

func TestWhoAnswersWhereItIsScoredAloneEndsWithAFifthAtMost(t *testing.T) {
	const n, dodger = 8, 3
	c := gatedValidator(n, testValidator(n))
	c.Rows, c.Peers, c.EpochBlocks = 8, 3, 1000
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
	v.brain.(*rowRouter).model.Bias[5] = 4 // always named
	d.done()
	v.step.asks = slices.DeleteFunc(v.step.asks, func(a ask) bool { return a.lane == score.ScoringLane && a.uid == 5 })
	for _, a := range slices.Clone(v.step.asks) {
		d.handle(host.Answer{Call: a.call, Response: host.Response{Code: host.Success, Body: d.trueAnswer(a.call, 0.5)}})
	}
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

func TestAHotkeyThatChangesIsForgottenByGateTableAndAverages(t *testing.T) {
	const n, changed, kept = 4, 2, 3
	c := gatedValidator(n, testValidator(n))
	c.EpochBlocks = 1000
	v, d := validatorAtWork(t, n, c)
	v.peers[changed].hotkey = chain.Key{1} // who sat there until now
	d.steps(12, func(ask) float64 { return 0.3 })
	model := v.brain.(*rowRouter).model
	width := model.Trunk.Config.Width
	knows := func(uid int) (known []string) {
		for _, w := range append(slices.Clone(model.Gates[uid*width:(uid+1)*width]), model.Bias[uid]) {
			if w != 0 {
				known = append(known, "gate")
				break
			}
		}
		for subset := range 3 {
			if v.means.At(uint16(uid), score.ScoringLane, subset).Rows+v.means.At(uint16(uid), score.ServiceLane, subset).Rows > 0 {
				known = append(known, "table")
				break
			}
		}
		if v.averages.Entry(uint16(uid)) != (score.Entry{}) {
			known = append(known, "averages")
		}
		return known
	}
	all := []string{"gate", "table", "averages"}
	if !slices.Equal(knows(changed), all) || !slices.Equal(knows(kept), all) {
		t.Fatalf("after 12 steps it knows %v and %v", knows(changed), knows(kept))
	}
	v.sync(d.env)
	if got := knows(changed); len(got) > 0 {
		t.Errorf("of the new hotkey it knows %v already", got)
	}
	if got := knows(kept); !slices.Equal(got, all) {
		t.Errorf("of the one that stays it knows %v", got)
	}
}

// The base of a release up to 3.5.1 is of each batch's loss, that of 3.6.0 of the moving average, which the
// first answer starts.
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

func TestABatchMixesSubsetsByWeightUnlessItIsOfOne(t *testing.T) {
	for _, batch := range []Batch{Mixed, OneSubset} {
		c := testValidator(3)
		c.Rows, c.Batch = 10, batch
		v, env := NewValidator(c), newFakeEnv(t, 3)
		count, mixed := make([]int, 3), 0
		for range 300 {
			v.draw(env)
			for _, subset := range v.step.subsets {
				count[subset]++
			}
			if slices.Min(v.step.subsets) != slices.Max(v.step.subsets) {
				mixed++
			}
		}
		if batch == Mixed && mixed < 290 || batch == OneSubset && mixed > 0 {
			t.Errorf("batch %d: %d of 300 are mixed", batch, mixed)
		}
		for subset, weight := range []float64{0.5, 0.3, 0.2} {
			if got := float64(count[subset]) / 3000; got < weight-0.08 || got > weight+0.08 {
				t.Errorf("batch %d: a share of %.3f of subset %d, want %.1f", batch, got, subset, weight)
			}
		}
	}
}

// Sent rows and kept phrases are of the same windows, and each window is of the subset that is written down.
func TestWhatIsSentAndWhatIsKeptAreOfOneWindow(t *testing.T) {
	c := testValidator(3)
	c.Rows = 6
	v, env := NewValidator(c), newFakeEnv(t, 3)
	v.draw(env)
	again := newFakeEnv(t, 3).Rand("text")
	text, subsets := make([]uint16, 6*16), make([]uint16, 6)
	c.Mix.BatchOf(again, 6, 16, text, subsets)
	if !slices.Equal(v.step.subsets, subsets) {
		t.Fatalf("subsets %v, want %v", v.step.subsets, subsets)
	}
	for row := range 6 {
		window := text[row*16 : (row+1)*16]
		if !slices.Equal(v.step.tokens[row*8:(row+1)*8], window[:8]) || !slices.Equal(v.step.phrases[row*8:(row+1)*8], window[8:]) {
			t.Errorf("row %d is not the window %v", row, window)
		}
	}
}

func TestPowersOfBaseAndSynergyReachTheirScores(t *testing.T) {
	credits := func(base, synergy float64) []score.Credit {
		c := testValidator(4)
		c.Power, c.SynergyPower = base, synergy
		v := NewValidator(c)
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
	if v := NewValidator(c); v.powers.Base != 0.5 || v.powers.Synergy != 0.6 {
		t.Errorf("powers %+v without any in the config, want the release's", v.powers)
	}
}

func TestAGatedStepNeedsEightRowsInCommonForSynergy(t *testing.T) {
	for _, rows := range []int{7, 8} {
		c := gatedValidator(4, testValidator(4))
		c.Rows, c.Peers, c.Gate.ScorePeers = rows, 2, 2
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

func TestTheFirstBatchOfAnEpochMakesAStepOfTheHistoricRouter(t *testing.T) {
	v, d := validatorAtWork(t, 4, testValidator(4))
	router := v.brain.(*batchRouter)
	var moved []bool
	bias := slices.Clone(router.model.Bias)
	for range 7 {
		d.steps(1, func(ask) float64 { return 0.4 })
		moved = append(moved, !slices.Equal(bias, router.model.Bias))
		bias = slices.Clone(router.model.Bias)
	}
	if want := []bool{true, false, false, true, false, false, true}; !slices.Equal(moved, want) {
		t.Errorf("steps on batches %v, want on the first, fourth and seventh", moved)
	}
}

func TestTheGatesTableIsWhatTheMeansSayBeforeTheAnswers(t *testing.T) {
	c := gatedValidator(4, testValidator(4))
	v, d := validatorAtWork(t, 4, c)
	d.steps(5, func(a ask) float64 { return 0.1 * float64(a.uid) })
	d.fire()
	route := d.env.job.(routeRows)
	want := v.means.Targets(4)
	d.done()
	for _, a := range slices.Clone(v.step.asks) {
		d.handle(host.Answer{Call: a.call, Response: host.Response{Code: host.Success, Body: d.trueAnswer(a.call, 0.3)}})
	}
	train := d.env.job.(trainRows)
	if !slices.Equal(route.means, want) || !slices.Equal(train.means, want) {
		t.Errorf("routes with %v and learns with %v, want both times %v", route.means, train.means, want)
	}
	for i, subset := range v.step.subsets {
		if v.reads[train.labels[i]] != subset {
			t.Errorf("row %d is of subset %d and learned as %d", i, subset, train.labels[i])
		}
	}
	if slices.Equal(v.means.Targets(4), want) {
		t.Error("the answers moved no mean")
	}
}

func TestWithoutLabelsThereIsNeitherTableNorSecondTask(t *testing.T) {
	c := gatedValidator(4, testValidator(4))
	c.RowRouter = lm.NewRowRouter(smallModel(), 4, 0)
	_, d := validatorAtWork(t, 4, c)
	d.steps(3, func(a ask) float64 { return 0.3 })
	d.fire()
	if job := d.env.job.(routeRows); job.means != nil || job.labels != nil {
		t.Errorf("means %v, labels %v", job.means, job.labels)
	}
}

func TestTheWorkOfRoutingIsThatOfItsRowsGatesAndPairs(t *testing.T) {
	few, many := lm.NewRowRouter(smallModel(), 4, 3), lm.NewRowRouter(smallModel(), 400, 3)
	b := batch{tokens: make([]uint16, 16), rows: 2, cols: 8}
	double := batch{tokens: make([]uint16, 32), rows: 4, cols: 8}
	pairs := make([]lm.RowPair, 12)
	train := func(m *lm.RowRouter, b batch, n int) int64 {
		return trainRows{&rowRouter{model: m}, b, pairs[:n]}.Work()
	}
	for _, c := range []struct {
		name string
		is   bool
	}{
		{"more gates cost more to ask", (routeRows{many, b}).Work() > (routeRows{few, b}).Work()},
		{"twice the rows cost twice", (routeRows{few, double}).Work() == 2*(routeRows{few, b}).Work()},
		{"gates that nobody was asked through cost nothing to train", train(many, b, 12) == train(few, b, 12)},
		{"more pairs cost more", train(few, b, 12) > train(few, b, 6)},
		{"learning costs more than asking", train(few, b, 1) > (routeRows{few, b}).Work()},
		{"tokens are those of the rows", (routeRows{few, b}).Tokens() == 16 && trainRows{&rowRouter{model: few}, b, nil}.Tokens() == 16},
	} {
		if !c.is {
			t.Errorf("not so: %s", c.name)
		}
	}
}

// A state in the middle of a gated step is refused where anything in it contradicts the rest.
func TestAGatedStateThatContradictsItselfIsRefused(t *testing.T) {
	c := gatedValidator(5, testValidator(5))
	for name, spoil := range map[string]func(*Validator){ // order-free: each case stands alone
		"":                         func(*Validator) {},
		"a row beyond the batch":   func(v *Validator) { v.step.asks[1].rows = []uint16{9} },
		"rows out of order":        func(v *Validator) { v.step.asks[0].rows = []uint16{1, 0} },
		"a question of no rows":    func(v *Validator) { v.step.asks[0].rows = nil },
		"an unknown lane":          func(v *Validator) { v.step.asks[0].lane = 7 },
		"losses of other rows":     func(v *Validator) { v.step.asks[0].losses = []float64{1} },
		"too few scores":           func(v *Validator) { v.step.gates = v.step.gates[:5] },
		"a subset nobody reads":    func(v *Validator) { v.step.subsets[0] = 77 },
		"a table of other subsets": func(v *Validator) { v.means = score.NewSubsetMeans(2, score.ServiceLane, 4) },
		"a table of one lane":      func(v *Validator) { v.means = score.NewSubsetMeans(3, score.ScoringLane, 4) },
		"a router of more gates":   func(v *Validator) { v.brain.(*rowRouter).model = lm.NewRowRouter(smallModel(), 6, 3) },
		"moments of another router": func(v *Validator) {
			v.brain.(*rowRouter).moments = lm.RowAdam{Steps: 1, M: []float32{1}, V: []float32{1}}
		},
		"a router of other subsets":  func(v *Validator) { v.brain.(*rowRouter).model = lm.NewRowRouter(smallModel(), 5, 2) },
		"questions before the batch": func(v *Validator) { v.step.phase = pausing },
	} {
		v, d := validatorAtWork(t, 5, c)
		d.done()
		spoil(v)
		if err := NewValidator(c).RestoreState(v.AppendState(nil)); (err == nil) != (name == "") {
			t.Errorf("%q: %v", name, err)
		} else if err != nil && testing.Verbose() {
			t.Log(fmt.Sprint(name, ": ", err))
		}
	}
}

func TestTheGateLearnsFromBothLanesAndThatSilenceOfServiceIsWorthNothing(t *testing.T) {
	c := gatedValidator(6, testValidator(6))
	c.Rows, c.Peers, c.Gate.ScorePeers = 4, 4, 2
	v, d := validatorAtWork(t, 6, c)
	d.done()
	silent := map[score.Lane]uint16{}
	for _, a := range slices.Clone(v.step.asks) { // the last of each lane is silent
		silent[a.lane] = a.uid
	}
	var want []lm.RowPair
	for _, a := range slices.Clone(v.step.asks) {
		response, target := host.Response{Code: host.Timeout}, float32(0)
		if a.uid != silent[a.lane] {
			response = host.Response{Code: host.Success, Body: d.trueAnswer(a.call, 0.1)}
			target = v.target(2.302585)
		}
		for _, row := range a.rows {
			if a.lane == score.ServiceLane || target > 0 {
				want = append(want, lm.RowPair{Row: int(row), UID: a.uid, Target: target})
			}
		}
		d.handle(host.Answer{Call: a.call, Response: response})
	}
	got := d.env.job.(trainRows).pairs
	for i := range got {
		if i >= len(want) || got[i].Row != want[i].Row || got[i].UID != want[i].UID ||
			got[i].Target < want[i].Target-1e-3 || got[i].Target > want[i].Target+1e-3 {
			t.Fatalf("learns %v, want %v", got, want)
		}
	}
	if len(got) != len(want) || len(got) < 8 {
		t.Fatalf("learns %v, want %v", got, want)
	}
}
