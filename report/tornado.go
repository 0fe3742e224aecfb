package report

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"path/filepath"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// Tornado is how strongly a metric depends on each of some keys.
type Tornado struct {
	Metric  string
	Measure string // of the bars
	Within  string // of the narrow bars inside them
	Bars    []TornadoBar
}

// TornadoBar is the influence of one key.
type TornadoBar struct {
	Key           string
	Value, Within float64
	Low, High     float64 // interval of the value; NaN where it has none
}

// WriteTornado draws a tornado chart, the strongest key on top, into the figures of a folder.
func WriteTornado(dir string, t Tornado) error {
	bars := slices.Clone(t.Bars)
	slices.SortStableFunc(bars, func(a, b TornadoBar) int { return cmp.Compare(a.Value, b.Value) })
	unit, exponent := thousandsOf(bars)
	label := t.Measure
	if exponent > 0 {
		label += fmt.Sprintf(" (10^%d)", exponent)
	}
	panel := newPanel(label, "")
	fig := &figure{
		name: fileSafe("sensitivity of " + t.Metric), title: "Sensitivity of " + t.Metric, panels: []*plot.Plot{panel},
		height:  vg.Length(90 + 34*len(bars)),
		caption: "Wide bars: " + t.Measure + ". Narrow bars: " + t.Within + ". The strongest key stands on top.",
		columns: []string{"key", t.Measure, "low", "high", t.Within},
	}
	wide, narrow := pale(okabeIto[0], 0.45), okabeIto[0]
	var places []plot.Tick
	for i, b := range bars {
		y := float64(i)
		panel.Add(horizontalBar(y, b.Value/unit, 0.34, wide), horizontalBar(y, b.Within/unit, 0.14, narrow))
		var low, high any = "", "" // no interval
		if !math.IsNaN(b.Low) && !math.IsNaN(b.High) {
			low, high = b.Low, b.High
			panel.Add(lined(&plotter.Line{XYs: plotter.XYs{{X: b.Low / unit, Y: y}, {X: b.High / unit, Y: y}}, LineStyle: lineStyle(ink, 1.2)}))
		}
		places = append(places, plot.Tick{Value: y, Label: b.Key})
		fig.row(b.Key, b.Value, low, high, b.Within)
		fig.point(0, b.Value/unit, y, "%s: %s, %s %s", b.Key, brief(b.Value), t.Within, brief(b.Within))
	}
	panel.Y.Tick.Marker = plot.ConstantTicks(places)
	panel.Y.Min, panel.Y.Max = -0.6, float64(len(bars))-0.4
	panel.X.Min = min(panel.X.Min, 0)
	roundOut(&panel.X)
	strong, weak := lineStyle(wide, 8), lineStyle(narrow, 5)
	fig.legend = []key{{label: t.Measure, line: &strong}, {label: t.Within, line: &weak}}
	_, err := fig.save(filepath.Join(dir, FiguresFolder))
	return err
}

// thousandsOf returns the power of 1,000 in which the bars' numbers stay short, and its exponent of ten.
func thousandsOf(bars []TornadoBar) (unit float64, exponent int) {
	most := 0.0
	for _, b := range bars {
		most = max(most, math.Abs(b.Value), math.Abs(b.Within))
	}
	for unit = 1; most >= 1e5*unit && exponent < 300; exponent += 3 {
		unit *= 1000
	}
	return unit, exponent
}

// horizontalBar is a horizontal bar from 0 to a value around a height.
func horizontalBar(y, value, half float64, colour color.Color) *plotter.Polygon {
	return &plotter.Polygon{
		XYs:   []plotter.XYs{{{X: 0, Y: y - half}, {X: value, Y: y - half}, {X: value, Y: y + half}, {X: 0, Y: y + half}}},
		Color: colour, LineStyle: lineStyle(colour, 0.5),
	}
}
