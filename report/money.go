package report

import (
	"cmp"
	"fmt"
	"image/color"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"taolab/sim/trace"
)

// raoPerTAO is the number of rao in one TAO.
const raoPerTAO = 1e9

func tao(rao uint64) float64 { return float64(rao) / raoPerTAO }

// emissionFigure shows what each block mints and what there is in all.
func (f *findings) emissionFigure() (*figure, error) {
	blocks := f.blocks.values()
	if len(blocks) == 0 {
		return nil, without("emission", "table", string(trace.Blocks), "was not recorded")
	}
	top := newPanel("", "per block (TAO)")
	bottom := newPanel("block", "issuance (TAO)")
	fig := &figure{
		name: "emission", title: "Emission and supply", panels: []*plot.Plot{top, bottom},
		caption: "Newly minted money of each block, and the total issuance after it.",
		columns: []string{"block", "emission (TAO)", "issuance (TAO)"},
	}
	var emission, issuance plotter.XYs
	for _, b := range blocks {
		x := float64(b.Height)
		emission = append(emission, plotter.XY{X: x, Y: tao(b.EmissionRao)})
		issuance = append(issuance, plotter.XY{X: x, Y: tao(b.IssuanceRao)})
		fig.row(b.Height, tao(b.EmissionRao), tao(b.IssuanceRao))
	}
	top.Add(&plotter.Line{XYs: emission, LineStyle: lineStyle(okabeIto[0], 1.6), StepStyle: plotter.PostStep})
	bottom.Add(&plotter.Line{XYs: issuance, LineStyle: lineStyle(okabeIto[4], 1.6)})
	top.Y.Min = 0
	for _, p := range fig.panels {
		if 20*p.X.Min < p.X.Max {
			p.X.Min = 0
		}
		p.Y.Tick.Marker = ticks(3)
	}
	return fig, nil
}

// validatorsFigure shows what validators hold and what share of the dividends they get.
func (f *findings) validatorsFigure() (*figure, error) {
	var seen []*validator
	for _, v := range f.voters {
		if v.curve.seen > 0 {
			seen = append(seen, v)
		}
	}
	if len(seen) == 0 {
		return nil, without("validators", "no row of a validator in table", string(trace.Epochs))
	}
	top := newPanel("", "stake (TAO)")
	bottom := newPanel("epoch", "dividends (%)")
	fig := &figure{
		name: "validators", title: "Stake and dividends of the validators",
		panels: []*plot.Plot{top, bottom}, height: figureHeight * 6 / 5,
		caption: "Stake of each validator after each epoch, and its share of the epoch’s dividends; dashed " +
			"lines are validators that do not behave honestly.",
		columns: []string{"uid", "name", "behaviour", "epoch", "stake (TAO)", "dividends (%)"},
	}
	slices.SortStableFunc(seen, func(a, b *validator) int {
		return cmp.Compare(b.curve.last.StakeRao, a.curve.last.StakeRao)
	})
	var stakes, shares []plot.Plotter
	for i, v := range seen {
		var stake, dividends plotter.XYs
		for _, e := range v.curve.values() {
			x := float64(e.Epoch)
			stake = append(stake, plotter.XY{X: x, Y: tao(e.StakeRao)})
			dividends = append(dividends, plotter.XY{X: x, Y: 100 * share(e.Dividends)})
			fig.row(v.node.UID, v.node.Name, v.node.Behaviour, e.Epoch, tao(e.StakeRao), 100*share(e.Dividends))
		}
		style := lineStyle(validatorColour(i), 1.6)
		label := v.node.Name
		if v.node.Behaviour != Honest {
			style = dashed(validatorColour(i), 1.6)
			if !strings.Contains(label, v.node.Behaviour) {
				label += fmt.Sprintf(" (%s)", v.node.Behaviour)
			}
		}
		stakes = append(stakes, &plotter.Line{XYs: stake, LineStyle: style})
		shares = append(shares, &plotter.Line{XYs: dividends, LineStyle: style})
		switch {
		case i < maxColours:
			fig.legend = append(fig.legend, key{label: label, line: &style})
		case i == maxColours:
			fig.legend = append(fig.legend, key{label: fmt.Sprintf("%d more", len(seen)-i), line: &style})
		}
	}
	slices.Reverse(stakes) // the richest on top of the others
	slices.Reverse(shares)
	top.Add(stakes...)
	bottom.Add(shares...)
	top.Y.Min, bottom.Y.Min = 0, 0
	for _, p := range fig.panels {
		p.Y.Tick.Marker = ticks(4)
	}
	return fig, nil
}

// maxColours is how many validators have a colour of their own; the richest do.
const maxColours = 8

func validatorColour(i int) color.RGBA {
	switch {
	case i == 0:
		return ink
	case i < maxColours:
		return okabeIto[i-1]
	}
	return color.RGBA{0xc4, 0xc4, 0xc4, 0xff}
}
