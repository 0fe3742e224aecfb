package scenarios

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"taolab/model/pile"
	"taolab/report"
	"taolab/sim/trace"
)

// measured keeps the held-out losses of a subset.
type measured struct {
	subset string
	losses map[uint64][]float64 // by block of the measurement
}

func (m *measured) Record(row trace.Row) {
	if t, ok := row.(trace.Train); ok && t.Subset == m.subset {
		m.losses[t.Block] = append(m.losses[t.Block], float64(t.HeldOutLoss))
	}
}

// at is the mean over all miners at the last measurement up to a block.
func (m *measured) at(block uint64) float64 {
	last := uint64(0)
	for b := range m.losses { // order-free: the largest
		if b <= block && len(m.losses[b]) > 1 {
			last = max(last, b)
		}
	}
	return mean(m.losses[last])
}

const forever = 1 << 40

// learnedOf runs a scenario and returns the mean loss of all miners on a subset after some blocks.
func learnedOf(t *testing.T, name, subset string, blocks []uint64, sets ...string) (losses []float64) {
	t.Helper()
	m := &measured{subset, map[uint64][]float64{}}
	live(t, name, m, nil, sets...)
	for _, b := range blocks {
		losses = append(losses, m.at(b))
	}
	return losses
}

// A holder goes from 3 to 75 % of the stake in its fourth hour, block 1,200.
func TestClaimAHolderWithMoneyIsServed(t *testing.T) {
	skipUnlessClaims(t)
	var falls, without []float64
	for seed := 1; seed <= *seeds; seed++ {
		set := fmt.Sprint("seed=", seed)
		with := learnedOf(t, "holder", "EuroParl", []uint64{100, 1200, forever}, set)
		poor := learnedOf(t, "holder", "EuroParl", []uint64{100, 1200, forever}, set,
			"validators[1].stake_tao=0", "validators[1].free_tao=0", "validators[1].invest_tao=0")
		falls, without = append(falls, 1-with[2]/with[1]), append(without, 1-poor[2]/poor[0])
		t.Logf("seed %d: mean loss of all miners on the holder's text %.3f at first, %.3f with 3 %% of the stake, %.3f at the end "+
			"with 75 %%; without the holder's money %.3f to %.3f", seed, with[0], with[1], with[2], poor[0], poor[2])
	}
	low, high := bootstrap(falls)
	t.Logf("from the purchase on it falls by %.1f %% (95 %% interval %.1f to %.1f), least %.1f %%; without by at most %.1f %%",
		100*mean(falls), 100*low, 100*high, 100*slices.Min(falls), 100*slices.Max(without))
	if slices.Min(falls) < 0.2 || slices.Max(without) >= 0.03 {
		t.Error("want falls of at least 20 %, and without the holder of less than 3 %")
	}
}

func TestClaimWhatIsAppendedIsLearned(t *testing.T) {
	skipUnlessClaims(t)
	for seed := 1; seed <= *seeds; seed++ {
		set := fmt.Sprint("seed=", seed)
		first := []uint64{1350, forever} // its hour is block 1,200
		shared := learnedOf(t, "append", "Ubuntu IRC", first, set)
		alone := learnedOf(t, "append", "Ubuntu IRC", first, set, "corpus.append[0].shared=false")
		t.Logf("seed %d: mean loss on what is appended %.3f after its hour, %.3f at the end; where nobody reads it %.3f and %.3f",
			seed, shared[0], shared[1], alone[0], alone[1])
		if shared[1] > 0.8*shared[0] || alone[1] < 0.97*alone[0] {
			t.Errorf("seed %d: want a fall of at least 20 %%, and of less than 3 %% where nobody reads it", seed)
		}
	}
}

// mixing keeps the newest learning mix of each node.
type mixing map[uint32]map[string]float64

func (m mixing) Record(row trace.Row) {
	d, ok := row.(trace.Decision)
	if !ok || d.Kind != "mix" {
		return
	}
	if m[d.Node] == nil {
		m[d.Node] = map[string]float64{}
	}
	m[d.Node][*d.Subset] = *d.Share
}

// largest is the mean over the miners of their largest share, and the number of subsets that are somebody's
// largest.
func (m mixing) largest() (share float64, topics int) {
	seen := map[string]bool{}
	for _, mix := range m { // order-free: a sum of at most a dozen, and a set
		best := ""
		for subset := range mix { // order-free: the largest, by name among equals
			if best == "" || mix[subset] > mix[best] || mix[subset] == mix[best] && subset < best {
				best = subset
			}
		}
		share += mix[best] / float64(len(m))
		seen[best] = true
	}
	return share, len(seen)
}

// best is the mean over subsets of the least held-out loss of any miner: the subsets' newest losses by miner.
type best map[string]map[uint32]float64

func (b best) Record(row trace.Row) {
	if t, ok := row.(trace.Train); ok && t.Subset != "all" {
		if b[t.Subset] == nil {
			b[t.Subset] = map[uint32]float64{}
		}
		b[t.Subset][t.Node] = float64(t.HeldOutLoss)
	}
}

func (b best) mean() (sum float64) {
	for _, subset := range slices.Sorted(maps.Keys(b)) {
		sum += slices.Min(slices.Collect(maps.Values(b[subset]))) / float64(len(b))
	}
	return sum
}

// marketOutcome is what a run of the market comes to.
type marketOutcome struct {
	apart  float64 // mean over miners of the largest share of a mix
	topics int     // subsets that are somebody's largest
	used   float64 // loss, over the second half of the user's steps, of the averaged prediction of the two whom its gate names
	inTurn float64 // the same of the two whose turn it was
	known  float64 // held-out loss of the miner that knows a subset best, mean over subsets
}

// marketRun is a run of an arm of the market with one seed.
func marketRun(t *testing.T, arm string, seed int, sets ...string) (o marketOutcome) {
	t.Helper()
	dir := t.TempDir()
	if *keep != "" {
		dir = filepath.Join(*keep, fmt.Sprintf("%s-%d", arm, seed))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	g, mixes, losses := new(gateStudy), mixing{}, best{}
	network, _ := playInto(t, dir, "market", trace.Tee(g, mixes, losses), append(sets, "name="+arm, fmt.Sprint("seed=", seed), "trace.rows=all")...)
	g.keep(network, "user")
	duels := g.duels()
	for _, d := range duels {
		o.used += d.named / float64(len(duels))
		o.inTurn += d.inTurn / float64(len(duels))
	}
	o.apart, o.topics = mixes.largest()
	o.known = losses.mean()
	return o
}

// oneText writes a corpus of one language in which each document stands under one of the four names in turn, so
// that work on one subset is worth the same on all of them.
func oneText(t *testing.T, seed uint64, names []string) (dir string) {
	t.Helper()
	const megabytes = 6
	language, err := pile.NewSynthetic(seed, megabytes<<20, []string{"StackExchange"})
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	file, err := os.Create(filepath.Join(dir, "00.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines, left := json.NewEncoder(file), megabytes<<20
	for i := 0; left > 0; i++ {
		d := language.Document(0, pile.Train, i)
		left -= len(d.Text)
		line := map[string]any{"text": string(d.Text), "meta": map[string]string{"pile_set_name": names[i%len(names)]}}
		if err := lines.Encode(line); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestClaimMinersPartWhereSubsetsArePaidAndStayAlikeWhereBatchesAre runs four arms with each seed: paid by subset, paid
// by batch, with fixed even mixes, and paid by subset where all subsets are one text. The scenario's settings were
// chosen on seeds 1 and 2, which are not among those of the test.
func TestClaimMinersPartWhereSubsetsArePaidAndStayAlikeWhereBatchesAre(t *testing.T) {
	skipUnlessClaims(t)
	const even = 0.25
	differences := map[string][]float64{}
	note := func(what string, v float64) { differences[what] = append(differences[what], v) }
	for seed := firstMarketSeed; seed < firstMarketSeed+*seeds; seed++ {
		market := marketRun(t, "by-subset", seed)
		mixture := marketRun(t, "by-batch", seed, "validators[0].credit=mixture")
		fixed := marketRun(t, "fixed", seed, "miners[0].decide.mix_rate=0")
		same := marketRun(t, "one-text", seed, "corpus.kind=shards", "corpus.path="+oneText(t, uint64(seed), []string{"ArXiv", "Github", "FreeLaw", "StackExchange"}))
		t.Logf("seed %d: largest share of a mix %.3f on %d subsets paid by subset, %.3f paid by batch, %.3f paid by subset of one text; "+
			"loss of the two that the user's gate names %.3f by subset, %.3f by batch, %.3f of fixed mixes; of the two in turn %.3f, %.3f, %.3f; "+
			"best held-out loss %.3f, %.3f, %.3f", seed, market.apart, market.topics, mixture.apart, same.apart, market.used, mixture.used, fixed.used,
			market.inTurn, mixture.inTurn, fixed.inTurn, market.known, mixture.known, fixed.known)
		note("largest share, by subset less by batch", market.apart-mixture.apart)
		note("largest share, by subset less by subset of one text", market.apart-same.apart)
		note("loss as used, fixed less by subset", fixed.used-market.used)
		note("loss as used, by batch less by subset", mixture.used-market.used)
		note("best loss, fixed less by subset", fixed.known-market.known)
		note("best loss, by batch less by subset", mixture.known-market.known)
		if market.topics < 4 {
			t.Errorf("seed %d: %d subsets are somebody's largest, want all four", seed, market.topics)
		}
		if drift := same.apart - even; mixture.apart-even > max(drift, 0.01) || drift > 0.15 {
			t.Errorf("seed %d: the largest share exceeds an even one by %.3f paid by batch and by %.3f where all subsets are one text; "+
				"want the first no larger than the second, which is what noise does, and that at most 0.15", seed, mixture.apart-even, drift)
		}
	}
	for _, what := range slices.Sorted(maps.Keys(differences)) {
		v := report.Mean(differences[what])
		if v.Low == nil || v.High == nil {
			t.Fatalf("%d seeds have no interval; run three at least", v.N)
		}
		t.Logf("%s: %.3f, 95 %% interval %.3f to %.3f over %d seeds", what, v.Estimate, *v.Low, *v.High, v.N)
		if !(*v.Low > 0) {
			t.Errorf("%s: the interval does not lie above 0", what)
		}
	}
}

// firstMarketSeed is the first of the seeds on which nothing was tuned.
const firstMarketSeed = 11
