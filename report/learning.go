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

func shapeLabel(n Node) string { return fmt.Sprintf("%d × %d", n.Width, n.Layers) }

// lossFigure shows every miner's held-out loss over time, with the median of each group.
func (f *findings) lossFigure() (*figure, error) {
	var measured []*miner
	points := 0
	for _, m := range f.miners {
		if m.measured {
			measured = append(measured, m)
			points = max(points, m.curve.seen)
		}
	}
	switch {
	case len(measured) == 0:
		return nil, without("loss", "no held-out measurement in table", string(trace.Training))
	case points < 2:
		return nil, without("loss", "no miner was measured twice")
	}
	x, unit, length := f.clock()
	l := f.lay(distinct(measured, func(m *miner) string { return m.party.name }))
	fig := &figure{
		name: "loss", title: "Held-out loss of the miners",
		caption: fmt.Sprintf("Held-out loss of %d miners over time (thin) and the median of each group (thick); "+
			"dashed lines are what the models started from.", len(measured)),
		columns: []string{"miner", "group", fmt.Sprintf("time (%s)", unit), "held-out loss (nats/token)"},
	}
	l.frame(fig, x, "held-out loss (nats/token)")
	every := (len(measured) + maxLines - 1) / maxLines
	end := 0.0
	for n, m := range measured {
		var xy plotter.XYs
		i := l.at(m.party.name)
		for _, t := range m.curve.values() {
			at := plotter.XY{X: float64(t.TimeNs) / length, Y: float64(t.HeldOutLoss)}
			end = max(end, at.X)
			xy = append(xy, at)
			fig.row(m.node.Name, m.party.name, at.X, t.HeldOutLoss)
			if n%every == 0 {
				fig.point(l.panel(i), at.X, at.Y, "%s: %s at %s %s", m.node.Name, decimal(at.Y, 3), brief(at.X), unit)
			}
		}
		if n%every == 0 {
			fig.panels[l.panel(i)].Add(lined(&plotter.Line{XYs: xy, LineStyle: lineStyle(pale(okabeIto[l.looks[i]], 0.4), 0.7)}))
		}
	}
	for i, name := range l.names {
		var members []*miner
		for _, m := range measured {
			if l.at(m.party.name) == i {
				members = append(members, m)
			}
		}
		xy := medianLine(members, length, end)
		for _, at := range xy {
			fig.row("median", name, at.X, at.Y)
		}
		fig.panels[l.panel(i)].Add(lined(&plotter.Line{XYs: xy, LineStyle: l.line(i, 2.4)}))
	}
	l.lines(fig)
	f.anchorLines(fig, end)
	l.share(fig)
	return fig, nil
}

// medianLine is the median of miners' losses at evenly spread times, once half are measured.
func medianLine(measured []*miner, length, end float64) plotter.XYs {
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
		if 2*len(now) >= len(measured) {
			xy = append(xy, plotter.XY{X: at, Y: Median(now)})
		}
	}
	return xy
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

// maxAnchors is how many base models have a line of their own.
const maxAnchors = 4

// dashings tell the lines of base models apart.
var dashings = [maxAnchors][]vg.Length{{6, 3}, {2, 2}, {8, 2, 2, 2}, {10, 4}}

// anchorLines draws the losses of base models and of bigrams, where they share the panel.
func (f *findings) anchorLines(fig *figure, end float64) {
	anchor := func(label string, loss float64, c color.Color, dashes []vg.Length) {
		style := draw.LineStyle{Color: c, Width: 1.2, Dashes: dashes}
		for _, p := range fig.panels {
			p.Add(lined(&plotter.Line{XYs: plotter.XYs{{X: 0, Y: loss}, {X: end, Y: loss}}, LineStyle: style}))
		}
		fig.legend = append(fig.legend, key{label: label, line: &style})
		fig.row("", label, 0.0, loss)
	}
	a := f.run.Manifest.Anchors
	for i, b := range a.Bases[:min(len(a.Bases), maxAnchors)] {
		anchor("base "+shapeLabel(Node{Width: b.Width, Layers: b.Layers}), b.Loss, axisInk, dashings[i])
	}
	if a.BigramLoss > 0 {
		anchor("bigrams", a.BigramLoss, ink, []vg.Length{1, 3})
	}
}

// routingFigure shows how well the gates foresee the loss of an answer.
func (f *findings) routingFigure() (*figure, error) {
	if !f.queries.routed {
		return nil, without("routing", "no routing loss in table", string(trace.Queries))
	}
	x, unit, length := f.clock()
	p := newPanel(x, "squared error of the gate’s score")
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
		at := f.binTime(i, length)
		xy = append(xy, plotter.XY{X: at, Y: b.value()})
		low, high = min(low, b.value()), max(high, b.value())
		fig.row(at, b.value(), b.n)
	}
	if len(xy) < 2 {
		return nil, without("routing", "answers came in one part of the run only")
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
	for i, at := range xy {
		fig.point(0, at.X, at.Y, "%v at %s %s", fig.data[i][1], brief(at.X), unit)
	}
	mark := draw.GlyphStyle{Color: okabeIto[0], Radius: vg.Length(2.6), Shape: draw.CircleGlyph{}}
	p.Add(lined(&plotter.Line{XYs: xy, LineStyle: lineStyle(okabeIto[0], 1.6)}))
	p.Add(&plotter.Scatter{XYs: xy, GlyphStyle: mark})
	p.X.Min = 0
	return fig, nil
}
