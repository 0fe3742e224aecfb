package agents_test

import (
	"flag"
	"fmt"
	"math"
	"slices"
	"testing"

	"taolab/agents/score"
	"taolab/model/lm"
	"taolab/model/num"
	"taolab/model/pile"
	"taolab/model/token"
)

var routing = flag.Int("routing", 0, "markets to compare ways of routing in, each 40 s of a core")

// The population of the experiment: six specialists of each of four subsets and eight generalists, all of
// one shape, which continue to train while a validator asks them.
const (
	marketSteps = 900 // of the validator: six hours of 24 s
	marketRows  = 16
	marketCols  = 24
	perSubset   = 6
	generalists = 8
	rowPeers    = 8 // who are asked a row
	inTurn      = 2 // of these, chosen in turn
	heldOutRows = 800
)

var marketSubsets = []string{"Github", "DM Mathematics", "Ubuntu IRC", "EuroParl"}

// questions are rows of text, the subset of each, and what every miner reached on it.
type questions struct {
	tokens  []uint16
	labels  []uint16
	targets []float32 // [rows x miners]
}

type market struct {
	miners  []int       // the subset that each knows, or -1
	steps   []questions // what a validator asks
	heldOut questions   // what decides, by the miners of the last step
	vocab   int
	base    *lm.Model // trained beforehand, in the router's shape
	seed    uint64
}

func newMarket(t *testing.T, seed uint64) *market {
	store := marketText(t, seed)
	m := &market{vocab: store.Vocab(), seed: seed}
	for i := range marketSubsets {
		m.miners = append(m.miners, slices.Repeat([]int{i}, perSubset)...)
	}
	m.miners = append(m.miners, slices.Repeat([]int{-1}, generalists)...)

	all, each := mixes(t, store, pile.Train)
	shape := lm.Config{Vocab: m.vocab, Context: 32, Width: 32, Layers: 1, Heads: 2}
	m.base = trained(lm.New(shape, num.NewStream(seed, "router")), new(lm.AdamState), all, 800, 16, 24, 6e-3,
		num.NewStream(seed, "router's text"))
	shape.Width, shape.Layers = 28, 2
	base := trained(lm.New(shape, num.NewStream(seed, "base")), new(lm.AdamState), all, 1000, 16, 32, 6e-3,
		num.NewStream(seed, "base's text"))
	models, states := make([]*lm.Model, len(m.miners)), make([]lm.AdamState, len(m.miners))
	visits := make([]*num.Stream, len(m.miners))
	for u := range models {
		models[u], visits[u] = base.Clone(), num.NewStream(seed, fmt.Sprint("miner", u))
	}
	_, scoring := mixes(t, store, pile.Score)
	asks, scale := num.NewStream(seed, "questions"), score.LossScale(store.BytesPerToken())
	for range marketSteps {
		for u, subset := range m.miners {
			text := all
			if subset >= 0 {
				text = each[subset]
			}
			trained(models[u], &states[u], text, 2, 8, 32, 1e-3, visits[u])
		}
		m.steps = append(m.steps, ask(scoring, drawLabels(store, asks), models, scale, asks))
	}
	var labels []uint16
	for row := range heldOutRows {
		labels = append(labels, uint16(row%len(marketSubsets)))
	}
	_, held := mixes(t, store, pile.HeldOut)
	m.heldOut = ask(held, labels, models, scale, asks)
	return m
}

func marketText(t *testing.T, seed uint64) *pile.Store {
	corpus, err := pile.NewSynthetic(seed, 6e6, marketSubsets)
	if err != nil {
		t.Fatal(err)
	}
	sample, err := pile.Sample(corpus, 1e6)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := token.Train(sample, 512)
	if err != nil {
		t.Fatal(err)
	}
	store, err := pile.Build(corpus, tok)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// mixes are the text of a split by the corpus' weights, and that of each subset.
func mixes(t *testing.T, store *pile.Store, split pile.Split) (all *pile.Mix, each []*pile.Mix) {
	for i := -1; i < len(marketSubsets); i++ {
		weights := store.Weights()
		for k := range weights {
			if i >= 0 && k != i {
				weights[k] = 0
			}
		}
		mix, err := store.NewMix(split, weights)
		if err != nil {
			t.Fatal(err)
		}
		each = append(each, mix)
	}
	return each[0], each[1:]
}

// drawLabels draws the subset of each row of a validator's batch.
func drawLabels(store *pile.Store, s *num.Stream) (labels []uint16) {
	var cumulative []float64
	sum := 0.0
	for _, weight := range store.Weights() {
		sum += weight
		cumulative = append(cumulative, sum)
	}
	for range marketRows {
		labels = append(labels, uint16(s.Pick(cumulative)))
	}
	return labels
}

var work lm.Workspace

func trained(m *lm.Model, st *lm.AdamState, text *pile.Mix, steps, rows, cols int, rate float32,
	s *num.Stream) *lm.Model {
	o := lm.AdamW{Rate: rate, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, WeightDecay: 0.01, ClipNorm: 1}
	tokens, targets := make([]uint16, rows*cols), make([]uint16, rows*cols)
	for range steps {
		text.Batch(s, rows, cols, tokens, targets)
		work.Train(m, o, st, tokens, targets, rows, cols)
	}
	return m
}

// ask draws a row of each label's subset and measures every miner on the token that follows it.
func ask(mixes []*pile.Mix, labels []uint16, models []*lm.Model, scale float64, s *num.Stream) questions {
	q := questions{labels: labels}
	var next []uint16
	tokens, targets := make([]uint16, marketCols), make([]uint16, marketCols)
	for _, label := range labels {
		mixes[label].Batch(s, 1, marketCols, tokens, targets)
		q.tokens = append(q.tokens, tokens...)
		next = append(next, targets[marketCols-1])
	}
	q.targets = make([]float32, len(labels)*len(models))
	for u, m := range models {
		probs := work.Next(m, q.tokens, len(labels), marketCols)
		for row, target := range next {
			loss := -num.Log(float64(probs[row*m.Config.Vocab+int(target)]) + 1e-40)
			q.targets[row*len(models)+u] = float32(score.RoutingTarget(loss * scale))
		}
	}
	return q
}

// A gate scores all miners on every row and learns from the rows and miners that were asked.
type gate interface {
	scores(tokens []uint16, rows int) []float32
	learn(q questions, asked []lm.RowPair)
}

// byRow is the row router with its table of means.
type byRow struct {
	router     *lm.RowRouter
	adam       lm.RowAdam
	labels     bool
	sum, count []float64 // [miners x subsets] of targets, with a memory of about 100 answers
}

func newByRow(trunk *lm.Model, miners int, labels bool) *byRow {
	subsets := 0
	if labels {
		subsets = len(marketSubsets)
	}
	cells := miners * len(marketSubsets)
	return &byRow{router: lm.NewRowRouter(trunk, miners, subsets), labels: labels,
		sum: make([]float64, cells), count: make([]float64, cells)}
}

// means shrinks a miner's mean on a subset to its mean on all, and that to the mean of all miners.
func (g *byRow) means() []float32 {
	if !g.labels {
		return nil
	}
	s := len(marketSubsets)
	overall, n := total(g.sum), total(g.count)
	overall = (overall + 0.5) / (n + 1)
	means := make([]float32, len(g.sum))
	for u := 0; u < len(means); u += s {
		mean := (total(g.sum[u:u+s]) + 8*overall) / (total(g.count[u:u+s]) + 8)
		for k := u; k < u+s; k++ {
			means[k] = float32((g.sum[k] + 4*mean) / (g.count[k] + 4))
		}
	}
	return means
}

func total(x []float64) (sum float64) {
	for _, v := range x {
		sum += v
	}
	return sum
}

func (g *byRow) scores(tokens []uint16, rows int) []float32 {
	scores := make([]float32, rows*len(g.router.Bias))
	work.RouteRows(g.router, tokens, rows, marketCols, g.means(), scores)
	return scores
}

func (g *byRow) learn(q questions, asked []lm.RowPair) {
	labels := q.labels
	if !g.labels {
		labels = nil
	}
	work.TrainRows(g.router, lm.DefaultRowTraining, &g.adam, q.tokens, len(q.labels), marketCols, labels, g.means(), asked)
	for _, p := range asked {
		k := int(p.UID)*len(marketSubsets) + int(q.labels[p.Row])
		g.sum[k], g.count[k] = 0.99*g.sum[k]+float64(p.Target), 0.99*g.count[k]+1
	}
}

// byBatch is the router of 2022: one score a batch, whose target is the mean over the rows.
type byBatch struct {
	router *lm.Router
	state  lm.RouterState
}

func (g *byBatch) scores(tokens []uint16, rows int) []float32 {
	n := len(g.router.Bias)
	scores := make([]float32, rows*n)
	for row := range rows {
		work.Route(g.router, tokens[row*marketCols:(row+1)*marketCols], 1, marketCols, scores[row*n:(row+1)*n])
	}
	return scores
}

func (g *byBatch) learn(q questions, asked []lm.RowPair) {
	n := len(g.router.Bias)
	sum, count := make([]float32, n), make([]float32, n)
	for _, p := range asked {
		sum[p.UID], count[p.UID] = sum[p.UID]+p.Target, count[p.UID]+1
	}
	var uids []uint16
	var targets []float32
	for u, c := range count {
		if c > 0 {
			uids, targets = append(uids, uint16(u)), append(targets, sum[u]/c)
		}
	}
	o := lm.RouterTraining{SGD: lm.SGD{Rate: 0.1, Momentum: 0.8, ClipNorm: 1}, Batches: 3}
	work.TrainRouter(g.router, o, &g.state, q.tokens, len(q.labels), marketCols, uids, targets)
}

// live lets a gate choose among uids, which take the miners in turn, and learn for a number of steps. It
// returns by subset what share of the uids that the gate named know it.
func (m *market) live(g gate, uids, from, to int) (share []float64) {
	n := len(m.miners)
	lots := num.NewStream(m.seed, fmt.Sprint("noise", from))
	known, all := make([]float64, len(marketSubsets)), make([]float64, len(marketSubsets))
	for step := from; step < to; step++ {
		q := m.steps[step]
		scores := g.scores(q.tokens, marketRows)
		var asked []lm.RowPair
		for row, label := range q.labels {
			chosen := []int{(inTurn * step) % uids, (inTurn*step + 1) % uids}
			for _, u := range named(scores[row*uids:(row+1)*uids], 0.1, lots) {
				if len(chosen) == rowPeers {
					break
				}
				if !slices.Contains(chosen, u) {
					chosen = append(chosen, u)
					all[label]++
					if m.knows(u, label) {
						known[label]++
					}
				}
			}
			for _, u := range chosen {
				asked = append(asked, lm.RowPair{Row: row, UID: uint16(u), Target: q.targets[row*n+u%n]})
			}
		}
		g.learn(q, asked)
	}
	for i := range known {
		share = append(share, known[i]/all[i])
	}
	return share
}

// knows reports whether a uid is a specialist of a subset. On code generalists are nearly as good.
func (m *market) knows(uid int, subset uint16) bool {
	miner := m.miners[uid%len(m.miners)]
	return miner == int(subset) || subset == 0 && miner < 0
}

// named orders the miners by their scores on a row plus noise in units of the scores' deviation.
func named(scores []float32, noise float64, lots *num.Stream) []int {
	mean, square := 0.0, 0.0
	for _, s := range scores {
		mean += float64(s) / float64(len(scores))
	}
	for _, s := range scores {
		square += (float64(s) - mean) * (float64(s) - mean) / float64(len(scores))
	}
	bids, order := make([]float64, len(scores)), make([]int, len(scores))
	for u, s := range scores {
		bids[u], order[u] = float64(s), u
		if noise > 0 {
			bids[u] += noise * math.Sqrt(square) * lots.Normal()
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case bids[a] > bids[b]:
			return -1
		case bids[a] < bids[b]:
			return 1
		}
		return 0
	})
	return order
}

// verdict is how well a gate knows the held-out rows.
type verdict struct {
	share             []float64 // by subset: of the six named, those that know it
	corr, err, choice float64
}

func (v verdict) String() string {
	return fmt.Sprintf("%.2f corr %.2f err %.2f choice %.2f", v.share, v.corr, v.err, v.choice)
}

// judge: corr is the correlation of score and target within a miner, err the squared error over that of one
// constant per miner, choice the correlation without the means of miners and of rows, subsets alike.
func (m *market) judge(g gate) verdict {
	n, q := len(m.miners), m.heldOut
	rows := len(q.labels)
	scores := g.scores(q.tokens, rows)
	v := verdict{share: make([]float64, len(marketSubsets))}
	for row, label := range q.labels {
		for _, u := range named(scores[row*n:(row+1)*n], 0, nil)[:rowPeers-inTurn] {
			if m.knows(u, label) {
				v.share[label] += float64(len(marketSubsets)) / float64(rows*(rowPeers-inTurn))
			}
		}
	}
	off := 0.0
	for i, s := range scores {
		d := float64(s - q.targets[i])
		off += d * d
	}
	score, target := centred(scores, n, false), centred(q.targets, n, false)
	v.corr, v.err = correlation(score, target), off/dot(target, target)
	v.choice = correlation(centred(scores, n, true), centred(q.targets, n, true))
	return v
}

// centred takes the means of the columns off x [rows x n], and of the rows if byRow.
func centred(x []float32, n int, byRow bool) []float64 {
	y, columns := make([]float64, len(x)), make([]float64, n)
	for i, v := range x {
		y[i] = float64(v)
		columns[i%n] += float64(v) * float64(n) / float64(len(x))
	}
	for i := range y {
		y[i] -= columns[i%n]
	}
	for from := 0; byRow && from < len(y); from += n {
		mean := total(y[from:from+n]) / float64(n)
		for i := range n {
			y[from+i] -= mean
		}
	}
	return y
}

func dot(x, y []float64) (sum float64) {
	for i, v := range x {
		sum += v * y[i]
	}
	return sum
}

func correlation(x, y []float64) float64 { return dot(x, y) / math.Sqrt(dot(x, x)*dot(y, y)) }

// A gate that reads a bag of embeddings names the specialists of rare subsets; one score a batch does not.
// The log shows what the held-out rows say after 300 and 900 steps.
func TestTheGateNamesSpecialistsOfRareSubsets(t *testing.T) {
	if *routing == 0 {
		t.Skip("40 s of a core for each market: run with -routing 1, and -v for the table")
	}
	for seed := range uint64(*routing) {
		m := newMarket(t, seed+1)
		t.Logf("market %d: shares of %v", m.seed, marketSubsets)
		m.compare(t)
		for _, uids := range []int{512, 4096} {
			many := newByRow(m.base, uids, true)
			m.live(many, uids, 0, marketSteps/2)
			share := m.live(many, uids, marketSteps/2, marketSteps)
			t.Logf("A, %d uids: %.2f of those named in the second half", uids, share)
			if slices.Min(share) < 0.7 {
				t.Errorf("market %d, %d uids: %.2f of those named know the subset, expected 0.7 at least", m.seed, uids, share)
			}
		}
	}
}

// compare runs every way of routing on the population.
func (m *market) compare(t *testing.T) {
	n := len(m.miners)
	fresh := lm.New(m.base.Config, num.NewStream(m.seed, "fresh"))
	last := map[string]verdict{}
	for _, way := range []struct {
		name string
		gate gate
	}{
		{"A", newByRow(m.base, n, true)},
		{"B: no labels, no table", newByRow(m.base, n, false)},
		{"C: fresh trunk", newByRow(fresh, n, true)},
		{"fresh trunk, no labels", newByRow(fresh, n, false)},
		{"one score a batch", &byBatch{router: lm.NewRouter(m.base.Config, n, num.NewStream(m.seed, "gates"))}},
	} {
		m.live(way.gate, n, 0, 300)
		early := m.judge(way.gate)
		m.live(way.gate, n, 300, marketSteps)
		last[way.name] = m.judge(way.gate)
		t.Logf("%-24s | %v | %v", way.name, early, last[way.name])
	}
	a, old := last["A"], last["one score a batch"]
	if slices.Min(a.share) < 0.8 || a.err > 0.75 || a.choice < 0.5 {
		t.Errorf("market %d: A reached %v, expected shares of 0.8, an error of at most 0.75 and a choice of 0.5", m.seed, a)
	}
	if slices.Min(old.share[1:]) > 0.5 {
		t.Errorf("market %d: one score a batch names the specialists of rare subsets too: the test tells nothing", m.seed)
	}
}
