package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"taolab/sim/trace"
)

func TestAnExpectationIsMetOrNot(t *testing.T) {
	digest := strings.Repeat("ab", 32)
	m := &Manifest{RunDigest: digest, LedgerDigest: strings.Repeat("cd", 32),
		Tables: []TableInfo{{Table: trace.Epochs, Digest: strings.Repeat("ef", 32)}}}
	s := &Summary{Blocks: 10}
	metric := func(comparison string, value ...float64) Expectation {
		return Expectation{Metric: "run.blocks", Comparison: comparison, Value: value}
	}
	for _, c := range []struct {
		e    Expectation
		met  bool
		have string
	}{
		{metric("<", 11), true, "10"}, {metric("<", 10), false, "10"},
		{metric("<=", 10), true, "10"}, {metric("<=", 9.5), false, "10"},
		{metric(">", 9), true, "10"}, {metric(">", 10), false, "10"},
		{metric(">=", 10), true, "10"}, {metric(">=", 10.5), false, "10"},
		{metric("==", 10), true, "10"}, {metric("==", 10.000001), false, "10"},
		{metric("between", 10, 11), true, "10"}, {metric("between", 9, 10), true, "10"}, {metric("between", 11, 12), false, "10"},
		{Expectation{Metric: "loss.median", Comparison: "<", Value: []float64{1}}, false, "no such number in this run"},
		{Expectation{Digest: digest}, true, digest},
		{Expectation{Digest: strings.ToUpper(digest), Of: OfRun}, true, digest},
		{Expectation{Digest: digest, Of: OfState}, false, m.LedgerDigest},
		{Expectation{Digest: NewDigest}, false, digest},
		{Expectation{Digest: m.Tables[0].Digest, Of: "epochs"}, true, m.Tables[0].Digest},
		{Expectation{Digest: emptyDigest, Of: "faults"}, true, emptyDigest},
	} {
		if key, fault, want := c.e.Check(); key != "" {
			t.Errorf("%v: %s: %s, expected %s", &c.e, key, fault, want)
		}
		v := c.e.Judge(m, s)
		if v.Met != c.met || v.Have != c.have {
			t.Errorf("%v: met %t with %s, want %t with %s", &c.e, v.Met, v.Have, c.met, c.have)
		}
	}
}

func TestAnIncompleteExpectationIsRefused(t *testing.T) {
	for _, c := range []struct {
		e   Expectation
		key string
	}{
		{Expectation{}, "metric"},
		{Expectation{Name: "x"}, "metric"},
		{Expectation{Metric: "a", Digest: NewDigest}, "digest"},
		{Expectation{Metric: "a", Of: "run"}, "digest"},
		{Expectation{Metric: "a", Value: []float64{1}}, "comparison"},
		{Expectation{Metric: "a", Comparison: "<"}, "value"},
		{Expectation{Metric: "a", Comparison: "<", Value: []float64{1, 2}}, "value"},
		{Expectation{Metric: "a", Comparison: "between", Value: []float64{1}}, "value"},
		{Expectation{Metric: "a", Comparison: "between", Value: []float64{2, 1}}, "value"},
		{Expectation{Digest: "77"}, "digest"},
		{Expectation{Digest: NewDigest, Comparison: "=="}, "digest"},
		{Expectation{Digest: NewDigest, Of: "neurons"}, "of"},
	} {
		if key, _, want := c.e.Check(); key != c.key || want == "" {
			t.Errorf("%+v: key %q, want %q", c.e, key, c.key)
		}
	}
}

// TestEveryNumberOfASummaryIsAKnownName holds the names against a run that has all tables.
func TestEveryNumberOfASummaryIsAKnownName(t *testing.T) {
	dir := t.TempDir()
	s := writeSynthetic(t, dir)
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	summary, err := Summarise(r)
	if err != nil {
		t.Fatal(err)
	}
	names := MetricNames(s.manifest.Nodes, Tables(), []string{"Pile-CC", "Github"}, nil)
	for _, m := range summary.Metrics() {
		if !slices.Contains(names, m.Name) {
			t.Errorf("%s is not known", m.Name)
		}
	}
	for _, name := range MetricNames(s.manifest.Nodes, nil, nil, nil) {
		if !strings.HasPrefix(name, "run.") && !strings.HasPrefix(name, "faults.") {
			t.Errorf("%s is known without any table", name)
		}
	}
}

func ExampleExpectation_Judge() {
	e := Expectation{Metric: "run.blocks", Comparison: "between", Value: []float64{100, 200}}
	v := e.Judge(&Manifest{}, &Summary{Blocks: 300})
	fmt.Println(v.Met, v.Have, v.Want)
	// Output: false 300 between 100 and 200
}
