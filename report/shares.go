package report

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"taolab/sim/trace"
)

// yearShare is the part of what a year minted that somebody got.
type yearShare struct {
	who   string
	shade color.RGBA
	of    func(y *YearSummary) float64
}

// yearShares are the parts of a year, from the ground up. They sum to 1.
var yearShares = []yearShare{
	{"miners", okabeIto[0], func(y *YearSummary) float64 { return *y.Miners }},
	{"validators", okabeIto[1], func(y *YearSummary) float64 { return *y.Validators - valueOf(y.Nominators) }},
	{"nominators", okabeIto[3], func(y *YearSummary) float64 { return valueOf(y.Nominators) }},
	{"owner", okabeIto[2], func(y *YearSummary) float64 { return *y.Owner }},
	{"others and nobody", gridInk, func(y *YearSummary) float64 { return 1 - *y.Miners - *y.Validators - *y.Owner }},
}

func valueOf(x *float64) float64 {
	if x == nil {
		return 0
	}
	return *x
}

// sharesFigure shows who got what each year minted.
func (f *findings) sharesFigure() (*figure, error) {
	var years []YearSummary
	if c := f.courseSummary(); c != nil {
		years = c.Years
	}
	label, place := f.course.calendar.axis()
	panel := newPanel(label, "share of what was minted (%)")
	fig := &figure{
		name: "shares", title: "Who got what was minted, by year", panels: []*plot.Plot{panel}, height: figureHeight,
		caption: "Of each whole year, what miners, validators (with their take), those who nominate them and the network’s owner got, as " +
			"the recorded epochs and the ledger say. The rest went to hotkeys of no node, or to nobody.",
		columns: []string{"year", "who", "share (%)"},
	}
	told, got := 0, map[string]bool{}
	for i := range years {
		y := &years[i]
		if y.Miners == nil || y.Validators == nil || y.Owner == nil {
			continue
		}
		told++
		from, until := place(f.course.at[i].ns), place(f.course.at[i+1].ns)
		ground := 0.0
		for _, s := range yearShares {
			part := 100 * s.of(y)
			if part < 1e-6 { // what rounding leaves
				continue
			}
			top := ground + part
			panel.Add(&plotter.Polygon{
				XYs:   []plotter.XYs{{{X: from, Y: ground}, {X: until, Y: ground}, {X: until, Y: top}, {X: from, Y: top}}},
				Color: s.shade, LineStyle: lineStyle(color.RGBA{255, 255, 255, 255}, 0.5),
			})
			fig.row(y.Year, s.who, part)
			fig.point(0, (from+until)/2, (ground+top)/2, "%s: %s %s %%", y.Year, s.who, brief(part))
			got[s.who] = true
			ground = top
		}
	}
	if told < 2 {
		return nil, without("shares", "fewer than two whole years whose money tables", string(trace.Epochs), "and", string(trace.Ledger), "tell")
	}
	for _, s := range yearShares {
		if got[s.who] {
			line := lineStyle(s.shade, 6)
			fig.legend = append(fig.legend, key{label: s.who, line: &line})
		}
	}
	panel.X.Min, panel.X.Max = place(0), place(float64(f.course.calendar.ns))
	panel.Y.Min, panel.Y.Max = 0, 100
	return fig, nil
}
