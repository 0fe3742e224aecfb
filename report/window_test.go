package report

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"taolab/sim/trace"
)

func TestTheWindowIsTheLastQuarterUnlessAnotherIsAskedFor(t *testing.T) {
	for _, c := range []struct {
		epochs, every int // recorded epochs 0, every, 2 every, ...
		chosen        Window
		want          Window
	}{
		{1, 1, Window{}, Window{0, 0}},
		{4, 1, Window{}, Window{3, 3}},
		{5, 1, Window{}, Window{3, 4}},
		{24, 1, Window{}, Window{18, 23}},
		{24, 10, Window{}, Window{180, 230}},
		{24, 1, Window{3, 5}, Window{3, 5}},
		{24, 1, Window{20, 99}, Window{20, 23}},
	} {
		s := span{epochs: c.epochs, last: uint32((c.epochs - 1) * c.every), blocks: 1000}
		if err := s.place(c.chosen); err != nil || s.window.Window != c.want || s.window.Chosen != (c.chosen != Window{}) {
			t.Errorf("%d epochs, each %d, asked %v: %+v (%v), want %v", c.epochs, c.every, c.chosen, s.window, err, c.want)
		}
	}
	for _, chosen := range []Window{{5, 4}, {30, 40}} {
		s := span{epochs: 24, last: 23}
		if err := s.place(chosen); err == nil || !strings.Contains(err.Error(), "epochs 0 to 23") {
			t.Errorf("%v: %v, want the run's epochs named", chosen, err)
		}
	}
	s := span{blocks: 1000}
	if err := s.place(Window{1, 2}); err == nil || !strings.Contains(err.Error(), "recorded no epochs") {
		t.Errorf("a window without epochs: %v", err)
	}
	if err := s.place(Window{}); err != nil || s.window.FromBlock != 750 || s.window.UntilBlock != 1000 {
		t.Errorf("without epochs: %+v (%v), want the last quarter of the blocks", s.window, err)
	}
}

func TestBatchesShareOutTheWindowInOrder(t *testing.T) {
	for epochs := uint32(1); epochs < 100; epochs++ {
		s := span{window: WindowSummary{Window: Window{7, 7 + epochs - 1}}}
		counts := map[int]int{}
		before := 0
		for e := uint32(7); e < 7+epochs; e++ {
			place, batches := s.batch(e)
			if batches != min(int(epochs), maxBatches) || place < before || place >= batches {
				t.Fatalf("%d epochs: epoch %d in batch %d of %d, after %d", epochs, e, place, batches, before)
			}
			before = place
			counts[place]++
		}
		least, most := 1<<30, 0
		for _, n := range counts {
			least, most = min(least, n), max(most, n)
		}
		if len(counts) != min(int(epochs), maxBatches) || most-least > 1 {
			t.Errorf("%d epochs: %v", epochs, counts)
		}
	}
}

// town is a run of four miners, two honest validators and a lazy one over some epochs of ten blocks.
func town(epochs int, incentive func(epoch, miner int) uint16) (Manifest, []trace.Row) {
	m := newSynthetic(1).manifest
	m.Scenario, m.Nodes = nil, nil
	for i, kind := range []string{KindMiner, KindMiner, KindMiner, KindMiner, KindValidator, KindValidator, KindValidator} {
		n := Node{Index: i, Name: fmt.Sprintf("%s-%d", kind, i), Group: kind, Kind: kind, Behaviour: Honest, UID: uint16(i), HasUID: true,
			Width: 8, Layers: 1, StakeRao: 1000, Hotkey: fmt.Sprintf("%064x", i)}
		if i == 6 {
			n.Behaviour, n.Group = "lazy", "lazy"
		}
		m.Nodes = append(m.Nodes, n)
	}
	m.Blocks, m.VirtualNs = uint64(10*epochs), int64(10*epochs)*12e9
	var rows []trace.Row
	for e := range epochs {
		for i := range m.Nodes {
			row := trace.Epoch{Epoch: uint32(e), Block: uint64(10 * (e + 1)), UID: uint16(i), Node: trace.Some(uint32(i)), StakeRao: 1000}
			if i < 4 {
				row.Incentive, row.EmissionRao = incentive(e, i), 10
			}
			rows = append(rows, row)
		}
	}
	return m, rows
}

func TestStatisticsAreMeansOverTheWindowAndNotThoseOfTheLastEpoch(t *testing.T) {
	m, rows := town(40, func(epoch, miner int) uint16 {
		if epoch == 39 { // the last epoch turns everything round
			return uint16(1000 * (4 - miner))
		}
		return uint16(1000 * (miner + 1))
	})
	for i := range 4 {
		for b := uint64(10); b <= 400; b += 10 {
			rows = append(rows, trace.Train{Block: b, Node: uint32(i), Subset: allSubsets, HeldOutLoss: 5 - float32(i)})
		}
	}
	s := summaryOf(t, t.TempDir(), m, rows...)
	for name, want := range map[string]float64{
		"window.epochs": 10, "spearman.loss_incentive": -1, "spearman.loss_incentive.last": 1,
		"group.miner.incentive": 2500.0 / 65535, "incentive.honest.median.last": 2500.0 / 65535,
	} {
		if v, ok := s.Metric(name); !ok || v-want > 1e-9 || want-v > 1e-9 {
			t.Errorf("%s = %g (%t), want %g", name, v, ok, want)
		}
	}
	if c := s.Correlations[0].Spearman; c.Low != nil || !strings.Contains(c.Interval.String(), "n = 4: too few for an interval") {
		t.Errorf("four miners have the interval %s", c.Interval)
	}
	if g := s.Groups[0].Incentive; g.N != 10 || g.Low == nil || *g.Low > g.Estimate || *g.High < g.Estimate {
		t.Errorf("ten epochs have the interval %s", g.Interval)
	}
}

func TestACopiersEarningsAreToldOfTheWholeRunAndOfTheWindow(t *testing.T) {
	m, rows := town(40, func(int, int) uint16 { return 1000 })
	for i := range rows {
		if e := rows[i].(trace.Epoch); e.UID >= 4 {
			e.EmissionRao = 100
			if e.UID == 6 && e.Epoch < 30 {
				e.EmissionRao = 20 // the copier catches up for the last quarter
			} else if e.UID == 6 {
				e.EmissionRao = 90
			}
			e.StakeRao = 1000 + e.EmissionRao
			rows[i] = e
		}
	}
	s := summaryOf(t, t.TempDir(), m, rows...)
	for name, want := range map[string]float64{"dividends.lazy.ratio": 0.9, "dividends.lazy.ratio.last": 0.9,
		"dividends.lazy.ratio.whole": (30*20 + 10*90) / 4000.0, "dividends.honest.ratio": 1} {
		if v, ok := s.Metric(name); !ok || v-want > 1e-9 || want-v > 1e-9 {
			t.Errorf("%s = %g (%t), want %g", name, v, ok, want)
		}
	}
	said := strings.Join(s.Verdict(), "\n")
	if !strings.Contains(said, "37.5 % of an honest one’s return over the whole run, and 90.0 %") {
		t.Errorf("the verdict says\n%s", said)
	}
}

func TestASeatThatChangesHandsIsTwoLives(t *testing.T) {
	m, rows := town(12, func(_, miner int) uint16 { return uint16(1000 * (miner + 1)) })
	m.Nodes[3].HasUID = false // it was pruned before epoch 8, by a node that came later
	late := m.Nodes[3]
	late.Index, late.Name, late.Group, late.HasUID, late.Hotkey = 7, "late-1", "late", true, fmt.Sprintf("%064x", 77)
	m.Nodes = append(m.Nodes, late)
	var changed []trace.Row
	for _, row := range rows {
		e := row.(trace.Epoch)
		if e.UID == 3 && e.Epoch >= 8 {
			e.Node, e.Incentive = trace.Some(uint32(7)), 50
		}
		changed = append(changed, e)
	}
	ask := func(block uint64, node uint32, code string) {
		changed = append(changed, trace.Query{Block: block, Node: 4, UID: 3, Peer: trace.Some(node), Code: code, Lane: trace.ScoringLane})
	}
	for b := uint64(5); b < 80; b += 5 {
		ask(b, 3, success)
	}
	ask(95, 7, success)
	ask(118, 7, "Timeout")
	seats := []trace.Row{
		trace.Seat{UID: 3, Node: trace.Some(uint32(3)), UntilBlock: trace.Some(uint64(84)), End: "pruned", SuccessorNode: trace.Some(uint32(7))},
		trace.Seat{UID: 3, Node: trace.Some(uint32(7)), FromBlock: 84, End: "held"},
	}
	for _, recorded := range []bool{true, false} { // without the table of seats the epochs tell
		all := changed
		if recorded {
			all = append(append([]trace.Row{}, changed...), seats...)
		}
		s := summaryOf(t, t.TempDir(), m, all...)
		if a := s.Asked; a[3].Asked != 15 || a[4].Asked != 2 || a[4].Answered != 1 || a[4].Name != "late-1" {
			t.Errorf("seats recorded %t: %+v", recorded, a)
		}
		if a := s.Asked[4]; a.GapBlocks != 23 { // not from block 5 on, when its predecessor was asked first
			t.Errorf("seats recorded %t: the newcomer went unasked for %d blocks, want 23", recorded, a.GapBlocks)
		}
		if a := s.Asked[3]; a.GapBlocks > 20 {
			t.Errorf("seats recorded %t: the pruned went unasked for %d blocks", recorded, a.GapBlocks)
		}
		if g := s.Groups[len(s.Groups)-1]; g.Group != "late" || g.EarnedRao != 40 || g.Incentive.Estimate != 50.0/65535 {
			t.Errorf("seats recorded %t: %+v", recorded, g)
		}
		if metricOf(t, s, "seats.came.late") != 1 || metricOf(t, s, "seats.pruned.miner") != 1 {
			t.Errorf("seats recorded %t: %+v", recorded, s.Seats)
		}
		if s.Seats == nil || s.Seats.Changes != 1 || len(s.Seats.Groups) != 2 || s.Seats.Groups[0].Went != 1 || s.Seats.Groups[1].Came != 1 {
			t.Errorf("seats recorded %t: %+v", recorded, s.Seats)
		}
	}
}

func TestAReportOfARunWithoutNodesInItsManifestTakesThemFromTheirTable(t *testing.T) {
	m, rows := town(12, func(_, miner int) uint16 { return uint16(1000 * (miner + 1)) })
	for _, n := range m.Nodes {
		rows = append(rows, trace.Node{Node: uint32(n.Index), Name: n.Name, Group: n.Group, Role: n.Kind, Behaviour: n.Behaviour})
	}
	m.Nodes = nil
	s := summaryOf(t, t.TempDir(), m, rows...)
	if len(s.Groups) != 3 || s.Groups[0].Members != 4 || s.Groups[0].Incentive == nil {
		t.Errorf("groups %+v", s.Groups)
	}
}

func TestAnUnknownWindowIsRefusedByReports(t *testing.T) {
	m, rows := town(12, func(int, int) uint16 { return 1 })
	dir := t.TempDir()
	summaryOf(t, dir, m, rows...)
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	r.Window = Window{50, 60}
	if _, err := Summarise(r); err == nil || errors.Is(err, ErrNoTable) {
		t.Errorf("error %v", err)
	}
}

func TestSumsOfThinnedEpochsSayThatTheyArePartial(t *testing.T) {
	for _, c := range []struct {
		window WindowSummary
		want   string
	}{
		{WindowSummary{Window: Window{10, 19}, Epochs: 10}, "earned (TAO)"},
		{WindowSummary{Window: Window{10, 19}, Epochs: 2}, "earned in the recorded epochs (TAO)"},
		{WindowSummary{}, "earned (TAO)"},
	} {
		if got := c.window.paid(); got != c.want {
			t.Errorf("%d epochs of %v: %q, expected %q", c.window.Epochs, c.window.Window, got, c.want)
		}
	}
}
