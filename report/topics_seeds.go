package report

import (
	"fmt"
	"image/color"
	"math"
	"path/filepath"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// parting is how far the learning mixes of a run part, and what that is worth, at the end of each part of the
// run; NaN where nothing is known.
type parting struct {
	unit    string
	at      [timeBins]float64 // middles, in the unit
	largest [timeBins]float64 // mean over miners of the largest share of a mix, in %
	best    [timeBins]float64 // mean over subsets of the least held-out loss, in nats/token
}

// parting reads it off the findings.
func (f *findings) parting() *parting {
	f.mixCourse.reach(timeBins, f.largestShares)
	f.apartCourse.reach(timeBins, f.meanLargest)
	f.lossCourse.reach(timeBins, f.bestLosses)
	_, unit, length := f.clock()
	p := &parting{unit: unit}
	for bin := range timeBins {
		p.at[bin] = f.binTime(bin, length)
		p.largest[bin], p.best[bin] = math.NaN(), math.NaN()
		if shares := f.apartCourse.at[bin]; len(shares) > 0 {
			p.largest[bin] = 100 * shares[0]
		}
		if losses := f.lossCourse.at[bin]; len(losses) > 0 {
			p.best[bin] = 0
			for _, loss := range losses {
				p.best[bin] += loss / float64(len(losses))
			}
		}
	}
	return p
}

// meanLargest is the mean over miners of the largest share of a mix.
func (f *findings) meanLargest() []float64 {
	if s := f.mixes(); s != nil {
		return []float64{s.Largest}
	}
	return nil
}

// replicated reports whether an arm has runs of several seeds.
func (c *Comparison) replicated() bool {
	return slices.ContainsFunc(c.Arms, func(a Arm) bool { return len(a.Folders) > 1 })
}

// partings are those of runs of equal length, by folder.
func partings(runs []*Run) (map[string]*parting, error) {
	all := make(map[string]*parting)
	for _, r := range runs {
		f, err := gather(r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Dir, err)
		}
		all[r.Dir] = f.parting()
		if p, first := all[r.Dir], all[runs[0].Dir]; p.unit != first.unit || p.at != first.at {
			return nil, fmt.Errorf("%s: figure topics: its time differs from that of %s; expected runs of equal length", r.Dir, runs[0].Dir)
		}
	}
	return all, nil
}

// partingFigure is the figure of topics over all seeds of each arm: on the left means over the runs, on the
// right means of the differences to the first arm, of runs with equal seeds.
func (c *Comparison) partingFigure(courses map[string]*parting) *figure {
	first, base := courses[c.Arms[0].Folders[0]], filepath.Base(c.Arms[0].Name)
	fig := &figure{
		name: "topics", title: "How far learning mixes part, and what somebody knows", cols: 2, height: figureHeight * 6 / 5,
		caption: "Above, the mean over miners of the largest share in their learning mix; an arm whose mixes are fixed has none. Below, the " +
			"held-out loss on a subset of the miner that knows it best, as a mean over subsets. On the right the same less " + base +
			", of runs with equal seeds. Lines are means over seeds, bands are Student’s 95 % intervals.",
		columns: []string{"arm", fmt.Sprintf("time (%s)", first.unit), "quantity", "runs", "mean", "low", "high"},
	}
	clock := fmt.Sprintf("simulated time (%s)", first.unit)
	for panel, titles := range [][2]string{
		{"", "largest share of a mix (%)"}, {"", "less " + base + " (points)"},
		{clock, "best held-out loss (nats/token)"}, {clock, "less " + base + " (nats/token)"},
	} {
		p := newPanel(titles[0], titles[1])
		fig.panels, p.X.Min = append(fig.panels, p), 0
		quantity := func(p *parting) *[timeBins]float64 { return &p.largest }
		if panel >= 2 {
			quantity = func(p *parting) *[timeBins]float64 { return &p.best }
		}
		var lines []plot.Plotter // above all bands
		for arm := range c.Arms {
			var over [][]float64
			if panel%2 == 0 {
				over = c.over(arm, courses, quantity)
			} else if arm > 0 {
				over = c.lessFirst(arm, courses, quantity)
			}
			mean := fig.courseOf(panel, filepath.Base(c.Arms[arm].Name), lineColour(arm, len(c.Arms)), first, over)
			lines = append(lines, &plotter.Line{XYs: mean, LineStyle: armStyle(arm, len(c.Arms))})
		}
		p.Add(lines...)
		if panel%2 == 1 {
			zero := plotter.XYs{{X: 0, Y: 0}, {X: first.at[timeBins-1], Y: 0}}
			p.Add(lined(&plotter.Line{XYs: zero, LineStyle: lineStyle(axisInk, 0.8)}))
		}
		roundOut(&p.Y)
	}
	for arm := range c.Arms {
		style := armStyle(arm, len(c.Arms))
		fig.legend = append(fig.legend, key{label: fmt.Sprintf("%s (%d runs)", filepath.Base(c.Arms[arm].Name), len(c.Arms[arm].Folders)), line: &style})
	}
	return fig
}

// over is a quantity of an arm's runs, by part of the time and run.
func (c *Comparison) over(arm int, courses map[string]*parting, quantity func(*parting) *[timeBins]float64) [][]float64 {
	out := make([][]float64, timeBins)
	for _, dir := range c.Arms[arm].Folders {
		for bin, v := range quantity(courses[dir]) {
			out[bin] = append(out[bin], v)
		}
	}
	return out
}

// lessFirst is the same less that of the run of the first arm with the same seed.
func (c *Comparison) lessFirst(arm int, courses map[string]*parting, quantity func(*parting) *[timeBins]float64) [][]float64 {
	out := make([][]float64, timeBins)
	for i, dir := range c.Arms[arm].Folders {
		twin := slices.Index(c.Arms[0].Seeds, c.Arms[arm].Seeds[i])
		if twin < 0 {
			continue
		}
		theirs := quantity(courses[c.Arms[0].Folders[twin]])
		for bin, v := range quantity(courses[dir]) {
			out[bin] = append(out[bin], v-theirs[bin])
		}
	}
	return out
}

// courseOf is the mean of a quantity over runs where all runs have it; its band is drawn.
func (f *figure) courseOf(panel int, label string, tone color.RGBA, times *parting, over [][]float64) (mean plotter.XYs) {
	var low, high plotter.XYs
	for bin, values := range over {
		if len(values) == 0 || slices.ContainsFunc(values, func(v float64) bool { return !finite(v) }) {
			continue
		}
		v, x := meanInterval(values), times.at[bin]
		from, until := v.Estimate, v.Estimate
		if v.Low != nil && v.High != nil {
			from, until = *v.Low, *v.High
		}
		low, mean, high = append(low, plotter.XY{X: x, Y: from}), append(mean, plotter.XY{X: x, Y: v.Estimate}), append(high, plotter.XY{X: x, Y: until})
		quantity := f.panels[panel].Y.Label.Text
		f.row(label, x, quantity, len(values), v.Estimate, from, until)
		f.point(panel, x, v.Estimate, "%s at %s %s: %s, %s to %s", label, brief(x), times.unit, brief(v.Estimate), brief(from), brief(until))
	}
	if len(mean) > 0 {
		f.panels[panel].Add(shaded(low, high, tone))
	}
	return mean
}

// armStyle is the line of an arm: earlier ones are wider, so that they show under later ones that coincide.
func armStyle(arm, arms int) draw.LineStyle {
	return lineStyle(lineColour(arm, arms), 1.8+vg.Length(min(arms-1-arm, 3)))
}
