package report

import (
	"math"
	"slices"
	"strings"
	"testing"

	"taolab/sim/trace"
)

// metricOf is a number that the summary must have.
func metricOf(t *testing.T, s *Summary, name string) float64 {
	t.Helper()
	v, ok := s.Metric(name)
	if !ok {
		t.Fatalf("no %s", name)
	}
	return v
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(b)) }

func TestATimeoutIsNoRefusal(t *testing.T) {
	m := newSynthetic(1).manifest
	app := uint32(miners + validators)
	var rows []trace.Row
	for code, n := range map[string]int{success: 6, "Backoff": 1, "Unauthenticated": 1, "Timeout": 1, "Unavailable": 1, "InvalidResponse": 2} {
		for range n {
			rows = append(rows,
				trace.Query{Block: 1, Node: miners, Peer: trace.Some(uint32(0)), Code: code},
				trace.Application{Node: app, Code: code})
		}
	}
	s := summaryOf(t, t.TempDir(), m, rows...)
	for name, want := range map[string]float64{
		"query.count": 12, "query.success": 0.5, "query.refused": 1.0 / 6, "query.unanswered": 1.0 / 6,
		"application.requests": 12, "application.admitted": 0.8, "application.unanswered": 1.0 / 6,
	} {
		if v := metricOf(t, s, name); !near(v, want) {
			t.Errorf("%s = %g, want %g", name, v, want)
		}
	}
}

func TestTheBiasOfScoresIsTheMeanScoreOverTheScoreOfTheMeanLoss(t *testing.T) {
	m := newSynthetic(1).manifest
	losses := []float32{2, 3, 4, 5, 6}
	var rows []trace.Row
	sum, mean := 0.0, 0.0
	for _, loss := range losses {
		base := math.Pow(8.8e13/math.Pow(float64(loss), 1/0.076), 0.5)
		sum, mean = sum+base/5, mean+float64(loss)/5
		rows = append(rows, trace.Query{Block: m.Blocks, Node: miners, Peer: trace.Some(uint32(0)), Code: success,
			Loss: trace.Some(loss), EquivLoss: trace.Some(loss), Base: &base})
	}
	want := sum / math.Pow(8.8e13/math.Pow(mean, 1/0.076), 0.5)
	s := summaryOf(t, t.TempDir(), m, rows...)
	if v := metricOf(t, s, "query.bias"); math.Abs(v/want-1) > 1e-6 {
		t.Errorf("query.bias = %g, want %g", v, want)
	}
	if v := metricOf(t, s, "group.wide32.bias"); math.Abs(v/want-1) > 1e-6 {
		t.Errorf("group.wide32.bias = %g, want %g", v, want)
	}
	m.Scenario = []byte(strings.Replace(string(m.Scenario), `"power":0.5`, `"power":0.3`, 1))
	if v := metricOf(t, summaryOf(t, t.TempDir(), m, rows...), "query.bias"); math.Abs(v/want-1) < 0.5 {
		t.Errorf("query.bias = %g with another power, which the scores do not have", v)
	}
}

// answers are rows of one validator's questions about two subsets at the end of a run.
func answers(m Manifest) []trace.Row {
	answer := func(node uint32, lane, subset string, rows uint32, loss float32) trace.Row {
		return trace.Answer{Block: m.Blocks, Node: miners, Peer: &node, Lane: lane, Subset: subset, Rows: rows, Loss: &loss}
	}
	return []trace.Row{
		answer(0, trace.ScoringLane, "Github", 1, 2), answer(0, trace.ScoringLane, "Github", 3, 4),
		answer(1, trace.ScoringLane, "Github", 2, 3), answer(1, trace.ScoringLane, "Books3", 2, 3),
		answer(0, trace.ServiceLane, "Github", 8, 9), answer(1, trace.ServiceLane, "Github", 2, 9),
		answer(1, trace.ServiceLane, "Books3", 5, 9),
	}
}

func TestAbilityComesFromTheScoringLaneAndChoiceFromTheServiceLane(t *testing.T) {
	m := newSynthetic(1).manifest
	m.Nodes[0].Data = []string{"Github"}
	rows := answers(m)
	early := rows[0].(trace.Answer)
	early.Block, early.Loss = 1, trace.Some(float32(100)) // outside the window
	s := summaryOf(t, t.TempDir(), m, append(rows, early)...)
	for name, want := range map[string]float64{
		"answers.loss.Github.wide32": (1*2 + 3*4) / 4.0, "answers.loss.Github.wide48": 3, "answers.loss.Books3.wide48": 3,
		"routing.share.Github.wide32": 0.8, "routing.share.Github.wide48": 0.2, "routing.share.Books3.wide48": 1,
		"routing.specialists": 0.8, "routing.specialists.chance": 1.0 / miners,
	} {
		if v := metricOf(t, s, name); !near(v, want) {
			t.Errorf("%s = %g, want %g", name, v, want)
		}
	}
	if best := s.Abilities[0]; best.Subset != "Github" || best.Miners[0].Name != "miner-1" || best.Miners[0].Rows != 2 {
		t.Errorf("valuable for Github: %+v", best.Miners)
	}
}

// paidByRole are epochs that pay miners 40 of 600 rao, and a ledger that gives the owner 100 more.
func paidByRole() (Manifest, []trace.Row) {
	m, rows := town(12, func(_, miner int) uint16 { return 1000 })
	const minted, dust, unallocated, cut = 60, 1, 2, 100
	for b := uint64(1); b <= 120; b++ {
		over := b / 10 // epochs so far
		rows = append(rows, trace.Totals{Block: b, MintedRao: 9000 + b*minted, StakedRao: over * (10*minted - dust - unallocated),
			PendingRao: b % 10 * minted, DustRao: 4000 + over*dust, UnallocatedRao: 5000 + over*unallocated, OwnerRao: over * cut})
	}
	return m, rows
}

func TestTheLedgersAccountSaysWhatTheOwnerGot(t *testing.T) {
	m, rows := paidByRole()
	s := summaryOf(t, t.TempDir(), m, rows...)
	if s.Supply.DifferenceRao != 0 || len(s.Warnings) != 1 { // the window is short
		t.Errorf("a sound ledger with unallocated money: difference %d, warnings %q", s.Supply.DifferenceRao, s.Warnings)
	}
	for name, want := range map[string]float64{
		"money.owner_rao": 12 * 100, "supply.unallocated_rao": 5000 + 12*2, "money.miners_rao": 12 * 40,
	} {
		if v := metricOf(t, s, name); v != want {
			t.Errorf("%s = %g, want %g", name, v, want)
		}
	}
	thinned := slices.DeleteFunc(slices.Clone(rows), func(row trace.Row) bool {
		total, ok := row.(trace.Totals)
		e, isEpoch := row.(trace.Epoch)
		return ok && total.Block%50 != 20 || isEpoch && e.Epoch%2 == 0
	})
	if v := metricOf(t, summaryOf(t, t.TempDir(), m, thinned...), "money.owner_rao"); v != 12*100 {
		t.Errorf("of few recorded blocks and epochs: %g, want %d", v, 12*100)
	}
	without := slices.DeleteFunc(slices.Clone(rows), func(row trace.Row) bool { return row.Table() == trace.Ledger })
	if v, ok := summaryOf(t, t.TempDir(), m, without...).Metric("money.owner_rao"); ok {
		t.Errorf("the ledger's account was not recorded, and the owner got %g", v)
	}
}

func TestTheFigureOfMoneyGivesTheOwnerWhatTheSummaryGives(t *testing.T) {
	m, rows := paidByRole()
	dir := t.TempDir()
	want := metricOf(t, summaryOf(t, dir, m, rows...), "money.owner_rao")
	run, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := gather(run)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.earnedByRole()[2].tao[timeBins-1] * raoPerTAO; !near(got, want) || want != 12*100 {
		t.Errorf("the figure gives the owner %g rao, the summary %g, want %d", got, want, 12*100)
	}
}

func TestTwoPairsHaveNoCorrelationAndFewHaveNoInterval(t *testing.T) {
	if r := Spearman([]float64{1, 2}, []float64{3, 1}); !math.IsNaN(r) {
		t.Errorf("Spearman of two pairs is %g", r)
	}
	if _, ok := spearmanInterval([]float64{1, 2}, []float64{3, 1}); ok {
		t.Error("two pairs have an interval")
	}
	for n := 3; n < 8; n++ {
		var x []float64
		for i := range n {
			x = append(x, float64(i*i%7))
		}
		v, ok := spearmanInterval(x, x)
		if !ok || v.N != n || (v.Low != nil) != (n >= fewest) {
			t.Errorf("%d pairs: %+v (%t)", n, v, ok)
		}
		if m, _ := medianInterval(x); (m.Low != nil) != (n >= fewest) || !strings.Contains(m.String(), "n = ") {
			t.Errorf("%d values: %s", n, m)
		}
	}
}

func TestMeansOfSeedsHaveStudentsIntervals(t *testing.T) {
	v := meanInterval([]float64{4, 5, 6})
	if half := 4.302652729911275 / math.Sqrt(3); v.Estimate != 5 || !near(*v.Low, 5-half) || !near(*v.High, 5+half) {
		t.Errorf("of 4, 5, 6: %s", v) // t with 2 degrees of freedom, 97.5 %: 4.3027 in every table
	}
	if v := meanInterval([]float64{4, 6}); v.Low != nil || v.Estimate != 5 {
		t.Errorf("of two values: %s", v)
	}
	d := welch([]float64{4, 5, 6}, []float64{1, 2, 3})
	if half := 2.776445105197793 * math.Sqrt(2.0/3); d.Estimate != 3 || !near(*d.Low, 3-half) || !near(*d.High, 3+half) {
		t.Errorf("Welch: %s", d) // equal variances: 4 degrees of freedom
	}
}

func TestAShareThatIsNotZeroNeverReadsAsZero(t *testing.T) {
	for share, want := range map[float64]string{0: "0.0 %", 1e-9: "< 0.1 %", 0.0004: "< 0.1 %", 0.0005: "0.1 %", 0.25: "25.0 %"} {
		if got := percent(share); got != want {
			t.Errorf("%g reads as %s, want %s", share, got, want)
		}
	}
}

// TestTheFigureOfMoneyHasAPointForEachPartThatPaid looks for points in parts of the run without an epoch,
// which drew stairs.
func TestTheFigureOfMoneyHasAPointForEachPartThatPaid(t *testing.T) {
	m, rows := paidByRole()
	dir := t.TempDir()
	summaryOf(t, dir, m, rows...)
	run, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := gather(run)
	if err != nil {
		t.Fatal(err)
	}
	points := 0
	for _, v := range f.earnedByRole()[0].tao {
		if finite(v) {
			points++
		}
	}
	if points != 12 {
		t.Errorf("%d points of 12 epochs", points)
	}
}
