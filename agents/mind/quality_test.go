package mind

import (
	"math"
	"slices"
	"testing"

	"taolab/agents/score"
	"taolab/agents/wire"
	"taolab/sim/host"
)

var (
	testQuality  = QualityConfig{Losses: []float64{2, 4, 3}, MaxRows: 64}
	testSubsets  = Subsets{Names: []string{"sea", "law", "math"}, Weights: []float64{0.5, 0.3, 0.2}}
	statedConfig = QualityJudgeConfig{Subsets: testSubsets, Rows: 8, Gates: 4}
)

// put has a mind answer a request.
func put(t *testing.T, env host.Env, s Server, r host.Request) []byte {
	t.Helper()
	q, code := s.Read(r)
	if code != host.Success {
		t.Fatalf("refused with %v", code)
	}
	job, body := s.Answer(env, q)
	if job != nil {
		t.Fatal("needs a job")
	}
	return body
}

func allRows(n int) []uint16 {
	rows := make([]uint16, n)
	for i := range rows {
		rows[i] = uint16(i)
	}
	return rows
}

func TestAStatedQualityIsWhatItsJudgeReads(t *testing.T) {
	j, env := NewQualityJudge(statedConfig), newDrawing()
	j.Draw(env)
	rows := []uint16{0, 3, 7}
	body := put(t, env, NewQuality(testQuality), j.Ask(rows))
	_, losses := j.Read([]Answer{{rows, body}, {rows, body[1:]}})
	for i, row := range rows {
		if want := testQuality.Losses[j.Rows()[row]]; losses[0][i] != want {
			t.Errorf("row %d of %s loses %g, want %g", row, testSubsets.Names[j.Rows()[row]], losses[0][i], want)
		}
	}
	if len(losses[1]) != 0 {
		t.Errorf("an answer without its first byte loses %g, want no losses", losses[1])
	}
}

func TestTheSpreadOfAQualityIsAStandardDeviation(t *testing.T) {
	c := QualityConfig{Losses: []float64{3}, Spread: 0.5, MaxRows: 4096}
	env := newDrawing()
	body := put(t, env, NewQuality(c), host.Request{Synapse: host.StatedLoss, Dir: host.Forward,
		Body: wire.EncodeStatedRequest(wire.StatedRequest{Subsets: make([]uint16, 4096)})})
	a, err := wire.DecodeStated(body, 4096)
	if err != nil {
		t.Fatal(err)
	}
	sum, squares := 0.0, 0.0
	for _, loss := range a.Losses {
		sum += float64(loss)
		squares += (float64(loss) - 3) * (float64(loss) - 3)
	}
	mean, deviation := sum/4096, math.Sqrt(squares/4096)
	if math.Abs(mean-3) > 0.03 || math.Abs(deviation-0.5) > 0.03 {
		t.Errorf("mean %.3f, deviation %.3f, want 3 and 0.5", mean, deviation)
	}
}

func TestAQualityRefusesWhatItCannotServe(t *testing.T) {
	q := NewQuality(testQuality)
	body := func(subsets ...uint16) []byte { return wire.EncodeStatedRequest(wire.StatedRequest{Subsets: subsets}) }
	for _, c := range []struct {
		r    host.Request
		want host.Code
	}{
		{host.Request{Synapse: host.StatedLoss, Dir: host.Forward, Body: body(0, 2)}, host.Success},
		{host.Request{Synapse: host.TextCausalLM, Dir: host.Forward, Body: body(0)}, host.NotImplemented},
		{host.Request{Synapse: host.StatedLoss, Dir: host.Backward, Body: body(0)}, host.NotImplemented},
		{host.Request{Synapse: host.StatedLoss, Dir: host.Forward, Body: body(3)}, host.InvalidRequest},
		{host.Request{Synapse: host.StatedLoss, Dir: host.Forward, Body: body(make([]uint16, 65)...)}, host.InvalidRequest},
	} {
		if _, got := q.Read(c.r); got != c.want {
			t.Errorf("%+v: %v, want %v", c.r, got, c.want)
		}
	}
}

func TestABatchOfOneSubsetIsOfOneSubset(t *testing.T) {
	config := statedConfig
	config.Batch = OneSubset
	j, env := NewQualityJudge(config), newDrawing()
	drawn := map[uint16]bool{}
	for range 50 {
		j.Draw(env)
		if rows := slices.Compact(slices.Clone(j.Rows())); len(rows) != 1 {
			t.Fatalf("a batch of subsets %d", rows)
		}
		drawn[j.Rows()[0]] = true
	}
	if len(drawn) != len(testSubsets.Names) {
		t.Errorf("50 batches were of %d subsets, expected %d", len(drawn), len(testSubsets.Names))
	}
}

func TestAJudgeOfStatedLossesLearnsNothingAboutAUIDWithoutAGate(t *testing.T) {
	j := NewQualityJudge(statedConfig)
	j.Draw(newDrawing())
	before := j.AppendState(nil)
	j.Learn([]Lesson{{UID: uint16(statedConfig.Gates), Rows: []uint16{2}, Targets: []float32{0.5}}})
	if !slices.Equal(j.AppendState(nil), before) {
		t.Error("it remembers a uid that it has no gate for")
	}
}

func TestAJudgeOfStatedLossesDrawsByWeightAndNamesWhoIsGoodAtARow(t *testing.T) {
	j, env := NewQualityJudge(statedConfig), newDrawing()
	count := make([]int, 3)
	for range 400 {
		j.Draw(env)
		j.Route()
		for _, subset := range j.Rows() {
			count[subset]++
		}
		good, bad := make([]float32, 8), make([]float32, 8)
		for row, subset := range j.Rows() { // uid 1 is good at the second subset, uid 2 at the others
			good[row], bad[row] = 0.1, 0.6
			if subset == 1 {
				good[row], bad[row] = 0.6, 0.1
			}
		}
		j.Learn([]Lesson{{UID: 1, Rows: allRows(8), Targets: good}, {UID: 2, Rows: allRows(8), Targets: bad}})
	}
	for subset, weight := range testSubsets.Weights {
		if got := float64(count[subset]) / 3200; math.Abs(got-weight) > 0.04 {
			t.Errorf("a share of %.3f of subset %d, want %g", got, subset, weight)
		}
	}
	j.Draw(env)
	j.Route()
	for row, subset := range j.Rows() {
		first, _ := j.Gate(row, 1)
		second, _ := j.Gate(row, 2)
		if (first > second) != (subset == 1) {
			t.Errorf("a row of subset %d: %g for uid 1, %g for uid 2", subset, first, second)
		}
	}
	j.Forget(1)
	j.Route()
	if first, _ := j.Gate(0, 1); j.means.At(1, score.ScoringLane, 1).Rows != 0 || first > 0.5 {
		t.Errorf("of a new hotkey it says %g", first)
	}
	if _, gated := j.Gate(0, 4); gated {
		t.Error("uid 4 of 4 gates has a score")
	}
}

func TestAStateOfStatedLossesReadsBackAndIsRefusedWhereItCannotBe(t *testing.T) {
	for name, spoil := range map[string]func(*QualityJudge){ // order-free: each case stands alone
		"":                         func(*QualityJudge) {},
		"a row of no subset":       func(j *QualityJudge) { j.rows[3] = 9 },
		"too few rows":             func(j *QualityJudge) { j.rows = j.rows[1:] },
		"too few gates":            func(j *QualityJudge) { j.gates = j.gates[1:] },
		"gates without rows":       func(j *QualityJudge) { j.rows = nil },
		"a table of other subsets": func(j *QualityJudge) { j.means = score.NewSubsetMeans(2, score.ServiceLane, 4) },
	} {
		j := NewQualityJudge(statedConfig)
		j.Draw(newDrawing())
		j.Route()
		j.Learn([]Lesson{{UID: 1, Rows: []uint16{2}, Targets: []float32{0.5}}})
		spoil(j)
		state := j.AppendState(nil)
		again, err := restored(NewQualityJudge(statedConfig), state)
		if (err == nil) != (name == "") {
			t.Errorf("%q: %v", name, err)
		} else if err == nil && !slices.Equal(again.AppendState(nil), state) {
			t.Errorf("%q: reads back as another", name)
		}
	}
}

// A prompt is answered with the loss of the true token that the answering mind states.
func TestAPromptOfStatedLossesIsContinuedWithTheStatedLoss(t *testing.T) {
	p := QualityPrompts{Subsets: testSubsets, Tokens: 3}
	env := newDrawing()
	for range 20 {
		prompt, truth := p.Draw(env)
		if wantPrompt, wantTruth := p.Shape(); len(prompt) != wantPrompt || len(truth) != wantTruth {
			t.Fatalf("a prompt of %d tokens and %d more, want %d and %d", len(prompt), len(truth), wantPrompt, wantTruth)
		}
		d, err := p.Read(prompt, put(t, env, NewQuality(testQuality), p.Ask(prompt)))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := p.Loss(d, truth[0]), testQuality.Losses[prompt[0]]; math.Abs(got-want) > 1e-5 {
			t.Errorf("loses %g on subset %d, want %g", got, prompt[0], want)
		}
	}
}

func TestAStatedQualityThatCannotBeIsRefused(t *testing.T) {
	for _, err := range []error{
		QualityConfig{MaxRows: 1}.Validate(),
		QualityConfig{Losses: []float64{1}}.Validate(),
		QualityConfig{Losses: []float64{-1}, MaxRows: 1}.Validate(),
		QualityConfig{Losses: []float64{math.NaN()}, MaxRows: 1}.Validate(),
		QualityConfig{Losses: []float64{1}, Spread: math.Inf(1), MaxRows: 1}.Validate(),
		QualityJudgeConfig{Rows: 1}.Validate(),
		QualityJudgeConfig{Subsets: testSubsets}.Validate(),
		QualityJudgeConfig{Subsets: Subsets{Names: []string{"a"}, Weights: []float64{0}}, Rows: 1}.Validate(),
		QualityJudgeConfig{Subsets: testSubsets, Rows: 1, Gates: -1}.Validate(),
		QualityPrompts{Subsets: testSubsets}.Validate(),
		QualityPrompts{Tokens: 1}.Validate(),
	} {
		if err == nil {
			t.Error("a config that cannot work is valid")
		}
	}
	if err := statedConfig.Validate(); err != nil {
		t.Error(err)
	}
}
