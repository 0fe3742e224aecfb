package report

import (
	"math"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// Residuals are what a fit leaves over, at what it predicts: for what it was made of, and for what it has not seen.
type Residuals struct {
	Name, Title, Caption string
	Across, Up           string // axes
	Groups               []ResidualGroup
}

// ResidualGroup are residuals of one kind.
type ResidualGroup struct {
	Label  string
	Points []ResidualPoint
}

// ResidualPoint is one of them.
type ResidualPoint struct {
	Label               string // of what it is
	Predicted, Residual float64
}

// WriteResiduals draws residuals around their line of 0 into the figures of a folder.
func WriteResiduals(dir string, r Residuals) error {
	panel := newPanel(r.Across, r.Up)
	fig := &figure{
		name: fileSafe(r.Name), title: r.Title, caption: r.Caption, panels: []*plot.Plot{panel}, height: figureHeight,
		columns: []string{"group", "of", r.Across, r.Up},
	}
	low, high := math.Inf(1), math.Inf(-1)
	for i, g := range r.Groups {
		points := make(plotter.XYs, 0, len(g.Points))
		for _, p := range g.Points {
			low, high = min(low, p.Predicted), max(high, p.Predicted)
			points = append(points, plotter.XY{X: p.Predicted, Y: p.Residual})
			fig.row(g.Label, p.Label, p.Predicted, p.Residual)
			fig.point(0, p.Predicted, p.Residual, "%s, %s: predicted %s, residual %s", g.Label, p.Label, brief(p.Predicted), brief(p.Residual))
		}
		mark := draw.GlyphStyle{Color: okabeIto[i%len(okabeIto)], Radius: 2.4, Shape: glyphs[i%len(glyphs)]}
		panel.Add(&plotter.Scatter{XYs: points, GlyphStyle: mark})
		fig.legend = append(fig.legend, key{label: g.Label, glyph: &mark})
	}
	if low > high {
		return without(r.Name, "nothing was fitted")
	}
	panel.Add(lined(&plotter.Line{XYs: plotter.XYs{{X: low, Y: 0}, {X: high, Y: 0}}, LineStyle: dashed(ink, 1)}))
	roundOut(&panel.X)
	roundOut(&panel.Y)
	_, err := fig.save(filepath.Join(dir, FiguresFolder))
	return err
}
