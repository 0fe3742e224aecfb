package report

import (
	"cmp"
	"slices"
)

// Metric is one named number.
type Metric struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Doc   string  `json:"doc"`
}

// metrics collects numbers by the names of their families; those that are missing are left out.
type metrics []Metric

func (m *metrics) add(family string, value float64, words ...string) {
	f := familyOf(family)
	*m = append(*m, Metric{f.fill(words), value, f.Unit, f.Doc})
}

func (m *metrics) maybe(family string, value *float64, words ...string) {
	if value != nil {
		m.add(family, *value, words...)
	}
}

func (m *metrics) interval(family string, v *Interval, words ...string) {
	if v == nil {
		return
	}
	f := familyOf(family)
	name := f.fill(words)
	*m = append(*m, Metric{name, v.Estimate, f.Unit, f.Doc})
	if v.Low != nil && v.High != nil {
		*m = append(*m, Metric{name + ".low", *v.Low, f.Unit, "lower end of the 95 % interval of " + name},
			Metric{name + ".high", *v.High, f.Unit, "upper end of the 95 % interval of " + name})
	}
}

func (m *metrics) measure(family string, v *Measure, words ...string) {
	if v == nil {
		return
	}
	m.interval(family, &v.Interval, words...)
	if v.Last != nil {
		f := familyOf(family)
		name := f.fill(words)
		*m = append(*m, Metric{name + ".last", *v.Last, f.Unit, "value at the last epoch of " + name})
	}
}

// Metrics lists the numbers of the summary, sorted by name. Checks name them: loss.median,
// incentive.random.ratio, spearman.loss_incentive, supply.difference_rao, ask_gap_blocks.miner-7. A
// number that the run does not have is not in the list.
func (s *Summary) Metrics() []Metric {
	var m metrics
	s.runMetrics(&m)
	s.lossMetrics(&m)
	s.subsetMetrics(&m)
	s.incentiveMetrics(&m)
	s.moneyMetrics(&m)
	s.trafficMetrics(&m)
	s.routingMetrics(&m)
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
	m.add("run.miners", float64(s.Miners))
	m.add("run.validators", float64(s.Validators))
	m.add("run.applications", float64(s.Applications))
	m.add("run.blocks", float64(s.Blocks))
	m.add("run.epochs", float64(s.Epochs))
	m.add("run.events", float64(s.Events))
	m.add("run.flop", float64(s.FLOP))
	m.add("run.simulated_seconds", s.SimulatedSeconds)
	m.add("run.wall_seconds", s.WallSeconds)
	if s.Window.Epochs > 0 {
		m.add("window.epochs", float64(s.Window.Epochs))
	}
	if s.Seats != nil {
		m.add("seats.changes", float64(s.Seats.Changes))
		for _, g := range s.Seats.Groups {
			if g.Group == strangers {
				continue
			}
			m.add("seats.came.{group}", float64(g.Came), g.Group)
			m.add("seats.pruned.{group}", float64(g.Went), g.Group)
		}
	}
	for _, f := range s.Faults {
		m.add("faults.{fault}", float64(f.Count), f.Kind)
	}
}

func (s *Summary) lossMetrics(m *metrics) {
	l := s.Loss
	if l == nil {
		return
	}
	m.interval("loss.median", &l.Median)
	m.add("loss.first", l.FirstMedian)
	m.add("loss.q25", l.Low)
	m.add("loss.q75", l.High)
	if l.Base > 0 {
		m.add("loss.base", l.Base)
	}
	if l.Bigram > 0 {
		m.add("loss.bigram", l.Bigram)
	}
}

func (s *Summary) incentiveMetrics(m *metrics) {
	for i := range s.Behaviours {
		b := &s.Behaviours[i]
		m.measure("incentive.{behaviour}.median", &b.Incentive, b.Behaviour)
		m.measure("incentive.{behaviour}.ratio", b.Ratio, b.Behaviour)
		m.measure("incentive.{behaviour}.peer_ratio", b.PeerRatio, b.Behaviour)
		m.maybe("loss.{behaviour}.median", b.Loss, b.Behaviour)
	}
	for i := range s.Correlations {
		c := &s.Correlations[i]
		switch c.Group {
		case "all":
			m.measure("spearman.loss_incentive", &c.Spearman)
		case Honest:
			m.measure("spearman.loss_incentive.honest", &c.Spearman)
		default:
			m.measure("spearman.loss_incentive.{shape}", &c.Spearman, c.Group)
		}
	}
	for i := range s.Groups {
		g := &s.Groups[i]
		m.measure("group.{group}.incentive", g.Incentive, g.Group)
		m.maybe("group.{group}.share", g.Share, g.Group)
		m.interval("group.{group}.loss", g.Loss, g.Group)
		m.maybe("group.{group}.bias", g.Bias, g.Group)
		if s.Epochs > 0 && (g.Kind == KindMiner || g.Kind == KindValidator) {
			m.add("group.{group}.earned_rao", float64(g.EarnedRao), g.Group)
			m.maybe("group.{group}.return_ratio", g.ReturnRatio, g.Group)
		}
	}
}

func (s *Summary) moneyMetrics(m *metrics) {
	if p := s.Supply; p != nil {
		m.add("supply.minted_rao", float64(p.MintedRao))
		m.add("supply.free_rao", float64(p.FreeRao))
		m.add("supply.staked_rao", float64(p.StakedRao))
		m.add("supply.unbonding_rao", float64(p.UnbondingRao))
		m.add("supply.pending_rao", float64(p.PendingRao))
		m.add("supply.burned_rao", float64(p.BurnedRao))
		m.add("supply.fees_rao", float64(p.FeesRao))
		m.add("supply.dust_rao", float64(p.DustRao))
		m.add("supply.unallocated_rao", float64(p.UnallocatedRao))
		m.add("supply.difference_rao", float64(p.DifferenceRao))
	}
	if c := s.Course; c != nil {
		m.add("supply.issuance_rao", float64(c.IssuanceRao))
		m.add("emission.halvings", float64(c.Halvings))
		if c.LastBlock != nil {
			m.add("emission.last_block", float64(*c.LastBlock))
		}
		for _, y := range c.Years {
			m.add("supply.{year}.issuance_tao", y.IssuanceTAO, y.Year)
			m.add("supply.{year}.emission_tao", y.EmissionTAO, y.Year)
			m.add("supply.{year}.inflation", y.Inflation, y.Year)
			m.maybe("money.{year}.miners_share", y.Miners, y.Year)
			m.maybe("money.{year}.validators_share", y.Validators, y.Year)
			m.maybe("money.{year}.nominators_share", y.Nominators, y.Year)
			m.maybe("money.{year}.owner_share", y.Owner, y.Year)
			m.maybe("stake.{year}.yield", y.Yield, y.Year)
			m.maybe("stake.{year}.real_yield", y.RealYield, y.Year)
		}
	}
	if a, b := s.StakeFirst, s.StakeLast; a != nil && b != nil {
		m.add("stake.gini.first", a.Gini)
		m.add("stake.gini", b.Gini)
		m.add("stake.nakamoto", float64(b.Nakamoto))
		m.add("stake.nakamoto.first", float64(a.Nakamoto))
		m.add("stake.hhi", b.HHI)
	}
	if p := s.Money; p != nil {
		if paid := p.MinersRao + p.ValidatorsRao; paid > 0 {
			m.add("money.miners_share", float64(p.MinersRao)/float64(paid))
		}
		m.add("money.miners_rao", float64(p.MinersRao))
		m.add("money.validators_rao", float64(p.ValidatorsRao))
		m.add("money.others_rao", float64(p.OthersRao))
		if p.OwnerRao != nil {
			m.add("money.owner_rao", float64(*p.OwnerRao))
		}
	}
	for _, r := range s.Copiers {
		m.add("dividends.{validator}.return", r.Return, r.Behaviour)
		m.measure("dividends.{validator}.ratio", r.Ratio, r.Behaviour)
		m.maybe("dividends.{validator}.ratio.whole", r.Whole, r.Behaviour)
	}
}

func (s *Summary) trafficMetrics(m *metrics) {
	if q := s.Queries; q != nil {
		m.add("query.count", float64(q.Count))
		m.add("query.success", q.Success)
		m.add("query.refused", q.Refused)
		m.add("query.unanswered", q.Unanswered)
		m.maybe("query.latency_s.median", q.LatencyMedianS)
		m.maybe("query.latency_s.p95", q.LatencyHighS)
		m.maybe("query.loss", q.Loss)
		m.maybe("query.loss.window", q.LossWindow)
		m.maybe("query.weighted_loss", q.WeightedLoss)
		m.maybe("query.weighted_loss.window", q.WeightedWindow)
		m.add("query.floor_touch", q.FloorTouch)
		m.add("ask_gap_blocks.max", float64(q.MaxGapBlocks))
	}
	m.interval("query.bias", s.Bias)
	for _, a := range s.Asked {
		m.add("ask_gap_blocks.{miner}", float64(a.GapBlocks), a.Name)
	}
	if u := s.Use; u != nil {
		m.add("application.requests", float64(u.Requests))
		m.maybe("application.admitted", u.Admitted)
		m.add("application.unanswered", u.Unanswered)
		m.maybe("application.latency_s.median", u.LatencyMedianS)
		m.maybe("application.loss", u.Loss)
		m.maybe("application.ensemble_loss", u.EnsembleLoss)
		m.interval("spearman.stake_admission", u.StakeAdmission)
		m.interval("spearman.stake_latency", u.StakeLatency)
	}
}

func (s *Summary) routingMetrics(m *metrics) {
	if r := s.Routing; r != nil {
		m.add("routing.loss.first", r.First)
		m.add("routing.loss.last", r.Last)
	}
	if c := s.Choice; c != nil {
		m.maybe("routing.specialists", c.Specialists)
		m.maybe("routing.specialists.chance", c.Chance)
		for _, one := range c.Subsets {
			for _, g := range one.Groups {
				m.add("routing.share.{subset}.{group}", g.Share, one.Subset, g.Group)
			}
		}
	}
	for _, a := range s.Abilities {
		for _, g := range a.Groups {
			m.add("answers.loss.{subset}.{group}", g.Loss, a.Subset, g.Name)
		}
	}
}
