package report

// QuerySummary is about the validators' questions. Losses are of successes, in nats/token. The
// weighted loss weighs the answers of a step by the gate's scores.
type QuerySummary struct {
	Count          int      `json:"count"`
	Success        float64  `json:"success"`    // share
	Refused        float64  `json:"refused"`    // share that miners turned away
	Unanswered     float64  `json:"unanswered"` // share that timed out or found no way
	LatencyMedianS *float64 `json:"latency_median_s,omitempty"`
	LatencyHighS   *float64 `json:"latency_p95_s,omitempty"`
	Loss           *float64 `json:"loss,omitempty"`
	LossWindow     *float64 `json:"loss_window,omitempty"`
	WeightedLoss   *float64 `json:"weighted_loss,omitempty"`
	WeightedWindow *float64 `json:"weighted_loss_window,omitempty"`
	FloorTouch     float64  `json:"floor_touch"`    // share of successes at or under the 1.69 floor
	MaxGapBlocks   uint64   `json:"max_gap_blocks"` // longest that any miner with a seat went unasked
}

// RoutingSummary is the mean of the gate's squared error per answer in the first and the last tenth
// of the time.
type RoutingSummary struct {
	First float64 `json:"first"`
	Last  float64 `json:"last"`
}

// ApplicationSummary sums up the requests of applications.
type ApplicationSummary struct {
	Requests       int       `json:"requests"`
	Admitted       *float64  `json:"admitted,omitempty"` // share, of the requests whose fate is known
	Unanswered     float64   `json:"unanswered"`         // share that timed out or found no way
	LatencyMedianS *float64  `json:"latency_median_s,omitempty"`
	Loss           *float64  `json:"loss,omitempty"`            // nats/token over answers
	EnsembleLoss   *float64  `json:"ensemble_loss,omitempty"`   // nats/token over tokens, of the combined answers
	StakeAdmission *Interval `json:"stake_admission,omitempty"` // Spearman over applications
	StakeLatency   *Interval `json:"stake_latency,omitempty"`   // Spearman of stake and median latency
}

func (f *findings) querySummary() *QuerySummary {
	q := &f.queries
	if !q.seen {
		return nil
	}
	latency := q.latency.values()
	s := &QuerySummary{
		Count: q.fate.asked, Success: q.fate.part(q.fate.answered), Refused: q.fate.part(q.fate.refused),
		Unanswered: q.fate.part(q.fate.silent), FloorTouch: f.floorTouch(),
		LatencyMedianS: number(Median(latency)), LatencyHighS: number(Quantile(0.95, latency)),
		Loss: number(q.loss.value()), LossWindow: number(q.lossWindow.value()),
		WeightedLoss: number(q.weighted.value()), WeightedWindow: number(q.wWindow.value()),
	}
	for _, m := range f.miners {
		s.MaxGapBlocks = max(s.MaxGapBlocks, m.gap)
	}
	return s
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
	var fate fates
	var loss, ensemble mean
	var latencies, stake, admission, median, answeredStake []float64
	for _, c := range f.callers {
		if c.fate.asked == 0 {
			continue
		}
		fate.merge(c.fate)
		loss.merge(c.loss)
		ensemble.merge(c.ensemble)
		if a := c.fate.admitted(); finite(a) {
			stake, admission = append(stake, float64(c.stake)), append(admission, a)
		}
		if v := c.latency.values(); len(v) > 0 {
			latencies = append(latencies, v...)
			median = append(median, Median(v))
			answeredStake = append(answeredStake, float64(c.stake))
		}
	}
	if fate.asked == 0 {
		return nil
	}
	s.Requests, s.Admitted, s.Unanswered = fate.asked, number(fate.admitted()), fate.part(fate.silent)
	s.LatencyMedianS = number(Median(latencies))
	s.Loss, s.EnsembleLoss = number(loss.value()), number(ensemble.value())
	if v, ok := spearmanInterval(stake, admission); ok {
		s.StakeAdmission = &v
	}
	if v, ok := spearmanInterval(answeredStake, median); ok {
		s.StakeLatency = &v
	}
	return &s
}
