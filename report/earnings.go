package report

import "slices"

// Correlation is Spearman's correlation of held-out loss with incentive in a group of miners, both
// means over the window: negative where better models earn more.
type Correlation struct {
	Group    string  `json:"group"` // all, honest, or honest miners of one shape such as 32x2
	Miners   int     `json:"miners"`
	Spearman Measure `json:"spearman"`
}

// GroupSummary is the result of the members of one group of the scenario.
type GroupSummary struct {
	Group     string    `json:"group"`
	Kind      string    `json:"kind"`
	Members   int       `json:"members"`
	Incentive *Measure  `json:"incentive,omitempty"` // miners: mean share of a member while it held a seat
	Share     *float64  `json:"share,omitempty"`     // miners: of the incentive of all miners, in the window
	Loss      *Interval `json:"loss,omitempty"`      // miners: median over members in the window, nats/token
	Bias      *float64  `json:"bias,omitempty"`      // miners: median of the mean score over the score of the mean loss
	EarnedRao uint64    `json:"earned_rao"`          // over the recorded epochs

	// ReturnRatio compares validators by stake: what the group earned over its stake at genesis, over
	// the same of all validators.
	ReturnRatio *float64 `json:"return_ratio,omitempty"`
}

// BehaviourSummary is the income of the miners of one behaviour.
type BehaviourSummary struct {
	Behaviour string   `json:"behaviour"`
	Miners    int      `json:"miners"`
	Incentive Measure  `json:"incentive"`       // median over miners of their mean share
	Ratio     *Measure `json:"ratio,omitempty"` // of Incentive to that of honest miners

	// PeerRatio compares like with like: the median of each miner's incentive over the median of
	// honest miners with a model of the same shape.
	PeerRatio *Measure `json:"peer_ratio,omitempty"`
	Loss      *float64 `json:"loss,omitempty"` // median at the end, nats/token
}

// DividendSummary is what one validator earned.
type DividendSummary struct {
	Node      int     `json:"node"`
	Name      string  `json:"name"`
	Group     string  `json:"group"`
	Behaviour string  `json:"behaviour"`
	StakeRao  uint64  `json:"stake_rao"` // after the last epoch
	Dividends float64 `json:"dividends"` // share at the last epoch
	Trust     float64 `json:"trust"`     // mean validator trust in the window
	EarnedRao uint64  `json:"earned_rao"`
	Return    float64 `json:"return"` // earned over stake at genesis
}

// ReturnSummary compares what validators of one behaviour earned per stake with the honest ones.
type ReturnSummary struct {
	Behaviour  string   `json:"behaviour"`
	Validators int      `json:"validators"`
	Return     float64  `json:"return"`                // median, earned in all over stake at genesis
	Whole      *float64 `json:"ratio_whole,omitempty"` // of Return to that of honest validators
	Ratio      *Measure `json:"ratio,omitempty"`       // of earnings per stake to those of honest validators, in the window
}

func (f *findings) correlations() []Correlation {
	all := f.judged()
	var out []Correlation
	add := func(group string, miners []*miner) {
		s, ok := spearmanInterval(lossAndIncentive(miners))
		if !ok {
			return
		}
		m := Measure{Interval: s}
		var loss, last []float64
		for _, one := range miners {
			if one.ranked {
				loss, last = append(loss, one.loss), append(last, share(one.last))
			}
		}
		m.Last = number(Spearman(loss, last))
		out = append(out, Correlation{group, len(miners), m})
	}
	add("all", all)
	honest := honestly(all)
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

// lossAndIncentive are the means of miners over the window.
func lossAndIncentive(miners []*miner) (loss, incentive []float64) {
	for _, m := range miners {
		loss, incentive = append(loss, m.windowLoss()), append(incentive, m.windowIncentive(nil))
	}
	return loss, incentive
}

// overTime is a number of the window with an interval from resampling its batches of epochs, besides
// the same number at the last epoch. The statistic takes the places of batches, nil for each once.
func (f *findings) overTime(things int, statistic func(places []int) float64, last float64) *Measure {
	v := statistic(nil)
	if !finite(v) {
		return nil
	}
	_, batches := f.span.batch(f.span.window.From)
	if f.windowEpochs < batches { // thinned: not every batch has an epoch
		batches = 0
	}
	low, high := resample(batches, max(100, min(1000, 200_000/max(things, 1))), statistic)
	return &Measure{between(v, low, high, batches), number(last)}
}

func (f *findings) groups() []GroupSummary {
	if len(f.nodes) == 0 {
		return nil
	}
	total := 0.0
	for _, m := range f.miners {
		if v := m.windowIncentive(nil); finite(v) {
			total += v
		}
	}
	var out []GroupSummary
	for _, p := range f.parties {
		g := GroupSummary{Group: p.name, Kind: p.kind, Members: p.members}
		for _, rao := range p.earned {
			g.EarnedRao += rao
		}
		switch p.kind {
		case KindMiner:
			f.minersOf(p, &g, total)
		case KindValidator:
			g.ReturnRatio = number(over(f.returnOf(p), f.returnOf(nil)))
		}
		out = append(out, g)
	}
	return out
}

// returnOf is what a group of validators earned in all over their stake at genesis; nil stands for all
// groups. Without stake it is not finite.
func (f *findings) returnOf(p *party) float64 {
	earned, stake := 0.0, 0.0
	for _, v := range f.validators {
		if p == nil || v.party == p {
			earned, stake = earned+float64(v.emission), stake+float64(v.node.StakeRao)
		}
	}
	return over(earned, stake)
}

// minersOf fills in the sections about miners.
func (f *findings) minersOf(p *party, g *GroupSummary, total float64) {
	var members []*miner
	var loss, bias []float64
	var last mean
	own := 0.0
	for _, m := range f.miners {
		if m.party != p {
			continue
		}
		members = append(members, m)
		if m.measured {
			loss = append(loss, m.windowLoss())
		}
		if v := f.biasOf(m); finite(v) {
			bias = append(bias, v)
		}
		if m.ranked {
			last.add(share(m.last))
		}
		if v := m.windowIncentive(nil); finite(v) {
			own += v
		}
	}
	g.Incentive = f.overTime(len(members), func(places []int) float64 {
		var sum mean
		for _, m := range members {
			sum.add(m.windowIncentive(places))
		}
		return sum.value()
	}, last.value())
	if g.Incentive != nil {
		g.Share = number(over(own, total))
	}
	if v, ok := medianInterval(loss); ok {
		g.Loss = &v
	}
	g.Bias = number(Median(bias))
}

func (f *findings) behaviours() []BehaviourSummary {
	if f.span.epochs == 0 {
		return nil
	}
	names := distinct(f.miners, func(m *miner) string { return m.node.Behaviour })
	slices.SortFunc(names, byBehaviour)
	honest := honestly(f.miners)
	alike := make(map[string][]*miner) // honest miners by shape
	for _, m := range honest {
		alike[shape(m.node)] = append(alike[shape(m.node)], m)
	}
	var out []BehaviourSummary
	for _, name := range names {
		var own []*miner
		var loss []float64
		for _, m := range f.miners {
			if m.node.Behaviour == name {
				own = append(own, m)
				if m.measured {
					loss = append(loss, m.loss)
				}
			}
		}
		median := f.overTime(len(own), func(places []int) float64 { return medianIncentive(own, places) }, lastMedian(own))
		if median == nil {
			continue
		}
		out = append(out, BehaviourSummary{
			Behaviour: name, Miners: len(own), Incentive: *median, Loss: number(Median(loss)),
			Ratio: f.overTime(len(own)+len(honest), func(places []int) float64 {
				return over(medianIncentive(own, places), medianIncentive(honest, places))
			}, over(lastMedian(own), lastMedian(honest))),
			PeerRatio: f.peerRatio(own, honest, alike),
		})
	}
	return out
}

// peerRatio is the median over miners of their incentive over that of honest miners alike.
func (f *findings) peerRatio(own, honest []*miner, alike map[string][]*miner) *Measure {
	shapes := distinct(own, func(m *miner) string { return shape(m.node) })
	ratio := func(of func(*miner) float64, median func([]*miner) float64) float64 {
		like := make(map[string]float64)
		for _, s := range shapes {
			like[s] = median(alike[s])
		}
		var ratios []float64
		for _, m := range own {
			if v := over(of(m), like[shape(m.node)]); finite(v) {
				ratios = append(ratios, v)
			}
		}
		return Median(ratios)
	}
	last := ratio(func(m *miner) float64 { return lastMedian([]*miner{m}) }, lastMedian)
	return f.overTime(len(own)+len(honest), func(places []int) float64 {
		return ratio(func(m *miner) float64 { return m.windowIncentive(places) },
			func(miners []*miner) float64 { return medianIncentive(miners, places) })
	}, last)
}

// medianIncentive is the median of the miners' mean shares; those without a seat do not count.
func medianIncentive(miners []*miner, places []int) float64 {
	var out []float64
	for _, m := range miners {
		if v := m.windowIncentive(places); finite(v) {
			out = append(out, v)
		}
	}
	return Median(out)
}

// lastMedian is the median share at the last epoch.
func lastMedian(miners []*miner) float64 {
	var out []float64
	for _, m := range miners {
		if m.ranked {
			out = append(out, share(m.last))
		}
	}
	return Median(out)
}

func (f *findings) dividends() []DividendSummary {
	var out []DividendSummary
	for _, v := range f.validators {
		if v.curve.seen == 0 {
			continue
		}
		d := DividendSummary{
			Node: v.node.Index, Name: v.node.Name, Group: v.party.name, Behaviour: v.node.Behaviour,
			StakeRao: v.curve.last.StakeRao, Dividends: share(v.curve.last.Dividends),
			EarnedRao: v.emission, Return: v.whole(),
		}
		if v.trust.n > 0 {
			d.Trust = v.trust.value()
		}
		out = append(out, d)
	}
	return out
}

// whole is what the validator earned in all over its stake at genesis; 0 without stake.
func (v *validator) whole() float64 {
	if v.node.StakeRao == 0 {
		return 0
	}
	return float64(v.emission) / float64(v.node.StakeRao)
}

func (f *findings) returns() []ReturnSummary {
	of := make(map[string][]*validator)
	for _, v := range f.validators {
		if v.curve.seen > 0 {
			of[v.node.Behaviour] = append(of[v.node.Behaviour], v)
		}
	}
	median := func(validators []*validator, rate func(*validator) float64) float64 {
		var out []float64
		for _, v := range validators {
			if r := rate(v); finite(r) {
				out = append(out, r)
			}
		}
		return Median(out)
	}
	lastRate := func(v *validator) float64 {
		e := v.curve.last
		return over(float64(e.EmissionRao), float64(e.StakeRao-min(e.EmissionRao, e.StakeRao)))
	}
	honest := of[Honest]
	names := distinct(f.validators, func(v *validator) string { return v.node.Behaviour })
	slices.SortFunc(names, byBehaviour)
	var out []ReturnSummary
	for _, name := range names {
		own := of[name]
		if len(own) == 0 {
			continue
		}
		r := ReturnSummary{Behaviour: name, Validators: len(own), Return: median(own, (*validator).whole)}
		r.Whole = number(over(r.Return, median(honest, (*validator).whole)))
		r.Ratio = f.overTime(len(f.validators), func(places []int) float64 {
			rate := func(v *validator) float64 { return v.rate(places) }
			return over(median(own, rate), median(honest, rate))
		}, over(median(own, lastRate), median(honest, lastRate)))
		out = append(out, r)
	}
	return out
}
