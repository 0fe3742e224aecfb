package report

import (
	"slices"

	"taolab/sim/trace"
)

// faultKinds are the kinds of faults that worlds record.
var faultKinds = []string{"crash", "heal", "loss", "partition", "refused", "restart"}

// MetricNames lists, sorted, the numbers that the summary of a run with these nodes and recorded
// tables may have. Which of them it does have depends on what happens in it.
func MetricNames(nodes []Node, recorded []trace.Table) []string {
	f := fullest{recorded: recorded}
	for _, n := range nodes {
		f.seat(n)
	}
	f.fill()
	var names []string
	for _, m := range f.Metrics() {
		names = append(names, m.Name)
	}
	return slices.Compact(names)
}

// fullest is a summary in which no number is missing that a run of its nodes can have, so that the
// names of numbers stand in one place.
type fullest struct {
	Summary
	recorded                  []trace.Table
	shapes, behaves, dividing []string
	applications              bool
}

func (f *fullest) has(want ...trace.Table) bool {
	for _, t := range want {
		if !slices.Contains(f.recorded, t) {
			return false
		}
	}
	return true
}

func (f *fullest) seat(n Node) {
	add := func(list *[]string, name string) {
		if !slices.Contains(*list, name) {
			*list = append(*list, name)
		}
	}
	switch n.Kind {
	case KindMiner:
		add(&f.behaves, n.Behaviour)
		if n.Behaviour == Honest {
			add(&f.shapes, shape(n))
		}
		if f.has(trace.Queries) {
			f.Asked = append(f.Asked, AskedSummary{UID: n.UID})
		}
	case KindValidator:
		add(&f.dividing, n.Behaviour)
	case KindApplication:
		f.applications = true
	}
}

func (f *fullest) fill() {
	one := 1.0
	if f.has(trace.Training) {
		f.Loss = &LossSummary{Base: 1, Bigram: 1}
	}
	if f.has(trace.Epochs, trace.Training) {
		for _, group := range append([]string{"all", Honest}, f.shapes...) {
			f.Correlations = append(f.Correlations, Correlation{Group: group})
		}
	}
	if f.has(trace.Epochs) {
		for _, b := range f.behaves {
			summary := BehaviourSummary{Behaviour: b, Ratio: &one, PeerRatio: &one}
			if f.has(trace.Training) {
				summary.Loss = &one
			}
			f.Behaviours = append(f.Behaviours, summary)
		}
		for _, b := range append(f.dividing, Honest) {
			f.Dividends = append(f.Dividends, DividendSummary{Behaviour: b, Return: 1})
		}
	}
	if f.has(trace.Ledger) {
		f.Supply = &SupplySummary{}
	}
	if f.has(trace.Queries) {
		f.Queries = &QuerySummary{Loss: &one, LossLate: &one, WeightedLoss: &one, WeightedLate: &one}
		f.Routing = &RoutingSummary{}
	}
	if f.has(trace.Applications) && f.applications {
		f.Use = &ApplicationSummary{
			LatencyMedianS: &one, Loss: &one, EnsembleLoss: &one, StakeAdmission: &one, StakeLatency: &one,
		}
	}
	for _, kind := range faultKinds {
		f.Faults = append(f.Faults, faultCount{Kind: kind})
	}
}
