package report

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"taolab/sim/trace"
)

func TestThePageSaysFirstWhatTheRunWasAndWhatItCameTo(t *testing.T) {
	dir := t.TempDir()
	s := newSynthetic(25)
	s.manifest.InForce = []byte(`[{"name":"rule","value":"yuma2"},{"name":"kappa","value":"0.5","note":"majority of stake"}]`)
	w, err := NewWriter(dir)
	if err != nil {
		t.Fatal(err)
	}
	s.record(w)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s.manifest.Tables = w.Tables()
	if err := WriteManifest(dir, s.manifest); err != nil {
		t.Fatal(err)
	}
	if err := Write(dir); err != nil {
		t.Fatal(err)
	}
	page := read(t, filepath.Join(dir, PageFile))
	at := 0
	for _, next := range []string{
		"<h1>synthetic", "a made-up network", "Rules in force", "rule</dt><dd>yuma2<", "kappa</dt><dd>0.5<",
		"<details>", "majority of stake", "Verdict", "1 of 2 expectations of the scenario are not met", "Expectations",
		"noise earns little", "incentive.random.ratio between 0 and 0.3", "not&nbsp;met", "run.epochs == 1000", "Groups", "Figures", "<svg",
		"Details", "<details>", "Glossary", "Spearman’s correlation</th>",
	} {
		i := strings.Index(page[at:], next)
		if i < 0 {
			t.Fatalf("%q does not stand behind what comes before it", next)
		}
		at += i
	}
}

func TestEveryFigureHasMarksInsideItsFrame(t *testing.T) {
	dir := t.TempDir()
	writeSynthetic(t, dir)
	if err := Write(dir); err != nil {
		t.Fatal(err)
	}
	page := read(t, filepath.Join(dir, PageFile))
	found := regexp.MustCompile(`(?s)<figure id="(\w+)">.*?viewBox="0 0 (\d+) (\d+)".*?<script type="application/json">(.*?)</script>`)
	figures := found.FindAllStringSubmatch(page, -1)
	if len(figures) != 18 {
		t.Fatalf("%d figures with marks", len(figures))
	}
	for _, f := range figures {
		var marks [][3]any
		var width, height float64
		fmt.Sscan(f[2], &width)
		fmt.Sscan(f[3], &height)
		if err := json.Unmarshal([]byte(f[4]), &marks); err != nil || len(marks) == 0 || len(marks) > maxMarks {
			t.Errorf("%s: %d marks (%v)", f[1], len(marks), err)
		}
		for _, m := range marks {
			if x, y := m[0].(float64), m[1].(float64); x < 0 || x > width || y < 0 || y > height || m[2].(string) == "" {
				t.Errorf("%s, %g wide and %g high, has the mark %v", f[1], width, height, m)
				break
			}
		}
	}
}

// crowd is a run of so many groups of two miners.
func crowd(t *testing.T, groups int) *findings {
	t.Helper()
	m := newSynthetic(1).manifest
	m.Nodes, m.Scenario = nil, nil
	var rows []trace.Row
	for i := range 2 * groups {
		m.Nodes = append(m.Nodes, Node{Index: i, Name: fmt.Sprintf("g%d-%d", i/2, i%2), Group: fmt.Sprintf("g%d", i/2),
			Kind: KindMiner, Behaviour: Honest, UID: uint16(i), HasUID: true})
	}
	for e := range 8 {
		for i := range m.Nodes {
			block := uint64(45 * (e + 1))
			rows = append(rows,
				trace.Epoch{Epoch: uint32(e), Block: block, UID: uint16(i), Node: trace.Some(uint32(i)), Incentive: uint16(100 * i), EmissionRao: 1e9})
		}
	}
	for e := range 8 {
		for i := range m.Nodes {
			rows = append(rows, trace.Train{TimeNs: int64(e+1) * 45 * blockNs, Block: uint64(45 * (e + 1)), Node: uint32(i), Subset: allSubsets,
				HeldOutLoss: 4 - float32(i*e)/1000})
		}
	}
	dir := t.TempDir()
	summaryOf(t, dir, m, rows...)
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := gather(r)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestMoreThanSevenGroupsHaveAPanelEach(t *testing.T) {
	for groups, panels := range map[int]int{1: 1, 7: 1, 8: 8, 20: 20, 33: 20} {
		f := crowd(t, groups)
		for _, make := range []func() (*figure, error){f.incomeFigure, f.incentiveFigure, f.lossFigure} {
			if groups == 1 {
				continue // two miners have no scatter
			}
			fig, err := make()
			if err != nil {
				t.Errorf("%d groups: %v", groups, err)
				continue
			}
			if len(fig.panels) != panels {
				t.Errorf("%d groups: %s has %d panels, want %d", groups, fig.name, len(fig.panels), panels)
			}
			for _, p := range fig.panels {
				if p.X.Max != fig.panels[0].X.Max || p.Y.Max != fig.panels[0].Y.Max {
					t.Errorf("%d groups: the panels of %s have different axes", groups, fig.name)
				}
			}
			if low := lowest(t, fig); low < 30 {
				t.Errorf("%d groups: a panel of %s has %.0f points for its data", groups, fig.name, low)
			}
			if _, err := fig.svg(); err != nil {
				t.Errorf("%d groups: %s: %v", groups, fig.name, err)
			}
		}
	}
}

// lowest is the height of the data of the figure's lowest panel, in points.
func lowest(t *testing.T, fig *figure) float64 {
	t.Helper()
	w, h := fig.size()
	low := h.Points()
	fig.draw(draw.New(vgsvg.NewWith(vgsvg.UseWH(w, h))))
	for _, area := range fig.areas {
		low = min(low, (area.Max.Y - area.Min.Y).Points())
	}
	return low
}

func TestNoTwoSeriesOfAPanelLookAlike(t *testing.T) {
	for groups := 1; groups <= 12; groups++ {
		f := crowd(t, groups)
		f.parties = append(f.parties, &party{name: "app", kind: KindApplication}, &party{name: "gate", kind: KindValidator})
		for _, l := range []layout{f.lay(named(f.parties)), f.layFolded(named(f.parties)), f.layFolded([]string{"app", "g0"})} {
			if l.facets {
				continue
			}
			if sorted := slices.Sorted(slices.Values(l.looks)); len(slices.Compact(sorted)) != len(l.names) || sorted[len(sorted)-1] >= maxSeries {
				t.Errorf("%d groups: %v look like %v", groups, l.names, l.looks)
			}
		}
	}
}

func TestAFigureThatWouldShowNothingIsASentence(t *testing.T) {
	f := crowd(t, 1)
	f.miners[0].curve = series[trace.Train]{limit: 9}
	f.miners[0].curve.add(trace.Train{})
	f.miners[1].curve = f.miners[0].curve
	f.span.epochs = 1
	f.blocks = series[trace.Block]{limit: 9}
	f.blocks.add(trace.Block{Height: 1, EmissionRao: 5e8})
	f.weights = matrix{sum: map[pair]float64{{0, 1}: 1}, epochs: 1}
	f.bonds = matrix{sum: map[pair]float64{{0, 1}: 9, {0, 2}: 9, {3, 1}: 9, {3, 2}: 9}, epochs: 1}
	f.nodes = append(f.nodes, f.nodes...)
	f.terms.open[0] = &term{node: 0}
	for name, make := range map[string]func() (*figure, error){
		"no miner was measured twice": f.lossFigure, "fewer than two epochs": f.moneyFigure, "each block minted 0.5 TAO": f.emissionFigure,
		"one validator and one miner": f.weightsFigure, "all 4 of them are": f.bondsFigure, "no seat changed hands": f.seatsFigure,
		"2 miners were both measured": f.incentiveFigure, "no request": f.serviceFigure,
	} {
		if fig, err := make(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want %q (figure: %t)", err, name, fig != nil)
		}
	}
}

func TestOneGroupFarOffLeavesTheOthersTheirColours(t *testing.T) {
	groups := []*party{{name: "a"}, {name: "b"}, {name: "c"}, {name: "noise"}}
	loss := map[string]float64{"a": 2, "b": 2.2, "c": 2.4, "noise": 10}
	bar, of := lossTable([]string{"s"}, groups, func(_ string, g *party) float64 { return loss[g.name] })
	a, c, noise := of("s", groups[0]), of("s", groups[2]), of("s", groups[3])
	if a.tone != 1 || c.tone > 0.9 || noise.tone != 0 || noise.label != "10.00" || !strings.Contains(bar.label, "or more") {
		t.Errorf("tones %g, %g, %g; bar %q to %g", a.tone, c.tone, noise.tone, bar.label, bar.high)
	}
}

func TestMetricNamesAndFamiliesAgree(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range MetricFamilies() {
		if f.Doc == "" || f.Unit == "" || seen[f.Name] || !strings.Contains(f.String(), f.Doc) {
			t.Errorf("family %+v", f)
		}
		seen[f.Name] = true
	}
	nodes := []Node{{Name: "a-1", Group: "a", Kind: KindMiner, Behaviour: Honest, Width: 8, Layers: 1},
		{Name: "v-1", Group: "v", Kind: KindValidator, Behaviour: "lazy"}}
	names := MetricNames(nodes, Tables(), []string{"Github"}, nil)
	for _, name := range []string{"ask_gap_blocks.a-1", "incentive.honest.ratio.high", "group.v.earned_rao", "dividends.lazy.ratio.whole",
		"routing.share.Github.a", "spearman.loss_incentive.8x1.last", "faults.crash"} {
		if _, ok := slices.BinarySearch(names, name); !ok {
			t.Errorf("%s is not known", name)
		}
	}
	if slices.Contains(MetricNames(nodes, []trace.Table{trace.Training}, nil, nil), "incentive.honest.ratio") {
		t.Error("an incentive is known without epochs")
	}
}
