package calibration

import (
	"math"

	"taolab/model/num"
	"taolab/sim/chain"
)

// Parameters are the numbers that a calibration looks for, all of them of logarithms of weights.
type Parameters struct {
	Spread       float64 `json:"quality_spread"` // standard deviation of the miners' qualities
	Disagreement float64 `json:"disagreement"`   // standard deviation of the validators' slopes, whose mean is 1
	Noise        float64 `json:"noise"`          // standard deviation of a judgement around what validator and miner explain
}

// fit is what least squares make of judgements.
type fit struct {
	Parameters
	validators, miners []chain.UID
	place              map[chain.UID]int // of validators
	seat               map[chain.UID]int // of miners
	level, slope       []float64         // by validator
	quality            []float64         // by miner
	squares, around    []float64         // sums of squares: of qualities around their mean by validator, of slopes by miner
	centre             []float64         // mean quality of those whom a validator judged
	given              []float64         // weights of each validator
	at                 []cell            // by judgement
	divided            bool              // the validators have no common opinion
}

// cell is the place of a judgement's validator and of its miner.
type cell struct{ i, k int }

const (
	rounds  = 500  // of alternating least squares
	settled = 1e-9 // largest change of a quality after which no more are made
	// common is the least mean of the slopes, in root mean squares of them, of validators who have an opinion in common.
	common = 0.3
)

// fitTo fits levels, slopes and qualities to judgements and estimates the parameters by their moments, less what noise
// adds to them.
func fitTo(list []Judgement) *fit {
	f := newFit(list)
	for range rounds {
		f.solveValidators(list)
		if f.solveMiners(list) < settled {
			break
		}
	}
	f.solveValidators(list)
	f.moments(list)
	return f
}

func newFit(list []Judgement) *fit {
	f := &fit{place: map[chain.UID]int{}, seat: map[chain.UID]int{}}
	for _, j := range list {
		if _, met := f.place[j.Validator]; !met {
			f.place[j.Validator] = len(f.validators)
			f.validators = append(f.validators, j.Validator)
		}
		if _, met := f.seat[j.Miner]; !met {
			f.seat[j.Miner] = len(f.miners)
			f.miners = append(f.miners, j.Miner)
		}
		f.at = append(f.at, cell{f.place[j.Validator], f.seat[j.Miner]})
	}
	v, m := len(f.validators), len(f.miners)
	f.level, f.slope, f.given, f.squares, f.centre = make([]float64, v), make([]float64, v), make([]float64, v), make([]float64, v), make([]float64, v)
	f.quality, f.around = make([]float64, m), make([]float64, m)
	for n, j := range list {
		i := f.at[n].i
		f.given[i]++
		f.level[i] += j.Log
	}
	for i := range f.level {
		f.level[i] /= f.given[i]
		f.slope[i] = 1
	}
	f.solveMiners(list) // begin with mean opinions
	return f
}

// solveValidators is the regression of each validator's judgements on the qualities; slopes then have mean 1.
func (f *fit) solveValidators(list []Judgement) {
	mean, products := make([]float64, len(f.level)), make([]float64, len(f.level))
	clear(f.centre)
	clear(f.squares)
	for n, j := range list {
		i := f.at[n].i
		f.centre[i] += f.quality[f.at[n].k] / f.given[i]
		mean[i] += j.Log / f.given[i]
	}
	for n, j := range list {
		i := f.at[n].i
		d := f.quality[f.at[n].k] - f.centre[i]
		f.squares[i] += float64(d * d)
		products[i] += float64(d * (j.Log - mean[i]))
	}
	scale, square := 0.0, 0.0
	for i := range f.slope {
		f.slope[i] = 1
		if f.squares[i] > 0 {
			f.slope[i] = products[i] / f.squares[i]
		}
		scale += f.slope[i] / float64(len(f.slope))
		square += float64(f.slope[i]*f.slope[i]) / float64(len(f.slope))
	}
	if f.divided = scale < float64(common*math.Sqrt(square)); f.divided {
		scale = math.Sqrt(square) // a mean near 0 measures nothing
	}
	if scale == 0 {
		scale = 1
	}
	for i := range f.slope {
		f.slope[i] /= scale
		f.squares[i] = float64(f.squares[i] * float64(scale*scale))
		f.centre[i] = float64(f.centre[i] * scale)
		f.level[i] = mean[i] - float64(f.slope[i]*f.centre[i])
	}
	for j := range f.quality {
		f.quality[j] = float64(f.quality[j] * scale)
	}
}

// solveMiners is the best quality of each miner, around a mean of 0, and returns the largest change.
func (f *fit) solveMiners(list []Judgement) (change float64) {
	products := make([]float64, len(f.quality))
	clear(f.around)
	for n, j := range list {
		i, k := f.at[n].i, f.at[n].k
		products[k] += float64(f.slope[i] * (j.Log - f.level[i]))
		f.around[k] += float64(f.slope[i] * f.slope[i])
	}
	mean := 0.0
	for k := range products {
		if f.around[k] > 0 {
			products[k] /= f.around[k]
		}
		mean += products[k] / float64(len(products))
	}
	for k, q := range products {
		change = max(change, math.Abs(q-mean-f.quality[k]))
		f.quality[k] = q - mean
	}
	return change
}

// moments estimates the parameters.
func (f *fit) moments(list []Judgement) {
	v, m := float64(len(f.validators)), float64(len(f.miners))
	rest := 0.0
	for _, j := range list {
		e := j.Log - f.predict(j)
		rest += float64(e * e)
	}
	noise := rest / max(float64(len(list))-float64(2*v)-m+2, 1)
	qualities, slopes := 0.0, 0.0
	for k, q := range f.quality {
		qualities += float64(q*q)/(m-1) - noise/float64(f.around[k]*m)
	}
	for i, b := range f.slope {
		slopes += float64((b-1)*(b-1)) / (v - 1)
		if f.squares[i] > 0 {
			slopes -= noise / float64(f.squares[i]*v)
		}
	}
	f.Spread, f.Disagreement, f.Noise = math.Sqrt(max(qualities, 0)), math.Sqrt(max(slopes, 0)), math.Sqrt(noise)
}

// predict is the logarithm of the weight that the fit expects.
func (f *fit) predict(j Judgement) float64 {
	i := f.place[j.Validator]
	return f.level[i] + float64(f.slope[i]*f.quality[f.seat[j.Miner]])
}

// error is the standard deviation with which a judgement that took no part in the fit lies around its prediction.
func (f *fit) error(j Judgement) float64 {
	i, k := f.place[j.Validator], f.seat[j.Miner]
	off := f.quality[k] - f.centre[i]
	variance := 1 + 1/f.given[i] + float64(f.slope[i]*f.slope[i])/f.around[k]
	if f.squares[i] > 0 {
		variance += float64(off*off) / f.squares[i]
	}
	return float64(f.Noise * math.Sqrt(variance))
}

// Draw makes the judgements of a network with known parameters, in which the validators of a graph judge the miners
// that they judge there. Rows are scaled up to the largest weight and rounded, as the ledger does.
func Draw(p Parameters, g *Graph, stream *num.Stream) []Judgement {
	slopes, qualities := map[chain.UID]float64{}, map[chain.UID]float64{}
	out := make([]Judgement, len(g.Judgements))
	for from := 0; from < len(out); {
		to := from
		top := math.Inf(-1)
		for ; to < len(out) && g.Judgements[to].Validator == g.Judgements[from].Validator; to++ {
			j := g.Judgements[to]
			slope, met := slopes[j.Validator]
			if !met {
				slope = 1 + float64(p.Disagreement*stream.Normal())
				slopes[j.Validator] = slope
			}
			quality, met := qualities[j.Miner]
			if !met {
				quality = float64(p.Spread * stream.Normal())
				qualities[j.Miner] = quality
			}
			j.Log = float64(slope*quality) + float64(p.Noise*stream.Normal())
			out[to] = j
			top = max(top, j.Log)
		}
		for i := from; i < to; i++ {
			out[i].Weight = uint32(max(math.Round(float64(float64(g.Max)*num.Exp(out[i].Log-top))), 1))
			out[i].Log = num.Log(float64(out[i].Weight))
		}
		from = to
	}
	return out
}
