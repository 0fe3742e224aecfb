package sweep

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"taolab/scenarios"
	"taolab/scenarios/small"
)

// sensitive sweeps two keys, of which a linear answer makes the second twice as strong over its range.
const sensitive = `[sweep]
design = "sobol"
points = 64
replications = 2
sensitivity = ["answer"]
[[sweep.keys]]
key = "chain.kappa"
low = 0.2
high = 0.6
[[sweep.keys]]
key = "chain.server_share"
low = 0.1
high = 0.5
`

// answered is a finished sweep whose results are answer of the two keys, from 0 to 1, and the replication.
func answered(t *testing.T, file *scenarios.File, answer func(kappa, share float64, replication int) Outcome) *Table {
	t.Helper()
	s := sweepOf(t, file, t.TempDir(), 1)
	session, err := s.Open()
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range session.Missing(s.Design) {
		p := s.Design.Points[task.Point]
		kappa, _ := strconv.ParseFloat(p[0], 64)
		share, _ := strconv.ParseFloat(p[1], 64)
		if err := session.Append(task, answer((kappa-.2)/.4, (share-.1)/.4, task.Replication), Cost{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := session.Close(); err != nil {
		t.Fatal(err)
	}
	table, err := Gather(s.Design, s.Dir)
	if err != nil || table.Counts.Missing != 0 {
		t.Fatalf("%+v, %v", table.Counts, err)
	}
	return table
}

func linear(kappa, share float64, replication int) Outcome {
	noise := float64(2*replication-1) / 10 // cancels in the mean of two replications
	return Outcome{Status: OK, Metrics: map[string]float64{"answer": kappa + 2*share + noise}}
}

func sensitivityOf(t *testing.T, answer func(kappa, share float64, replication int) Outcome, sets ...string) Sensitivity {
	t.Helper()
	base, _, _ := strings.Cut(smallSweep, "[sweep]")
	file := small.Load(t, base+sensitive, sets...)
	list, err := answered(t, file, answer).Sensitivities(file.Scenario)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteSensitivities(t.TempDir(), list); err != nil {
		t.Fatal(err)
	}
	return list[0]
}

func TestSobolSweepsEstimateIndices(t *testing.T) {
	for _, sets := range [][]string{nil, {"sweep.randomisations=2"}, {`sweep.scramble="owen"`}} {
		s := sensitivityOf(t, linear, sets...)
		for i, want := range []float64{.2, .8} {
			if f, a := s.Indices.First[i].Value, s.Indices.Total[i].Value; math.Abs(f-want) > .05 || math.Abs(a-want) > .05 {
				t.Errorf("%v: key %s has the indices %.3f and %.3f, expected %v", sets, s.Keys[i], f, a, want)
			}
		}
		if want := .02 / 2 / (5. / 12); math.Abs(s.NoiseShare-want) > .001 {
			t.Errorf("%v: share of noise %.4f, expected %.4f", sets, s.NoiseShare, want)
		}
	}
}

func TestMorrisSweepsEstimateEffectsPerRange(t *testing.T) {
	s := sensitivityOf(t, linear, `sweep.design="morris"`, "sweep.points=8")
	for i, want := range []float64{1, 2} {
		e := s.Effects[i]
		if math.Abs(e.Mean-want) > 1e-9 || math.Abs(e.MeanAbs-want) > 1e-9 || e.SD > 1e-9 {
			t.Errorf("key %s has the effects %+v, expected %v without spread", s.Keys[i], e, want)
		}
	}
}

func TestPointsWhereTrajectoriesMeetRunOnce(t *testing.T) {
	base, _, _ := strings.Cut(smallSweep, "[sweep]")
	s := sweepOf(t, small.Load(t, base+sensitive, `sweep.design="morris"`, "sweep.points=30"), t.TempDir(), 1)
	session, err := s.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	if tasks := session.Missing(s.Design); s.Design.Runs() != 180 || len(tasks) > 32 {
		t.Errorf("%d runs planned and %d made, expected 180 and at most 16 points of two seeds", s.Design.Runs(), len(tasks))
	}
}

func TestRunThatPointsShareHasOneCostAndOneResult(t *testing.T) {
	base, _, _ := strings.Cut(smallSweep, "[sweep]")
	table := answered(t, small.Load(t, base+sensitive, `sweep.design="morris"`, "sweep.points=30"), linear)
	runs := len(table.results.places)
	if runs > 32 {
		t.Fatalf("%d runs, expected at most 16 points of two seeds", runs)
	}
	dir := t.TempDir()
	if err := table.Write(dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int64{TableFile: 180, CostsFile: int64(runs)} {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if got := parquet.NewReader(f).NumRows(); got != want {
			t.Errorf("%s has %d rows, expected %d", name, got, want)
		}
	}
	merged := filepath.Join(dir, "merged.log")
	if err := table.copyResults(merged); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(merged)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	entered := 0
	if _, err := entries(f, func(int64, []byte) error { entered++; return nil }); err != nil || entered != runs {
		t.Errorf("%d results were joined, expected %d: %v", entered, runs, err)
	}
}

func TestFailedRunsAndUnknownMetricsAreToldOfSensitivities(t *testing.T) {
	broken := func(kappa, share float64, replication int) Outcome {
		if kappa < 1./64 && replication == 1 {
			return Outcome{Status: Failed, Error: "out of luck"}
		}
		return linear(kappa, share, replication)
	}
	s := sensitivityOf(t, broken)
	if text := strings.Join(s.Warnings(), "\n"); s.Failed == 0 || s.Failed+s.Indices.Rows != 64 || !strings.Contains(text, "left out because a run failed") {
		t.Errorf("%d rows failed and %d remain of 64; warnings %q", s.Failed, s.Indices.Rows, text)
	}
	base, _, _ := strings.Cut(smallSweep, "[sweep]")
	file := small.Load(t, base+sensitive, `sweep.sensitivity=["anwser"]`, "sweep.points=4")
	_, err := answered(t, file, linear).Sensitivities(file.Scenario)
	if err == nil || !strings.Contains(err.Error(), "no run has the metric anwser") {
		t.Errorf("error %v", err)
	}
}

func TestConstantMetricsHaveNoIndices(t *testing.T) {
	s := sensitivityOf(t, func(float64, float64, int) Outcome {
		return Outcome{Status: OK, Metrics: map[string]float64{"answer": 3}}
	})
	if text := strings.Join(s.Warnings(), "\n"); s.Indices.First != nil || !strings.Contains(text, "does not vary") {
		t.Errorf("%+v, warnings %q", s.Indices, text)
	}
}

func TestSensitivityNeedsADesignForIt(t *testing.T) {
	base, _, _ := strings.Cut(smallSweep, "[sweep]")
	for set, want := range map[string]string{ // order-free: each is refused by itself
		`sweep.design="lhs"`:     `design = "sobol" or design = "morris"`,
		"sweep.randomisations=3": "a power of two",
		"sweep.randomisations=4": "at least 32 of the 64 points",
		"sweep.keys=[]":          "keys to which a metric may be sensitive",
	} {
		path := filepath.Join(t.TempDir(), "s.toml")
		if err := os.WriteFile(path, []byte(base+sensitive), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := scenarios.Load(path, []string{set}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, expected one with %q", set, err, want)
		}
	}
}
