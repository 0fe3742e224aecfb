package decide

import (
	"math"
	"slices"
	"sort"

	"taolab/model/num"
	"taolab/sim/host"
)

// Path is a price over time: a step function on a fixed grid, made once for a run, so that asking at other
// times moves nothing.
type Path struct {
	step   host.Time // between two values; 0: Times says when each begins
	times  []host.Time
	values []float64
}

// MaxSteps bounds the values of a path.
const MaxSteps = 1 << 20

// Constant is a price that never moves.
func Constant(value float64) *Path { return &Path{step: math.MaxInt64, values: []float64{value}} }

// Recorded is a price as somebody wrote it down: each value holds from its time on. Times rise, and the
// first holds before it too.
func Recorded(times []host.Time, values []float64) *Path { return &Path{times: times, values: values} }

// At is the price at a time.
func (p *Path) At(now host.Time) float64 {
	i := 0
	if p.step > 0 {
		i = int(max(now, 0) / p.step)
	} else {
		i = sort.Search(len(p.times), func(i int) bool { return p.times[i] > now }) - 1
	}
	return p.values[min(max(i, 0), len(p.values)-1)]
}

// Extremes are the least and the greatest price of a path.
func (p *Path) Extremes() (least, most float64) {
	return slices.Min(p.values), slices.Max(p.values)
}

// Brownian is a geometric Brownian motion with drift and spread per year.
type Brownian struct{ Drift, Spread float64 }

// Path draws n steps from a value. Each is exact, however long: the price stays above 0 and its mean grows
// by the drift.
func (b Brownian) Path(value float64, step host.Time, n int, stream *num.Stream) *Path {
	years := float64(step) / float64(HoursPerYear*float64(host.Hour))
	mean := float64((b.Drift - float64(b.Spread*b.Spread)/2) * years)
	spread := float64(b.Spread * math.Sqrt(years))
	return drawn(value, step, n, func() float64 { return mean + float64(spread*stream.Normal()) })
}

// Regimes is a price with two states of the market.
type Regimes struct {
	Change [2]float64 // chance per step to leave each state
	Mean   [2]float64 // of the logarithm's step in each state
	Spread [2]float64 // its standard deviation
}

// Path draws n steps from a value, in the first state at the beginning. A step is that of the state before
// the move.
func (r Regimes) Path(value float64, step host.Time, n int, stream *num.Stream) *Path {
	state := 0
	return drawn(value, step, n, func() float64 {
		s := state
		if stream.Float64() < r.Change[s] {
			state = 1 - s
		}
		return r.Mean[s] + float64(r.Spread[s]*stream.Normal())
	})
}

// drawn is a path of n steps of its logarithm.
func drawn(value float64, step host.Time, n int, next func() float64) *Path {
	p := &Path{step: step, values: make([]float64, 1, n+1)}
	p.values[0] = value
	for range n {
		value = float64(value * num.Exp(next()))
		p.values = append(p.values, value)
	}
	return p
}
