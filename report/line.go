package report

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)

// line is a line that asks for room at its ends only. gonum's asks at each point, which takes more memory
// than the run did where there are a century of them. Both make equal figures.
type line struct{ *plotter.Line }

// lined wraps a line.
func lined(l *plotter.Line) line { return line{l} }

// GlyphBoxes implements plot.GlyphBoxer: the boxes of the outermost points within the panel, each way.
func (l line) GlyphBoxes(p *plot.Plot) []plot.GlyphBox {
	var ends [4]plot.GlyphBox // left, right, bottom, top
	found := false
	r := 0.5 * l.LineStyle.Width
	for _, at := range l.XYs {
		b := plot.GlyphBox{X: p.X.Norm(at.X), Y: p.Y.Norm(at.Y)}
		if !(b.X >= 0 && b.X <= 1 && b.Y >= 0 && b.Y <= 1) {
			continue
		}
		b.Min.X, b.Min.Y, b.Max.X, b.Max.Y = -r, -r, r, r
		further := [4]bool{b.X < ends[0].X, b.X > ends[1].X, b.Y < ends[2].Y, b.Y > ends[3].Y}
		for end := range ends {
			if !found || further[end] {
				ends[end] = b
			}
		}
		found = true
	}
	if !found {
		return nil
	}
	return ends[:]
}
