package report

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"taolab/sim/trace"
)

// maxHeatRows is how many subsets a figure shows.
const maxHeatRows = 30

// cell is one field of a coloured table.
type cell struct {
	tone  float64 // 0 to 1; NaN: no value
	label string
}

// cells is a coloured table: it draws a field at each pair of whole numbers, with its label where it
// fits.
type cells struct {
	rows, cols int
	fields     []cell // row by row, the first at the top
}

func (t *cells) DataRange() (xmin, xmax, ymin, ymax float64) {
	return -0.5, float64(t.cols) - 0.5, -0.5, float64(t.rows) - 0.5
}

func (t *cells) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := text(tickSize-0.5, draw.XCenter, draw.YCenter)
	for i, field := range t.fields {
		col, row := float64(i%t.cols), float64(t.rows-1-i/t.cols)
		low, high := vg.Point{X: x(col - 0.5), Y: y(row - 0.5)}, vg.Point{X: x(col + 0.5), Y: y(row + 0.5)}
		tone := emptyInk
		if finite(field.tone) {
			tone = viridis(field.tone)
		}
		c.SetColor(tone)
		c.Fill(vg.Rectangle{Min: low, Max: high}.Path())
		if field.label == "" || style.Width(field.label) > high.X-low.X-2 {
			continue
		}
		style.Color = ink
		if dark(tone) {
			style.Color = color.White
		}
		c.FillText(style, vg.Point{X: (low.X + high.X) / 2, Y: (low.Y+high.Y)/2 + textLift}, field.label)
	}
}

// dark reports whether white letters read better on a colour than black ones.
func dark(c color.RGBA) bool {
	return 0.299*float64(c.R)+0.587*float64(c.G)+0.114*float64(c.B) < 140
}

// nameTicks labels whole numbers with names.
type nameTicks struct {
	names []string
	down  bool // the first name belongs to the last number
}

func (t nameTicks) Ticks(_, _ float64) []plot.Tick {
	var out []plot.Tick
	for i, name := range t.names {
		at := i
		if t.down {
			at = len(t.names) - 1 - i
		}
		out = append(out, plot.Tick{Value: float64(at), Label: name})
	}
	return out
}

// tableFigure shows numbers of subsets and groups of miners as a coloured table.
func (f *findings) tableFigure(fig *figure, bar *colourBar, subsets []string, groups []*party, of func(subset string, group *party) cell) {
	t := &cells{rows: len(subsets), cols: len(groups)}
	for r, s := range subsets {
		for c, g := range groups {
			field := of(s, g)
			t.fields = append(t.fields, field)
			label := field.label
			if label == "" {
				label = "nothing"
			}
			fig.point(0, float64(c), float64(len(subsets)-1-r), "%s, %s: %s", s, g.name, label)
		}
	}
	p := newPanel("", "")
	p.Add(t)
	p.X.Tick.Marker, p.Y.Tick.Marker = nameTicks{named(groups), false}, nameTicks{subsets, true}
	p.X.Padding, p.Y.Padding, p.X.Tick.Width, p.Y.Tick.Width = 0, 0, 0, 0
	widest := vg.Length(0)
	for _, g := range groups {
		widest = max(widest, text(tickSize, draw.XCenter, draw.YTop).Width(g.name))
	}
	if widest > (figureWidth-200)/vg.Length(len(groups)) {
		p.X.Tick.Label.Rotation = math.Pi / 5
		p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = draw.XRight, draw.YTop
	}
	fig.panels, fig.bar = []*plot.Plot{p}, bar
	fig.height = vg.Length(max(110+20*float64(len(subsets)), 240))
	if p.X.Tick.Label.Rotation > 0 {
		fig.height += 40
	}
}

// crossed lists the groups of miners and the subsets that have a value for any of them.
func (f *findings) crossed(has func(m *miner, subset int) bool) (subsets []string, groups []*party) {
	seen := make(map[*party]bool)
	for i, name := range f.subsets {
		any := false
		for _, m := range f.miners {
			if has(m, i) {
				any = true
				seen[m.party] = true
			}
		}
		if any && len(subsets) < maxHeatRows {
			subsets = append(subsets, name)
		}
	}
	for _, p := range f.parties {
		if seen[p] && len(groups) < maxFacets {
			groups = append(groups, p)
		}
	}
	return subsets, groups
}

// lossTable colours losses by their distance to the best group of the row. One group that is far off
// would make all others look alike: beyond four times the median distance all are equally dark.
func lossTable(subsets []string, groups []*party, loss func(subset string, g *party) float64) (*colourBar, func(string, *party) cell) {
	best := make(map[string]float64)
	var far []float64
	for _, s := range subsets {
		low := math.Inf(1)
		for _, g := range groups {
			if v := loss(s, g); finite(v) {
				low = min(low, v)
			}
		}
		best[s] = low
		for _, g := range groups {
			if v := loss(s, g); finite(v) && v > low {
				far = append(far, v-low)
			}
		}
	}
	bar := &colourBar{"nats above the best of the row", max(Quantile(1, far), 1e-9), true}
	if len(far) == 0 {
		bar.high = 1
	}
	if limit := 4 * Median(far); limit < bar.high {
		bar.high = limit
		bar.label += " (darkest: as much or more)"
	}
	return bar, func(s string, g *party) cell {
		v := loss(s, g)
		if !finite(v) {
			return cell{math.NaN(), ""}
		}
		return cell{1 - min((v-best[s])/bar.high, 1), decimal(v, 2)}
	}
}

// subsetsFigure shows the held-out loss of each group on each subset at the end.
func (f *findings) subsetsFigure() (*figure, error) {
	held := func(m *miner, i int) float64 {
		if i >= len(m.held) {
			return math.NaN()
		}
		return m.held[i]
	}
	subsets, groups := f.crossed(func(m *miner, i int) bool { return finite(held(m, i)) })
	if len(subsets) < 2 || len(groups) == 0 {
		return nil, without("subsets", "fewer than two subsets in table", string(trace.Training))
	}
	fig := &figure{
		name: "subsets", title: "Held-out loss by subset and group",
		caption: "Median over the members of each group of the last held-out loss on each subset, in nats/token. " +
			"The brighter, the closer to the best group of the row.",
		columns: []string{"subset", "group", "held-out loss (nats/token)"},
	}
	bar, of := lossTable(subsets, groups, func(s string, g *party) float64 {
		var out []float64
		for _, m := range f.miners {
			if v := held(m, f.subset(s)); m.party == g && finite(v) {
				out = append(out, v)
			}
		}
		return Median(out)
	})
	for _, s := range subsets {
		for _, g := range groups {
			fig.row(s, g.name, of(s, g).label)
		}
	}
	f.tableFigure(fig, bar, subsets, groups, of)
	return fig, nil
}

// abilityFigure shows who is valuable for which problem: the loss of the answers that validators
// scored.
func (f *findings) abilityFigure() (*figure, error) {
	subsets, groups := f.crossed(func(m *miner, i int) bool { return i < len(m.ability) && m.ability[i].rows > 0 })
	if len(subsets) == 0 {
		return nil, without("abilities", "no answer of the scoring lane in table", string(trace.Answers), "within the window")
	}
	fig := &figure{
		name: "abilities", title: "Who is valuable for which problem: loss of the answers",
		caption: fmt.Sprintf("Mean loss of each group’s answers on rows of each subset in the scoring lane, over %s, "+
			"in nats/token. The brighter, the closer to the best group of the row.", f.span.window),
		columns: []string{"subset", "miner", "group", "rows", "loss (nats/token)"},
	}
	for i, s := range f.subsets {
		for _, m := range f.miners {
			if i < len(m.ability) && m.ability[i].rows > 0 {
				fig.row(s, m.node.Name, m.party.name, m.ability[i].rows, m.ability[i].loss/float64(m.ability[i].rows))
			}
		}
	}
	bar, of := lossTable(subsets, groups, func(s string, g *party) float64 {
		i, sum := f.subset(s), ability{}
		for _, m := range f.miners {
			if m.party == g && i < len(m.ability) {
				sum.rows += m.ability[i].rows
				sum.loss += m.ability[i].loss
			}
		}
		return sum.loss / float64(sum.rows)
	})
	f.tableFigure(fig, bar, subsets, groups, of)
	return fig, nil
}

// choiceFigure shows whom the gates ask about rows of each subset.
func (f *findings) choiceFigure() (*figure, error) {
	chosen := f.choices()
	if chosen == nil || len(chosen.Subsets) == 0 {
		return nil, without("choice", "no row of the service lane in table", string(trace.Answers), "within the window")
	}
	fig := &figure{
		name: "choice", title: "The gate’s choice by subset",
		caption: fmt.Sprintf("Part of the rows of each subset in the service lane that the gates asked each group about, over %s.",
			f.span.window),
		columns: []string{"subset", "group", "share (%)", "rows of the subset"},
	}
	if s := chosen.Specialists; s != nil {
		fig.caption += fmt.Sprintf(" %s of the rows of subsets with specialists reach one; a blind choice gives %s.",
			percent(*s), percent(*chosen.Chance))
	}
	shares := make(map[string]map[string]float64)
	var subsets []string
	high := 0.0
	for _, s := range chosen.Subsets {
		shares[s.Subset] = make(map[string]float64)
		if len(subsets) < maxHeatRows {
			subsets = append(subsets, s.Subset)
		}
		for _, g := range s.Groups {
			shares[s.Subset][g.Group] = g.Share
			high = max(high, g.Share)
			fig.row(s.Subset, g.Group, 100*g.Share, s.Rows)
		}
	}
	groups := f.partiesOf(KindMiner)
	groups = groups[:min(len(groups), maxFacets)]
	f.tableFigure(fig, &colourBar{"% of the subset’s rows", 100 * high, false}, subsets, groups, func(s string, g *party) cell {
		v := shares[s][g.name]
		return cell{v / max(high, 1e-9), decimal(100*v, 0) + " %"}
	})
	return fig, nil
}
