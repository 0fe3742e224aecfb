package scenarios

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"

	"taolab/model/base"
	"taolab/model/num"
	"taolab/report"
	"taolab/sim/trace"
	"taolab/sim/virtual"
)

var (
	claims = flag.Bool("claims", false, "run whole scenarios and check what the documents claim of them; takes half an hour")
	seeds  = flag.Int("seeds", 5, "seeds of the claims on specialists")
	hours  = flag.Float64("hours", 6, "length of the claims' runs of the landscape")
	keep   = flag.String("keep", "", "folder in which the claim on the market leaves its runs, for taolab compare")
)

// corpusDir holds real text in the Pile's format; it is not part of the repository.
const corpusDir = "../../shared/corpus"

// play runs a scenario of the library into a folder and returns its summary.
func play(t *testing.T, name string, more trace.Recorder, sets ...string) *report.Summary {
	t.Helper()
	_, summary := playInto(t, t.TempDir(), name, more, sets...)
	return summary
}

// playInto does so into a given folder.
func playInto(t *testing.T, dir, name string, more trace.Recorder, sets ...string) (*Network, *report.Summary) {
	t.Helper()
	file, err := Load(name, sets)
	if err != nil {
		t.Fatal(err)
	}
	material, err := file.Prepare(context.Background(), base.DefaultCache(), 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	writer, err := report.NewWriter(dir, file.Tables()...)
	if err != nil {
		t.Fatal(err)
	}
	network, err := file.Build(material, Options{Workers: 2, Recorder: trace.Tee(writer, more)})
	if err != nil {
		t.Fatal(err)
	}
	world, err := virtual.New(network.Config)
	if err != nil {
		t.Fatal(err)
	}
	manifest := file.Manifest(material, network)
	if err := world.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	Finish(manifest, world)
	manifest.Tables, manifest.Finished = writer.Tables(), true
	if err := report.WriteManifest(dir, *manifest); err != nil {
		t.Fatal(err)
	}
	run, err := report.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	summary, err := report.Summarise(run)
	if err != nil {
		t.Fatal(err)
	}
	return network, summary
}

func metric(t *testing.T, s *report.Summary, name string) float64 {
	t.Helper()
	v, ok := s.Metric(name)
	if !ok {
		t.Fatalf("%s: no metric %s", s.Name, name)
	}
	return v
}

func skipUnlessClaims(t *testing.T) {
	if !*claims {
		t.Skip("takes minutes; run it with: go test ./scenarios -run Claim -claims -timeout 90m -v")
	}
}

func TestClaimQuickstartLearnsAndNoiseEarnsNothing(t *testing.T) {
	skipUnlessClaims(t)
	s := play(t, "quickstart", trace.Discard)
	bigram, base, median := metric(t, s, "loss.bigram"), metric(t, s, "loss.base"), metric(t, s, "loss.honest.median")
	noise := metric(t, s, "incentive.random.ratio")
	t.Logf("bigram %.4f, base %.4f, median honest miner %.4f nats/token (%.1f %% below the base), noise earns %.4f of the honest median",
		bigram, base, median, 100*(1-median/base), noise)
	all := metric(t, s, "loss.median")
	if base >= bigram || median > 0.95*base || all > 0.95*base || noise >= 0.1 {
		t.Errorf("want base below bigram, medians (all miners: %.4f) 5 %% below base, noise below 0.1", all)
	}
	if n := metric(t, s, "run.epochs"); n < 20 {
		t.Errorf("%g epochs, want at least 20", n)
	}
}

func TestClaimIncentiveFollowsLossAmongTheHonest(t *testing.T) {
	skipUnlessClaims(t)
	if _, err := os.Stat(corpusDir); err != nil {
		t.Skipf("needs real text in the Pile's format: %v", err)
	}
	var within []float64 // by seed, the mean over the sizes
	for seed := 1; seed <= *seeds; seed++ {
		r := &rows{all: map[trace.Table][]trace.Row{}}
		s := play(t, "honest", r, fmt.Sprintf("seed=%d", seed), "corpus.kind=shards", "corpus.path="+corpusDir, "corpus.megabytes=30")
		rho := metric(t, s, "spearman.loss_incentive")
		gap := widestGap(r.all[trace.Training])
		sizes := []float64{metric(t, s, "spearman.loss_incentive.20x2"), metric(t, s, "spearman.loss_incentive.28x2"),
			metric(t, s, "spearman.loss_incentive.36x2")}
		within = append(within, mean(sizes))
		t.Logf("seed %d: Spearman %.3f (sizes: %.3f), widest gap between neighbouring losses %.1f %%", seed, rho, sizes, 100*gap)
		if rho > -0.9 || gap > 0.1 {
			t.Errorf("seed %d: want a correlation of at most -0.9 and gaps of at most 10 %%", seed)
		}
		if slices.Max(sizes) > -0.5 {
			t.Errorf("seed %d: want a correlation below -0.5 within every size", seed)
		}
	}
	low, high := bootstrap(within)
	t.Logf("within a size: %.3f, 95 %% bootstrap interval %.3f to %.3f over %d seeds", mean(within), low, high, len(within))
	if mean(within) > -0.8 {
		t.Error("want a mean of at most -0.8 within a size")
	}
}

// widestGap is the largest ratio, less one, between neighbours among the sorted final losses.
func widestGap(training []trace.Row) float64 {
	final := map[uint32]float64{}
	for _, row := range training {
		if train := row.(trace.Train); train.Subset == "all" {
			final[train.Node] = float64(train.HeldOutLoss)
		}
	}
	var losses []float64
	for _, loss := range final { // order-free: sorted below
		losses = append(losses, loss)
	}
	slices.Sort(losses)
	widest := 0.0
	for i := 1; i < len(losses); i++ {
		widest = max(widest, losses[i]/losses[i-1]-1)
	}
	return widest
}

func TestClaimAnExaminerOfOneSubsetPaysItsSpecialists(t *testing.T) {
	skipUnlessClaims(t)
	for seed := 1; seed <= *seeds; seed++ {
		r := &rows{all: map[trace.Table][]trace.Row{}}
		s := play(t, "specialists", r, fmt.Sprintf("seed=%d", seed))
		gap := metric(t, s, "ask_gap_blocks.max")
		first, last := metric(t, s, "routing.loss.first"), metric(t, s, "routing.loss.last")
		specialist, generalist := examinerWeights(r.all[trace.Weights])
		t.Logf("seed %d: longest unasked %.0f blocks, routing loss %.4f to %.4f, the examiner's mean weight on "+
			"mathematicians %.0f and on generalists %.0f (of 65535)", seed, gap, first, last, specialist, generalist)
		if specialist <= generalist {
			t.Errorf("seed %d: the examiner prefers generalists", seed)
		}
		if last >= first || gap > 10*73 {
			t.Errorf("seed %d: the routing loss must fall and every uid be asked within ten epochs", seed)
		}
	}
}

// examinerWeights are the mean weights that the validator of mathematics alone (the last uid) puts
// on the mathematicians (uids 6 to 11) and on the generalists (uids 24 to 31) at the last epoch.
func examinerWeights(weights []trace.Row) (specialist, generalist float64) {
	last := weights[len(weights)-1].(trace.Weight)
	for _, row := range weights {
		w := row.(trace.Weight)
		if w.Epoch != last.Epoch || w.From != 37 {
			continue
		}
		switch {
		case w.To >= 6 && w.To < 12:
			specialist += float64(w.Weight) / 6
		case w.To >= 24 && w.To < 32:
			generalist += float64(w.Weight) / 8
		}
	}
	return specialist, generalist
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// bootstrap is the 95 % percentile interval of the mean.
func bootstrap(x []float64) (low, high float64) {
	stream := num.NewStream(1, "bootstrap")
	means := make([]float64, 10000)
	for i := range means {
		sum := 0.0
		for range x {
			sum += x[stream.IntN(len(x))]
		}
		means[i] = sum / float64(len(x))
	}
	slices.Sort(means)
	return means[250], means[9749]
}
