package report

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"taolab/sim/trace"
)

// maxLines is how many miners a figure draws one by one; above it every n-th is drawn.
const maxLines = 256

// group names what a miner is coloured by: its shape where it is honest, else its behaviour.
func group(n Node) string {
	if n.Behaviour == Honest {
		return shapeLabel(n)
	}
	return n.Behaviour
}

func shapeLabel(n Node) string { return fmt.Sprintf("%d × %d", n.Width, n.Layers) }

// groups lists the groups of miners, honest ones from small to large, then the others by name.
func groups(miners []*miner) []string {
	sorted := slices.Clone(miners)
	slices.SortStableFunc(sorted, func(a, b *miner) int {
		x, y := a.node, b.node
		switch {
		case (x.Behaviour == Honest) != (y.Behaviour == Honest):
			if x.Behaviour == Honest {
				return -1
			}
			return 1
		case x.Behaviour != y.Behaviour:
			return compare(x.Behaviour, y.Behaviour)
		case x.Width != y.Width:
			return x.Width - y.Width
		}
		return x.Layers - y.Layers
	})
	return distinct(sorted, func(m *miner) string { return group(m.node) })
}

func compare(a, b string) int {
	if a < b {
		return -1
	}
	return 1
}

func colourOf(i int) color.RGBA { return okabeIto[i%len(okabeIto)] }

// timeUnit picks the unit in which a run's time is read, and its length in ns.
func timeUnit(ns int64) (string, float64) {
	switch hours := float64(ns) / 3.6e12; {
	case hours <= 1:
		return "min", 6e10
	case hours <= 96:
		return "h", 3.6e12
	case hours <= 24*1000:
		return "d", 24 * 3.6e12
	default:
		return "years", 365.25 * 24 * 3.6e12
	}
}

// lossFigure shows every miner's held-out loss over time with the median of them.
func (f *findings) lossFigure() (*figure, error) {
	var measured []*miner
	for _, m := range f.miners {
		if m.measured {
			measured = append(measured, m)
		}
	}
	if len(measured) == 0 {
		return nil, without("loss", "no held-out measurement in table", string(trace.Training))
	}
	unit, length := timeUnit(f.run.Manifest.VirtualNs)
	p := newPanel(fmt.Sprintf("simulated time (%s)", unit), "held-out loss (nats/token)")
	fig := &figure{
		name: "loss", title: "Held-out loss of the miners", panels: []*plot.Plot{p},
		caption: fmt.Sprintf("Held-out loss of %d miners over time, coloured by model shape (width × layers) "+
			"or behaviour, with the median; dashed lines are what the models started from.", len(measured)),
		columns: []string{"uid", "group", fmt.Sprintf("time (%s)", unit), "held-out loss (nats/token)"},
	}
	names := groups(measured)
	every := (len(measured) + maxLines - 1) / maxLines
	end := 0.0
	for i, m := range measured {
		var xy plotter.XYs
		for _, t := range m.curve.values() {
			x := float64(t.TimeNs) / length
			end = max(end, x)
			xy = append(xy, plotter.XY{X: x, Y: float64(t.HeldOutLoss)})
			fig.row(m.node.UID, group(m.node), x, t.HeldOutLoss)
		}
		if i%every != 0 {
			continue
		}
		c := colourOf(slices.Index(names, group(m.node)))
		p.Add(&plotter.Line{XYs: xy, LineStyle: lineStyle(pale(c, 0.55), 0.9)})
	}
	f.medianLine(fig, measured, length, end)
	for i, name := range names {
		style := lineStyle(colourOf(i), 1.6)
		fig.legend = append(fig.legend, key{label: name, line: &style})
	}
	f.anchorLines(fig, names, end)
	return fig, nil
}

// medianLine draws the median of the miners' losses at evenly spread times, once half are measured.
func (f *findings) medianLine(fig *figure, measured []*miner, length, end float64) {
	const points = 100
	var xy plotter.XYs
	for i := range points + 1 {
		at := end * float64(i) / points
		var now []float64
		for _, m := range measured {
			if v, ok := lossAt(m.curve.values(), at*length); ok {
				now = append(now, v)
			}
		}
		if 2*len(now) < len(measured) {
			continue
		}
		xy = append(xy, plotter.XY{X: at, Y: Median(now)})
		fig.row("", "median", at, Median(now))
	}
	if len(xy) == 0 {
		return
	}
	style := lineStyle(ink, 2.4)
	fig.panels[0].Add(&plotter.Line{XYs: xy, LineStyle: style})
	fig.legend = append([]key{{label: "median", line: &style}}, fig.legend...)
}

// lossAt is the loss at a time on the line between two measurements, and the last one after it.
func lossAt(curve []trace.Train, ns float64) (float64, bool) {
	i, _ := slices.BinarySearchFunc(curve, ns, func(t trace.Train, ns float64) int {
		if float64(t.TimeNs) <= ns {
			return -1
		}
		return 1
	})
	if i == 0 {
		return 0, false
	}
	before := curve[i-1]
	if i == len(curve) {
		return float64(before.HeldOutLoss), true
	}
	after := curve[i]
	part := (ns - float64(before.TimeNs)) / float64(after.TimeNs-before.TimeNs)
	return float64(before.HeldOutLoss) + part*float64(after.HeldOutLoss-before.HeldOutLoss), true
}

// anchorLines draws the losses of base models and of bigrams.
func (f *findings) anchorLines(fig *figure, names []string, end float64) {
	anchor := func(label string, loss float64, c color.Color) {
		style := dashed(c, 1.3)
		fig.panels[0].Add(&plotter.Line{XYs: plotter.XYs{{X: 0, Y: loss}, {X: end, Y: loss}}, LineStyle: style})
		fig.legend = append(fig.legend, key{label: label, line: &style})
		fig.row("", label, 0.0, loss)
	}
	a := f.run.Manifest.Anchors
	for _, b := range a.Bases {
		label := shapeLabel(Node{Width: b.Width, Layers: b.Layers})
		c := color.Color(axisInk)
		if i := slices.Index(names, label); i >= 0 {
			c = colourOf(i)
		}
		anchor("base "+label, b.Loss, c)
	}
	if a.BigramLoss > 0 {
		anchor("bigrams", a.BigramLoss, ink)
	}
}

// incentiveFigure sets what miners earn against what their models are worth.
func (f *findings) incentiveFigure() (*figure, error) {
	all := f.judged()
	if len(all) == 0 {
		return nil, without("incentive", "no miner was both measured in table", string(trace.Training),
			"and ranked in table", string(trace.Epochs))
	}
	p := newPanel("held-out loss at the end (nats/token)", "incentive at the last epoch (%)")
	p.Add(verticalGrid())
	title := "Incentive against held-out loss"
	if r := Spearman(lossAndIncentive(all)); !math.IsNaN(r) {
		title += fmt.Sprintf(": Spearman’s ρ = %s, n = %d", decimal(r, 2), len(all))
	}
	fig := &figure{
		name: "incentive", title: title, panels: []*plot.Plot{p},
		caption: "Each mark is one miner: its share of the incentive at the last epoch against the held-out " +
			"loss of its model, by model shape (width × layers) or behaviour.",
		columns: []string{"uid", "group", "held-out loss (nats/token)", "incentive (%)"},
	}
	radius := vg.Length(3.6)
	if len(all) > 500 {
		radius = 2
	}
	for i, name := range groups(all) {
		var xy plotter.XYs
		for _, m := range all {
			if group(m.node) == name {
				xy = append(xy, plotter.XY{X: m.loss, Y: 100 * share(m.incentive)})
				fig.row(m.node.UID, name, m.loss, 100*share(m.incentive))
			}
		}
		style := draw.GlyphStyle{Color: colourOf(i), Radius: radius, Shape: glyphs[i%len(glyphs)]}
		p.Add(&plotter.Scatter{XYs: xy, GlyphStyle: style})
		fig.legend = append(fig.legend, key{label: name, glyph: &style})
	}
	p.Y.Min = min(p.Y.Min, 0)
	roundOut(&p.X)
	return fig, nil
}

func verticalGrid() *plotter.Grid {
	g := plotter.NewGrid()
	g.Vertical = draw.LineStyle{Color: gridInk, Width: 0.6}
	g.Horizontal = draw.LineStyle{}
	return g
}

// routingFigure shows how well the gates foresee the loss of an answer.
func (f *findings) routingFigure() (*figure, error) {
	if !f.queries.routed {
		return nil, without("routing", "no routing loss in table", string(trace.Queries))
	}
	unit, length := timeUnit(f.run.Manifest.VirtualNs)
	p := newPanel(fmt.Sprintf("simulated time (%s)", unit), "squared error of the gate’s score")
	fig := &figure{
		name: "routing", title: "Routing loss of the validators’ gates", panels: []*plot.Plot{p},
		caption: "Mean squared error per answer of the gates’ scores against exp(1.69 − loss), what they are " +
			"trained on, in equal parts of the run.",
		columns: []string{fmt.Sprintf("time (%s)", unit), "routing loss", "answers"},
		height:  figureHeight * 4 / 5,
	}
	var xy plotter.XYs
	low, high := math.Inf(1), 0.0
	for i, b := range f.queries.routing {
		if b.n == 0 {
			continue
		}
		at := (float64(i) + 0.5) / timeBins * float64(f.run.Manifest.VirtualNs) / length
		xy = append(xy, plotter.XY{X: at, Y: b.value()})
		low, high = min(low, b.value()), max(high, b.value())
		fig.row(at, b.value(), b.n)
	}
	if low > 0 && high > 20*low { // a linear axis would show the first moments only
		for i := range xy {
			xy[i].Y = math.Log10(xy[i].Y)
		}
		p.Y.Min, p.Y.Max = math.Floor(math.Log10(low)), math.Ceil(math.Log10(high))
		p.Y.Tick.Marker = decades{math.NaN()}
	} else {
		p.Y.Min = 0
	}
	mark := draw.GlyphStyle{Color: okabeIto[0], Radius: vg.Length(2.6), Shape: draw.CircleGlyph{}}
	p.Add(&plotter.Line{XYs: xy, LineStyle: lineStyle(okabeIto[0], 1.6)})
	p.Add(&plotter.Scatter{XYs: xy, GlyphStyle: mark})
	p.X.Min = 0
	return fig, nil
}
