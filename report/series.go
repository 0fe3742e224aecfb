package report

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Limits of what one figure shows.
const (
	maxSeries = 7  // in one panel: there are so many colours and marks
	maxFacets = 20 // panels with one series each; what is beyond shares the last
)

// layout gives series their panels, colours and marks: up to seven share a panel, more have a panel
// each.
type layout struct {
	names  []string
	looks  []int // by series: the place of its colour and mark
	facets bool
	more   int // series that share the last panel, or the last colour
}

// lay lays out groups that can have panels of their own.
func (f *findings) lay(names []string) layout {
	l := layout{names: names, facets: len(names) > maxSeries}
	if len(names) > maxFacets {
		l.fold(maxFacets)
	}
	l.dress(f.parties)
	return l
}

// layFolded lays out groups that must share a panel: of more than seven the last ones look alike, and
// are called so.
func (f *findings) layFolded(names []string) layout {
	l := layout{names: names}
	if len(names) > maxSeries {
		l.fold(maxSeries)
	}
	l.dress(f.parties)
	return l
}

// dress gives every series its look: a group of neurons has the same one in all figures where the
// run has no more of them than there are looks.
func (l *layout) dress(all []*party) {
	l.looks = make([]int, len(l.names))
	if l.facets {
		return
	}
	known := named(slices.DeleteFunc(slices.Clone(all), func(p *party) bool { return p.kind != KindMiner && p.kind != KindValidator }))
	var taken [maxSeries]bool
	for i, name := range l.names {
		l.looks[i] = slices.Index(known, name)
		if len(known) > maxSeries {
			l.looks[i] = -1
		}
		if l.looks[i] >= 0 {
			taken[l.looks[i]] = true
		}
	}
	for i := range l.looks {
		if l.looks[i] < 0 {
			l.looks[i] = slices.Index(taken[:], false)
			taken[l.looks[i]] = true
		}
	}
}

func (l *layout) fold(most int) {
	l.more = len(l.names) - most + 1
	l.names = append(slices.Clone(l.names[:most-1]), fmt.Sprintf("%d more", l.more))
}

// at is the place of a name among the series.
func (l *layout) at(name string) int {
	if i := slices.Index(l.names, name); i >= 0 {
		return i
	}
	return len(l.names) - 1
}

func (l *layout) line(i int, width vg.Length) draw.LineStyle {
	return lineStyle(okabeIto[l.looks[i]], width)
}

func (l *layout) glyph(i int, radius vg.Length) draw.GlyphStyle {
	return draw.GlyphStyle{Color: okabeIto[l.looks[i]], Radius: radius, Shape: glyphs[l.looks[i]]}
}

// panel is the panel of a series.
func (l *layout) panel(i int) int {
	if l.facets {
		return i
	}
	return 0
}

// frame makes the panels of the layout.
func (l *layout) frame(fig *figure, xLabel, yLabel string) {
	if !l.facets {
		fig.panels = []*plot.Plot{newPanel(xLabel, yLabel)}
		return
	}
	fig.legend = append(fig.legend, key{label: "upward: " + yLabel}) // panels are too low for it
	fig.cols = 4
	rows := (len(l.names) + fig.cols - 1) / fig.cols
	fig.height = vg.Length(70 + 105*rows)
	for i, name := range l.names {
		x := ""
		if i+fig.cols >= len(l.names) {
			x = xLabel
		}
		p := newPanel(x, "")
		p.Title.Text = name
		p.Title.TextStyle.Font = face(tickSize, true)
		p.Title.Padding = 2
		for _, a := range []*plot.Axis{&p.X, &p.Y} {
			a.Tick.Marker = ticks(3)
			a.Label.TextStyle.Font = face(tickSize-1, false)
			a.Tick.Label.Font = face(tickSize-1.5, false)
		}
		fig.panels = append(fig.panels, p)
	}
}

// share gives all panels the same axes, so that they can be compared.
func (l *layout) share(fig *figure) {
	if !l.facets {
		return
	}
	low, high := plotter.XY{X: math.Inf(1), Y: math.Inf(1)}, plotter.XY{X: math.Inf(-1), Y: math.Inf(-1)}
	for _, p := range fig.panels {
		low.X, high.X = min(low.X, p.X.Min), max(high.X, p.X.Max)
		low.Y, high.Y = min(low.Y, p.Y.Min), max(high.Y, p.Y.Max)
	}
	for _, p := range fig.panels {
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = low.X, high.X, low.Y, high.Y
	}
}

// lines adds a key for each series, where they share a panel.
func (l *layout) lines(fig *figure) {
	if l.facets {
		return
	}
	for i, name := range l.names {
		style := l.line(i, 1.8)
		fig.legend = append(fig.legend, key{label: name, line: &style})
	}
}

// named lists the names of groups.
func named(parties []*party) []string {
	return distinct(parties, func(p *party) string { return p.name })
}

// timeUnit picks the unit in which a run's time is read, and its length in ns.
func timeUnit(ns int64) (string, float64) {
	switch seconds := float64(ns) / 1e9; {
	case seconds <= 120:
		return "s", 1e9
	case seconds <= 3600:
		return "min", 6e10
	case seconds <= 96*3600:
		return "h", 3.6e12
	case seconds <= 24*1000*3600:
		return "d", 24 * 3.6e12
	default:
		return "years", 365.25 * 24 * 3.6e12
	}
}

// clock is the time axis of a run's figures.
func (f *findings) clock() (label, unit string, length float64) {
	unit, length = timeUnit(f.span.ns)
	return fmt.Sprintf("simulated time (%s)", unit), unit, length
}

// binTime is the middle of a part of the run.
func (f *findings) binTime(i int, length float64) float64 {
	return (float64(i) + 0.5) / timeBins * float64(f.span.ns) / length
}

// varied reports whether points stand at two places of the axis at least: one is not a curve.
func varied(xy plotter.XYs) bool {
	for _, p := range xy {
		if p.X != xy[0].X {
			return true
		}
	}
	return false
}
