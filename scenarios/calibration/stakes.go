package calibration

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"taolab/model/num"
	"taolab/sim/chain"
)

// Stakes are the stakes of a network to be fitted: a body, whose logarithms are normal, and above a threshold a Pareto
// tail, as a few own most of what there is.
type Stakes struct {
	Logs    []float64 // natural logarithms of those above 0 in rao, by uid
	Seats   int
	HoldOut float64 // share of the stakes that only judge the fit
	Draws   int     // resamples for the intervals
	Seed    uint64
}

// ReadStakes takes the stakes of a metagraph.
func ReadStakes(g *chain.Genesis) *Stakes {
	s := &Stakes{Seats: len(g.Neurons)}
	for _, n := range g.Neurons {
		if n.StakeRao > 0 {
			s.Logs = append(s.Logs, num.Log(float64(n.StakeRao)))
		}
	}
	return s
}

// StakeFit is what a fit came to. Amounts are in TAO.
type StakeFit struct {
	Seats     int      `json:"seats"`
	Holders   int      `json:"holders"` // seats with stake
	Median    float64  `json:"body_median_tao"`
	Spread    Estimate `json:"body_spread"` // standard deviation of the logarithm of a stake below the threshold, by its quartiles
	Threshold float64  `json:"tail_threshold_tao"`
	Tail      Estimate `json:"tail_share"`    // of the holders
	Exponent  Estimate `json:"tail_exponent"` // the share above x falls with x to the power -exponent
	HeldOut   int      `json:"held_out"`
	RMSE      float64  `json:"rmse"`      // of the logarithms held out around those that the fit has at their ranks
	Explained float64  `json:"explained"` // share of their mean square around their mean

	Places []StakePlace `json:"-"` // those held out come last
}

// StakePlace is a stake, as a logarithm in TAO, and what the fit has at its rank.
type StakePlace struct {
	Log, Predicted float64
	Held           bool
}

// fewestStakes is how many seats with stake a fit needs, and fewestInTail how many of them the tail has at least.
const (
	fewestStakes = 50
	fewestInTail = 10
	thresholds   = 60 // that a fit tries
)

// Check returns an error unless the stakes can be fitted.
func (s *Stakes) Check() error {
	switch {
	case len(s.Logs) < fewestStakes:
		return fmt.Errorf("%d seats with stake; expected at least %d", len(s.Logs), fewestStakes)
	case slices.Min(s.Logs) == slices.Max(s.Logs):
		return errors.New("all stakes are equal; expected some that differ")
	}
	return nil
}

// Run fits the stakes until ctx ends.
func (s *Stakes) Run(ctx context.Context) (*StakeFit, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	stream := num.NewStream(s.Seed, "calibration/stakes/hold-out")
	order := stream.Perm(len(s.Logs))
	cut := int(float64(s.HoldOut * float64(len(order))))
	var held, train []float64
	for i, k := range order {
		if i < cut {
			held = append(held, s.Logs[k])
		} else {
			train = append(train, s.Logs[k])
		}
	}
	slices.Sort(held)
	slices.Sort(train)
	f := fitStakes(train)
	drawn := make([]stakeModel, s.Draws)
	for d := range drawn {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		stream := num.NewStream(s.Seed, fmt.Sprintf("calibration/stakes/draw/%d", d))
		again := make([]float64, len(train))
		for i := range again {
			again[i] = train[stream.IntN(len(train))]
		}
		slices.Sort(again)
		drawn[d] = fitStakes(again)
	}
	between := func(of func(stakeModel) float64) Estimate {
		values := make([]float64, len(drawn))
		for i, m := range drawn {
			values[i] = of(m)
		}
		slices.Sort(values)
		n := float64(len(values) - 1)
		return Estimate{of(f), values[int(float64(0.025*n))], values[int(math.Ceil(float64(0.975*n)))]}
	}
	r := &StakeFit{
		Seats: s.Seats, Holders: len(s.Logs), HeldOut: len(held),
		Median: inTAO(f.centre), Threshold: inTAO(f.threshold),
		Spread:   between(func(m stakeModel) float64 { return m.spread }),
		Tail:     between(func(m stakeModel) float64 { return m.tail }),
		Exponent: between(func(m stakeModel) float64 { return m.exponent }),
	}
	r.judge(f, train, held)
	return r, nil
}

func inTAO(log float64) float64 { return num.Exp(log) / chain.RaoPerTAO }

// judge sets stakes against what the model has at their ranks.
func (r *StakeFit) judge(f stakeModel, train, held []float64) {
	place := func(sorted []float64, out bool) (squares, around float64) {
		mean := 0.0
		for _, y := range sorted {
			mean += y / float64(len(sorted))
		}
		tao := num.Log(chain.RaoPerTAO)
		for i, y := range sorted {
			q := f.quantile((float64(i) + 0.5) / float64(len(sorted)))
			squares += float64((y-q)*(y-q)) / float64(len(sorted))
			around += float64((y-mean)*(y-mean)) / float64(len(sorted))
			r.Places = append(r.Places, StakePlace{y - tao, q - tao, out})
		}
		return squares, around
	}
	place(train, false)
	squares, around := place(held, true)
	if r.RMSE = math.Sqrt(squares); around > 0 {
		r.Explained = 1 - squares/around
	}
}

// stakeModel is a distribution of logarithms.
type stakeModel struct {
	centre, spread float64 // of the body, a normal distribution that ends at the threshold
	threshold      float64
	tail, exponent float64 // share above the threshold, and how fast it falls
}

// fitStakes takes the threshold above which the tail is nearest to a Pareto distribution by the Kolmogorov distance, and
// the likeliest exponent there (Clauset, Shalizi and Newman 2009). Median and quartiles tell the body, which a threshold
// that is somewhat too high or too low moves little.
func fitStakes(sorted []float64) stakeModel {
	n := len(sorted)
	above := make([]float64, n+1) // sums of the largest
	for i := n - 1; i >= 0; i-- {
		above[i] = above[i+1] + sorted[i]
	}
	best, least := stakeModel{}, math.Inf(1)
	ratio := float64(n/2) / fewestInTail
	for t := range thresholds {
		k := int(math.Round(float64(fewestInTail * num.Pow(ratio, float64(t)/(thresholds-1)))))
		from := n - k
		mark := sorted[from]
		excess := above[from] - float64(float64(k)*mark)
		if from < 2 || excess <= 0 || sorted[0] == sorted[from-1] {
			continue
		}
		m := stakeModel{threshold: mark, tail: float64(k) / float64(n), exponent: float64(k) / excess}
		if d := m.distance(sorted[from:]); d < least {
			best, least = m, d
		}
	}
	body := sorted[:n-int(math.Round(float64(best.tail*float64(n))))]
	last := float64(len(body) - 1)
	best.centre = body[int(last/2)]
	best.spread = (body[int(float64(0.75*last))] - body[int(last/4)]) / float64(2*num.NormalQuantile(0.75))
	return best
}

// distance is the largest between the tail's share above a stake and the model's.
func (m stakeModel) distance(tail []float64) (most float64) {
	n := float64(len(tail))
	for i, y := range tail {
		model := 1 - num.Exp(float64(-m.exponent*(y-m.threshold)))
		most = max(most, math.Abs(model-float64(i)/n), math.Abs(model-float64(i+1)/n))
	}
	return most
}

// quantile is the logarithm below which a share of the stakes lies.
func (m stakeModel) quantile(share float64) float64 {
	if rest := 1 - share; rest < m.tail {
		return m.threshold - num.Log(rest/m.tail)/m.exponent
	}
	if m.spread == 0 {
		return m.centre
	}
	inBody := share / (1 - m.tail)
	return m.centre + float64(m.spread*num.NormalQuantile(float64(inBody*normalShare((m.threshold-m.centre)/m.spread))))
}

// normalShare is the probability of a standard normal number below z, by bisection of the quantile.
func normalShare(z float64) float64 {
	low, high := 0.0, 1.0
	for range 60 {
		if middle := (low + high) / 2; num.NormalQuantile(middle) < z {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}
