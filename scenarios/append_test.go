package scenarios

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"taolab/model/base"
	"taolab/sim/trace"
)

// grows makes the tiny scenario one whose corpus gains a source after 50 blocks, and whose validators route rows.
func grows(more ...string) []string {
	return append([]string{"corpus.subsets=[\"Github\", \"ArXiv\", \"FreeLaw\"]", "validators[0].routing=gated", "validators[0].rows=8",
		"corpus.append=[{at_h=0.16666, subsets=[\"EuroParl\", \"Ubuntu IRC\"], megabytes=0.2, weight=0.5}]"}, more...)
}

// recorded returns the rows of a run of the tiny scenario by time, as text.
func recorded(t *testing.T, cache base.Cache, untilNs int64, sets ...string) (before, after []string) {
	t.Helper()
	r := &rows{all: map[trace.Table][]trace.Row{}}
	if err := buildTiny(t, cache, Options{Workers: 2, Recorder: r}, sets...).Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for table, list := range r.all { // order-free: sorted below
		for _, row := range list {
			at, text := timeOf(row), fmt.Sprint(table, " ", flat(row))
			if at < untilNs {
				before = append(before, text)
			} else {
				after = append(after, text)
			}
		}
	}
	slices.Sort(before)
	slices.Sort(after)
	return before, after
}

// timeOf is the time of a row, if it has one.
func timeOf(row trace.Row) int64 {
	v := reflect.ValueOf(row)
	if at := v.FieldByName("TimeNs"); at.IsValid() {
		return at.Int()
	}
	for _, height := range []string{"Block", "Height"} {
		if at := v.FieldByName(height); at.IsValid() {
			return int64(at.Uint()) * 12e9
		}
	}
	return 0
}

// flat is a row as text, with what its pointers point at.
func flat(row trace.Row) string {
	text, err := json.Marshal(row)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestNothingMovesBeforeTheHourOfWhatIsAppended(t *testing.T) {
	cache := base.Cache{Dir: t.TempDir(), MaxBytes: base.DefaultBytes}
	const hour = 50 * 12e9
	before, after := recorded(t, cache, hour, grows()...)
	want, other := recorded(t, cache, hour, grows("corpus.append=[]")...)
	if len(want) < 100 || !slices.Equal(before, want) {
		t.Errorf("%d rows before the hour, and %d without anything appended, or others", len(before), len(want))
	}
	if slices.Equal(after, other) {
		t.Error("nothing moved after the hour either")
	}
	of := func(list []string, table string) bool {
		return slices.ContainsFunc(list, func(row string) bool { return strings.HasPrefix(row, table) && strings.Contains(row, "EuroParl") })
	}
	for _, table := range []string{"answers", "training"} {
		if of(before, table) || !of(after, table) {
			t.Errorf("%s: of EuroParl before its hour: %t, after: %t", table, of(before, table), of(after, table))
		}
	}
}

// A run that stops after its corpus has grown continues as if it had not stopped, and so does one that stops
// before.
func TestARunGoesOnWhetherItsCorpusHasGrownOrNot(t *testing.T) {
	cache := base.Cache{Dir: t.TempDir(), MaxBytes: 1 << 30}
	whole := tinyExperiment(t, cache, grows()...)
	want, err := liveThrough(t, whole)
	if err != nil {
		t.Fatal(err)
	}
	for _, rows := range []int{300, 1500} {
		dir := cutShort(t, cache, rows, false, grows()...)
		sameRun(t, fmt.Sprint("cut after ", rows, " rows"), resumed(t, cache, dir), want, dir, whole.Dir)
	}
}

func TestASourceThatCannotBeAppendedIsRefused(t *testing.T) {
	for _, c := range []struct{ set, want string }{
		{`corpus.append=[{at_h=0.1}]`, "names of synthetic subsets"},
		{`corpus.append=[{at_h=0.1, subsets=["ArXiv"]}]`, "already in the corpus"},
		{`corpus.append=[{at_h=0.2, subsets=["EuroParl"]}, {at_h=0.1, subsets=["Books3"]}]`, "in the order of their times"},
		{`corpus.append=[{at_h=0.1, subsets=["EuroParl"]}, {at_h=0.1, subsets=["EuroParl"]}]`, "already in the corpus"},
		{`corpus.append=[{at_h=9, subsets=["EuroParl"]}]`, "after the end of the run"},
		{`corpus.append=[{at_h=0.1, kind="shards"}]`, "corpus.append[0].path"},
		{`corpus.append=[{at_h=0.1, subsets=["Europarl"]}]`, "did you mean EuroParl?"},
		{`corpus.append=[{at_h=0.1, subsets=["EuroParl"], weight=3}]`, "corpus.append[0].weight"},
		{`miners[0].mix=[1]`, "one for each of subsets"},
		{`miners[0].mix=[-1]`, "shares of 0 or more"},
	} {
		_, err := Load("testdata/tiny.toml", []string{`corpus.subsets=["Github", "ArXiv"]`, c.set})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", c.set, err, c.want)
		}
	}
	file, err := Load("testdata/tiny.toml", grows(`miners[0].subsets=["EuroParl"]`))
	if err != nil {
		t.Fatal(err)
	}
	material, err := file.Prepare(context.Background(), base.Cache{}, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Build(material, Options{}); err == nil || !strings.Contains(err.Error(), "exists at the beginning") {
		t.Errorf("a miner of a subset that does not exist yet: %v", err)
	}
}
