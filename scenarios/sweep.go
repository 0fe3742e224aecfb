package scenarios

import (
	"crypto/sha256"
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	"taolab/agents/settings"
	"taolab/report"
)

// SweepSection defines the variants of the scenario that taolab sweep runs. Package sweep runs
// them.
type SweepSection struct {
	Design       string        `toml:"design" default:"grid" one:"grid,list,lhs,sobol,morris" doc:"how values are combined: grid takes every combination, list the first values of all keys, then the second and so on; lhs is a Latin hypercube and sobol a Sobol sequence of points between low and high; morris moves one key after the other along random trajectories"`
	Points       int           `toml:"points" default:"64" min:"1" max:"100000" doc:"points of lhs and sobol, for sobol a power of two; trajectories of morris, each with one point more than there are keys"`
	Scramble     string        `toml:"scramble" default:"shift" one:"shift,owen" doc:"how sobol is randomised: by a digital shift or by Owen's scrambling"`
	Maximin      int           `toml:"maximin" max:"4096" doc:"the Latin hypercube is the best of this many candidates, by the least distance of two points; 0 takes the first"`
	Sensitivity  []string      `toml:"sensitivity" doc:"metrics whose sensitivity to the keys is estimated: morris gives elementary effects; sobol gives first-order and total indices, for which each point becomes a row with two points more than there are keys"`
	Randomised   int           `toml:"randomisations" default:"1" min:"1" max:"64" unit:"nets" doc:"intervals of Sobol indices: 1 resamples the rows; more divide the points among this many nets, randomised separately, and give Student intervals over them"`
	Replications int           `toml:"replications" default:"1" min:"1" max:"100000" doc:"runs of each point, with different seeds"`
	Common       bool          `toml:"common" default:"true" doc:"replication r has the same seed at every point, so that points do not differ by their seeds; false: each run has its own seed"`
	Figures      []string      `toml:"figures" doc:"metrics to draw as fans over the first numeric key, or, for a metric whose name has * in place of a number, over that number"`
	Keys         []SweepKey    `toml:"keys"`
	Expect       []SweepExpect `toml:"expect"`
}

// SweepKey is a key of the scenario that varies from point to point.
type SweepKey struct {
	Key    string    `toml:"key" doc:"path of the key, as --set takes it: chain.tempo_blocks, miners[0].count"`
	Values []float64 `toml:"values" doc:"numbers that it takes"`
	Words  []string  `toml:"words" doc:"words that it takes, or true and false"`
	Low    float64   `toml:"low" doc:"least number, where neither values nor words are given"`
	High   float64   `toml:"high" doc:"largest number"`
	Steps  int       `toml:"steps" default:"5" min:"2" max:"100000" doc:"numbers from low to high in a grid or a list"`
	Scale  string    `toml:"scale" default:"uniform" one:"uniform,log,int" doc:"how numbers lie between low and high: evenly, evenly in their logarithm, or as whole numbers"`
	Linked string    `toml:"linked" doc:"keys with the same word here vary together: the first value of one is combined with the first of the other"`
}

// SweepExpect is an expectation that must hold at every point of a sweep, in a share of its
// runs.
type SweepExpect struct {
	Metric     string    `toml:"metric" doc:"a number of the summary by its name"`
	Comparison string    `toml:"comparison" one:",<,<=,>,>=,==,between" doc:"how the number must stand to value"`
	Value      []float64 `toml:"value" doc:"the number to compare with; for between a pair [low, high]"`
	Share      float64   `toml:"share" default:"0.95" min:"0" max:"1" unit:"share" doc:"least share of each point's replications in which it must hold"`
}

// Expectation returns the same expectation for one run.
func (e SweepExpect) Expectation() report.Expectation {
	return report.Expectation{Metric: e.Metric, Comparison: e.Comparison, Value: e.Value}
}

// With returns the file with more overrides, as key=value, and without its sweep: one run of
// it.
func (f *File) With(sets ...string) (*File, error) {
	out := *f
	out.Sets = slices.Concat(f.Sets, sets)
	sc, err := Decode(f.Origin, f.Text, out.Sets)
	if err != nil {
		return nil, err
	}
	sc.Sweep, sc.Tune = settings.Default[SweepSection](), settings.Default[TuneSection]()
	if err := out.complete(sc); err != nil {
		return nil, err
	}
	return &out, nil
}

// BaseDigest identifies the scenario without its sweep and what it expects.
func (f *File) BaseDigest() [sha256.Size]byte {
	sc := *f.Scenario
	sc.Description, sc.Expect, sc.Sweep, sc.Tune = "", nil, settings.Default[SweepSection](), settings.Default[TuneSection]()
	hash := sha256.New()
	if err := sc.WriteTOML(hash, false); err != nil {
		panic("scenarios: writing to memory failed: " + err.Error())
	}
	return [sha256.Size]byte(hash.Sum(nil))
}

// sweep checks the settings of a sweep without trying its points.
func (c *checker) sweep() {
	lengths := map[string]int{}
	for i := range c.Sweep.Keys {
		k, key := &c.Sweep.Keys[i], fmt.Sprintf("sweep.keys[%d]", i)
		c.sweptKey(k, key, c.Sweep.Keys[:i])
		if c.Sweep.Design == "grid" || c.Sweep.Design == "list" {
			c.distinct(k, key)
		}
		if k.Linked == "" {
			continue
		}
		if n, met := lengths[k.Linked]; met && n != k.Count() {
			c.fault(key+".linked", fmt.Sprintf("%d values, and %d of another key that is linked as %q", k.Count(), n, k.Linked),
				"linked keys with equally many values", "")
		}
		lengths[k.Linked] = k.Count()
	}
	if c.Sweep.Design == "list" {
		for i, k := range c.Sweep.Keys {
			if first := c.Sweep.Keys[0].Count(); k.Count() != first {
				c.fault(fmt.Sprintf("sweep.keys[%d].values", i), fmt.Sprintf("%d values, and %d of the first key", k.Count(), first),
					"equally many for each key of a list", `write design = "grid" for every combination`)
			}
		}
	}
	if n := c.Sweep.Points; c.Sweep.Design == "sobol" && n&(n-1) != 0 {
		below := 1
		for below*2 < n {
			below *= 2
		}
		c.fault("sweep.points", fmt.Sprint(n), "a power of two for sobol", fmt.Sprintf("the next are %d and %d", below, 2*below))
	}
	c.sensitivity()
	c.sweepExpectations()
}

// fewestPerNet is the least number of points in a randomised net.
const fewestPerNet = 32

// sensitivity checks that the design allows estimates of sensitivity.
func (c *checker) sensitivity() {
	s := &c.Sweep
	switch n := s.Randomised; {
	case s.Design != "sobol" && n != 1:
		c.fault("sweep.randomisations", fmt.Sprint(n), `1 for any design but "sobol"`, "")
	case n > 1 && (n&(n-1) != 0 || n > s.Points/fewestPerNet):
		c.fault("sweep.randomisations", fmt.Sprint(n),
			fmt.Sprintf("a power of two that leaves each net at least %d of the %d points", fewestPerNet, s.Points),
			"means over indices of very small nets are biased")
	}
	switch {
	case s.Design == "morris" && s.Points < 2:
		c.fault("sweep.points", fmt.Sprint(s.Points), "at least 2 trajectories", "")
	case len(s.Sensitivity) == 0:
		return
	case s.Design != "sobol" && s.Design != "morris":
		c.fault("sweep.sensitivity", fmt.Sprintf("named for design = %q", s.Design), `design = "sobol" or design = "morris"`, "")
	case len(s.Keys) == 0:
		c.fault("sweep.sensitivity", "named without [[sweep.keys]]", "keys to which a metric may be sensitive", "")
	}
}

// sweptKey checks a key of the sweep, given those before it.
func (c *checker) sweptKey(k *SweepKey, key string, before []SweepKey) {
	top, _, _ := strings.Cut(k.Key, ".")
	switch {
	case k.Key == "" || strings.ContainsAny(k.Key, "=\n"):
		c.fault(key+".key", fmt.Sprintf("%q", k.Key), "the path of a key, as in chain.tempo_blocks", "")
	case k.Key == "seed":
		c.fault(key+".key", "the seed is swept", "a key to vary", "replications run each point with several seeds")
	case top == "sweep" || top == "tune" || top == "name" || top == "format" || strings.HasPrefix(top, "expect"):
		c.fault(key+".key", fmt.Sprintf("%s changes nothing in a run", k.Key), "a key to vary", "")
	case slices.ContainsFunc(before, func(other SweepKey) bool { return other.Key == k.Key }):
		c.fault(key+".key", fmt.Sprintf("%s is swept twice", k.Key), "each key once", "")
	}
	ranged := k.Low != 0 || k.High != 0
	switch {
	case len(k.Values) > 0 && len(k.Words) > 0, ranged && len(k.Values)+len(k.Words) > 0:
		c.fault(key+".values", "several lists of values", "one of values, words, and low with high", "")
	case !ranged && len(k.Values)+len(k.Words) == 0:
		c.fault(key+".values", "no values", "values, words, or low and high", "")
	case ranged && k.Low >= k.High:
		c.fault(key+".low", fmt.Sprintf("low %g is not below high %g", k.Low, k.High), "low < high", "")
	case k.Scale == "int" && (k.Low != math.Trunc(k.Low) || k.High != math.Trunc(k.High)):
		c.fault(key+".low", fmt.Sprintf("%g to %g on a scale of whole numbers", k.Low, k.High), "whole numbers", "")
	case k.Scale == "log" && ranged && k.Low <= 0:
		c.fault(key+".low", fmt.Sprintf("%g on a logarithmic scale", k.Low), "a number above 0", "")
	}
}

// distinct refuses a value that appears twice, for its runs would be the same.
func (c *checker) distinct(k *SweepKey, key string) {
	for i, v := range k.Values {
		if slices.Contains(k.Values[:i], v) && k.Linked == "" && c.Sweep.Design == "grid" {
			c.fault(key+".values", fmt.Sprintf("%g appears twice", v), "each value once", "replications repeat a point with another seed")
		}
	}
	for i, w := range k.Words {
		if slices.Contains(k.Words[:i], w) && k.Linked == "" && c.Sweep.Design == "grid" {
			c.fault(key+".words", fmt.Sprintf("%q appears twice", w), "each word once", "replications repeat a point with another seed")
		}
	}
}

// Count is the number of values of the key in a grid or a list.
func (k *SweepKey) Count() int {
	switch {
	case len(k.Values) > 0:
		return len(k.Values)
	case len(k.Words) > 0:
		return len(k.Words)
	}
	return k.Steps
}

// sweepExpectations checks that runs of the scenario have the metrics that the sweep expects.
func (c *checker) sweepExpectations() {
	if len(c.Sweep.Expect)+len(c.Sweep.Figures) == 0 || c.NeuronCount() > math.MaxUint16 {
		return
	}
	names := report.MetricNames(c.participants(), c.Tables(), c.textNames(), c.yearNames())
	known := func(key, pattern string) {
		if !slices.ContainsFunc(names, func(name string) bool { ok, _ := path.Match(pattern, name); return ok }) {
			c.fault(key, fmt.Sprintf("no run of this scenario has the number %q", pattern), "a number that taolab report RUN --metrics lists",
				metricHint(pattern, slices.DeleteFunc(slices.Clone(names), ofOneMiner)))
		}
	}
	for i, pattern := range c.Sweep.Figures {
		known(fmt.Sprintf("sweep.figures[%d]", i), pattern)
	}
	for i, e := range c.Sweep.Expect {
		key, one := fmt.Sprintf("sweep.expect[%d]", i), e.Expectation()
		if part, fault, want := one.Check(); part != "" {
			c.fault(key+"."+part, fault, want, "")
			continue
		}
		known(key+".metric", e.Metric)
	}
}
