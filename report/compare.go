package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
)

// Comparison puts runs side by side. Runs of one scenario that differ only in their seeds are one
// arm: its numbers are means over seeds, with Student's interval from three seeds on.
type Comparison struct {
	Arms    []Arm              `json:"arms"`
	Metrics []MetricComparison `json:"metrics"` // sorted by name
	notes   []string
	joined  []*figure // of the runs themselves
}

// Arm is one scenario with one set of values, run with one seed or several.
type Arm struct {
	Name    string   `json:"name"`
	Folders []string `json:"folders"`
	Seeds   []uint64 `json:"seeds"`

	key  string
	runs []map[string]float64 // metrics by name
}

// MetricComparison is one number in all arms.
type MetricComparison struct {
	Name   string        `json:"name"`
	Unit   string        `json:"unit"`
	Doc    string        `json:"doc"`
	Values []ArmInterval `json:"values"` // by arm
}

// ArmInterval is one metric of an arm; empty where no run of the arm has the metric.
type ArmInterval struct {
	Runs  []*float64 `json:"runs"` // by run of the arm
	Mean  *Interval  `json:"mean,omitempty"`
	Minus *Interval  `json:"difference,omitempty"` // to the first arm
	Pairs bool       `json:"paired,omitempty"`     // the difference is of runs with equal seeds
}

// Compare sums up runs and puts their numbers side by side, in the order in which they are given.
func Compare(runs []*Run) (*Comparison, error) {
	if len(runs) < 2 {
		return nil, errors.New("one run, expected two or more to compare")
	}
	c := &Comparison{}
	seen := make(map[string]Metric)
	for _, r := range runs {
		s, err := Summarise(r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Dir, err)
		}
		values := make(map[string]float64)
		for _, m := range s.Metrics() {
			values[m.Name] = m.Value
			seen[m.Name] = m
		}
		c.place(r, values)
		if s.Ending != "" {
			c.notes = append(c.notes, fmt.Sprintf("%s: %s, after %d blocks", r.Dir, s.Ending, s.Blocks))
		}
	}
	c.tellApart()
	for name, m := range seen { // order-free: sorted below
		c.Metrics = append(c.Metrics, c.compare(name, m))
	}
	slices.SortFunc(c.Metrics, func(a, b MetricComparison) int { return cmp.Compare(a.Name, b.Name) })
	return c, nil
}

// place adds a run to the arm of its scenario.
func (c *Comparison) place(r *Run, values map[string]float64) {
	m := &r.Manifest
	key := armKey(m)
	i := slices.IndexFunc(c.Arms, func(a Arm) bool { return a.key == key })
	if i < 0 {
		i = len(c.Arms)
		c.Arms = append(c.Arms, Arm{Name: cmp.Or(r.Arm, m.Name), key: key})
	}
	a := &c.Arms[i]
	a.Folders, a.Seeds, a.runs = append(a.Folders, r.Dir), append(a.Seeds, m.Seed), append(a.runs, values)
}

// armKey is everything that a run was made of but its seed.
func armKey(m *Manifest) string {
	var tree map[string]any
	if json.Unmarshal(m.Scenario, &tree) != nil {
		return m.Name + "\x00" + string(m.Scenario)
	}
	for _, key := range []string{"seed", "expect", "description"} { // what is looked for changes nothing
		delete(tree, key)
	}
	text, _ := json.Marshal(tree) // what was just decoded; keys are sorted
	corpus := m.CorpusDigest
	if m.CorpusPath == "" { // synthetic text comes from the seed
		corpus = ""
	}
	return m.Versions.Module + "\x00" + corpus + "\x00" + string(text)
}

// tellApart gives arms of the same name their first run's folder in addition.
func (c *Comparison) tellApart() {
	names := make(map[string]int)
	for _, a := range c.Arms {
		names[a.Name]++
	}
	for i := range c.Arms {
		if a := &c.Arms[i]; names[a.Name] > 1 {
			a.Name = a.Folders[0]
		}
	}
}

// compare lines up one metric.
func (c *Comparison) compare(name string, m Metric) MetricComparison {
	out := MetricComparison{Name: name, Unit: m.Unit, Doc: m.Doc}
	for i := range c.Arms {
		a := &c.Arms[i]
		v := ArmInterval{}
		own := a.values(name)
		for _, one := range a.runs {
			if x, ok := one[name]; ok {
				v.Runs = append(v.Runs, &x)
			} else {
				v.Runs = append(v.Runs, nil)
			}
		}
		if len(own) > 0 {
			mean := meanInterval(own)
			v.Mean = &mean
		}
		if i > 0 {
			v.Minus, v.Pairs = c.difference(a, name)
		}
		out.Values = append(out.Values, v)
	}
	return out
}

// values lists what the runs of an arm have of a metric.
func (a *Arm) values(name string) []float64 {
	var out []float64
	for _, run := range a.runs {
		if v, ok := run[name]; ok {
			out = append(out, v)
		}
	}
	return out
}

// difference is an arm's mean less the first arm's: of runs with equal seeds where at least two of
// them are in both, since those share their random numbers, and else of all with Welch's interval.
func (c *Comparison) difference(a *Arm, name string) (v *Interval, paired bool) {
	first := &c.Arms[0]
	var pairs []float64
	for i, seed := range a.Seeds {
		j := slices.Index(first.Seeds, seed)
		if j < 0 {
			continue
		}
		x, has := a.runs[i][name]
		y, had := first.runs[j][name]
		if has && had {
			pairs = append(pairs, x-y)
		}
	}
	if len(pairs) >= 2 || len(pairs) == 1 && len(a.runs) == 1 && len(first.runs) == 1 {
		d := meanInterval(pairs)
		return &d, true
	}
	own, base := a.values(name), first.values(name)
	if len(own) == 0 || len(base) == 0 {
		return nil, false
	}
	d := welch(own, base)
	return &d, false
}

// Metric finds the comparison of one metric.
func (c *Comparison) Metric(name string) (MetricComparison, bool) {
	i, ok := slices.BinarySearchFunc(c.Metrics, name, func(m MetricComparison, name string) int {
		return cmp.Compare(m.Name, name)
	})
	if !ok {
		return MetricComparison{}, false
	}
	return c.Metrics[i], true
}

// Keep leaves only the metrics that pass.
func (c *Comparison) Keep(pass func(name string) bool) {
	c.Metrics = slices.DeleteFunc(c.Metrics, func(m MetricComparison) bool { return !pass(m.Name) })
}

// Notes are remarks on runs that did not end in order.
func (c *Comparison) Notes() []string { return c.notes }

// WriteTable prints the comparison for a terminal: the arms, then a line for each metric.
func (c *Comparison) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "arm\truns\tseeds\tfirst folder\n")
	for _, a := range c.Arms {
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\n", a.Name, len(a.Folders), seedList(a.Seeds), a.Folders[0])
	}
	fmt.Fprintf(t, "\nmetric")
	for i, a := range c.Arms {
		fmt.Fprintf(t, "\t%s", a.Name)
		if i > 0 {
			fmt.Fprintf(t, "\tdifference")
		}
	}
	fmt.Fprintln(t, "\tunit")
	for _, m := range c.Metrics {
		fmt.Fprint(t, m.Name)
		for i, v := range m.Values {
			fmt.Fprintf(t, "\t%s", bracketed(v.Mean))
			if i > 0 {
				fmt.Fprintf(t, "\t%s", bracketed(v.Minus))
			}
		}
		fmt.Fprintf(t, "\t%s\n", m.Unit)
	}
	return t.Flush()
}

func seedList(seeds []uint64) string {
	var b bytes.Buffer
	for i, seed := range seeds {
		if i > 0 {
			b.WriteString(", ")
		}
		if i == 8 {
			fmt.Fprintf(&b, "%d more", len(seeds)-i)
			break
		}
		fmt.Fprint(&b, seed)
	}
	return b.String()
}

// bracketed is a number with its interval, or a dash.
func bracketed(v *Interval) string {
	switch {
	case v == nil:
		return "–"
	case v.Low == nil || v.High == nil || *v.Low == *v.High:
		return brief(v.Estimate)
	}
	return fmt.Sprintf("%s [%s, %s]", brief(v.Estimate), brief(*v.Low), brief(*v.High))
}

// excludes0 reports whether an interval lies on one side of 0.
func (v *Interval) excludes0() bool {
	return v != nil && v.Low != nil && v.High != nil && (*v.Low > 0 || *v.High < 0) && !math.IsNaN(v.Estimate)
}
