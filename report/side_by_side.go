package report

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

// maxSides is how many runs a figure shows side by side.
const maxSides = 4

// AddFigure adds a figure that the reports of runs have, such as loss, with a column of panels for each run and
// axes of equal length, to what Write makes. The figure topics of arms with several seeds is one of all their runs.
func (c *Comparison) AddFigure(runs []*Run, name string) error {
	if name == "topics" && c.replicated() {
		courses, err := partings(runs)
		if err == nil {
			c.joined = append(c.joined, c.partingFigure(courses))
		}
		return err
	}
	if len(runs) > maxSides {
		return fmt.Errorf("figure %s of %d runs, expected at most %d side by side", name, len(runs), maxSides)
	}
	var parts []*figure
	for _, r := range runs {
		f, err := gather(r)
		if err != nil {
			return fmt.Errorf("%s: %w", r.Dir, err)
		}
		made, left := f.figures()
		i := slices.IndexFunc(made, func(fig *figure) bool { return fig.name == name })
		if i < 0 {
			why := "its report has no such figure"
			if k := slices.IndexFunc(left, func(s string) bool { return strings.HasPrefix(s, name+": ") }); k >= 0 {
				why = left[k]
			}
			return fmt.Errorf("%s: figure %s: %s", r.Dir, name, why)
		}
		parts = append(parts, made[i])
	}
	fig, err := sideBySide(runs, parts)
	if err == nil {
		c.joined = append(c.joined, fig)
	}
	return err
}

// sideBySide puts the panels of figures of one kind into columns.
func sideBySide(runs []*Run, parts []*figure) (*figure, error) {
	first := parts[0]
	fig := &figure{
		name: first.name, title: first.title, caption: first.caption + " A column for each run.",
		cols: len(parts), height: first.height, columns: append([]string{"run"}, first.columns...),
	}
	for c, part := range parts {
		if part.cols > 1 || part.bar != nil || len(part.panels) != len(first.panels) {
			return nil, fmt.Errorf("figure %s: its panels differ between the runs or lie side by side already; expected one with panels one above the other", first.name)
		}
		label := filepath.Base(runs[c].Dir)
		for _, line := range part.data {
			fig.data = append(fig.data, append([]string{label}, line...))
		}
		for _, m := range part.marks {
			m.panel, m.label = m.panel*len(parts)+c, label+", "+m.label
			fig.marks = append(fig.marks, m)
		}
		for _, k := range part.legend {
			if !slices.ContainsFunc(fig.legend, func(one key) bool { return one.label == k.label }) {
				fig.legend = append(fig.legend, k)
			}
		}
	}
	for row := range first.panels {
		line := make([]*plot.Plot, len(parts))
		for c, part := range parts {
			line[c] = part.panels[row]
		}
		level(line)
		if row == 0 {
			for c, p := range line {
				p.Title.Text, p.Title.Padding = filepath.Base(runs[c].Dir), vg.Length(4)
				p.Title.TextStyle.Font, p.Title.TextStyle.Color = face(labelSize, true), ink
			}
		}
		fig.panels = append(fig.panels, line...)
	}
	return fig, nil
}

// level gives panels of one row the same axes, and only the first a label of the upright one.
func level(row []*plot.Plot) {
	for i, p := range row {
		row[0].X.Min, row[0].X.Max = min(row[0].X.Min, p.X.Min), max(row[0].X.Max, p.X.Max)
		row[0].Y.Min, row[0].Y.Max = min(row[0].Y.Min, p.Y.Min), max(row[0].Y.Max, p.Y.Max)
		if i > 0 {
			p.Y.Label.Text = ""
		}
	}
	for _, p := range row[1:] {
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = row[0].X.Min, row[0].X.Max, row[0].Y.Min, row[0].Y.Max
	}
}
