package report

import (
	"cmp"
	"fmt"
	"slices"
)

// Metric is one named number.
type Metric struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

// metrics collects numbers; those that are missing are left out.
type metrics []Metric

func (m *metrics) add(name string, value float64, unit string) {
	*m = append(*m, Metric{name, value, unit})
}

func (m *metrics) maybe(name string, value *float64, unit string) {
	if value != nil {
		m.add(name, *value, unit)
	}
}

func (m *metrics) interval(name string, v Interval, unit string) {
	m.add(name, v.Estimate, unit)
	m.add(name+".low", v.Low, unit)
	m.add(name+".high", v.High, unit)
}

// Metrics lists the numbers of the summary, sorted by name. Checks name them: loss.median,
// incentive.random.ratio, spearman.loss_incentive, supply.difference_rao, ask_gap_blocks.uid.7. A
// number that the run does not have is not in the list.
func (s *Summary) Metrics() []Metric {
	var m metrics
	s.runMetrics(&m)
	if l := s.Loss; l != nil {
		m.interval("loss.median", l.Median, "nats/token")
		m.add("loss.first", l.FirstMedian, "nats/token")
		m.add("loss.q25", l.Low, "nats/token")
		m.add("loss.q75", l.High, "nats/token")
		if l.Base > 0 {
			m.add("loss.base", l.Base, "nats/token")
		}
		if l.Bigram > 0 {
			m.add("loss.bigram", l.Bigram, "nats/token")
		}
	}
	for _, b := range s.Behaviours {
		m.maybe("incentive."+b.Behaviour+".peer_ratio", b.PeerRatio, "1")
		m.add("incentive."+b.Behaviour+".median", b.Incentive, "share")
		m.maybe("incentive."+b.Behaviour+".ratio", b.Ratio, "1")
		m.maybe("loss."+b.Behaviour+".median", b.Loss, "nats/token")
	}
	for _, c := range s.Correlations {
		name := "spearman.loss_incentive"
		if c.Group != "all" {
			name += "." + c.Group
		}
		m.interval(name, c.Spearman, "1")
	}
	s.moneyMetrics(&m)
	s.trafficMetrics(&m)
	slices.SortFunc(m, func(a, b Metric) int { return cmp.Compare(a.Name, b.Name) })
	return m
}

// Metric finds one number by name.
func (s *Summary) Metric(name string) (float64, bool) {
	for _, m := range s.Metrics() {
		if m.Name == name {
			return m.Value, true
		}
	}
	return 0, false
}

func (s *Summary) runMetrics(m *metrics) {
	m.add("run.miners", float64(s.Miners), "neurons")
	m.add("run.validators", float64(s.Validators), "neurons")
	m.add("run.applications", float64(s.Applications), "nodes")
	m.add("run.blocks", float64(s.Blocks), "blocks")
	m.add("run.epochs", float64(s.Epochs), "epochs")
	m.add("run.events", float64(s.Events), "events")
	m.add("run.flop", float64(s.FLOP), "FLOP")
	m.add("run.simulated_seconds", s.SimulatedSeconds, "s")
	m.add("run.wall_seconds", s.WallSeconds, "s")
}

func (s *Summary) moneyMetrics(m *metrics) {
	if p := s.Supply; p != nil {
		m.add("supply.minted_rao", float64(p.MintedRao), "rao")
		m.add("supply.free_rao", float64(p.FreeRao), "rao")
		m.add("supply.staked_rao", float64(p.StakedRao), "rao")
		m.add("supply.pending_rao", float64(p.PendingRao), "rao")
		m.add("supply.burned_rao", float64(p.BurnedRao), "rao")
		m.add("supply.dust_rao", float64(p.DustRao), "rao")
		m.add("supply.unallocated_rao", float64(p.UnallocatedRao), "rao")
		m.add("supply.difference_rao", float64(p.DifferenceRao), "rao")
	}
	honest := returns(s.Dividends, Honest)
	for _, b := range distinct(s.Dividends, func(d DividendSummary) string { return d.Behaviour }) {
		own := returns(s.Dividends, b)
		m.maybe("dividends."+b+".return", number(Median(own)), "1")
		if h := Median(honest); h > 0 {
			m.maybe("dividends."+b+".ratio", number(Median(own)/h), "1")
		}
	}
}

// returns lists what validators of a behaviour earned per stake at genesis.
func returns(dividends []DividendSummary, behaviour string) []float64 {
	var out []float64
	for _, d := range dividends {
		if d.Behaviour == behaviour {
			out = append(out, d.Return)
		}
	}
	return out
}

func (s *Summary) trafficMetrics(m *metrics) {
	if q := s.Queries; q != nil {
		m.add("query.count", float64(q.Count), "questions")
		m.add("query.success", q.Success, "share")
		m.add("query.latency_s.median", q.LatencyMedianS, "s")
		m.add("query.latency_s.p95", q.LatencyHighS, "s")
		m.maybe("query.loss", q.Loss, "nats/token")
		m.maybe("query.loss.late", q.LossLate, "nats/token")
		m.maybe("query.weighted_loss", q.WeightedLoss, "nats/token")
		m.maybe("query.weighted_loss.late", q.WeightedLate, "nats/token")
		m.add("query.floor_touch", q.FloorTouch, "share")
		m.add("ask_gap_blocks.max", float64(q.MaxGapBlocks), "blocks")
	}
	for _, a := range s.Asked {
		m.add(fmt.Sprintf("ask_gap_blocks.uid.%d", a.UID), float64(a.GapBlocks), "blocks")
	}
	if r := s.Routing; r != nil {
		m.add("routing.loss.first", r.First, "1")
		m.add("routing.loss.last", r.Last, "1")
	}
	if u := s.Use; u != nil {
		m.add("application.requests", float64(u.Requests), "requests")
		m.add("application.admitted", u.Admitted, "share")
		m.maybe("application.latency_s.median", u.LatencyMedianS, "s")
		m.maybe("application.loss", u.Loss, "nats/token")
		m.maybe("application.ensemble_loss", u.EnsembleLoss, "nats/token")
		m.maybe("spearman.stake_admission", u.StakeAdmission, "1")
		m.maybe("spearman.stake_latency", u.StakeLatency, "1")
	}
	for _, f := range s.Faults {
		m.add("faults."+f.Kind, float64(f.Count), "faults")
	}
}
