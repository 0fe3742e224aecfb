package tune

import (
	"errors"
	"math"
	"path/filepath"

	"taolab/report"
)

// TraceFile is the table of all points that a search tried.
const TraceFile = "trace.parquet"

// Write writes the trace and the figures of a result into the search's folder.
func (s *Search) Write(r *Result) error {
	columns := []report.RowColumn{report.Whole.Column("trial"), report.Whole.Column("search")}
	for _, k := range s.section.Keys {
		columns = append(columns, report.Words.Column(k.Key))
	}
	for _, o := range s.section.Objectives {
		columns = append(columns, report.Real.Optional(o.Metric))
	}
	columns = append(columns, report.Real.Optional("violation"), report.Words.Column("status"))
	err := report.WriteTable(filepath.Join(s.Sweep.Dir, TraceFile), columns, func(row func(...any) error) error {
		for i, t := range r.Trials {
			if err := row(t.row(i)...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.draw(r)
}

func (t Trial) row(i int) []any {
	row := []any{int64(i), int64(t.Search)}
	for _, v := range t.Values {
		row = append(row, v)
	}
	status, violation := "ok", t.Violation
	if t.Failed {
		status, violation = "failed", math.NaN()
	} else if t.Violation > 0 {
		status = "infeasible"
	}
	for _, x := range t.Statistics {
		if t.Failed {
			x = math.NaN()
		}
		row = append(row, x)
	}
	return append(row, violation, status)
}

// figureSteps is how many stretches a search is drawn in.
const figureSteps = 20

// draw draws how the first search went and, of two objectives, the front.
func (s *Search) draw(r *Result) error {
	o := s.section.Objectives[0]
	b := report.Bands{
		Name: "tune", Title: "The search for " + o.Goal + " " + o.Metric, Across: "points tried", Up: o.Metric,
		Caption: "Feasible points of each stretch of the search.",
		Lines:   []report.BandLine{{Label: o.Statistic + " over the replications"}},
	}
	var first []Trial
	for _, t := range r.Trials {
		if t.Search == 0 {
			first = append(first, t)
		}
	}
	for k := range figureSteps {
		from, to := k*len(first)/figureSteps, (k+1)*len(first)/figureSteps
		p := report.FanPlace{X: float64(to)}
		for _, t := range first[from:to] {
			if !t.Failed && t.Violation == 0 {
				p.Values = append(p.Values, t.Statistics[0])
			}
		}
		b.Lines[0].Places = append(b.Lines[0].Places, p)
	}
	err := report.WriteBands(s.Sweep.Dir, b)
	if len(r.Front) < 2 {
		return err
	}
	front := report.Bands{
		Name: "front", Title: "What one objective costs the other", Across: o.Metric, Up: s.section.Objectives[1].Metric,
		Caption: "Points that no other one betters in both objectives.", Lines: []report.BandLine{{Label: "front"}},
	}
	for _, i := range r.Front {
		t := r.Trials[i]
		front.Lines[0].Places = append(front.Lines[0].Places, report.FanPlace{X: t.Statistics[0], Values: t.Statistics[1:2]})
	}
	return errors.Join(err, report.WriteBands(s.Sweep.Dir, front))
}
