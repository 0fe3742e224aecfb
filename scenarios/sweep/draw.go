package sweep

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"taolab/report"
)

// maxFanPlaces is the most places of a fan: if there are more, neighbours are merged.
const maxFanPlaces = 40

// Draw draws a fan for each pattern: of one metric over the first swept key that is a number, or, where * stands for a
// number in the names of metrics, over that number.
func (t *Table) Draw(dir string, patterns []string) error {
	for _, pattern := range patterns {
		fan, err := t.fan(pattern)
		if err != nil {
			return err
		}
		if err := report.WriteFan(dir, fan); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) fan(pattern string) (report.Fan, error) {
	axis, across := t.axis()
	if strings.Contains(pattern, "*") {
		across = "year"
	}
	values := map[float64][]float64{}
	err := t.Each(func(r Run, _ *record, out *Outcome) error {
		if out == nil {
			return nil
		}
		for _, name := range t.Metrics {
			x, matches := at(name, pattern)
			v, has := out.Metrics[name]
			if !matches || !has {
				continue
			}
			if name == pattern && axis >= 0 {
				x, _ = strconv.ParseFloat(t.Design.Points[r.Point][axis], 64) // axis says that it parses
			}
			values[x] = append(values[x], v)
		}
		return nil
	})
	if err == nil && len(values) == 0 {
		err = fmt.Errorf("sweep.figures: no run has the metric %s; expected the name of a column of %s", pattern, TableFile)
	}
	fan := report.Fan{Name: pattern, Across: across, Places: places(values)}
	if n := len(fan.Places); n > 0 {
		fan.Runs = fan.Places[n-1].Values
	}
	return fan, err
}

// axis returns the first numeric swept key, or -1, and the label of its axis.
func (t *Table) axis() (key int, name string) {
	for i, key := range t.Design.Keys {
		if t.kind(i) == report.Real {
			return i, key
		}
	}
	return -1, "all runs"
}

// at reports whether a metric's name matches a pattern, and returns the number in place of the pattern's *.
func at(name, pattern string) (float64, bool) {
	prefix, suffix, starred := strings.Cut(pattern, "*")
	if !starred {
		return 0, name == pattern
	}
	return between(name, prefix, suffix)
}

// between parses the number between a prefix and a suffix.
func between(name, prefix, suffix string) (float64, bool) {
	rest, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return 0, false
	}
	if rest, ok = strings.CutSuffix(rest, suffix); !ok {
		return 0, false
	}
	x, err := strconv.ParseFloat(rest, 64)
	return x, err == nil
}

// places sorts the values by place, and merges neighbours if there are many.
func places(values map[float64][]float64) []report.FanPlace {
	var list []report.FanPlace
	for x, v := range values { // order-free: sorted below
		list = append(list, report.FanPlace{X: x, Values: v})
	}
	slices.SortFunc(list, func(a, b report.FanPlace) int { return cmp.Compare(a.X, b.X) })
	if len(list) <= maxFanPlaces {
		return list
	}
	const bins = 10
	binned := make([]report.FanPlace, bins)
	for b := range binned {
		from, to := b*len(list)/bins, (b+1)*len(list)/bins
		sum := 0.0
		for _, p := range list[from:to] {
			sum += p.X
			binned[b].Values = append(binned[b].Values, p.Values...)
		}
		binned[b].X = sum / float64(to-from)
	}
	return binned
}
