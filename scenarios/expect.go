package scenarios

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"taolab/agents/role"
	"taolab/agents/settings"
	"taolab/model/pile"
	"taolab/model/whole"
	"taolab/report"
)

// expectations checks before the run that each [[expect]] is complete, and that runs of this
// scenario have its number or table.
func (c *checker) expectations() {
	if len(c.Expect) == 0 || c.NeuronCount() > math.MaxUint16 { // more than any era has seats for: refused elsewhere
		return
	}
	tables := c.Tables()
	nodes := c.participants()
	names := report.MetricNames(nodes, tables, c.textNames(), c.yearNames())
	all := report.MetricNames(nodes, report.Tables(), c.textNames(), c.yearNames())
	for i := range c.Expect {
		e, key := &c.Expect[i], fmt.Sprintf("expect[%d]", i)
		if part, fault, want := e.Check(); part != "" {
			c.fault(key+"."+part, fault, want, expectHint(part, e))
			continue
		}
		if t, ok := e.Table(); ok && !slices.Contains(tables, t) {
			c.fault(key+".of", fmt.Sprintf("the run does not record the table %s", t), "a recorded table",
				"switch it on in [trace]")
		}
		if e.Metric == "" {
			continue
		}
		if _, found := slices.BinarySearch(names, e.Metric); found {
			continue
		}
		hint := metricHint(e.Metric, slices.DeleteFunc(slices.Clone(names), ofOneMiner))
		if _, found := slices.BinarySearch(all, e.Metric); found {
			hint = "it needs tables that [trace] leaves out"
		}
		c.fault(key+".metric", fmt.Sprintf("no run of this scenario has the number %q", e.Metric),
			"a number that taolab report RUN --metrics lists", hint)
	}
}

// metricHint suggests the metric with the most similar name, or a few of the same family.
func metricHint(metric string, names []string) string {
	if hint := settings.Meant(metric, names); hint != "" {
		return hint
	}
	family, _, _ := strings.Cut(metric, ".")
	of := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !strings.HasPrefix(name, family+".") })
	switch {
	case len(of) > 4:
		return fmt.Sprintf("there are %d of %s, such as %s", len(of), family, strings.Join(of[:4], ", "))
	case len(of) > 0:
		return "there are " + strings.Join(of, ", ")
	}
	return "docs/reference/metrics.md lists what they mean"
}

// ofOneMiner reports whether a metric is one of the thousands about single miners, which are poor
// suggestions.
func ofOneMiner(metric string) bool {
	return strings.HasPrefix(metric, "ask_gap_blocks.") && metric != "ask_gap_blocks.max"
}

// subsetNames lists the scenario's subsets, as far as they are known before its shards are read.
func (sc *Scenario) subsetNames() []string {
	if len(sc.Corpus.Subsets) > 0 {
		return sc.Corpus.Subsets
	}
	return pile.SubsetNames()
}

// textNames lists the subsets of the corpus and of the sources appended to it.
func (sc *Scenario) textNames() []string {
	names := slices.Clip(sc.subsetNames())
	for _, a := range sc.Corpus.Append {
		names = append(names, a.Subsets...)
	}
	return names
}

// expectHint suggests the word that was meant by a wrong one.
func expectHint(key string, e *report.Expectation) string {
	if key != "of" {
		return ""
	}
	words := []string{report.OfRun, report.OfState}
	for _, t := range report.Tables() {
		words = append(words, string(t))
	}
	return settings.Meant(e.Of, words)
}

// participants lists the nodes of the scenario, with the properties that names of metrics depend
// on.
func (sc *Scenario) participants() []report.Node {
	var nodes []report.Node
	for _, g := range sc.Miners {
		n := report.Node{Group: g.Name, Kind: report.KindMiner, Behaviour: g.Behaviour}
		if g.Acts().Model {
			n.Width, n.Layers = g.Width, g.Layers
		}
		for i := range g.Count {
			n.Name = member(g.Name, i)
			nodes = append(nodes, n)
		}
	}
	for _, g := range sc.Validators {
		nodes = append(nodes, report.Node{Group: g.Name, Kind: report.KindValidator, Behaviour: g.Behaviour})
	}
	for _, g := range sc.Applications {
		nodes = append(nodes, report.Node{Group: g.Name, Kind: report.KindApplication})
	}
	for _, g := range sc.Holders {
		nodes = append(nodes, report.Node{Group: g.Name, Kind: report.KindHolder})
	}
	if sc.Bridge.EveryBlocks > 0 {
		nodes = append(nodes, report.Node{Group: role.VaultName, Kind: report.KindHolder})
	}
	return nodes
}

// Line is the line of a key in the scenario's text, or 0. For an [[expect]] it is the line of its
// header: expect[0] is the first.
func (f *File) Line(key string) int { return settings.Locate(f.Text)[key] }

// Writable returns an error with the reason if the scenario's file cannot be written to.
func (f *File) Writable() error {
	if f == nil {
		return nil
	}
	if !strings.HasSuffix(f.Origin, ".toml") {
		return &settings.Error{Where: f.Origin, Fault: "it comes with the program and has no file to write to",
			Want: "the path of a scenario file"}
	}
	if info, err := os.Stat(f.Origin); err == nil && info.Mode().Perm()&0o200 == 0 {
		return &settings.Error{Where: f.Origin, Fault: "the file is read-only", Want: "one that its owner may write",
			Hint: "chmod u+w it"}
	}
	return nil
}

// Relearn writes a run's digests into the file of the scenario: digests[i] belongs to expect[i],
// and an empty one leaves the entry as it is. Only the digests change, and the file is replaced
// atomically.
func (f *File) Relearn(digests []string) error {
	if err := f.Writable(); err != nil {
		return err
	}
	text, err := relearn(f, digests)
	if err != nil {
		return err
	}
	if text == f.Text {
		return nil
	}
	path, err := filepath.EvalSymlinks(f.Origin)
	if err != nil {
		return err
	}
	now, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if string(now) != f.Text {
		return &settings.Error{Where: f.Origin, Fault: "the file has changed since it was read",
			Want: "the text that was run", Hint: "run the check again"}
	}
	return replaceFile(path, text)
}

// digestLine matches a line that sets a digest: the part before the value, and the value.
var digestLine = regexp.MustCompile(`^(\s*["']?digest["']?\s*=\s*)("[^"]*"|'[^']*')`)

// relearn returns the file's text with the new digests.
func relearn(f *File, digests []string) (string, error) {
	places := settings.Locate(f.Text)
	lines := strings.SplitAfter(f.Text, "\n")
	for i, digest := range digests {
		if digest == "" {
			continue
		}
		n := places[fmt.Sprintf("expect[%d].digest", i)]
		if n == 0 || !digestLine.MatchString(lines[n-1]) {
			return "", &settings.Error{Where: f.Origin, Key: fmt.Sprintf("expect[%d].digest", i),
				Fault: "it is not on a line of its own",
				Want:  "an [[expect]] table with a line digest = \"...\""}
		}
		lines[n-1] = digestLine.ReplaceAllString(lines[n-1], "${1}"+strconv.Quote(digest))
	}
	text := strings.Join(lines, "")
	again, err := Decode(f.Origin, text, nil)
	if err != nil {
		return "", err
	}
	for i, digest := range digests {
		if digest != "" && again.Expect[i].Digest != digest {
			return "", &settings.Error{Where: f.Origin, Key: fmt.Sprintf("expect[%d].digest", i),
				Fault: "its line is ambiguous",
				Want:  "a file in which each [[expect]] has a line digest = \"...\" of its own"}
		}
	}
	return text, nil
}

// replaceFile gives a file new text atomically and keeps its permissions.
func replaceFile(path, text string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return whole.Replace(path, info.Mode().Perm(), func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}
