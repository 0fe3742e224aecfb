package report

import (
	"slices"
	"strings"
	"testing"

	"taolab/sim/trace"
)

// learners are the findings of two miners whose owners move their mixes in 600 blocks: apart, or not at all.
func learners(apart bool) *findings {
	f := &findings{run: &Run{}, nodes: []Node{{Name: "a"}, {Index: 1, Name: "b"}}, span: span{blocks: 600, ns: 3600e9}}
	for i := range f.nodes {
		m := &miner{node: f.nodes[i]}
		f.miners, f.seat = append(f.miners, m), append(f.seat, actor{miner: m})
	}
	for step := range uint64(5) {
		for node := range uint32(2) {
			for topic, name := range []string{"law", "code"} {
				gain := float64(step) * 0.1
				if !apart {
					gain = 0
				}
				if topic != int(node) {
					gain = -gain
				}
				row := trace.Train{Block: 100 * step, Node: node, Subset: name, HeldOutLoss: float32(2 - gain)}
				f.addTrain(row)
				f.addDecision(trace.Decision{Block: 100 * step, Node: node, Kind: "mix", Subset: &name, Share: trace.Some(0.5 + gain)})
			}
		}
	}
	return f
}

func TestTheFigureOfTopicsShowsWhoeverKnowsEachBest(t *testing.T) {
	fig, err := learners(true).topicsFigure()
	if err != nil {
		t.Fatal(err)
	}
	last := map[string]string{}
	for _, row := range fig.data {
		last[row[0]+" "+row[2]] = row[3]
	}
	for _, name := range []string{"law", "code"} {
		if share, loss := last[name+" largest share (%)"], last[name+" least held-out loss (nats/token)"]; share != "90" || !strings.HasPrefix(loss, "1.6") {
			t.Errorf("%s ends at a share of %s %% and a loss of %s, want 90 and 1.6: those of the miner that learns it", name, share, loss)
		}
	}
	if first := fig.data[0]; first[3] != "50" {
		t.Errorf("the first share is %s %%, want 50: a part of the run shows its own end", first[3])
	}
	quiet := learners(false)
	for i := range quiet.miners {
		quiet.miners[i].mix = nil
	}
	quiet.mixCourse = topicCourse{}
	if _, err := quiet.topicsFigure(); err == nil {
		t.Error("a figure where no owner decided about a mix")
	}
}

func TestFiguresOfRunsStandSideBySideOnEqualAxes(t *testing.T) {
	var parts []*figure
	for _, apart := range []bool{true, false} {
		fig, err := learners(apart).topicsFigure()
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, fig)
	}
	rows := len(parts[0].data) + len(parts[1].data)
	fig, err := sideBySide([]*Run{{Dir: "runs/apart"}, {Dir: "runs/alike"}}, parts)
	if err != nil {
		t.Fatal(err)
	}
	if len(fig.panels) != 4 || fig.cols != 2 || len(fig.legend) != 2 || len(fig.data) != rows {
		t.Errorf("%d panels in %d columns, %d entries of the legend, %d rows of data; want 4 in 2, 2 and %d", len(fig.panels), fig.cols, len(fig.legend), len(fig.data), rows)
	}
	for row := 0; row < 4; row += 2 {
		if a, b := fig.panels[row], fig.panels[row+1]; a.Y.Min != b.Y.Min || a.Y.Max != b.Y.Max || a.Y.Max == 0 {
			t.Errorf("panels of a row reach from %g to %g and from %g to %g", a.Y.Min, a.Y.Max, b.Y.Min, b.Y.Max)
		}
	}
	if !slices.ContainsFunc(fig.data, func(line []string) bool { return line[0] == "alike" }) {
		t.Error("the data do not say of which run they are")
	}
	if _, err := fig.png(); err != nil {
		t.Error(err)
	}
	parts[1].panels = parts[1].panels[:1]
	if _, err := sideBySide([]*Run{{Dir: "a"}, {Dir: "b"}}, parts); err == nil {
		t.Error("panels that do not fit each other stand side by side")
	}
}
