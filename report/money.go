package report

import (
	"fmt"
	"image/color"
	"math"
	"slices"

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
	low, high := blocks[0].EmissionRao, blocks[0].EmissionRao
	for _, b := range blocks {
		low, high = min(low, b.EmissionRao), max(high, b.EmissionRao)
	}
	if low == high {
		return nil, without("emission", fmt.Sprintf("each block minted %s TAO", brief(tao(low))))
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
		fig.point(0, x, tao(b.EmissionRao), "block %d: %s TAO", b.Height, brief(tao(b.EmissionRao)))
	}
	top.Add(lined(&plotter.Line{XYs: emission, LineStyle: lineStyle(okabeIto[0], 1.6), StepStyle: plotter.PostStep}))
	bottom.Add(lined(&plotter.Line{XYs: issuance, LineStyle: lineStyle(okabeIto[4], 1.6)}))
	top.Y.Min = 0
	for _, p := range fig.panels {
		if 20*p.X.Min < p.X.Max {
			p.X.Min = 0
		}
		p.Y.Tick.Marker = ticks(3)
	}
	return fig, nil
}

// moneyFigure shows who received and who holds the money that was minted.
func (f *findings) moneyFigure() (*figure, error) {
	if f.span.epochs < 2 {
		return nil, without("money", "fewer than two epochs in table", string(trace.Epochs))
	}
	x, unit, length := f.clock()
	earned := "earned so far (TAO)"
	if f.span.window.Thinned() {
		earned = "earned in part (TAO)"
	}
	top, bottom := newPanel("", earned), newPanel(x, "held (TAO)")
	fig := &figure{
		name: "money", title: "Money by role", panels: []*plot.Plot{top, bottom}, height: figureHeight * 6 / 5,
		caption: "Above, what the epochs have paid to miners, validators and the network’s owner, whose cut is in " +
			"the ledger’s account. Below, who holds the money: stake on seats of miners and validators, other stake (applications, the owner, " +
			"stakers without a seat), free money of coldkeys, what was burned, what was paid as fees, and stake on its way to coldkeys." + f.untold(),
		columns: []string{"role", fmt.Sprintf("time (%s)", unit), "quantity", "TAO"},
	}
	for i, s := range f.earnedByRole() {
		f.moneyLine(fig, 0, i, s, "earned so far", length)
	}
	for i, s := range f.heldByRole() {
		f.moneyLine(fig, 1, i, s, "held", length)
	}
	top.Y.Min, bottom.Y.Min = 0, 0
	for _, p := range fig.panels {
		p.X.Min, p.Y.Tick.Marker = 0, ticks(4)
	}
	return fig, nil
}

// purse is the money of one role over the parts of the run; NaN where it is not known.
type purse struct {
	role  string
	shade color.RGBA
	tao   [timeBins]float64
}

// moneyLine draws a purse unless it is empty throughout.
func (f *findings) moneyLine(fig *figure, panel, i int, s purse, quantity string, length float64) {
	var xy plotter.XYs
	some := false
	for bin, v := range s.tao {
		if finite(v) {
			at := plotter.XY{X: f.binTime(bin, length), Y: v}
			xy = append(xy, at)
			some = some || v != 0
			fig.row(s.role, at.X, quantity, v)
		}
	}
	if !some {
		return
	}
	for _, at := range xy {
		fig.point(panel, at.X, at.Y, "%s: %s TAO %s", s.role, brief(at.Y), quantity)
	}
	mark := plotter.Scatter{XYs: xy}
	mark.GlyphStyle.Color, mark.GlyphStyle.Radius, mark.GlyphStyle.Shape = s.shade, 2.2, glyphs[i]
	line := lineStyle(s.shade, 1.8)
	fig.panels[panel].Add(lined(&plotter.Line{XYs: xy, LineStyle: line}), &mark)
	for _, k := range fig.legend {
		if k.label == s.role {
			return
		}
	}
	fig.legend = append(fig.legend, key{label: s.role, line: &line, glyph: &mark.GlyphStyle})
}

// earnedByRole sums up what the epochs paid.
func (f *findings) earnedByRole() []purse {
	miners, validators, owner := purse{role: "miners", shade: okabeIto[0]}, purse{role: "validators", shade: okabeIto[1]},
		purse{role: "owner", shade: okabeIto[2]}
	var mined, voted uint64
	ledger := f.totalsByBin()
	known := f.moneyByRole().OwnerRao != nil && !f.span.window.Thinned() // the ledger's account is of all epochs
	for bin := range timeBins {
		voted += f.toValidators[bin]
		for _, p := range f.partiesOf(KindMiner) {
			mined += p.earned[bin]
		}
		miners.tao[bin], validators.tao[bin], owner.tao[bin] = math.NaN(), math.NaN(), math.NaN()
		if stake := f.stakeOf[bin]; !stake[0].seen && !stake[1].seen { // no epoch: nothing was paid
			continue
		}
		miners.tao[bin], validators.tao[bin] = tao(mined), tao(voted)
		if t := ledger[bin]; known && t != nil {
			owner.tao[bin] = tao(t.OwnerRao)
		}
	}
	return []purse{miners, validators, owner}
}

// totalsByBin is the ledger at the last recorded block of each part of the run.
func (f *findings) totalsByBin() [timeBins]*trace.Totals {
	var out [timeBins]*trace.Totals
	list := f.totals.values()
	for i := range list {
		out[f.span.bin(list[i].Block)] = &list[i]
	}
	return out
}

// heldByRole is where the money was at the last epoch of each part of the run.
func (f *findings) heldByRole() []purse {
	out := []purse{
		{role: "miners", shade: okabeIto[0]}, {role: "validators", shade: okabeIto[1]},
		{role: "other stake", shade: okabeIto[3]}, {role: "free", shade: okabeIto[5]}, {role: "burned", shade: okabeIto[4]},
		{role: "unbonding", shade: okabeIto[6]}, {role: "fees", shade: ink},
	}
	ledger := f.totalsByBin()
	for bin, stake := range f.stakeOf {
		for i := range out {
			out[i].tao[bin] = math.NaN()
		}
		seen := stake[0].seen || stake[1].seen
		if seen {
			out[0].tao[bin], out[1].tao[bin] = tao(stake[0].rao), tao(stake[1].rao)
		}
		if t := ledger[bin]; t != nil && seen {
			seated := stake[0].rao + stake[1].rao + stake[2].rao
			out[2].tao[bin] = tao(t.StakedRao - min(t.StakedRao, seated))
			out[3].tao[bin], out[4].tao[bin] = tao(t.FreeRao), tao(t.BurnedRao-t.FeesRao)
			out[5].tao[bin], out[6].tao[bin] = tao(t.UnbondingRao), tao(t.FeesRao)
		}
	}
	return out
}

// validatorsFigure shows what validators hold and what share of the dividends they get.
func (f *findings) validatorsFigure() (*figure, error) {
	var seen []*validator
	points := 0
	for _, v := range f.validators {
		if v.curve.seen > 0 {
			seen = append(seen, v)
			points = max(points, v.curve.seen)
		}
	}
	if points < 2 {
		return nil, without("validators", "no validator with two rows in table", string(trace.Epochs))
	}
	x, unit, length := f.clock()
	top, bottom := newPanel("", "stake (TAO)"), newPanel(x, "dividends over stake (% an epoch)")
	fig := &figure{
		name: "validators", title: "Stake and earnings of the validators, by group",
		panels: []*plot.Plot{top, bottom}, height: figureHeight * 6 / 5,
		caption: "Stake of each validator after each epoch, and what the epoch paid to it over the stake that it had.",
		columns: []string{"validator", "group", "behaviour", fmt.Sprintf("time (%s)", unit), "stake (TAO)", "paid over stake (%)"},
	}
	l := f.layFolded(distinct(seen, func(v *validator) string { return v.party.name }))
	every := (len(seen) + maxLines - 1) / maxLines
	mixed := slices.ContainsFunc(seen, func(v *validator) bool { return v.node.Behaviour == Honest })
	for n, v := range seen {
		var stake, paid plotter.XYs
		for _, e := range v.curve.values() {
			at := f.span.timeOf(e.Block) / length
			rate := 100 * over(float64(e.EmissionRao), float64(e.StakeRao-min(e.EmissionRao, e.StakeRao)))
			stake = append(stake, plotter.XY{X: at, Y: tao(e.StakeRao)})
			fig.point(0, at, tao(e.StakeRao), "%s: %s TAO", v.node.Name, brief(tao(e.StakeRao)))
			if finite(rate) {
				paid = append(paid, plotter.XY{X: at, Y: rate})
				fig.point(1, at, rate, "%s: %s %%", v.node.Name, brief(rate))
			}
			fig.row(v.node.Name, v.party.name, v.node.Behaviour, at, tao(e.StakeRao), rate)
		}
		if n%every != 0 {
			continue
		}
		style := l.line(l.at(v.party.name), 1.3)
		if mixed && v.node.Behaviour != Honest {
			style.Dashes = dashed(ink, 1).Dashes
			style.Width = 2
		}
		top.Add(lined(&plotter.Line{XYs: stake, LineStyle: style}))
		bottom.Add(lined(&plotter.Line{XYs: paid, LineStyle: style}))
	}
	l.lines(fig)
	top.Y.Min, bottom.Y.Min = 0, 0
	for _, p := range fig.panels {
		p.X.Min, p.Y.Tick.Marker = 0, ticks(4)
	}
	return fig, nil
}
