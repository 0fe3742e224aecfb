package report

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Files that Comparison.Write makes besides the folder of figures.
const (
	CompareTable = "comparison.parquet"
	CompareJSON  = "comparison.json"
	ComparePage  = "comparison.html"
)

// maxCompareFigures bounds the figures of one comparison.
const maxCompareFigures = 60

// compareRow is a line of the table of a comparison: one metric of one arm.
type compareRow struct {
	Arm            string   `parquet:"arm,dict"`
	Metric         string   `parquet:"metric,dict"`
	Unit           string   `parquet:"unit,dict"`
	Runs           int64    `parquet:"runs"`
	Mean           *float64 `parquet:"mean,optional"`
	Low            *float64 `parquet:"low,optional"`
	High           *float64 `parquet:"high,optional"`
	Difference     *float64 `parquet:"difference,optional"`
	DifferenceLow  *float64 `parquet:"difference_low,optional"`
	DifferenceHigh *float64 `parquet:"difference_high,optional"`
	Paired         bool     `parquet:"paired"`
}

func (c *Comparison) rows() []compareRow {
	var out []compareRow
	for _, m := range c.Metrics {
		for i, v := range m.Values {
			row := compareRow{Arm: c.Arms[i].Name, Metric: m.Name, Unit: m.Unit, Paired: v.Pairs}
			if v.Mean != nil {
				row.Runs, row.Mean, row.Low, row.High = int64(v.Mean.N), &v.Mean.Estimate, v.Mean.Low, v.Mean.High
			}
			if v.Minus != nil {
				row.Difference, row.DifferenceLow, row.DifferenceHigh = &v.Minus.Estimate, v.Minus.Low, v.Minus.High
			}
			out = append(out, row)
		}
	}
	return out
}

// Write makes the comparison's table as parquet and JSON, a figure for each metric, and a page, in
// dir.
func (c *Comparison) Write(dir string) error {
	if len(c.Metrics)+len(c.joined) > maxCompareFigures {
		return fmt.Errorf("%d metrics, at most %d have figures: choose fewer", len(c.Metrics)+len(c.joined), maxCompareFigures)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	var table bytes.Buffer
	pq := parquet.NewGenericWriter[compareRow](&table, parquet.Compression(&parquet.Zstd), parquet.CreatedBy("taolab", "1", "0"))
	_, err := pq.Write(c.rows())
	if err := errors.Join(err, pq.Close()); err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(dir, CompareTable), err)
	}
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(dir, CompareJSON), err)
	}
	var made []drawn
	for i := range c.Metrics {
		d, err := c.figure(&c.Metrics[i]).save(filepath.Join(dir, FiguresFolder))
		if err != nil {
			return err
		}
		made = append(made, d)
	}
	for _, fig := range c.joined {
		d, err := fig.save(filepath.Join(dir, FiguresFolder))
		if err != nil {
			return err
		}
		made = append(made, d)
	}
	page, err := c.page(made)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(dir, ComparePage), err)
	}
	return errors.Join(writeWhole(disk(dir), CompareTable, table.Bytes()),
		writeWhole(disk(dir), CompareJSON, append(text, '\n')), writeWhole(disk(dir), ComparePage, page))
}

// fileSafe is a metric's name as that of a file.
func fileSafe(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '_'
	}, name)
}

// figure shows one metric: every run, and each arm's mean with its interval.
func (c *Comparison) figure(m *MetricComparison) *figure {
	p := newPanel(fmt.Sprintf("%s (%s)", m.Name, m.Unit), "")
	fig := &figure{
		name: fileSafe(m.Name), title: m.Name, panels: []*plot.Plot{p}, caption: strings.ToUpper(m.Doc[:1]) + m.Doc[1:] + ".",
		columns: []string{"arm", "folder", "seed", fmt.Sprintf("%s (%s)", m.Name, m.Unit)},
		height:  vg.Length(130 + 26*float64(len(c.Arms))),
	}
	names := make([]string, len(c.Arms))
	var runs plotter.XYs
	means, bars := plotter.XYs{}, &spans{height: 0.05}
	for i, v := range m.Values {
		row := float64(len(c.Arms) - 1 - i)
		names[i] = c.Arms[i].Name
		for k, one := range v.Runs {
			if one == nil {
				continue
			}
			runs = append(runs, plotter.XY{X: *one, Y: row})
			fig.row(c.Arms[i].Name, c.Arms[i].Folders[k], c.Arms[i].Seeds[k], *one)
			fig.point(0, *one, row, "%s, seed %d: %s", c.Arms[i].Name, c.Arms[i].Seeds[k], brief(*one))
		}
		if v.Mean == nil {
			continue
		}
		means = append(means, plotter.XY{X: v.Mean.Estimate, Y: row})
		if v.Mean.Low != nil && v.Mean.High != nil {
			bars.list = append(bars.list, bar{*v.Mean.Low, *v.Mean.High, row, 0})
			p.X.Min, p.X.Max = min(p.X.Min, *v.Mean.Low), max(p.X.Max, *v.Mean.High)
		}
	}
	single := draw.GlyphStyle{Color: okabeIto[1], Radius: 3.4, Shape: glyphs[0]}
	mean := draw.GlyphStyle{Color: okabeIto[0], Radius: 4.4, Shape: glyphs[3]}
	p.Add(verticalGrid(), bars)
	if len(means) > 0 {
		p.Add(&plotter.Scatter{XYs: runs, GlyphStyle: single}, &plotter.Scatter{XYs: means, GlyphStyle: mean})
	}
	fig.legend = []key{{label: "a run", glyph: &single}, {label: "mean of an arm, with its 95 % interval from three seeds on", glyph: &mean}}
	p.Y.Tick.Marker, p.Y.Min, p.Y.Max = nameTicks{names, true}, -0.5, float64(len(c.Arms))-0.5
	if p.X.Max-p.X.Min <= 1e-9*math.Abs(p.X.Max) {
		wide := max(math.Abs(p.X.Max)/10, 1e-6)
		p.X.Min, p.X.Max = p.X.Min-wide, p.X.Max+wide
	}
	roundOut(&p.X)
	return fig
}

// Verdict says in sentences which differences to the first arm are more than chance.
func (c *Comparison) Verdict() []string {
	var out []string
	for _, a := range c.Arms {
		runs := "one run"
		if len(a.Folders) > 1 {
			runs = fmt.Sprintf("%d runs", len(a.Folders))
		}
		out = append(out, fmt.Sprintf("%s: %s, seed %s.", a.Name, runs, seedList(a.Seeds)))
	}
	type finding struct {
		sentence string
		size     float64
	}
	var found []finding
	for _, m := range c.Metrics {
		for i, v := range m.Values {
			if i == 0 || !v.Minus.excludes0() {
				continue
			}
			word := "higher"
			if v.Minus.Estimate < 0 {
				word = "lower"
			}
			half := (*v.Minus.High - *v.Minus.Low) / 2
			found = append(found, finding{fmt.Sprintf("%s is %s in %s than in %s: by %s.", m.Name, word, c.Arms[i].Name,
				c.Arms[0].Name, bracketed(v.Minus)), math.Abs(v.Minus.Estimate) / max(half, 1e-300)})
		}
	}
	slices.SortStableFunc(found, func(a, b finding) int { return cmp.Compare(b.size, a.size) })
	for _, f := range found[:min(len(found), 10)] {
		out = append(out, f.sentence)
	}
	if len(c.Arms) > 1 && len(found) == 0 {
		out = append(out, "No difference has an interval that excludes 0; intervals need three seeds or more on both sides.")
	}
	return out
}

//go:embed compare.html
var compareText string

var compareTemplate = template.Must(template.New("compare").Funcs(template.FuncMap{
	"style":     func() template.CSS { return template.CSS(pageStyle) },
	"script":    func() template.JS { return template.JS(pageScript) },
	"bracketed": bracketed,
}).Parse(compareText))

func (c *Comparison) page(made []drawn) ([]byte, error) {
	var b bytes.Buffer
	err := compareTemplate.Execute(&b, struct {
		*Comparison
		Verdict []string
		Notes   []string
		Figures []pageFigure
	}{c, c.Verdict(), c.notes, pageFigures(made)})
	return b.Bytes(), err
}
