package report

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"taolab/model/golden"
	"taolab/sim/trace"
)

func summarise(t *testing.T, dir string) *Summary {
	t.Helper()
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Summarise(r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheSummaryOfAKnownRunIsGolden(t *testing.T) {
	dir := t.TempDir()
	writeSynthetic(t, dir)
	s := summarise(t, dir)
	var got bytes.Buffer
	fmt.Fprintln(&got, s.Judgement())
	for _, sentence := range s.Verdict() {
		fmt.Fprintln(&got, sentence)
	}
	fmt.Fprintln(&got)
	if err := s.WriteTable(&got); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(&got)
	for _, m := range s.Metrics() {
		fmt.Fprintf(&got, "%s = %.5g %s\n", m.Name, m.Value, m.Unit)
	}
	golden.Compare(t, filepath.Join("testdata", "summary.golden"), got.String())
}

func TestTheNumbersOfASummaryAreThoseOfTheRows(t *testing.T) {
	dir := t.TempDir()
	s := writeSynthetic(t, dir)
	got := summarise(t, dir)
	var loss, honest, random []float64
	for i := range miners {
		loss = append(loss, s.loss(i, 1))
		switch s.manifest.Nodes[i].Behaviour {
		case Honest:
			honest = append(honest, share(s.taken[i]))
		case "random":
			random = append(random, share(s.taken[i]))
		}
	}
	for name, want := range map[string]float64{
		"loss.median":                Median(loss),
		"loss.base":                  4.47,
		"loss.bigram":                4.92,
		"incentive.random.ratio":     Median(random) / Median(honest),
		"incentive.honest.ratio":     1,
		"dividends.lazy.ratio":       0.5,
		"dividends.lazy.ratio.whole": 0.49,
		"seats.changes":              1,
		"supply.difference_rao":      0,
		"spearman.stake_latency":     -1,
		"query.count":                200 * validators * 10,
		"run.epochs":                 25,
		"faults.crash":               1,
	} {
		v, ok := got.Metric(name)
		if !ok || math.Abs(v-want) > 0.03 {
			t.Errorf("%s = %g (found: %t), expected about %g", name, v, ok, want)
		}
	}
	first, _ := got.Metric("routing.loss.first")
	last, _ := got.Metric("routing.loss.last")
	if !(last < first/10) {
		t.Errorf("routing loss from %g to %g, expected a tenfold fall", first, last)
	}
	plain, _ := got.Metric("query.loss")
	weighted, _ := got.Metric("query.weighted_loss")
	if !(weighted < plain) {
		t.Errorf("weighted by the gate the loss is %g, %g without: a gate that knows good miners lowers it", weighted, plain)
	}
	if _, ok := got.Metric("loss.medium"); ok {
		t.Error("an unknown metric was found")
	}
}

func TestMetricsAreSortedUniqueAndFinite(t *testing.T) {
	dir := t.TempDir()
	writeSynthetic(t, dir)
	last := ""
	for _, m := range summarise(t, dir).Metrics() {
		if m.Name <= last {
			t.Errorf("%s follows %s", m.Name, last)
		}
		if !finite(m.Value) || m.Unit == "" {
			t.Errorf("%s is %g in %q", m.Name, m.Value, m.Unit)
		}
		last = m.Name
	}
}

func TestTheLongestTimeUnaskedCountsBothEnds(t *testing.T) {
	s := newSynthetic(1)
	s.manifest.Nodes = s.manifest.Nodes[:4] // uids 8 to 11
	s.manifest.Nodes[3].HasUID = false
	rows := []trace.Row{
		trace.Seat{UID: 11, Node: trace.Some(uint32(3)), FromBlock: 120, UntilBlock: trace.Some(uint64(150)), End: "pruned"},
	}
	for _, q := range []struct {
		block uint64
		uid   uint16
	}{{100, 8}, {130, 8}, {138, 11}, {140, 9}, {145, 8}, {200, 8}} {
		rows = append(rows, trace.Query{Block: q.block, UID: q.uid, Peer: trace.Some(uint32(q.uid - 8)), Code: success,
			Loss: trace.Some(float32(1))})
	}
	got := summaryOf(t, t.TempDir(), s.manifest, rows...)
	for miner, want := range []float64{55, 60, 100, 18} { // the last one held a seat from 120 to 150
		if v, _ := got.Metric(fmt.Sprintf("ask_gap_blocks.miner-%d", miner)); v != want {
			t.Errorf("miner-%d went unasked for %g blocks, expected %g", miner, v, want)
		}
	}
}

// summaryOf leaves a run of these rows in dir and sums it up.
func summaryOf(t *testing.T, dir string, m Manifest, rows ...trace.Row) *Summary {
	t.Helper()
	w, err := NewWriter(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		w.Record(row)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	m.Tables = w.Tables()
	if err := WriteManifest(dir, m); err != nil {
		t.Fatal(err)
	}
	return summarise(t, dir)
}

// floored is a run with the given losses as the validators' answers, and one timeout.
func floored(t *testing.T, dir string, losses []float32) *Summary {
	t.Helper()
	rows := []trace.Row{trace.Query{Block: 1, Code: "Timeout"}}
	for _, loss := range losses {
		rows = append(rows, trace.Query{Block: 1, Code: success, Loss: trace.Some(loss / 1.18), EquivLoss: trace.Some(loss)})
	}
	return summaryOf(t, dir, newSynthetic(1).manifest, rows...)
}

func TestARunWarnsWhenMoreThanAHundredthOfItsScoresTouchTheFloor(t *testing.T) {
	answers := slices.Repeat([]float32{2.5, 1.6901}, 50)
	answers[7] = 1.69
	if s := floored(t, t.TempDir(), answers); s.Queries.FloorTouch != 0.01 || len(s.Warnings) != 0 {
		t.Errorf("one of a hundred at the floor: share %v, warnings %q", s.Queries.FloorTouch, s.Warnings)
	}
	answers[8] = 0.3
	dir := t.TempDir()
	s := floored(t, dir, answers)
	if s.Queries.FloorTouch != 0.02 || len(s.Warnings) != 1 ||
		!strings.Contains(s.Warnings[0], "2.0 % of the scores touch the floor of 1.69 nats") {
		t.Errorf("two of a hundred at the floor: share %v, warnings %q", s.Queries.FloorTouch, s.Warnings)
	}
	if err := Write(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{SummaryFile, PageFile} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !bytes.Contains(text, []byte("2.0 % of the scores touch the floor")) {
			t.Errorf("%s does not warn (%v)", name, err)
		}
	}
}

func TestWithoutAnswersTheFloorShareIsThatOfTheManifest(t *testing.T) {
	m := newSynthetic(1).manifest
	m.Anchors.FloorTouchShare = 0.5
	if s := summaryOf(t, t.TempDir(), m); len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "50.0 % of the scores") {
		t.Errorf("warnings %q", s.Warnings)
	}
}

func TestMissingMoneyIsAWarning(t *testing.T) {
	s := summaryOf(t, t.TempDir(), newSynthetic(1).manifest,
		trace.Totals{Block: 1, MintedRao: 10, FreeRao: 4, StakedRao: 9},
		trace.Totals{Block: 2, MintedRao: 10, FreeRao: 10})
	if s.Supply.DifferenceRao != -3 || len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "differ by -3 rao") {
		t.Errorf("difference %d, warnings %v", s.Supply.DifferenceRao, s.Warnings)
	}
}
