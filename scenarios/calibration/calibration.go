package calibration

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"taolab/model/num"
)

// Calibration asks for the parameters of a graph.
type Calibration struct {
	Graph   *Graph
	HoldOut float64 // share of the judgements that only judge the fit
	Draws   int     // networks drawn for the intervals
	Seed    uint64
	Workers int // 0: one a processor
}

// Estimate is a number with its interval of 95 %.
type Estimate struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Residual is a judgement and what the fit made of it.
type Residual struct {
	Judgement
	Held      bool // took no part in the fit
	Predicted float64
	Error     float64 // standard deviation of a judgement held out; 0 for others
}

// Result is what a calibration came to.
type Result struct {
	Spread       Estimate `json:"quality_spread"`
	Disagreement Estimate `json:"disagreement"`
	Noise        Estimate `json:"noise"`
	HoldOut      HoldOut  `json:"hold_out"`

	Residuals []Residual `json:"-"` // those held out come last
}

// HoldOut says how far the fit predicts what it has not seen.
type HoldOut struct {
	Judgements int     `json:"judgements"`
	RMSE       float64 `json:"rmse"`       // of the logarithm of a weight
	LevelRMSE  float64 `json:"level_rmse"` // of a prediction by the validator's mean
	Explained  float64 `json:"explained"`  // share of the mean square around that mean
	Covered    float64 `json:"covered"`    // share inside the intervals of 95 %
}

// ErrDivided says that there is no quality on which the validators agree.
var ErrDivided = errors.New("the validators have no common opinion of the miners, as where some weigh by another rule; expected one that most share")

// CheckFlags returns an error unless the share held out and the number of draws make sense.
func (c *Calibration) CheckFlags() error {
	switch {
	case !(0 < c.HoldOut && c.HoldOut <= 0.5):
		return fmt.Errorf("hold-out %v: expected a share above 0 and up to 0.5", c.HoldOut)
	case c.Draws < 20 || c.Draws > 100_000:
		return fmt.Errorf("%d draws: expected 20 to 100,000", c.Draws)
	}
	return nil
}

// Check returns an error unless the calibration can be made.
func (c *Calibration) Check() error {
	if err := c.CheckFlags(); err != nil {
		return err
	}
	return c.Graph.Check()
}

// Run fits the graph until ctx ends.
func (c *Calibration) Run(ctx context.Context) (*Result, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	train, held := c.Graph.split(c.HoldOut, num.NewStream(c.Seed, "calibration/hold-out"))
	if err := train.Check(); err != nil {
		return nil, fmt.Errorf("without the hold-out: %w", err)
	}
	f := fitTo(train.Judgements)
	r := &Result{}
	for _, j := range train.Judgements {
		r.Residuals = append(r.Residuals, Residual{Judgement: j, Predicted: f.predict(j)})
	}
	for _, j := range held {
		r.Residuals = append(r.Residuals, Residual{j, true, f.predict(j), f.error(j)})
	}
	r.HoldOut = judge(train, r.Residuals[len(train.Judgements):])
	if f.divided || r.HoldOut.Explained < -1 { // twice as wrong as means are: parts of the network do not know each other
		return nil, ErrDivided
	}
	drawn, err := c.draw(ctx, f.Parameters, train)
	if err != nil {
		return nil, err
	}
	r.Spread = estimate(f.Spread, drawn, func(p Parameters) float64 { return p.Spread })
	r.Disagreement = estimate(f.Disagreement, drawn, func(p Parameters) float64 { return p.Disagreement })
	r.Noise = estimate(f.Noise, drawn, func(p Parameters) float64 { return p.Noise })
	return r, nil
}

// draw fits networks that have the fitted parameters.
func (c *Calibration) draw(ctx context.Context, p Parameters, g *Graph) ([]Parameters, error) {
	drawn := make([]Parameters, c.Draws)
	workers := c.Workers
	if workers == 0 {
		workers = runtime.NumCPU()
	}
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(workers, c.Draws) {
		group.Go(func() {
			for i := int(next.Add(1) - 1); i < c.Draws && ctx.Err() == nil; i = int(next.Add(1) - 1) {
				drawn[i] = fitTo(Draw(p, g, num.NewStream(c.Seed, fmt.Sprintf("calibration/draw/%d", i)))).Parameters
			}
		})
	}
	group.Wait()
	return drawn, ctx.Err()
}

// estimate takes from a fitted number what fits are wrong by on average, and gives it the interval in which their
// errors lie. The error of a standard deviation grows with it, so the interval is one of its logarithm.
func estimate(fitted float64, drawn []Parameters, of func(Parameters) float64) Estimate {
	mean, square := 0.0, 0.0
	for _, p := range drawn {
		mean += of(p) / float64(len(drawn))
	}
	for _, p := range drawn {
		d := of(p) - mean
		square += float64(d*d) / float64(len(drawn)-1)
	}
	sd := math.Sqrt(square)
	value := max(fitted-(mean-fitted), 0)
	if value <= float64(2*sd) { // not told apart from 0
		return Estimate{value, 0, max(value, fitted) + float64(1.96*sd)}
	}
	ratio := num.Exp(float64(1.96*sd) / value)
	return Estimate{value, value / ratio, float64(value * ratio)}
}

// judge measures the predictions of held judgements.
func judge(train *Graph, held []Residual) HoldOut {
	h := HoldOut{Judgements: len(held)}
	given, _ := train.count()
	level := map[uint16]float64{}
	for _, j := range train.Judgements {
		level[uint16(j.Validator)] += j.Log / float64(given[j.Validator])
	}
	if len(held) == 0 {
		return h
	}
	n, squares, around := float64(len(held)), 0.0, 0.0
	for _, r := range held {
		e, d := r.Log-r.Predicted, r.Log-level[uint16(r.Validator)]
		squares += float64(e*e) / n
		around += float64(d*d) / n
		if math.Abs(e) <= float64(1.96*r.Error) {
			h.Covered += 1 / n
		}
	}
	h.RMSE, h.LevelRMSE = math.Sqrt(squares), math.Sqrt(around)
	if around > 0 {
		h.Explained = 1 - squares/around
	}
	return h
}
