package sweep

import (
	"fmt"

	"taolab/scenarios"
)

// Verdict is the result of an expectation of a sweep.
type Verdict struct {
	Expectation scenarios.SweepExpect
	Met         bool
	Share       float64 // of the runs in which it holds, at the worst point
	Point       int     // the worst one
	Runs        int     // of each point
}

// String describes the verdict.
func (v Verdict) String() string {
	e := v.Expectation.Expectation()
	return fmt.Sprintf("%s: in %.4g %% of %d runs at the worst point, %d; expected in %.4g %% at every point",
		e.String(), float64(100*v.Share), v.Runs, v.Point, float64(100*v.Expectation.Share))
}

// Judge compares the runs with the sweep's expectations. A failed run meets none.
func (t *Table) Judge(expect []scenarios.SweepExpect) ([]Verdict, error) {
	if len(expect) == 0 {
		return nil, nil
	}
	verdicts, held := make([]Verdict, len(expect)), make([]int, len(expect))
	for i, e := range expect {
		verdicts[i] = Verdict{Expectation: e, Met: true, Share: 2, Runs: t.Design.Replications}
	}
	err := t.Each(func(r Run, _ *record, out *Outcome) error {
		for i, e := range expect {
			if r.Replication == 0 {
				held[i] = 0
			}
			if out != nil && out.holds(e) {
				held[i]++
			}
			share := float64(held[i]) / float64(t.Design.Replications)
			if v := &verdicts[i]; r.Replication == t.Design.Replications-1 && share < v.Share {
				v.Share, v.Point, v.Met = share, r.Point, share >= e.Share
			}
		}
		return nil
	})
	return verdicts, err
}

// holds reports whether a run has the metric and it compares as expected.
func (o *Outcome) holds(e scenarios.SweepExpect) bool {
	value, has := o.Metrics[e.Metric]
	one := e.Expectation()
	return has && one.Holds(value)
}
