package sweep

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"taolab/report"
	"taolab/scenarios"
	"taolab/scenarios/design"
)

// SensitivityFile is the table of sensitivities in the folder of a sweep.
const SensitivityFile = "sensitivity.parquet"

// resamples and confidence are the settings of the intervals of Sobol indices.
const (
	resamples  = 1000
	confidence = 0.95
)

// Sensitivity describes the dependence of a metric on the swept keys.
type Sensitivity struct {
	Metric string
	Keys   []string
	Failed int // rows or trajectories left out

	Effects    []design.Effect // of a Morris design, by key
	Indices    *design.Indices // of a Sobol design
	NoiseShare float64         // of the variance that is noise of replications; NaN with a single one
}

// Sensitivities estimates the dependence of the metrics in sweep.sensitivity on the swept keys.
func (t *Table) Sensitivities(sc *scenarios.Scenario) ([]Sensitivity, error) {
	var list []Sensitivity
	names := coordinates(&sc.Sweep)
	for _, metric := range sc.Sweep.Sensitivity {
		if !slices.Contains(t.Metrics, metric) {
			return nil, fmt.Errorf("sweep.sensitivity: no run has the metric %s; expected the name of a column of %s", metric, TableFile)
		}
		means, variances, err := t.byPoint(metric)
		if err != nil {
			return nil, err
		}
		s := Sensitivity{Metric: metric, Keys: names, NoiseShare: math.NaN()}
		if sc.Sweep.Design == "morris" {
			err = s.screen(sc, means)
		} else {
			err = s.decompose(sc, means, variances, t.Design.Replications)
		}
		if err != nil {
			return nil, fmt.Errorf("sweep.sensitivity: %s: %w", metric, err)
		}
		list = append(list, s)
	}
	return list, nil
}

// byPoint returns the mean of a metric over the replications of each point, NaN where one of them has none, and its
// variance over them, 0 where there is a single one.
func (t *Table) byPoint(metric string) (means, variances []float64, err error) {
	means, variances = make([]float64, len(t.Design.Points)), make([]float64, len(t.Design.Points))
	values := make([]float64, t.Design.Replications)
	err = t.Each(func(r Run, _ *record, out *Outcome) error {
		values[r.Replication] = math.NaN()
		if out != nil {
			if v, has := out.Metrics[metric]; has {
				values[r.Replication] = v
			}
		}
		if r.Replication == len(values)-1 {
			means[r.Point], variances[r.Point] = moments(values)
		}
		return nil
	})
	return means, variances, err
}

// moments returns mean and variance, the variance with divisor n - 1.
func moments(values []float64) (mean, variance float64) {
	n := float64(len(values))
	for _, v := range values {
		mean += v / n
	}
	if len(values) == 1 {
		return mean, 0
	}
	for _, v := range values {
		variance += float64((v-mean)*(v-mean)) / (n - 1)
	}
	return mean, variance
}

// screen estimates elementary effects.
func (s *Sensitivity) screen(sc *scenarios.Scenario, outputs []float64) (err error) {
	points, err := unitPoints(sc, s.Keys)
	if err != nil {
		return err
	}
	s.Effects, s.Failed, err = design.Effects(points, outputs)
	return err
}

// decompose estimates Sobol indices.
func (s *Sensitivity) decompose(sc *scenarios.Scenario, outputs, variances []float64, replications int) (err error) {
	k, nets := len(s.Keys), sc.Sweep.Randomised
	if nets == 1 {
		s.Indices, err = design.Bootstrap{Seed: sc.Seed, Resamples: resamples, Level: confidence}.Estimate(outputs, k)
	} else {
		size := len(outputs) / nets
		byNet := make([][]float64, nets)
		for i := range byNet {
			byNet[i] = outputs[i*size : (i+1)*size]
		}
		s.Indices, err = design.Randomised(byNet, k, confidence)
	}
	if err != nil {
		return err
	}
	s.Failed = s.Indices.Failed
	if replications > 1 {
		known := variances[:0:0]
		for _, v := range variances {
			if !math.IsNaN(v) {
				known = append(known, v)
			}
		}
		s.NoiseShare = s.Indices.NoiseShare(known, replications)
	}
	return nil
}

// Warnings lists the defects that make the estimates unreliable.
func (s *Sensitivity) Warnings() []string {
	var list []string
	if s.Failed > 0 {
		list = append(list, fmt.Sprintf("%s: %d rows of the design were left out because a run failed or has no such metric", s.Metric, s.Failed))
	}
	if s.Indices != nil && s.Indices.First == nil {
		list = append(list, fmt.Sprintf("%s does not vary over the design, and so has no indices", s.Metric))
	} else if s.Indices != nil && s.Indices.Widest() > 0.1 {
		list = append(list, fmt.Sprintf("%s: the widest interval of an index is %.2g with %d rows; raise sweep.points to bring it below 0.1",
			s.Metric, s.Indices.Widest(), s.Indices.Rows))
	}
	if s.NoiseShare > 0.1 {
		list = append(list, fmt.Sprintf("%s: %.0f %% of the variance is noise of replications; raise sweep.replications to bring it below 10 %%",
			s.Metric, float64(100*s.NoiseShare)))
	}
	return list
}

// Tornado is the chart of the keys' influence.
func (s *Sensitivity) Tornado() report.Tornado {
	t := report.Tornado{Metric: s.Metric}
	if s.Indices == nil {
		t.Measure, t.Within = "mu*: mean absolute elementary effect", "sigma"
		for i, e := range s.Effects {
			t.Bars = append(t.Bars, report.TornadoBar{Key: s.Keys[i], Value: e.MeanAbs, Within: e.SD, Low: math.NaN(), High: math.NaN()})
		}
		return t
	}
	t.Measure, t.Within = "total index with its 95 % interval", "first-order index"
	for i, e := range s.Indices.Total {
		t.Bars = append(t.Bars, report.TornadoBar{Key: s.Keys[i], Value: e.Value, Within: s.Indices.First[i].Value, Low: e.Low, High: e.High})
	}
	return t
}

var (
	effectColumns = []report.RowColumn{report.Words.Column("metric"), report.Words.Column("key"),
		report.Real.Column("mu"), report.Real.Column("mu_star"),
		report.Real.Column("sigma"), report.Whole.Column("failed")}
	indexColumns = []report.RowColumn{report.Words.Column("metric"), report.Words.Column("key"),
		report.Real.Optional("first"), report.Real.Optional("first_low"),
		report.Real.Optional("first_high"), report.Real.Optional("total"), report.Real.Optional("total_low"), report.Real.Optional("total_high"),
		report.Words.Column("interval"), report.Whole.Column("rows"), report.Whole.Column("failed"), report.Real.Column("variance"), report.Real.Optional("noise_share")}
)

// WriteSensitivities writes the table and a tornado chart of each metric.
func WriteSensitivities(dir string, list []Sensitivity) error {
	if len(list) == 0 {
		return nil
	}
	columns := indexColumns
	if list[0].Indices == nil {
		columns = effectColumns
	}
	err := report.WriteTable(filepath.Join(dir, SensitivityFile), columns, func(row func(values ...any) error) error {
		for _, s := range list {
			for i := range s.Keys {
				if err := row(s.row(i)...); err != nil {
					return err
				}
			}
		}
		return nil
	})
	for _, s := range list {
		if t := s.Tornado(); err == nil && len(t.Bars) > 0 {
			err = report.WriteTornado(dir, t)
		}
	}
	return err
}

// row is the table's row for key i.
func (s *Sensitivity) row(i int) []any {
	if s.Indices == nil {
		e := s.Effects[i]
		return []any{s.Metric, s.Keys[i], e.Mean, e.MeanAbs, e.SD, int64(s.Failed)}
	}
	x := s.Indices
	row := []any{s.Metric, s.Keys[i], nil, nil, nil, nil, nil, nil, x.Interval, int64(x.Rows), int64(x.Failed), x.Variance, nil}
	if x.First != nil {
		f, t := x.First[i], x.Total[i]
		row[2], row[3], row[4], row[5], row[6], row[7] = f.Value, f.Low, f.High, t.Value, t.Low, t.High
	}
	if !math.IsNaN(s.NoiseShare) {
		row[12] = s.NoiseShare
	}
	return row
}
