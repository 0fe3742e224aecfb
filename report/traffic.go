package report

import (
	"fmt"
	"math"
	"slices"

	"taolab/sim/trace"
)

// The scaling law is cut off at its irreducible loss, in nats per GPT-2-equivalent token: better
// answers than that score alike. A run where more than a few do says little about who is better.
const (
	floorLoss       = float32(1.69)
	floorTouchLimit = 0.01 // share of the scores
)

type queryFacts struct {
	seen                  bool
	fate                  fates
	floored               int // answers whose loss does not lie above the floor
	firstBlock, lastBlock uint64
	loss, lossWindow      mean
	weighted, wWindow     mean
	routing               [timeBins]mean
	routed                bool
	latency               series[float64]
	step                  stepFacts
}

// stepFacts gathers the answers of one step of one validator: rows of a step stand together.
type stepFacts struct {
	node, step  uint32
	within      bool
	route, loss float64 // sum of route, and of route times loss
}

// ability is how well a miner answers about one subset.
type ability struct {
	rows uint64
	loss float64 // sum over rows, nats/token
	gate mean    // by answer
}

// biasFacts compares the mean of scores with the score of the mean loss, in one validator's power.
type biasFacts struct {
	base, equiv mean
}

func (f *findings) addQuery(q trace.Query) error {
	if int(q.Node) >= len(f.nodes) {
		return fmt.Errorf("queries: node %d asked, but the run has %d nodes", q.Node, len(f.nodes))
	}
	s := &f.queries
	if !s.seen {
		s.seen, s.firstBlock = true, q.Block
	}
	s.lastBlock = max(s.lastBlock, q.Block)
	within := f.span.window.holds(q.Block)
	peer := f.at(f.who(q.Peer)).miner
	s.fate.add(q.Code)
	if peer != nil {
		f.askedMiner(peer, q.Block, q.Code)
	}
	if s.step.node != q.Node || s.step.step != q.Step {
		s.closeStep()
		s.step = stepFacts{node: q.Node, step: q.Step, within: within}
	}
	v := f.seat[q.Node].validator
	if v != nil {
		v.fate.add(q.Code)
	}
	if q.Code != success {
		return nil
	}
	if value(q.EquivLoss) <= float64(floorLoss) {
		s.floored++
	}
	latency := float64(q.LatencyNs) / 1e9
	s.latency.add(latency)
	if v != nil {
		v.latency.add(latency)
		v.party.latency.add(latency)
		v.loss.add(value(q.Loss))
	}
	s.loss.add(value(q.Loss))
	if within {
		s.lossWindow.add(value(q.Loss))
	}
	if loss := value(q.Route) * value(q.Loss); finite(loss) {
		s.step.route += value(q.Route)
		s.step.loss += loss
	}
	s.routed = s.routed || q.RoutingLoss != nil
	s.routing[f.span.bin(q.Block)].add(value(q.RoutingLoss))
	if peer != nil && within && q.Base != nil && f.powers[q.Node] == f.power {
		peer.bias.base.add(value(q.Base))
		peer.bias.equiv.add(value(q.EquivLoss))
	}
	return nil
}

// value is a column's value; not a number where it has none.
func value[T float32 | float64](x *T) float64 {
	if x == nil {
		return math.NaN()
	}
	return float64(*x)
}

// askedMiner counts a question to a miner and the blocks since the one before.
func (f *findings) askedMiner(m *miner, block uint64, code string) {
	since := max(f.queries.firstBlock, m.seats.from)
	if m.fate.asked > 0 {
		since = m.lastAsked
	}
	if block > since {
		m.gap = max(m.gap, block-since)
	}
	m.lastAsked = max(since, block)
	m.fate.add(code)
}

// closeGaps counts the time from each miner's last question to the end, its own or the run's.
func (f *findings) closeGaps() {
	for _, m := range f.miners {
		end := f.queries.lastBlock
		if m.seats.ended {
			end = min(end, m.seats.until)
		}
		since := max(f.queries.firstBlock, m.seats.from)
		if m.fate.asked > 0 {
			since = m.lastAsked
		} else if !m.node.HasUID && !m.seats.known {
			continue // never seated
		}
		if end > since {
			m.gap = max(m.gap, end-since)
		}
	}
}

func (s *queryFacts) closeStep() {
	if s.step.route <= 0 {
		return
	}
	loss := s.step.loss / s.step.route
	s.weighted.add(loss)
	if s.step.within {
		s.wWindow.add(loss)
	}
	s.step.route = 0
}

func (f *findings) addAnswer(a trace.Answer) error {
	if int(a.Node) >= len(f.nodes) {
		return fmt.Errorf("answers: node %d asked, but the run has %d nodes", a.Node, len(f.nodes))
	}
	if !f.span.window.holds(a.Block) {
		return nil
	}
	peer := f.at(f.who(a.Peer)).miner
	if a.Lane == trace.ServiceLane {
		f.chooses(a.Subset, uint64(a.Rows), peer)
		return nil
	}
	if peer != nil {
		f.able(peer, a.Subset, uint64(a.Rows), value(a.Loss), value(a.Gate))
	}
	return nil
}

// able counts rows of a subset that a miner answered in the scoring lane.
func (f *findings) able(m *miner, subset string, rows uint64, loss, gate float64) {
	i := f.subset(subset)
	if len(m.ability) <= i {
		m.ability = append(m.ability, make([]ability, i+1-len(m.ability))...)
	}
	a := &m.ability[i]
	if finite(loss) && rows > 0 {
		a.rows += rows
		a.loss += loss * float64(rows)
	}
	a.gate.add(gate)
}

// choiceFacts counts, within the window, whom the gates chose for the rows of each subset.
type choiceFacts struct {
	rows    [][]uint64 // by subset and group of miners
	total   []uint64   // by subset, asked of others too
	special []uint64   // by subset, asked of miners that train on it and not on all
	chance  []float64  // by subset, rows that a blind choice would ask of those
}

// chooses counts rows of the service lane.
func (f *findings) chooses(subset string, rows uint64, peer *miner) {
	c, i := &f.choice, f.subset(subset)
	for len(c.rows) <= i {
		c.rows = append(c.rows, make([]uint64, len(f.parties)))
		c.total, c.special, c.chance = append(c.total, 0), append(c.special, 0), append(c.chance, f.specialists(len(c.rows)-1))
	}
	c.total[i] += rows
	if peer == nil {
		return
	}
	c.rows[i][slices.Index(f.parties, peer.party)] += rows
	if slices.Contains(peer.node.Data, subset) {
		c.special[i] += rows
	}
}

// specialists is the share of miners that train on a subset by name.
func (f *findings) specialists(subset int) float64 {
	n := 0
	for _, m := range f.miners {
		if slices.Contains(m.node.Data, f.subsets[subset]) {
			n++
		}
	}
	return float64(n) / float64(max(len(f.miners), 1))
}

func (f *findings) addApplication(a trace.Application) error {
	if int(a.Node) >= len(f.nodes) {
		return fmt.Errorf("applications: node %d, but %s lists %d nodes", a.Node, ManifestFile, len(f.nodes))
	}
	c := f.seat[a.Node].caller
	if c == nil {
		return fmt.Errorf("applications: node %d is a %s in %s", a.Node, f.nodes[a.Node].Kind, ManifestFile)
	}
	c.stake = a.StakeRao
	c.fate.add(a.Code)
	if token := (tokenFacts{true, a.Session, a.Position}); token != c.token {
		if c.token = token; a.EnsembleLoss != nil {
			c.ensemble.add(value(a.EnsembleLoss))
		}
	}
	if a.Code == success {
		latency := float64(a.LatencyNs) / 1e9
		c.latency.add(latency)
		c.party.latency.add(latency)
		c.loss.add(value(a.Loss))
	}
	return nil
}
