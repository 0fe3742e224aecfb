package report

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"taolab/sim/trace"
)

// Limits of what is held in memory of one run, whatever its length.
const (
	maxCurve  = 512    // points of one neuron's curve
	maxBlocks = 2_000  // points of the supply curve
	maxSample = 50_000 // latencies of one caller
	timeBins  = 40     // of a run's time, for means over time
)

// The scaling law is cut off at its irreducible loss, in nats per GPT-2-equivalent token: better
// answers than that score alike. A run where more than a few do says little about who is better.
const (
	floorLoss       = float32(1.69)
	floorTouchLimit = 0.01 // share of the scores
)

// findings is what one pass over each table leaves: all that summary and figures are made of.
type findings struct {
	run    *Run
	miners []*miner     // in uid order
	voters []*validator // in uid order
	byUID  map[uint16]*miner
	voter  map[uint16]*validator

	epochs    int
	lastEpoch uint32
	weights   []trace.Weight // of the last epoch recorded
	bonds     []trace.Bond

	blocks     series[trace.Block]
	ledger     trace.Totals // last row
	ledgerRows int
	worstRao   int64 // largest difference between minted money and where it is

	queries queryFacts
	callers []*caller // applications, in node order
	faults  []faultCount
}

// miner is what the tables say of one miner.
type miner struct {
	node      Node
	curve     series[trace.Train]
	first     float64 // loss at the first measurement
	loss      float64 // loss at the last measurement
	measured  bool
	incentive uint16 // at the last epoch
	ranked    bool   // it was there at the last epoch
	emission  uint64 // rao, over the recorded epochs
	asked     int
	answered  int
	lastAsked uint64
	gap       uint64 // most blocks between two askings
}

// validator is what the tables say of one validator.
type validator struct {
	caller
	curve    series[trace.Epoch]
	emission uint64
}

// caller is what somebody that asks has met.
type caller struct {
	node     Node
	stake    uint64
	requests int
	admitted int
	answered int
	latency  series[float64] // s, of answers
	loss     mean            // over answers, nats/token
	token    tokenFacts      // of an application: the last one asked for
	ensemble mean            // over tokens, nats/token
}

// tokenFacts names a token of a continuation: the rows of a token stand together.
type tokenFacts struct {
	seen              bool
	session, position uint32
}

type queryFacts struct {
	rows, answered  int
	floored         int // answers whose loss does not lie above the floor
	firstBlock      uint64
	lastBlock       uint64
	loss, lossLate  mean
	weighted, wLate mean
	routing         [timeBins]mean
	routed          bool
	latency         series[float64]
	step            stepFacts
}

// stepFacts gathers the answers of one step of one validator: rows of a step stand together.
type stepFacts struct {
	validator   uint16
	step        uint32
	late        bool
	route, loss float64 // sum of route, and of route times loss
}

type mean struct {
	sum float64
	n   int
}

func (m *mean) add(v float64) {
	if finite(v) {
		m.sum += v
		m.n++
	}
}

func (m *mean) merge(o mean)  { m.sum, m.n = m.sum+o.sum, m.n+o.n }
func (m mean) value() float64 { return m.sum / float64(m.n) } // NaN when empty

type faultCount struct {
	Kind  string `json:"kind"`
	Count int    `json:"count"`
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// gather reads every table of the run once.
func gather(r *Run) (*findings, error) {
	f := &findings{run: r, byUID: make(map[uint16]*miner), voter: make(map[uint16]*validator)}
	f.blocks.limit = maxBlocks
	f.queries.latency.limit = maxSample
	f.seat()
	passes := []error{
		pass(r, f.addEpoch), pass(r, f.addWeight), pass(r, f.addBond), pass(r, f.addTrain),
		pass(r, f.addBlock), pass(r, f.addTotals), pass(r, f.addQuery),
		pass(r, f.addApplication), pass(r, f.addFault),
	}
	f.queries.closeStep()
	for _, m := range f.miners {
		if m.asked > 0 {
			m.gap = max(m.gap, f.queries.lastBlock-m.lastAsked)
		} else {
			m.gap = f.queries.lastBlock - f.queries.firstBlock
		}
	}
	return f, errors.Join(passes...)
}

// pass reads one table; one that was not recorded leaves its findings empty.
func pass[T trace.Row](r *Run, add func(T) error) error {
	err := Rows(r, add)
	if errors.Is(err, ErrNoTable) {
		return nil
	}
	return err
}

// seat makes a place for every node of the manifest.
func (f *findings) seat() {
	for _, n := range f.run.Manifest.Nodes {
		switch {
		case n.Kind == KindMiner && n.HasUID:
			m := &miner{node: n}
			m.curve.limit = maxCurve
			f.miners, f.byUID[n.UID] = append(f.miners, m), m
		case n.Kind == KindValidator && n.HasUID:
			v := &validator{caller: caller{node: n, stake: n.StakeRao}}
			v.curve.limit, v.latency.limit = maxCurve, maxSample
			f.voters, f.voter[n.UID] = append(f.voters, v), v
		case n.Kind == KindApplication:
			c := &caller{node: n, stake: n.StakeRao}
			c.latency.limit = maxSample
			f.callers = append(f.callers, c)
		}
	}
	slices.SortFunc(f.miners, func(a, b *miner) int { return int(a.node.UID) - int(b.node.UID) })
	slices.SortFunc(f.voters, func(a, b *validator) int { return int(a.node.UID) - int(b.node.UID) })
}

func (f *findings) addEpoch(e trace.Epoch) error {
	if f.epochs == 0 || e.Epoch != f.lastEpoch {
		f.epochs++
		f.lastEpoch = e.Epoch
		for _, m := range f.miners {
			m.ranked = false
		}
	}
	if m := f.byUID[e.UID]; m != nil {
		m.incentive, m.ranked = e.Incentive, true
		m.emission += e.EmissionRao
	}
	if v := f.voter[e.UID]; v != nil {
		v.curve.add(e)
		v.emission += e.EmissionRao
	}
	return nil
}

func (f *findings) addWeight(w trace.Weight) error {
	if len(f.weights) > 0 && f.weights[0].Epoch != w.Epoch {
		f.weights = f.weights[:0]
	}
	f.weights = append(f.weights, w)
	return nil
}

func (f *findings) addBond(b trace.Bond) error {
	if len(f.bonds) > 0 && f.bonds[0].Epoch != b.Epoch {
		f.bonds = f.bonds[:0]
	}
	f.bonds = append(f.bonds, b)
	return nil
}

// success is the return code of an answer that could be read.
const success = "Success"

// value is a column's value; not a number where it has none.
func value(x *float32) float64 {
	if x == nil {
		return math.NaN()
	}
	return float64(*x)
}

// allSubsets is the name under which a miner's mean over subsets is recorded.
const allSubsets = "all"

func (f *findings) addTrain(t trace.Train) error {
	if t.UID == nil {
		return nil
	}
	m := f.byUID[*t.UID]
	if m == nil || t.Subset != allSubsets || !finite(float64(t.HeldOutLoss)) {
		return nil
	}
	if !m.measured {
		m.measured, m.first = true, float64(t.HeldOutLoss)
	}
	m.loss = float64(t.HeldOutLoss)
	m.curve.add(t)
	return nil
}

func (f *findings) addBlock(b trace.Block) error {
	f.blocks.add(b)
	return nil
}

func (f *findings) addTotals(t trace.Totals) error {
	f.ledger = t
	f.ledgerRows++
	if d := unaccounted(t); abs(d) > abs(f.worstRao) {
		f.worstRao = d
	}
	return nil
}

// unaccounted is minted money less all the places where it can be, in rao: 0 in a sound ledger.
func unaccounted(t trace.Totals) int64 {
	places := t.FreeRao + t.StakedRao + t.PendingRao + t.BurnedRao + t.DustRao + t.UnallocatedRao
	return int64(t.MintedRao - places)
}

func abs(v int64) int64 { return max(v, -v) }

func (f *findings) addQuery(q trace.Query) error {
	s := &f.queries
	if s.rows == 0 {
		s.firstBlock = q.Block
	}
	s.rows++
	s.lastBlock = max(s.lastBlock, q.Block)
	f.askedMiner(q)
	end := f.run.Manifest.VirtualNs
	late := q.TimeNs >= end-end/4
	if s.step.validator != q.Validator || s.step.step != q.Step {
		s.closeStep()
		s.step = stepFacts{validator: q.Validator, step: q.Step, late: late}
	}
	v := f.voter[q.Validator]
	if v != nil {
		v.requests++
	}
	if q.Code != success {
		return nil
	}
	s.answered++
	if value(q.EquivLoss) <= float64(floorLoss) {
		s.floored++
	}
	latency := float64(q.LatencyNs) / 1e9
	s.latency.add(latency)
	if v != nil {
		v.admitted++
		v.answered++
		v.latency.add(latency)
		v.loss.add(value(q.Loss))
	}
	s.loss.add(value(q.Loss))
	if late {
		s.lossLate.add(value(q.Loss))
	}
	if loss := value(q.Route) * value(q.Loss); finite(loss) {
		s.step.route += value(q.Route)
		s.step.loss += loss
	}
	s.routed = s.routed || q.RoutingLoss != nil
	s.routing[f.bin(q.TimeNs)].add(value(q.RoutingLoss))
	return nil
}

// askedMiner counts a question to a miner and the blocks since the one before.
func (f *findings) askedMiner(q trace.Query) {
	m := f.byUID[q.UID]
	if m == nil {
		return
	}
	since := f.queries.firstBlock
	if m.asked > 0 {
		since = m.lastAsked
	}
	if q.Block > since {
		m.gap = max(m.gap, q.Block-since)
	}
	m.asked++
	m.lastAsked = max(since, q.Block)
	if q.Code == success {
		m.answered++
	}
}

func (s *queryFacts) closeStep() {
	if s.step.route <= 0 {
		return
	}
	loss := s.step.loss / s.step.route
	s.weighted.add(loss)
	if s.step.late {
		s.wLate.add(loss)
	}
	s.step.route = 0
}

// bin is the place of a time among timeBins equal parts of the run.
func (f *findings) bin(timeNs int64) int {
	end := f.run.Manifest.VirtualNs
	if end <= 0 {
		return 0
	}
	return min(max(int(float64(timeNs)/float64(end)*timeBins), 0), timeBins-1)
}

func (f *findings) addApplication(a trace.Application) error {
	nodes := f.run.Manifest.Nodes
	if int(a.Node) >= len(nodes) {
		return fmt.Errorf("applications: peer %d, but %s lists %d nodes", a.Node, ManifestFile, len(nodes))
	}
	i, ok := slices.BinarySearchFunc(f.callers, int(a.Node), func(c *caller, peer int) int {
		return c.node.Index - peer
	})
	if !ok {
		return fmt.Errorf("applications: peer %d is a %s in %s", a.Node, nodes[a.Node].Kind, ManifestFile)
	}
	c := f.callers[i]
	c.stake = a.StakeRao
	c.requests++
	if token := (tokenFacts{true, a.Session, a.Position}); token != c.token {
		if c.token = token; a.EnsembleLoss != nil {
			c.ensemble.add(value(a.EnsembleLoss))
		}
	}
	if a.Admitted != nil && *a.Admitted {
		c.admitted++
	}
	if a.Code == success {
		c.answered++
		c.latency.add(float64(a.LatencyNs) / 1e9)
		c.loss.add(value(a.Loss))
	}
	return nil
}

func (f *findings) addFault(fault trace.Fault) error {
	for i := range f.faults {
		if f.faults[i].Kind == fault.Kind {
			f.faults[i].Count++
			return nil
		}
	}
	f.faults = append(f.faults, faultCount{fault.Kind, 1})
	return nil
}
