package tune

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"taolab/model/num"
	"taolab/scenarios"
	"taolab/scenarios/search"
	"taolab/scenarios/sweep"
)

// Search looks for the best settings of a file's [tune]. Sweep makes its runs: its Design is not used.
type Search struct {
	Sweep   *sweep.Sweep
	Program string

	section *scenarios.TuneSection
	session *sweep.Session
	design  sweep.Design // of any points
	known   map[string]Trial
	result  Result
}

// Trial is a point that was tried.
type Trial struct {
	Search     int       // 0, or of two objectives the search with a weight of its own
	Point      []float64 // in the unit cube
	Values     []string  // of the keys, as TOML
	Statistics []float64 // of the objectives' metrics, over the replications
	Errors     []float64 // of the statistics, as standard deviations; 0 of a single replication
	Margins    []float64 // by which constraints are missed; below 0 where they hold
	Violation  float64   // sum of those above 0
	Failed     bool
}

// Result is what a search came to.
type Result struct {
	Trials []Trial // in the order of evaluation
	Found  []Trial // by search: where it ended
	Judged []Trial // the same points, with seeds of their own
	Front  []int   // of two objectives: the trials that no other one betters in both
}

// weights are those of the searches for two objectives: both ends come first, for they tell the ranges.
var weights = []float64{1, 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9}

// Refusal is the error of a scenario that cannot be searched.
type Refusal struct{ error }

// Unwrap returns the reason.
func (r Refusal) Unwrap() error { return r.error }

// Run searches, until ctx ends.
func (s *Search) Run(ctx context.Context) (*Result, error) {
	s.section, s.known = &s.Sweep.File.Tune, map[string]Trial{}
	if len(s.section.Keys) == 0 {
		return nil, Refusal{fmt.Errorf("%s: tune: nothing to look for; expected [[tune.keys]] and [[tune.objectives]]", s.Sweep.File.Origin)}
	}
	if err := s.plan(); err != nil {
		return nil, err
	}
	session, err := s.Sweep.Open()
	if err != nil {
		return nil, err
	}
	s.session = session
	return &s.result, errors.Join(s.searches(ctx), session.Close())
}

// plan keeps in the folder what is searched, and refuses a folder of anything else.
func (s *Search) plan() error {
	file, t := s.Sweep.File, s.section
	s.design = sweep.Design{
		Format: 1, Name: file.Scenario.Name, Program: s.Program, Base: fmt.Sprintf("%x", file.BaseDigest()), Master: file.Seed,
		Replications: t.Replications, Common: true, Keys: []string{},
	}
	middle := make([]float64, len(t.Keys))
	for i, k := range t.Keys {
		s.design.Keys = append(s.design.Keys, k.Key)
		middle[i] = 0.5
	}
	plan := s.design
	plan.Sweep = fmt.Sprintf("tune %+v", *t)
	plan.Points = [][]string{s.values(middle)}
	if _, err := file.With(plan.Sets(plan.Run(0))...); err != nil {
		return Refusal{fmt.Errorf("%s: the first point of the search is refused: %w", file.Origin, err)}
	}
	if err := os.MkdirAll(s.Sweep.Dir, 0o755); err != nil {
		return fmt.Errorf("%s: %w; expected a folder that can be written", s.Sweep.Dir, err)
	}
	return plan.Keep(s.Sweep.Dir)
}

// searches makes one search, or one for each weight, and judges where they end.
func (s *Search) searches(ctx context.Context) error {
	if len(s.section.Objectives) == 1 {
		return s.look(ctx, 0, func(t Trial) float64 { return s.cost(t, 0) })
	}
	var best, span [2]float64
	for i, weight := range weights {
		cost := func(t Trial) float64 {
			return search.Chebyshev([2]float64{s.cost(t, 0), s.cost(t, 1)}, best, span, weight)
		}
		if i < 2 {
			cost = func(t Trial) float64 { return s.cost(t, i) }
		}
		if err := s.look(ctx, i, cost); err != nil {
			return err
		}
		if i == 1 {
			a, b := s.result.Found[0], s.result.Found[1]
			best = [2]float64{s.cost(a, 0), s.cost(b, 1)}
			span = [2]float64{max(s.cost(b, 0)-best[0], 1e-12), max(s.cost(a, 1)-best[1], 1e-12)}
		}
	}
	var objectives [][2]float64
	var sound []int
	for i, t := range s.result.Trials {
		if !t.Failed && t.Violation == 0 {
			objectives, sound = append(objectives, [2]float64{s.cost(t, 0), s.cost(t, 1)}), append(sound, i)
		}
	}
	for _, i := range search.Front(objectives) {
		s.result.Front = append(s.result.Front, sound[i])
	}
	return nil
}

func (s *Search) cost(t Trial, objective int) float64 {
	if t.Failed {
		return 0 // it ranks behind all others whatever its cost
	}
	return s.section.Objectives[objective].Cost(t.Statistics[objective])
}

// look makes one search by a cost.
func (s *Search) look(ctx context.Context, index int, cost func(Trial) float64) error {
	start := make([]float64, len(s.section.Keys))
	for i := range start {
		start[i] = 0.5
	}
	outcomes := func(points [][]float64) ([]search.Outcome, error) {
		trials, err := s.try(ctx, index, points)
		out := make([]search.Outcome, len(trials))
		for i, t := range trials {
			out[i] = search.Outcome{
				Objective: cost(t), Variance: variance(t, cost), Violation: t.Violation, Margins: t.Margins, Failed: t.Failed,
			}
		}
		return out, err
	}
	found, err := s.descend(start, index, outcomes)
	if err != nil {
		return err
	}
	ended, err := s.evaluate(ctx, [][]float64{found}, 0, s.section.Replications)
	if err != nil {
		return err
	}
	judged, err := s.evaluate(ctx, [][]float64{found}, s.section.Replications, s.section.Replications+s.section.Judge)
	if err != nil {
		return err
	}
	ended[0].Search, judged[0].Search = index, index
	s.result.Found, s.result.Judged = append(s.result.Found, ended[0]), append(s.result.Judged, judged[0])
	return nil
}

// variance is that of a trial's cost, to first order in the errors of its statistics.
func variance(t Trial, cost func(Trial) float64) (sum float64) {
	at := cost(t)
	for i, e := range t.Errors {
		off := t
		off.Statistics = slices.Clone(t.Statistics)
		off.Statistics[i] += e
		rise := cost(off) - at
		sum += float64(rise * rise)
	}
	return sum
}

// descend runs the method and returns the point where it believes the optimum to be.
func (s *Search) descend(start []float64, index int, outcomes func([][]float64) ([]search.Outcome, error)) ([]float64, error) {
	t := s.section
	stream := num.NewStream(s.Sweep.File.Seed, fmt.Sprintf("tune/%d", index))
	switch t.Method {
	case "nelder-mead":
		trials, err := search.NelderMead(start, t.Step, t.Evaluations, func(p []float64) (search.Outcome, error) {
			out, err := outcomes([][]float64{p})
			if err != nil {
				return search.Outcome{}, err
			}
			return out[0], nil
		})
		if err != nil {
			return nil, err
		}
		return slices.MinFunc(trials, func(a, b search.Trial) int { return a.Outcome.Compare(b.Outcome) }).Point, nil
	case "surrogate":
		cells := make([]int, len(t.Keys))
		for i := range cells {
			cells[i] = sweep.Cells(&t.Keys[i])
		}
		g, err := search.NewSurrogate(len(t.Keys), t.Evaluations, t.Population, cells, stream)
		if err != nil {
			return nil, err
		}
		if err := generations(t.Evaluations, g.Ask, g.Tell, outcomes); err != nil {
			return nil, err
		}
		return g.Best()
	}
	c, err := search.NewCMAES(start, t.Step, t.Population, stream)
	if err != nil {
		return nil, err
	}
	ask := func() ([][]float64, error) { return c.Ask(), nil }
	if err := generations(t.Evaluations, ask, c.Tell, outcomes); err != nil {
		return nil, err
	}
	return c.Mean(), nil // under noise it is nearer than the best point seen
}

// generations evaluates what a search asks for, until it asks for nothing or for more than is left of its evaluations.
func generations(evaluations int, ask func() ([][]float64, error), tell func([]search.Outcome) error,
	outcomes func([][]float64) ([]search.Outcome, error)) error {
	for tried := 0; ; {
		points, err := ask()
		if err != nil {
			return err
		}
		if tried += len(points); len(points) == 0 || tried > evaluations {
			return nil
		}
		out, err := outcomes(points)
		if err == nil {
			err = tell(out)
		}
		if err != nil {
			return err
		}
	}
}

// try evaluates points of a search and notes them.
func (s *Search) try(ctx context.Context, index int, points [][]float64) ([]Trial, error) {
	trials, err := s.evaluate(ctx, points, 0, s.section.Replications)
	for i := range trials {
		trials[i].Search = index
	}
	s.result.Trials = append(s.result.Trials, trials...)
	return trials, err
}

// values are the keys' values at a point.
func (s *Search) values(point []float64) []string {
	out := make([]string, len(point))
	for i := range point {
		out[i] = sweep.Value(&s.section.Keys[i], search.Round(point[i]))
	}
	return out
}

// evaluate makes the replications from one to before another of each point. Points of equal values share their runs.
func (s *Search) evaluate(ctx context.Context, points [][]float64, from, until int) ([]Trial, error) {
	d := s.design
	d.Replications = until
	for _, p := range points {
		d.Points = append(d.Points, s.values(p))
	}
	if err := s.session.Make(ctx, &d); err != nil {
		return nil, err
	}
	trials := make([]Trial, len(points))
	for i, p := range points {
		name := fmt.Sprintf("%d %d %s", from, until, strings.Join(d.Points[i], "\n"))
		t, met := s.known[name]
		if !met {
			var err error
			if t, err = s.judge(&d, i, from); err != nil {
				return nil, err
			}
			s.known[name] = t
		}
		t.Point = slices.Clone(p)
		trials[i] = t
	}
	return trials, nil
}

// judge sums the replications of a point up. One that failed, or has no such number, fails the point.
func (s *Search) judge(d *sweep.Design, point, from int) (Trial, error) {
	t := Trial{Values: d.Points[point]}
	var outcomes []*sweep.Outcome
	for r := from; r < d.Replications; r++ {
		out, err := s.session.Outcome(d.Run(point*d.Replications + r).Key)
		if err != nil {
			return t, err
		}
		outcomes = append(outcomes, out)
	}
	for _, o := range s.section.Objectives {
		values, sound := numbers(o.Metric, outcomes)
		x, off := statistic(o.Statistic, values)
		t.Statistics, t.Errors, t.Failed = append(t.Statistics, x), append(t.Errors, off), t.Failed || !sound
	}
	for _, k := range s.section.Constraints {
		values, sound := numbers(k.Metric, outcomes)
		if t.Failed = t.Failed || !sound; sound {
			x, _ := statistic(k.Statistic, values)
			t.Margins = append(t.Margins, k.Margin(x))
			t.Violation += max(k.Margin(x), 0)
		}
	}
	return t, nil
}

// numbers has a metric of each run; sound is false where a run has none.
func numbers(metric string, outcomes []*sweep.Outcome) (values []float64, sound bool) {
	for _, out := range outcomes {
		if out == nil || out.Status != sweep.OK {
			return nil, false
		}
		v, has := out.Metrics[metric]
		if !has {
			return nil, false
		}
		values = append(values, v)
	}
	return values, true
}

// statistic is one of numbers, with its standard error; of a quantile, at most that of a single number. Both decide where
// a search goes next, and so have the same bits everywhere.
func statistic(name string, values []float64) (x, off float64) {
	n := float64(len(values))
	if n == 0 {
		return 0, 0
	}
	var mean, squares float64
	for _, v := range values {
		mean += v
	}
	mean /= n
	for _, v := range values {
		squares += float64((v - mean) * (v - mean))
	}
	if n > 1 {
		off = math.Sqrt(squares / (n - 1))
	}
	share, ordered := map[string]float64{"median": 0.5, "q5": 0.05, "q95": 0.95}[name]
	if !ordered {
		return mean, off / math.Sqrt(n)
	}
	slices.Sort(values)
	place := float64(share * (n - 1))
	below := int(place)
	above := min(below+1, len(values)-1)
	return values[below] + float64((place-float64(below))*(values[above]-values[below])), off
}
