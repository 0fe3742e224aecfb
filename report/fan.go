package report

import (
	"fmt"
	"image/color"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// Fan is a number of many runs as a function of another: at each place the values of all runs there.
type Fan struct {
	Name   string     // of the number
	Across string     // what lies along the axis
	Places []FanPlace // by X
	// Runs are the values in the order of the runs, for the mean of the first n; empty draws no such panel.
	Runs []float64
}

// FanPlace holds the values of the runs at one place.
type FanPlace struct {
	X      float64
	Values []float64
}

// fewestForTails is how many values the 5 % and 95 % quantiles need; where a place has fewer the range is shown,
// at all places.
const fewestForTails = 40

// quantiles are the five lines of a fan at a place: both outer quantiles, the quartiles and the median.
func (p FanPlace) quantiles(outer float64) [5]float64 {
	sorted := slices.Sorted(slices.Values(p.Values))
	var q [5]float64
	for i, share := range []float64{outer, 0.25, 0.5, 0.75, 1 - outer} {
		q[i] = quantileSorted(share, sorted)
	}
	return q
}

// WriteFan draws a fan into the figures of a folder.
func WriteFan(dir string, f Fan) error {
	few := math.MaxInt
	for _, p := range f.Places {
		few = min(few, len(p.Values))
	}
	outer, share := "5 to 95 %", 0.05
	if few < fewestForTails {
		outer, share = "range", 0
	}
	label, unit := f.Name, ""
	if strings.HasSuffix(f.Name, "_rao") { // figures show money in TAO
		f, label, unit = f.over(raoPerTAO), f.Name+" in TAO", " (TAO)"
	}
	panel := newPanel(f.Across, label)
	fig := &figure{
		name: fileSafe(f.Name), title: f.Name, panels: []*plot.Plot{panel}, height: figureHeight,
		caption: fmt.Sprintf("Median, quartiles and %s of at least %d runs at each place, over all seeds and all other swept keys.", outer, few),
		columns: []string{f.Across, "runs", "low (" + outer + ")" + unit, "25 %" + unit, "50 %" + unit, "75 %" + unit, "high (" + outer + ")" + unit},
	}
	var lines [5]plotter.XYs
	for _, p := range f.Places {
		q := p.quantiles(share)
		fig.row(p.X, len(p.Values), q[0], q[1], q[2], q[3], q[4])
		fig.point(0, p.X, q[2], "%s %s: median %s, quartiles %s and %s, %d runs", f.Across, brief(p.X), brief(q[2]), brief(q[1]), brief(q[3]), len(p.Values))
		for i := range lines {
			lines[i] = append(lines[i], plotter.XY{X: p.X, Y: q[i]})
		}
	}
	f.fill(fig, panel, lines, outer)
	if f.settle(fig) {
		fig.caption += " Below, the mean over the first runs of the last place, with its interval of 95 %."
	}
	_, err := fig.save(filepath.Join(dir, FiguresFolder))
	return err
}

// over divides all values by a number.
func (f Fan) over(divisor float64) Fan {
	divided := func(values []float64) []float64 {
		quotients := make([]float64, len(values))
		for i, v := range values {
			quotients[i] = v / divisor
		}
		return quotients
	}
	places := make([]FanPlace, len(f.Places))
	for i, p := range f.Places {
		places[i] = FanPlace{p.X, divided(p.Values)}
	}
	f.Places, f.Runs = places, divided(f.Runs)
	return f
}

// fill draws the bands and the median.
func (f Fan) fill(fig *figure, panel *plot.Plot, lines [5]plotter.XYs, outer string) {
	for i, strength := range []float64{0.18, 0.4} {
		ring := slices.Clone(lines[i])
		for k := len(lines[4-i]) - 1; k >= 0; k-- {
			ring = append(ring, lines[4-i][k])
		}
		shade := pale(okabeIto[0], strength)
		panel.Add(&plotter.Polygon{XYs: []plotter.XYs{ring}, Color: shade, LineStyle: lineStyle(shade, 0.5)})
		style := lineStyle(shade, 8)
		fig.legend = append(fig.legend, key{label: []string{outer, "25 to 75 %"}[i], line: &style})
	}
	style := lineStyle(okabeIto[0], 1.8)
	panel.Add(lined(&plotter.Line{XYs: lines[2], LineStyle: style}),
		&plotter.Scatter{XYs: lines[2], GlyphStyle: draw.GlyphStyle{Color: okabeIto[0], Radius: 2.4, Shape: glyphs[0]}})
	fig.legend = append(fig.legend, key{label: "median", line: &style})
	roundOut(&panel.Y)
}

// settle adds the panel that shows how the mean over the first n runs settles, with its 95 % interval, if there are enough.
func (f Fan) settle(fig *figure) bool {
	if len(f.Runs) < fewest {
		return false
	}
	panel := newPanel("number of runs", "mean of the first runs")
	var mean, low, high plotter.XYs
	for n := fewest; n <= len(f.Runs); n += 1 + n/50 {
		v := meanInterval(f.Runs[:n])
		if v.Low == nil || v.High == nil {
			continue
		}
		x := float64(n)
		mean, low, high = append(mean, plotter.XY{X: x, Y: v.Estimate}), append(low, plotter.XY{X: x, Y: *v.Low}), append(high, plotter.XY{X: x, Y: *v.High})
	}
	if len(mean) == 0 {
		return false
	}
	fig.height = figureHeight * 3 / 2
	fig.panels = append(fig.panels, panel)
	solid, edge := lineStyle(okabeIto[1], 1.6), dashed(color.RGBA(okabeIto[1]), 1)
	panel.Add(lined(&plotter.Line{XYs: mean, LineStyle: solid}), lined(&plotter.Line{XYs: low, LineStyle: edge}), lined(&plotter.Line{XYs: high, LineStyle: edge}))
	fig.legend = append(fig.legend, key{label: "mean of the first runs of the last place", line: &solid}, key{label: "its 95 % interval", line: &edge})
	roundOut(&panel.Y)
	return true
}
