package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"taolab/sim/trace"
)

// incomeFigure shows what a member of each group of miners gets of the incentive, over time.
func (f *findings) incomeFigure() (*figure, error) {
	fig := &figure{
		name: "income", title: "Incentive of a miner, by group",
		caption: "Mean share of the incentive of one member of each group, while it held a seat, in equal parts of the run." +
			f.windowNote(),
		columns: []string{"group", "time", "incentive of a member (%)", "neurons and epochs"},
	}
	return f.groupLines(fig, "incentive of a member (%)", KindMiner, func(p *party) plotter.XYs {
		var xy plotter.XYs
		_, unit, length := f.clock()
		fig.columns[1] = fmt.Sprintf("time (%s)", unit)
		for i, b := range p.incentive {
			if b.n > 0 {
				at := plotter.XY{X: f.binTime(i, length), Y: 100 * b.value()}
				xy = append(xy, at)
				fig.row(p.name, at.X, at.Y, b.n)
			}
		}
		return xy
	})
}

// earningsFigure shows what each group of miners and validators has earned so far.
func (f *findings) earningsFigure() (*figure, error) {
	label := f.span.window.paid()
	fig := &figure{
		name: "earnings", title: "Emission earned so far, by group",
		caption: "Paid by the epochs to all members of each group since genesis." + f.untold(),
		columns: []string{"group", "time", label},
	}
	return f.groupLines(fig, label, "", func(p *party) plotter.XYs {
		var xy plotter.XYs
		var sum uint64
		_, unit, length := f.clock()
		fig.columns[1] = fmt.Sprintf("time (%s)", unit)
		for i, rao := range p.earned {
			sum += rao
			if f.pays(i) {
				at := plotter.XY{X: f.binTime(i, length), Y: tao(sum)}
				xy = append(xy, at)
				fig.row(p.name, at.X, at.Y)
			}
		}
		return xy
	})
}

// pays reports whether anybody was paid in a part of the run.
func (f *findings) pays(bin int) bool {
	return slices.ContainsFunc(f.parties, func(p *party) bool { return p.earned[bin] > 0 })
}

// untold is the remark of a caption where unrecorded epochs paid too.
func (f *findings) untold() string {
	if !f.span.window.Thinned() {
		return ""
	}
	return " Only the recorded epochs count: what the others paid is not in it."
}

// groupLines draws one line for each group of a kind; an empty kind is miners and validators.
func (f *findings) groupLines(fig *figure, label, kind string, points func(*party) plotter.XYs) (*figure, error) {
	if f.span.epochs == 0 {
		return nil, without(fig.name, "table", string(trace.Epochs), "was not recorded")
	}
	var parties []*party
	for _, p := range f.parties {
		if p.kind == kind || kind == "" && (p.kind == KindMiner || p.kind == KindValidator) {
			parties = append(parties, p)
		}
	}
	l := f.lay(named(parties))
	x, _, _ := f.clock()
	l.frame(fig, x, label)
	drawn := false
	for _, p := range parties {
		xy := points(p)
		if len(xy) == 0 {
			continue
		}
		drawn = drawn || varied(xy)
		i := l.at(p.name)
		panel := fig.panels[l.panel(i)]
		panel.Add(lined(&plotter.Line{XYs: xy, LineStyle: l.line(i, 1.8)}),
			&plotter.Scatter{XYs: xy, GlyphStyle: l.glyph(i, 2.4)})
		for _, at := range xy {
			fig.point(l.panel(i), at.X, at.Y, "%s: %s at %s", p.name, brief(at.Y), brief(at.X))
		}
	}
	if !drawn {
		return nil, without(fig.name, "fewer than two parts of the run have an epoch")
	}
	for _, p := range fig.panels {
		p.X.Min, p.Y.Min = 0, min(p.Y.Min, 0)
	}
	l.share(fig)
	if !l.facets {
		for i, name := range l.names {
			style, line := l.glyph(i, 3), l.line(i, 1.8)
			fig.legend = append(fig.legend, key{label: name, line: &line, glyph: &style})
		}
	}
	return fig, nil
}

// windowNote says over which window the numbers next to a figure are taken.
func (f *findings) windowNote() string {
	if f.span.window.Epochs == 0 {
		return ""
	}
	return fmt.Sprintf(" Statistics in the text are over %s.", f.span.window)
}

// brief prints a number with three significant digits.
func brief(v float64) string {
	switch a := math.Abs(v); {
	case a >= 100 || a == 0:
		return decimal(v, 0)
	case a >= 10:
		return decimal(v, 1)
	case a >= 1:
		return decimal(v, 2)
	default:
		return strings.ReplaceAll(fmt.Sprintf("%.3g", v), "-", "−")
	}
}

// incentiveFigure sets what miners earn against what their models are worth.
func (f *findings) incentiveFigure() (*figure, error) {
	all := f.judged()
	if len(all) < 3 {
		return nil, without("incentive", fmt.Sprintf("%d miners were both measured in table %s and ranked in table %s",
			len(all), trace.Training, trace.Epochs))
	}
	title := "Incentive against held-out loss"
	caption := fmt.Sprintf("Each mark is one miner: its mean share of the incentive against the mean held-out loss of its "+
		"model, over %s.", f.span.window)
	if r, ok := spearmanInterval(lossAndIncentive(all)); ok {
		title += fmt.Sprintf(": Spearman’s ρ = %s", decimal(r.Estimate, 2))
		caption += fmt.Sprintf(" Spearman’s correlation is %s.", r)
	}
	fig := &figure{
		name: "incentive", title: title, caption: caption,
		columns: []string{"miner", "group", "held-out loss (nats/token)", "incentive (%)", "incentive at the last epoch (%)"},
	}
	l := f.lay(distinct(all, func(m *miner) string { return m.party.name }))
	l.frame(fig, "held-out loss (nats/token)", "incentive (%)")
	for _, p := range fig.panels {
		p.Add(verticalGrid())
	}
	radius := vg.Length(3.6)
	if len(all) > 500 {
		radius = 2
	}
	for i := range l.names {
		var xy plotter.XYs
		for _, m := range all {
			if l.at(m.party.name) != i {
				continue
			}
			at := plotter.XY{X: m.windowLoss(), Y: 100 * m.windowIncentive(nil)}
			xy = append(xy, at)
			fig.row(m.node.Name, m.party.name, at.X, at.Y, 100*share(m.last))
			fig.point(l.panel(i), at.X, at.Y, "%s: loss %s, incentive %s %%", m.node.Name, decimal(at.X, 3), brief(at.Y))
		}
		style := l.glyph(i, radius)
		fig.panels[l.panel(i)].Add(&plotter.Scatter{XYs: xy, GlyphStyle: style})
		if !l.facets {
			fig.legend = append(fig.legend, key{label: l.names[i], glyph: &style})
		}
	}
	for _, p := range fig.panels {
		p.Y.Min = min(p.Y.Min, 0)
	}
	l.share(fig)
	for _, p := range fig.panels {
		roundOut(&p.X)
	}
	return fig, nil
}

func verticalGrid() *plotter.Grid {
	g := plotter.NewGrid()
	g.Vertical = draw.LineStyle{Color: gridInk, Width: 0.6}
	g.Horizontal = draw.LineStyle{}
	return g
}

// consensusFigure sets the weights of validators against the consensus.
func (f *findings) consensusFigure() (*figure, error) {
	if f.weights.epochs == 0 {
		return nil, without("consensus", "table", string(trace.Weights), "was not recorded")
	}
	x, y := "consensus on the miner (%)", "weight on the miner (% of the row)"
	fig := &figure{
		name: "consensus", title: "Weights against consensus",
		caption: fmt.Sprintf("Each mark is one validator’s weight on one miner, against the weight that a majority of stake "+
			"supports, as means over %s. What stands above the line is clipped.", f.span.window),
		columns: []string{"validator", "group", "miner", "consensus (%)", "weight (%)"},
	}
	validators := f.partiesOf(KindValidator)
	l := f.lay(named(validators))
	l.frame(fig, x, y)
	points := make([]plotter.XYs, len(l.names))
	high := 0.0
	for _, e := range f.weights.entries() {
		if e.from < 0 || e.to < 0 || f.seat[e.from].validator == nil {
			continue
		}
		v, support := f.seat[e.from].validator, f.support[e.to]
		at := plotter.XY{X: 100 * support.value(), Y: 100 * e.value}
		if !finite(at.X) {
			continue
		}
		i := l.at(v.party.name)
		points[i] = append(points[i], at)
		high = max(high, at.X)
		fig.row(v.node.Name, v.party.name, f.nodes[e.to].Name, at.X, at.Y)
		fig.point(l.panel(i), at.X, at.Y, "%s on %s: weight %s %%, consensus %s %%", v.node.Name, f.nodes[e.to].Name,
			brief(at.Y), brief(at.X))
	}
	if len(fig.data) < 3 {
		return nil, without("consensus", "fewer than three weights on miners of the scenario in the window")
	}
	for i, name := range l.names {
		style := l.glyph(i, 2.4)
		p := fig.panels[l.panel(i)]
		diagonal := dashed(axisInk, 1)
		p.Add(lined(&plotter.Line{XYs: plotter.XYs{{}, {X: high, Y: high}}, LineStyle: diagonal}),
			&plotter.Scatter{XYs: points[i], GlyphStyle: style})
		if !l.facets {
			fig.legend = append(fig.legend, key{label: name, glyph: &style})
		}
		if i == len(l.names)-1 {
			fig.legend = append(fig.legend, key{label: "weight = consensus", line: &diagonal})
		}
	}
	l.share(fig)
	return fig, nil
}
