package report

import (
	"fmt"
	"strings"
	"testing"

	"taolab/sim/trace"
)

// partingRun is a run of two miners with one subset each: largest is what each gives it at the end, and loss what it
// knows of it.
func partingRun(t *testing.T, name string, seed int, largest, loss float64) *Run {
	t.Helper()
	dir := t.TempDir()
	m := newSynthetic(1).manifest
	m.Name, m.Seed = name, uint64(seed)
	m.Scenario = fmt.Appendf(nil, `{"seed":%d,"name":%q}`, seed, name)
	var list []trace.Row
	for _, block := range []uint64{1, m.Blocks / 2} {
		for node := range uint32(2) {
			for topic, subset := range []string{"law", "code"} {
				share, held := largest, loss
				if topic != int(node) {
					share, held = 1-largest, loss+1
				}
				if largest > 0 {
					list = append(list, trace.Decision{Block: block, Node: node, Kind: "mix", Choice: "follow", Subset: &subset, Share: &share})
				}
				list = append(list, trace.Train{Block: block, Node: node, Subset: subset, HeldOutLoss: float32(held)})
			}
		}
	}
	summaryOf(t, dir, m, list...)
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTheFigureOfTopicsOverSeedsShowsMeansAndDifferencesOfEqualSeeds(t *testing.T) {
	var runs []*Run
	for seed := range 3 {
		luck := float64(seed) / 8 // shared by runs of one seed
		runs = append(runs, partingRun(t, "fixed", seed, 0, 2+luck), partingRun(t, "market", seed, 0.75+luck/4, 1.5+luck))
	}
	c := compared(t, runs...)
	if err := c.AddFigure(runs, "topics"); err != nil {
		t.Fatal(err)
	}
	fig := c.joined[0]
	last := map[string]string{}
	for _, row := range fig.data {
		last[row[0]+", "+row[2]] = strings.Join(row[3:], " ")
	}
	half := 4.302652729911275 / 1.7320508075688772 // Student's, of three runs, for a deviation of 1
	interval := func(mean, deviation float64) string {
		return fmt.Sprintf("%.3f %.3f %.3f", mean, mean-half*deviation, mean+half*deviation)
	}
	for line, want := range map[string]string{
		"market, largest share of a mix (%)":      interval(78.125, 3.125),
		"fixed, best held-out loss (nats/token)":  interval(2.125, 0.125),
		"market, best held-out loss (nats/token)": interval(1.625, 0.125),
		"market, less fixed (nats/token)":         interval(-0.5, 0),
		"fixed, largest share of a mix (%)":       "",
		"market, less fixed (points)":             "",
	} {
		var n int
		var mean, low, high float64
		if _, err := fmt.Sscan(last[line], &n, &mean, &low, &high); err != nil && want != "" {
			t.Errorf("%s: %q, want three runs", line, last[line])
			continue
		}
		if got := fmt.Sprintf("%.3f %.3f %.3f", mean, low, high); want == "" && last[line] != "" || want != "" && (got != want || n != 3) {
			t.Errorf("%s ends at %d runs with %s, want %q", line, n, got, want)
		}
	}
	if len(fig.panels) != 4 || len(fig.legend) != 2 || len(fig.marks) == 0 {
		t.Errorf("%d panels, %d entries of the legend, %d marks; want 4, 2 and some", len(fig.panels), len(fig.legend), len(fig.marks))
	}
	if _, err := fig.png(); err != nil {
		t.Error(err)
	}
}

func TestRunsOfUnequalLengthShareNoFigureOfTopics(t *testing.T) {
	runs := []*Run{partingRun(t, "market", 1, 0.75, 2), partingRun(t, "market", 2, 0.75, 2)}
	c := compared(t, runs...)
	runs[1].Manifest.Blocks, runs[1].Manifest.VirtualNs = 2*runs[1].Manifest.Blocks, 2*runs[1].Manifest.VirtualNs
	if err := c.AddFigure(runs, "topics"); err == nil || !strings.Contains(err.Error(), "equal length") {
		t.Errorf("%v, want an error about unequal lengths", err)
	}
}
