package scenarios

import (
	"fmt"
	"slices"
	"testing"

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

// asUsed is the mean loss, over the second half of the steps of the market's user, of the averaged prediction
// of the two peers that its gate names.
func asUsed(t *testing.T, mixes mixing, sets ...string) float64 {
	t.Helper()
	g := new(gateStudy)
	network, _ := live(t, "market", trace.Tee(g, mixes), nil, append(sets, "trace.rows=all")...)
	g.keep(network, "user")
	var losses []float64
	for _, d := range g.duels() {
		losses = append(losses, d.named)
	}
	return mean(losses)
}

func TestClaimMinersPartWhereSubsetsArePaidAndStayAlikeWhereBatchesAre(t *testing.T) {
	skipUnlessClaims(t)
	var parts, gains, gainsOnMixture []float64
	for seed := 1; seed <= *seeds; seed++ {
		set := fmt.Sprint("seed=", seed)
		market, mixture := mixing{}, mixing{}
		byMarket := asUsed(t, market, set)
		byMixture := asUsed(t, mixture, set, "validators[0].credit=mixture")
		fixed := asUsed(t, mixing{}, set, "miners[0].decide.mix_rate=0")
		apart, topics := market.largest()
		alike, _ := mixture.largest()
		t.Logf("seed %d: largest share of a mix %.2f on %d subsets under market credit, %.2f under mixture credit; "+
			"loss of the two that the user's gate names %.3f, %.3f under mixture credit, %.3f of fixed mixes",
			seed, apart, topics, alike, byMarket, byMixture, fixed)
		parts, gains, gainsOnMixture = append(parts, apart-alike), append(gains, fixed-byMarket), append(gainsOnMixture, byMixture-byMarket)
		if topics < 4 || alike > 0.3 {
			t.Errorf("seed %d: want every subset to be somebody's largest, and under mixture credit mixes that stay even", seed)
		}
	}
	for _, c := range []struct {
		what string
		x    []float64
	}{{"largest share, market less mixture", parts}, {"loss, fixed mixes less market", gains}, {"loss, mixture less market", gainsOnMixture}} {
		low, high := bootstrap(c.x)
		t.Logf("%s: %.3f, 95 %% interval %.3f to %.3f", c.what, mean(c.x), low, high)
		if !(low > 0) {
			t.Errorf("%s: the interval does not exclude 0", c.what)
		}
	}
}
