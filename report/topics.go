package report

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"taolab/sim/trace"
)

// topicCourse is a number of each subset at the end of each part of the run, NaN where there is none yet.
type topicCourse struct {
	begun bool
	bin   int // the part that rows are read of
	at    [timeBins][]float64
}

// reach closes the parts before one with the numbers as they stand.
func (c *topicCourse) reach(bin int, now func() []float64) {
	if c.begun && c.bin < bin {
		values := now()
		for ; c.bin < bin; c.bin++ {
			c.at[c.bin] = values
		}
	}
	c.begun, c.bin = true, bin
}

// line is a subset's course where it has one.
func (c *topicCourse) line(topic int, place func(bin int) float64) plotter.XYs {
	var xy plotter.XYs
	for bin, values := range c.at {
		if topic < len(values) && finite(values[topic]) {
			xy = append(xy, plotter.XY{X: place(bin), Y: values[topic]})
		}
	}
	return xy
}

// overMiners is, by subset, the extreme of a number of all miners that has one.
func (f *findings) overMiners(pick func(a, b float64) float64, of func(m *miner, topic int) float64) []float64 {
	out := make([]float64, len(f.subsets))
	for topic := range out {
		out[topic] = math.NaN()
		for _, m := range f.miners {
			switch v := of(m, topic); {
			case math.IsNaN(v):
			case math.IsNaN(out[topic]):
				out[topic] = v
			default:
				out[topic] = pick(out[topic], v)
			}
		}
	}
	return out
}

// largestShares are the largest share of each subset in any miner's mix.
func (f *findings) largestShares() []float64 {
	return f.overMiners(math.Max, func(m *miner, topic int) float64 {
		for _, one := range m.mix {
			if one.subset == f.subsets[topic] {
				return one.share
			}
		}
		return math.NaN()
	})
}

// bestLosses are the least held-out loss of any miner on each subset.
func (f *findings) bestLosses() []float64 {
	return f.overMiners(math.Min, func(m *miner, topic int) float64 {
		if topic < len(m.held) {
			return m.held[topic]
		}
		return math.NaN()
	})
}

// turns are the points of a line at which it changes, and its ends.
func turns(xy plotter.XYs) plotter.XYs {
	var out plotter.XYs
	for i, p := range xy {
		if i == 0 || i == len(xy)-1 || p.Y != xy[i-1].Y {
			out = append(out, p)
		}
	}
	return out
}

// topicsFigure shows how far learning mixes part by subset, and how well somebody knows each.
func (f *findings) topicsFigure() (*figure, error) {
	f.mixCourse.reach(timeBins, f.largestShares)
	f.lossCourse.reach(timeBins, f.bestLosses)
	shown := min(len(f.subsets), len(okabeIto))
	x, unit, length := f.clock()
	top, bottom := newPanel("", "largest share of a mix (%)"), newPanel(x, "least held-out loss (nats/token)")
	fig := &figure{
		name: "topics", title: "What miners learn, by subset", panels: []*plot.Plot{top, bottom}, height: figureHeight * 6 / 5,
		caption: fmt.Sprintf("Above, for each of %d subsets of %d, the largest share that it has in a miner’s learning mix; below, the "+
			"held-out loss on it of the miner that knows it best. Where miners stay alike the lines above lie together.", shown, len(f.subsets)),
		columns: []string{"subset", fmt.Sprintf("time (%s)", unit), "quantity", "value"},
	}
	moved := false
	for topic, name := range f.subsets[:shown] {
		style, mark := lineStyle(okabeIto[topic], 1.8), plotter.Scatter{}
		mark.GlyphStyle.Color, mark.GlyphStyle.Radius, mark.GlyphStyle.Shape = okabeIto[topic], 2.2, glyphs[topic]
		for panel, c := range []*topicCourse{&f.mixCourse, &f.lossCourse} {
			xy := c.line(topic, func(bin int) float64 { return f.binTime(bin, length) })
			quantity := [...]string{"largest share (%)", "least held-out loss (nats/token)"}[panel]
			for i := range xy {
				if panel == 0 {
					xy[i].Y *= 100
				}
				fig.row(name, xy[i].X, quantity, xy[i].Y)
				fig.point(panel, xy[i].X, xy[i].Y, "%s: %s %s at %s", name, quantity, brief(xy[i].Y), brief(xy[i].X))
			}
			if len(xy) == 0 {
				continue
			}
			moved = moved || panel == 0 && varied(xy)
			fig.panels[panel].Add(lined(&plotter.Line{XYs: xy, LineStyle: style}), &plotter.Scatter{XYs: turns(xy), GlyphStyle: mark.GlyphStyle})
		}
		fig.legend = append(fig.legend, key{label: name, line: &style, glyph: &mark.GlyphStyle})
	}
	if !moved {
		return nil, without("topics", "no owner decided twice about a learning mix in table", string(trace.Decisions))
	}
	top.Y.Min, top.X.Min, bottom.X.Min = 0, 0, 0
	if !slices.ContainsFunc(f.lossCourse.at[timeBins-1], finite) {
		fig.panels, top.X.Label.Text = fig.panels[:1], x // nothing was measured
	}
	return fig, nil
}
