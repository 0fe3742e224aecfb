package report

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"taolab/sim/trace"
)

// serviceFigure shows what stake buys: how soon a caller is answered, and how often it is admitted.
func (f *findings) serviceFigure() (*figure, error) {
	var validators []*caller
	for _, v := range f.voters {
		validators = append(validators, &v.caller)
	}
	kinds := []struct {
		name    string
		callers []*caller
	}{{"applications", asking(f.callers)}, {"validators", asking(validators)}}
	all := append(asking(f.callers), asking(validators)...)
	if len(all) == 0 {
		return nil, without("service", "no request in tables", string(trace.Applications), "and", string(trace.Queries))
	}
	axis := newStakeAxis(all)
	top, bottom := newPanel("", "latency (s)"), newPanel("stake of the caller (TAO)", "admitted (%)")
	fig := &figure{
		name: "service", title: "Latency and admission by stake", panels: []*plot.Plot{top, bottom},
		caption: "Latency of answers (median, with the range from the 5 % to the 95 % quantile) and share of " +
			"requests that miners took, for callers of different stake.",
		columns: []string{"name", "kind", "stake (TAO)", "requests", "admitted (%)", "latency q05 (s)",
			"latency median (s)", "latency q95 (s)"},
	}
	for i, kind := range kinds {
		var median, admitted plotter.XYs
		mark := draw.GlyphStyle{Color: okabeIto[4*i], Radius: 3.6, Shape: glyphs[i]}
		for _, c := range kind.callers {
			x := axis.place(c.stake)
			part := 100 * float64(c.admitted) / float64(c.requests)
			admitted = append(admitted, plotter.XY{X: x, Y: part})
			latency := c.latency.values()
			low, mid, high := Quantile(0.05, latency), Median(latency), Quantile(0.95, latency)
			fig.row(c.node.Name, c.node.Kind, tao(c.stake), c.requests, part, low, mid, high)
			if len(latency) == 0 {
				continue
			}
			median = append(median, plotter.XY{X: x, Y: mid})
			whisker := plotter.XYs{{X: x, Y: low}, {X: x, Y: high}}
			top.Add(&plotter.Line{XYs: whisker, LineStyle: lineStyle(pale(okabeIto[4*i], 0.6), 1.4)})
		}
		if len(admitted) == 0 {
			continue
		}
		top.Add(&plotter.Scatter{XYs: median, GlyphStyle: mark})
		bottom.Add(&plotter.Scatter{XYs: admitted, GlyphStyle: mark})
		fig.legend = append(fig.legend, key{label: kind.name, glyph: &mark})
	}
	top.Y.Min = 0
	bottom.Y.Min, bottom.Y.Max = 0, 100
	for _, p := range fig.panels {
		p.X.Min, p.X.Max = axis.low, axis.high
		p.X.Tick.Marker, p.Y.Tick.Marker = decades{axis.zero}, ticks(4)
	}
	return fig, nil
}

func asking(callers []*caller) []*caller {
	var out []*caller
	for _, c := range callers {
		if c.requests > 0 {
			out = append(out, c)
		}
	}
	return out
}

// stakeAxis is logarithmic in TAO, with a place of its own for no stake.
type stakeAxis struct{ low, high, zero float64 }

func newStakeAxis(callers []*caller) stakeAxis {
	a := stakeAxis{low: math.Inf(1), high: math.Inf(-1), zero: math.NaN()}
	none := false
	for _, c := range callers {
		if c.stake == 0 {
			none = true
			continue
		}
		at := math.Log10(tao(c.stake))
		a.low, a.high = min(a.low, at), max(a.high, at)
	}
	if math.IsInf(a.low, 0) {
		a.low, a.high = 0, 1
	}
	a.low, a.high = a.low-0.1, a.high+0.1
	if none {
		a.zero = a.low - 0.15*(a.high-a.low) - 0.3
		a.low = a.zero - 0.1
	}
	return a
}

func (a stakeAxis) place(stakeRao uint64) float64 {
	if stakeRao == 0 {
		return a.zero
	}
	return math.Log10(tao(stakeRao))
}
