package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"taolab/sim/trace"
)

// seeded is a run of a scenario with a number of questions that depends on seed and rows.
func seeded(t *testing.T, rows, seed, questions int) *Run {
	t.Helper()
	dir := t.TempDir()
	m := newSynthetic(1).manifest
	m.Seed = uint64(seed)
	m.Scenario = fmt.Appendf(nil, `{"seed":%d,"description":"d%d","validators":[{"name":"validator","rows":%d}]}`, seed, seed, rows)
	var list []trace.Row
	for range questions {
		list = append(list, trace.Query{Node: miners, Peer: trace.Some(uint32(0)), Code: success})
	}
	if len(list) == 0 {
		list = append(list, trace.Fault{Kind: "crash"})
	}
	summaryOf(t, dir, m, list...)
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func compared(t *testing.T, runs ...*Run) *Comparison {
	t.Helper()
	c, err := Compare(runs)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRunsThatDifferInTheirSeedsAloneAreOneArm(t *testing.T) {
	c := compared(t, seeded(t, 4, 1, 10), seeded(t, 8, 2, 40), seeded(t, 4, 2, 20), seeded(t, 8, 1, 28), seeded(t, 8, 3, 49), seeded(t, 4, 3, 30))
	if len(c.Arms) != 2 || len(c.Arms[0].Seeds) != 3 || c.Arms[1].Seeds[0] != 2 {
		t.Fatalf("arms %+v", c.Arms)
	}
	m, ok := c.Metric("query.count")
	if !ok || m.Values[0].Mean.Estimate != 20 || m.Values[1].Mean.Estimate != 39 || *m.Values[1].Runs[0] != 40 {
		t.Fatalf("%+v", m)
	}
	d := m.Values[1].Minus // pairs 18, 20, 19
	if half := 4.302652729911275 / 1.7320508075688772; !m.Values[1].Pairs || d.Estimate != 19 || !near(*d.Low, 19-half) || d.N != 3 {
		t.Errorf("difference %s, paired %t", d, m.Values[1].Pairs)
	}
	if said := strings.Join(c.Verdict(), "\n"); !strings.Contains(said, "query.count is higher in "+c.Arms[1].Name) {
		t.Errorf("verdict\n%s", said)
	}
}

func TestSeedsThatArmsDoNotShareAreNotPaired(t *testing.T) {
	c := compared(t, seeded(t, 4, 1, 10), seeded(t, 4, 2, 20), seeded(t, 4, 3, 30), seeded(t, 8, 7, 11), seeded(t, 8, 8, 21), seeded(t, 8, 9, 31))
	m, _ := c.Metric("query.count")
	v := m.Values[1]
	if v.Pairs || v.Minus.Estimate != 1 || v.Minus.Low == nil || *v.Minus.Low > 0 || v.Minus.excludes0() {
		t.Errorf("difference %s, paired %t", v.Minus, v.Pairs)
	}
	if said := strings.Join(c.Verdict(), "\n"); !strings.Contains(said, "No difference has an interval that excludes 0") {
		t.Errorf("verdict\n%s", said)
	}
}

func TestAMetricThatARunDoesNotHaveIsLeftOutOfItsArm(t *testing.T) {
	c := compared(t, seeded(t, 4, 1, 10), seeded(t, 8, 1, 0))
	m, _ := c.Metric("query.count")
	if v := m.Values[1]; v.Mean != nil || v.Minus != nil || v.Runs[0] != nil {
		t.Errorf("%+v", v)
	}
	if m, _ := c.Metric("faults.crash"); m.Values[0].Mean != nil || m.Values[1].Mean.Estimate != 1 {
		t.Errorf("%+v", m)
	}
}

func TestAComparisonIsWrittenAsTableFiguresAndPage(t *testing.T) {
	c := compared(t, seeded(t, 4, 1, 10), seeded(t, 8, 1, 30))
	c.Keep(func(name string) bool { return name == "query.count" || name == "query.success" })
	dir := filepath.Join(t.TempDir(), "compared")
	if err := c.Write(dir); err != nil {
		t.Fatal(err)
	}
	rows, err := parquet.ReadFile[compareRow](filepath.Join(dir, CompareTable))
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 4 || rows[1].Metric != "query.count" || *rows[1].Mean != 30 || *rows[1].Difference != 20 || rows[0].Difference != nil {
		t.Errorf("rows %+v", rows)
	}
	var back Comparison
	if err := json.Unmarshal([]byte(read(t, filepath.Join(dir, CompareJSON))), &back); err != nil || len(back.Metrics) != 2 {
		t.Errorf("%v, %+v", err, back)
	}
	page := read(t, filepath.Join(dir, ComparePage))
	if strings.Count(page, "<svg") != 2 || !strings.Contains(page, "<code>query.success</code>") {
		t.Error("the page does not hold two figures and their numbers")
	}
	for _, name := range []string{"query.count.png", "query.success.csv"} {
		if _, err := os.Stat(filepath.Join(dir, FiguresFolder, name)); err != nil {
			t.Error(err)
		}
	}
	var table bytes.Buffer
	if err := c.WriteTable(&table); err != nil || !strings.Contains(table.String(), "query.count    10.0") {
		t.Errorf("%v\n%s", err, table.String())
	}
}

func TestOneRunCannotBeCompared(t *testing.T) {
	if _, err := Compare([]*Run{seeded(t, 4, 1, 1)}); err == nil {
		t.Error("one run was compared")
	}
}

// Runs with three seeds are one arm with an interval.
func ExampleComparison_Metric() {
	c := Comparison{Metrics: []MetricComparison{{Name: "run.blocks", Unit: "blocks"}}}
	m, ok := c.Metric("run.blocks")
	fmt.Println(m.Unit, ok)
	// Output: blocks true
}
