package report

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"taolab/sim/trace"
)

// serviceFigure shows what stake buys: how soon a caller is answered, and how often it is turned away.
func (f *findings) serviceFigure() (*figure, error) {
	var callers []*caller // the few applications last, so that they lie above
	for _, v := range f.validators {
		callers = append(callers, asking([]*caller{&v.caller})...)
	}
	callers = append(callers, asking(f.callers)...)
	switch len(callers) {
	case 0:
		return nil, without("service", "no request in tables", string(trace.Applications), "and", string(trace.Queries))
	case 1:
		return nil, without("service", "one caller only")
	}
	axis := newStakeAxis(callers)
	top, bottom := newPanel("", "latency (s)"), newPanel("stake of the caller (TAO)", "admitted (%)")
	fig := &figure{
		name: "service", title: "Latency and admission by stake", panels: []*plot.Plot{top, bottom},
		caption: "Latency of answers (median, with the range from the 5 % to the 95 % quantile) and share of " +
			"requests that were taken, for callers of different stake. Requests without any answer are not counted " +
			"as refused.",
		columns: []string{"name", "group", "stake (TAO)", "requests", "admitted (%)", "unanswered (%)", "latency q05 (s)",
			"latency median (s)", "latency q95 (s)"},
	}
	l := f.layFolded(distinct(callers, func(c *caller) string { return c.party.name }))
	for i, name := range l.names {
		var median, admitted plotter.XYs
		mark := l.glyph(i, 3.6)
		for _, c := range callers {
			if l.at(c.party.name) != i {
				continue
			}
			x, part := axis.place(c.stake), 100*c.fate.admitted()
			latency := c.latency.values()
			low, mid, high := Quantile(0.05, latency), Median(latency), Quantile(0.95, latency)
			fig.row(c.node.Name, c.party.name, tao(c.stake), c.fate.asked, part, 100*c.fate.part(c.fate.silent), low, mid, high)
			if finite(part) {
				admitted = append(admitted, plotter.XY{X: x, Y: part})
				fig.point(1, x, part, "%s: %s %% admitted", c.node.Name, brief(part))
			}
			if len(latency) == 0 {
				continue
			}
			median = append(median, plotter.XY{X: x, Y: mid})
			fig.point(0, x, mid, "%s: %s s", c.node.Name, brief(mid))
			whisker := plotter.XYs{{X: x, Y: low}, {X: x, Y: high}}
			top.Add(lined(&plotter.Line{XYs: whisker, LineStyle: lineStyle(pale(okabeIto[l.looks[i]], 0.6), 1.4)}))
		}
		if len(admitted)+len(median) == 0 {
			continue
		}
		if len(median) > 0 {
			top.Add(&plotter.Scatter{XYs: median, GlyphStyle: mark})
		}
		if len(admitted) > 0 {
			bottom.Add(&plotter.Scatter{XYs: admitted, GlyphStyle: mark})
		}
		fig.legend = append(fig.legend, key{label: name, glyph: &mark})
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
		if c.fate.asked > 0 {
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
