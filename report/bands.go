package report

import (
	"image/color"
	"math"
	"path/filepath"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Bands are several lines over one axis, each with the values of many runs at its places.
type Bands struct {
	Name, Title, Caption string
	Across, Up           string // axes
	Lines                []BandLine
}

// BandLine is one of them.
type BandLine struct {
	Label  string
	Places []FanPlace // a place without values interrupts the line
}

// WriteBands draws medians and bands from the 5 % to the 95 % quantile, or over the range where a place has few values,
// into the figures of a folder.
func WriteBands(dir string, b Bands) error {
	outer, share := "5 to 95 %", 0.05
	for _, l := range b.Lines {
		for _, p := range l.Places {
			if n := len(p.Values); 0 < n && n < fewestForTails {
				outer, share = "range", 0
			}
		}
	}
	panel := newPanel(b.Across, b.Up)
	fig := &figure{
		name: fileSafe(b.Name), title: b.Title, panels: []*plot.Plot{panel}, height: figureHeight,
		caption: b.Caption + " Lines are medians, bands are the " + outer + " of the runs.",
		columns: []string{"line", b.Across, "runs", "low (" + outer + ")", "25 %", "50 %", "75 %", "high (" + outer + ")"},
	}
	for i, l := range b.Lines {
		tone := lineColour(i, len(b.Lines))
		for _, stretch := range stretches(l.Places) {
			drawBand(panel, stretch, share, tone)
		}
		for _, p := range l.Places {
			if len(p.Values) == 0 {
				continue
			}
			q := p.quantiles(share)
			fig.row(l.Label, p.X, len(p.Values), q[0], q[1], q[2], q[3], q[4])
			fig.point(0, p.X, q[2], "%s at %s: median %s, %s %s to %s, %d runs", l.Label, brief(p.X), brief(q[2]), outer, brief(q[0]), brief(q[4]), len(p.Values))
		}
		style := lineStyle(tone, 1.8)
		fig.legend = append(fig.legend, key{label: l.Label, line: &style})
	}
	roundOut(&panel.X)
	roundOut(&panel.Y)
	_, err := fig.save(filepath.Join(dir, FiguresFolder))
	return err
}

// lineColour is a colour that tells line i of n apart; of many lines neighbours look alike.
func lineColour(i, n int) color.RGBA {
	if n <= len(okabeIto) {
		return okabeIto[i]
	}
	return viridis(0.92 * float64(i) / float64(n-1))
}

// stretches cuts a line where places have no values.
func stretches(places []FanPlace) (out [][]FanPlace) {
	from := 0
	for i := 0; i <= len(places); i++ {
		if i < len(places) && len(places[i].Values) > 0 {
			continue
		}
		if i > from {
			out = append(out, places[from:i])
		}
		from = i + 1
	}
	return out
}

// drawBand draws a stretch's median over its band.
func drawBand(panel *plot.Plot, places []FanPlace, share float64, tone color.RGBA) {
	var low, high, middle plotter.XYs
	for _, p := range places {
		q := p.quantiles(share)
		low, middle, high = append(low, plotter.XY{X: p.X, Y: q[0]}), append(middle, plotter.XY{X: p.X, Y: q[2]}), append(high, plotter.XY{X: p.X, Y: q[4]})
	}
	panel.Add(shaded(low, high, tone), &plotter.Line{XYs: middle, LineStyle: lineStyle(tone, 1.8)})
}

// shaded is the band between two lines.
func shaded(low, high plotter.XYs, tone color.RGBA) *plotter.Polygon {
	ring := append(slices.Clone(low), high...)
	slices.Reverse(ring[len(low):])
	shade := pale(tone, 0.3)
	return &plotter.Polygon{XYs: []plotter.XYs{ring}, Color: shade, LineStyle: lineStyle(shade, 0.5)}
}

// HeatMaps are maps of one number over the same two axes.
type HeatMaps struct {
	Name, Title, Caption string
	Across, Up, Scale    string // axes and the colours
	X, Y                 []float64
	High                 float64 // of the number; the least is 0
	Maps                 []HeatMap
}

// HeatMap is one of them, with a line through it.
type HeatMap struct {
	Label  string
	Values [][]float64 // by X, then by Y
	Line   []float64   // by X; NaN interrupts it
}

// WriteHeatMaps draws maps side by side into the figures of a folder.
func WriteHeatMaps(dir string, h HeatMaps) error {
	fig := &figure{
		name: fileSafe(h.Name), title: h.Title, caption: h.Caption, columns: []string{"map", h.Across, h.Up, h.Scale},
		bar: &colourBar{h.Scale, h.High, false}, cols: min(len(h.Maps), 3),
	}
	rows := (len(h.Maps) + fig.cols - 1) / fig.cols
	fig.height = max(figureHeight*3/4, vg.Length(rows)*figureHeight*0.46+40)
	for i, m := range h.Maps {
		fig.panels = append(fig.panels, h.panel(m))
		for x, column := range m.Values {
			for y, v := range column {
				fig.row(m.Label, h.X[x], h.Y[y], v)
				if x%5 == 0 && y%5 == 0 {
					fig.point(i, h.X[x], h.Y[y], "%s: %s %s, %s %s: %s", m.Label, h.Across, brief(h.X[x]), h.Up, brief(h.Y[y]), brief(v))
				}
			}
		}
	}
	_, err := fig.save(filepath.Join(dir, FiguresFolder))
	return err
}

// panel is a map with its line.
func (h *HeatMaps) panel(m HeatMap) *plot.Plot {
	p := newPanel(h.Across, h.Up)
	p.Title.Text, p.Title.TextStyle = m.Label, text(labelSize, draw.XCenter, draw.YTop)
	cells := make([]float64, 0, len(h.X)*len(h.Y))
	for y := range h.Y {
		for x := range h.X {
			cells = append(cells, m.Values[x][y])
		}
	}
	dx, dy := (h.X[1]-h.X[0])/2, (h.Y[1]-h.Y[0])/2
	p.Add(plotter.NewImage(heat(cells, len(h.Y), len(h.X), h.High), h.X[0]-dx, h.Y[0]-dy, h.X[len(h.X)-1]+dx, h.Y[len(h.Y)-1]+dy))
	var line plotter.XYs
	for i := 0; i <= len(m.Line); i++ {
		if i < len(m.Line) && !math.IsNaN(m.Line[i]) {
			line = append(line, plotter.XY{X: h.X[i], Y: m.Line[i]})
			continue
		}
		if len(line) > 1 {
			p.Add(&plotter.Line{XYs: line, LineStyle: lineStyle(color.White, 3)}, &plotter.Line{XYs: line, LineStyle: lineStyle(okabeIto[4], 1.6)})
		}
		line = nil
	}
	p.X.Padding, p.Y.Padding = 0, 0
	p.X.Tick.Marker = ticks(3)
	return p
}
