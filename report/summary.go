package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Summary holds the numbers of one run. A section that the recorded tables say nothing of is nil or
// empty; no number in it is NaN.
type Summary struct {
	Name             string  `json:"name"`
	Seed             uint64  `json:"seed"`
	RunDigest        string  `json:"run_digest"`
	Interrupted      bool    `json:"interrupted"`
	Miners           int     `json:"miners"`
	Validators       int     `json:"validators"`
	Applications     int     `json:"applications"`
	Blocks           uint64  `json:"blocks"`
	Epochs           int     `json:"epochs"` // recorded ones
	SimulatedSeconds float64 `json:"simulated_seconds"`
	WallSeconds      float64 `json:"wall_seconds"`
	Events           uint64  `json:"events"`
	FLOP             uint64  `json:"flop"`

	Loss         *LossSummary        `json:"loss,omitempty"`
	Correlations []Correlation       `json:"correlations,omitempty"`
	Behaviours   []BehaviourSummary  `json:"behaviours,omitempty"` // honest miners first
	Supply       *SupplySummary      `json:"supply,omitempty"`
	Dividends    []DividendSummary   `json:"dividends,omitempty"`
	Queries      *QuerySummary       `json:"queries,omitempty"`
	Routing      *RoutingSummary     `json:"routing,omitempty"`
	Use          *ApplicationSummary `json:"applications_use,omitempty"`
	Asked        []AskedSummary      `json:"asked,omitempty"` // miners by uid
	Faults       []faultCount        `json:"faults,omitempty"`
	Warnings     []string            `json:"warnings,omitempty"`
}

// LossSummary is held-out loss in nats/token over all measured miners.
type LossSummary struct {
	Miners      int      `json:"miners"`
	FirstMedian float64  `json:"first_median"` // at each miner's first measurement
	Median      Interval `json:"median"`       // at each miner's last
	Low         float64  `json:"q25"`
	High        float64  `json:"q75"`
	Base        float64  `json:"base"`   // median over miners of the base model of their shape; 0: unknown
	Bigram      float64  `json:"bigram"` // 0: unknown
}

// Correlation is Spearman's correlation of final held-out loss with final incentive in a group of
// miners: negative where better models earn more.
type Correlation struct {
	Group    string   `json:"group"` // all, honest, or honest miners of one shape such as 32x2
	Miners   int      `json:"miners"`
	Spearman Interval `json:"spearman"`
}

// BehaviourSummary is what miners of one behaviour got.
type BehaviourSummary struct {
	Behaviour string   `json:"behaviour"`
	Miners    int      `json:"miners"`
	Incentive float64  `json:"incentive"`       // median share of a miner at the last epoch
	Ratio     *float64 `json:"ratio,omitempty"` // of Incentive to that of honest miners

	// PeerRatio compares like with like: the median of each miner's incentive over the median of
	// honest miners with a model of the same shape.
	PeerRatio *float64 `json:"peer_ratio,omitempty"`
	Loss      *float64 `json:"loss,omitempty"` // median at the end, nats/token
}

// SupplySummary is where all minted money is at the end, in rao.
type SupplySummary struct {
	MintedRao      uint64 `json:"minted_rao"`
	FreeRao        uint64 `json:"free_rao"`
	StakedRao      uint64 `json:"staked_rao"`
	PendingRao     uint64 `json:"pending_rao"`
	BurnedRao      uint64 `json:"burned_rao"`
	DustRao        uint64 `json:"dust_rao"`
	UnallocatedRao uint64 `json:"unallocated_rao"`
	DifferenceRao  int64  `json:"difference_rao"` // the largest over all recorded blocks; 0 is sound
}

// DividendSummary is what one validator earned.
type DividendSummary struct {
	UID       uint16  `json:"uid"`
	Name      string  `json:"name"`
	Behaviour string  `json:"behaviour"`
	StakeRao  uint64  `json:"stake_rao"` // after the last epoch
	Dividends float64 `json:"dividends"` // share at the last epoch
	Trust     float64 `json:"trust"`     // validator trust at the last epoch
	EarnedRao uint64  `json:"earned_rao"`
	Return    float64 `json:"return"` // earned over stake at genesis
}

// QuerySummary is about the validators' questions. Losses are of successes, in nats/token. The
// weighted loss weighs the answers of a step by the gate's scores; late is the last quarter of time.
type QuerySummary struct {
	Count          int      `json:"count"`
	Success        float64  `json:"success"` // share
	LatencyMedianS float64  `json:"latency_median_s"`
	LatencyHighS   float64  `json:"latency_p95_s"`
	Loss           *float64 `json:"loss,omitempty"`
	LossLate       *float64 `json:"loss_late,omitempty"`
	WeightedLoss   *float64 `json:"weighted_loss,omitempty"`
	WeightedLate   *float64 `json:"weighted_loss_late,omitempty"`
	FloorTouch     float64  `json:"floor_touch"`    // share of successes at or under the 1.69 floor
	MaxGapBlocks   uint64   `json:"max_gap_blocks"` // longest that any miner went unasked
}

// RoutingSummary is the mean of the gate's squared error per answer in the first and the last tenth
// of the time.
type RoutingSummary struct {
	First float64 `json:"first"`
	Last  float64 `json:"last"`
}

// ApplicationSummary is about the requests of applications.
type ApplicationSummary struct {
	Requests       int      `json:"requests"`
	Admitted       float64  `json:"admitted"` // share
	LatencyMedianS *float64 `json:"latency_median_s,omitempty"`
	Loss           *float64 `json:"loss,omitempty"`            // nats/token over answers
	EnsembleLoss   *float64 `json:"ensemble_loss,omitempty"`   // nats/token over tokens, of the mean of the answers
	StakeAdmission *float64 `json:"stake_admission,omitempty"` // Spearman over applications
	StakeLatency   *float64 `json:"stake_latency,omitempty"`   // Spearman of stake and median latency
}

// AskedSummary counts the questions that one miner was asked.
type AskedSummary struct {
	UID       uint16 `json:"uid"`
	Asked     int    `json:"asked"`
	Answered  int    `json:"answered"`
	GapBlocks uint64 `json:"gap_blocks"` // longest time without being asked
}

// Summarise reads a run's tables once each and sums them up.
func Summarise(r *Run) (*Summary, error) {
	f, err := gather(r)
	if err != nil {
		return nil, err
	}
	return f.summary(), nil
}

func (f *findings) summary() *Summary {
	m := &f.run.Manifest
	return &Summary{
		Name: m.Name, Seed: m.Seed, RunDigest: m.RunDigest, Interrupted: m.Interrupted,
		Miners: len(f.miners), Validators: len(f.voters), Applications: len(f.callers),
		Blocks: m.Blocks, Epochs: f.epochs, SimulatedSeconds: float64(m.VirtualNs) / 1e9,
		WallSeconds: m.WallSeconds, Events: m.Events, FLOP: m.FLOP,
		Loss: f.lossSummary(), Correlations: f.correlations(), Behaviours: f.behaviours(),
		Supply: f.supply(), Dividends: f.dividends(), Queries: f.querySummary(),
		Routing: f.routing(), Use: f.use(), Asked: f.askings(), Faults: f.faults,
		Warnings: f.warnings(),
	}
}

func (f *findings) lossSummary() *LossSummary {
	var first, last, base []float64
	for _, m := range f.miners {
		if !m.measured {
			continue
		}
		first, last = append(first, m.first), append(last, m.loss)
		if b, ok := f.baseLoss(m.node); ok {
			base = append(base, b)
		}
	}
	median, ok := medianInterval(last)
	if !ok {
		return nil
	}
	s := &LossSummary{
		Miners: len(last), FirstMedian: Median(first), Median: median,
		Low: Quantile(0.25, last), High: Quantile(0.75, last),
		Bigram: f.run.Manifest.Anchors.BigramLoss,
	}
	if len(base) > 0 {
		s.Base = Median(base)
	}
	return s
}

func (f *findings) baseLoss(n Node) (float64, bool) {
	for _, b := range f.run.Manifest.Anchors.Bases {
		if b.Width == n.Width && b.Layers == n.Layers {
			return b.Loss, true
		}
	}
	return 0, false
}

// shape names a model's size as tables and figures show it.
func shape(n Node) string { return fmt.Sprintf("%dx%d", n.Width, n.Layers) }

// judged lists the miners that were measured and that the last epoch ranked.
func (f *findings) judged() []*miner {
	var out []*miner
	for _, m := range f.miners {
		if m.measured && m.ranked {
			out = append(out, m)
		}
	}
	return out
}

func lossAndIncentive(miners []*miner) (loss, incentive []float64) {
	for _, m := range miners {
		loss, incentive = append(loss, m.loss), append(incentive, share(m.incentive))
	}
	return loss, incentive
}

func share(v uint16) float64 { return float64(v) / math.MaxUint16 }

func (f *findings) correlations() []Correlation {
	all := f.judged()
	var honest []*miner
	for _, m := range all {
		if m.node.Behaviour == Honest {
			honest = append(honest, m)
		}
	}
	var out []Correlation
	add := func(group string, miners []*miner) {
		if s, ok := spearmanInterval(lossAndIncentive(miners)); ok {
			out = append(out, Correlation{group, len(miners), s})
		}
	}
	add("all", all)
	add(Honest, honest)
	for _, name := range distinct(honest, func(m *miner) string { return shape(m.node) }) {
		var same []*miner
		for _, m := range honest {
			if shape(m.node) == name {
				same = append(same, m)
			}
		}
		add(name, same)
	}
	return out
}

// distinct lists the names of things once, in the order in which they first appear.
func distinct[T any](things []T, name func(T) string) []string {
	var out []string
	for _, t := range things {
		if n := name(t); !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

func (f *findings) behaviours() []BehaviourSummary {
	names := distinct(f.miners, func(m *miner) string { return m.node.Behaviour })
	slices.SortFunc(names, func(a, b string) int {
		if (a == Honest) != (b == Honest) {
			return map[bool]int{true: -1, false: 1}[a == Honest]
		}
		return cmp.Compare(a, b)
	})
	honest := f.incentives(func(n Node) bool { return n.Behaviour == Honest })
	alike := make(map[string]float64) // shape -> median incentive of honest miners
	for _, name := range distinct(f.miners, func(m *miner) string { return shape(m.node) }) {
		alike[name] = Median(f.incentives(func(n Node) bool { return n.Behaviour == Honest && shape(n) == name }))
	}
	var out []BehaviourSummary
	for _, name := range names {
		b := BehaviourSummary{Behaviour: name}
		var loss, peers []float64
		for _, m := range f.miners {
			if m.node.Behaviour != name {
				continue
			}
			b.Miners++
			if m.measured {
				loss = append(loss, m.loss)
			}
			if like := alike[shape(m.node)]; m.ranked && like > 0 {
				peers = append(peers, share(m.incentive)/like)
			}
		}
		own := f.incentives(func(n Node) bool { return n.Behaviour == name })
		if len(own) == 0 {
			continue
		}
		b.Incentive, b.Loss, b.PeerRatio = Median(own), number(Median(loss)), number(Median(peers))
		if h := Median(honest); h > 0 {
			b.Ratio = number(b.Incentive / h)
		}
		out = append(out, b)
	}
	return out
}

// incentives lists the incentive at the last epoch of the miners that pass.
func (f *findings) incentives(pass func(Node) bool) []float64 {
	var out []float64
	for _, m := range f.miners {
		if m.ranked && pass(m.node) {
			out = append(out, share(m.incentive))
		}
	}
	return out
}

// number is a value that may be missing: nil for NaN.
func number(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

func (f *findings) supply() *SupplySummary {
	if f.ledgerRows == 0 {
		return nil
	}
	t := f.ledger
	return &SupplySummary{
		MintedRao: t.MintedRao, FreeRao: t.FreeRao, StakedRao: t.StakedRao, PendingRao: t.PendingRao,
		BurnedRao: t.BurnedRao, DustRao: t.DustRao, UnallocatedRao: t.UnallocatedRao,
		DifferenceRao: f.worstRao,
	}
}

func (f *findings) dividends() []DividendSummary {
	var out []DividendSummary
	for _, v := range f.voters {
		if v.curve.seen == 0 {
			continue
		}
		d := DividendSummary{
			UID: v.node.UID, Name: v.node.Name, Behaviour: v.node.Behaviour,
			StakeRao: v.curve.last.StakeRao, Dividends: share(v.curve.last.Dividends),
			Trust: share(v.curve.last.ValidatorTrust), EarnedRao: v.emission,
		}
		if v.node.StakeRao > 0 {
			d.Return = float64(v.emission) / float64(v.node.StakeRao)
		}
		out = append(out, d)
	}
	return out
}

func (f *findings) querySummary() *QuerySummary {
	q := &f.queries
	if q.rows == 0 {
		return nil
	}
	s := &QuerySummary{
		Count: q.rows, Success: float64(q.answered) / float64(q.rows),
		Loss: number(q.loss.value()), LossLate: number(q.lossLate.value()),
		WeightedLoss: number(q.weighted.value()), WeightedLate: number(q.wLate.value()),
		FloorTouch: f.floorTouch(),
	}
	if latency := q.latency.values(); len(latency) > 0 {
		s.LatencyMedianS, s.LatencyHighS = Median(latency), Quantile(0.95, latency)
	}
	for _, m := range f.miners {
		s.MaxGapBlocks = max(s.MaxGapBlocks, m.gap)
	}
	return s
}

// floorTouch is the share of scores at or under the floor: counted, or, where no answer was
// recorded, what the manifest says.
func (f *findings) floorTouch() float64 {
	if q := &f.queries; q.answered > 0 {
		return float64(q.floored) / float64(q.answered)
	}
	return f.run.Manifest.Anchors.FloorTouchShare
}

func (f *findings) routing() *RoutingSummary {
	if !f.queries.routed {
		return nil
	}
	const tenth = timeBins / 10
	first, last := f.routingOver(0, tenth), f.routingOver(timeBins-tenth, timeBins)
	if first.n == 0 || last.n == 0 {
		return nil
	}
	return &RoutingSummary{First: first.value(), Last: last.value()}
}

// routingOver is the mean routing loss of the bins from up to but not including to.
func (f *findings) routingOver(from, to int) mean {
	var m mean
	for _, b := range f.queries.routing[from:to] {
		m.merge(b)
	}
	return m
}

func (f *findings) use() *ApplicationSummary {
	var s ApplicationSummary
	var admitted int
	var loss, ensemble mean
	var latencies, stake, admission, median, answeredStake []float64
	for _, c := range f.callers {
		if c.requests == 0 {
			continue
		}
		s.Requests += c.requests
		admitted += c.admitted
		loss.merge(c.loss)
		ensemble.merge(c.ensemble)
		stake = append(stake, float64(c.stake))
		admission = append(admission, float64(c.admitted)/float64(c.requests))
		if v := c.latency.values(); len(v) > 0 {
			latencies = append(latencies, v...)
			median = append(median, Median(v))
			answeredStake = append(answeredStake, float64(c.stake))
		}
	}
	if s.Requests == 0 {
		return nil
	}
	s.Admitted = float64(admitted) / float64(s.Requests)
	s.LatencyMedianS = number(Median(latencies))
	s.Loss, s.EnsembleLoss = number(loss.value()), number(ensemble.value())
	s.StakeAdmission = number(Spearman(stake, admission))
	s.StakeLatency = number(Spearman(answeredStake, median))
	return &s
}

func (f *findings) askings() []AskedSummary {
	if f.queries.rows == 0 {
		return nil
	}
	out := make([]AskedSummary, len(f.miners))
	for i, m := range f.miners {
		out[i] = AskedSummary{m.node.UID, m.asked, m.answered, m.gap}
	}
	return out
}

// warnings are the run's own, and what the tables show to be wrong.
func (f *findings) warnings() []string {
	out := slices.Clone(f.run.Manifest.Warnings)
	if ending := f.run.Manifest.Ending(); ending != "" {
		out = append(out, ending+": what is shown ends before its last block")
	}
	if f.worstRao != 0 {
		out = append(out, fmt.Sprintf("minted money and the places where it is differ by %d rao", f.worstRao))
	}
	if touch := f.floorTouch(); touch > floorTouchLimit {
		out = append(out, fmt.Sprintf("%s of the scores touch the floor of %v nats per GPT-2-equivalent token, "+
			"below which better answers earn no more: take a harder corpus or smaller models",
			percent(touch), floorLoss))
	}
	return out
}
