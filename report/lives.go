package report

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// maxLives is how many seats the figure of seats shows.
const maxLives = 40

// seatsFigure shows the seats that changed hands: who held them, and when one gave way to another.
func (f *findings) seatsFigure() (*figure, error) {
	all := f.terms.all()
	var uids []uint16
	for _, t := range all {
		if t.ended || t.from > 0 {
			uids = append(uids, t.uid)
		}
	}
	slices.Sort(uids)
	uids = slices.Compact(uids)
	switch {
	case len(all) == 0:
		return nil, without("seats", "no table tells who held which seat")
	case len(uids) == 0:
		return nil, without("seats", "no seat changed hands")
	}
	shown := uids[:min(len(uids), maxLives)]
	x, unit, length := f.clock()
	p := newPanel(x, "seat (uid)")
	fig := &figure{
		name: "seats", title: "Newcomers and pruning: who held which seat", panels: []*plot.Plot{p},
		caption: fmt.Sprintf("The seats that changed hands or were taken after genesis (%d of them, %d shown); a bar is the "+
			"time that one node held a seat, a mark is the moment at which another took it.", len(uids), len(shown)),
		columns: []string{"seat (uid)", "node", "group", fmt.Sprintf("from (%s)", unit), fmt.Sprintf("until (%s)", unit), "pruned"},
		height:  vg.Length(120 + 14*len(shown)),
	}
	group := func(t term) string { return f.groupOf(t.node) }
	var drawn []term
	for _, t := range all {
		if slices.Contains(shown, t.uid) {
			drawn = append(drawn, t)
		}
	}
	l := f.layFolded(distinct(drawn, group))
	bars := &spans{height: 0.36}
	var ends plotter.XYs
	for _, t := range drawn {
		row := float64(len(shown) - 1 - slices.Index(shown, t.uid))
		from, until := f.span.timeOf(t.from)/length, float64(f.span.ns)/length
		if t.ended {
			until = f.span.timeOf(t.until) / length
			ends = append(ends, plotter.XY{X: until, Y: row})
			fig.point(0, until, row, "%s gives way to %s", f.nameOf(t.node), f.nameOf(t.successor))
		}
		bars.list = append(bars.list, bar{from, until, row, l.looks[l.at(group(t))]})
		fig.point(0, (from+until)/2, row, "%s: %s to %s %s", f.nameOf(t.node), brief(from), brief(until), unit)
		fig.row(t.uid, f.nameOf(t.node), group(t), from, until, t.ended)
	}
	p.Add(bars)
	mark := draw.GlyphStyle{Color: ink, Radius: 3, Shape: glyphs[3]}
	if len(ends) > 0 {
		p.Add(&plotter.Scatter{XYs: ends, GlyphStyle: mark})
	}
	l.lines(fig)
	for i := range fig.legend {
		fig.legend[i].line.Width = 8
	}
	fig.legend = append(fig.legend, key{label: "pruned", glyph: &mark})
	names := make([]string, len(shown))
	for i, uid := range shown {
		names[i] = fmt.Sprint(uid)
	}
	p.Y.Tick.Marker = nameTicks{names, true}
	p.Y.Min, p.Y.Max, p.X.Min, p.X.Max = -0.6, float64(len(shown))-0.4, 0, float64(f.span.ns)/length
	return fig, nil
}

// bar is a stretch of time in a row.
type bar struct {
	from, until, row float64
	colour           int
}

// spans draws bars.
type spans struct {
	height float64 // half of a bar's
	list   []bar
}

func (s *spans) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, b := range s.list {
		c.SetColor(okabeIto[b.colour%len(okabeIto)])
		c.Fill(vg.Rectangle{
			Min: vg.Point{X: x(b.from), Y: y(b.row - s.height)}, Max: vg.Point{X: x(b.until) - 0.7, Y: y(b.row + s.height)},
		}.Path())
	}
}
