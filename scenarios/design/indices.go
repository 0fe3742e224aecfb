package design

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"taolab/model/num"
)

// maxFailedShare is the largest share of rows that may be left out because a run failed: more would bias the rest.
const maxFailedShare = 0.05

// Saltelli returns the points that variance-based indices need: for each row of the matrices A and B in turn its point
// in A, its point in B, and for each key the point of A with that key's coordinate from B.
func Saltelli(a, b [][]float64) [][]float64 {
	if len(a) == 0 {
		return nil
	}
	k := len(a[0])
	points := rows(len(a)*(k+2), k)
	for r := range a {
		row := points[r*(k+2) : (r+1)*(k+2)]
		copy(row[0], a[r])
		copy(row[1], b[r])
		for i := range k {
			copy(row[i+2], a[r])
			row[i+2][i] = b[r][i]
		}
	}
	return points
}

// Estimate is a value with its interval.
type Estimate struct{ Value, Low, High float64 }

// Indices are the estimates that a Sobol design gives for an output.
type Indices struct {
	Rows   int // rows of the design in use
	Failed int // rows left out because one of their outputs was not a finite number

	Mean, Variance float64    // of the output over the design
	First, Total   []Estimate // per key; nil where the output does not vary
	Interval       string     // method of the intervals
}

// Widest returns the width of the widest interval: above 0.1 a design needs more points.
func (x *Indices) Widest() float64 {
	var widest float64
	for _, e := range slices.Concat(x.First, x.Total) {
		widest = max(widest, e.High-e.Low)
	}
	return widest
}

// NoiseShare returns the share of the variance that is noise of replications: variances holds each point's variance
// over its replications. Above 0.1 a design needs more of them. It is NaN where the output does not vary.
func (x *Indices) NoiseShare(variances []float64, replications int) float64 {
	var mean float64
	for _, v := range variances {
		mean += v / float64(len(variances))
	}
	return mean / float64(replications) / x.Variance
}

// Bootstrap makes intervals from resampled rows. It draws from its own stream, so that the same call returns the
// same interval.
type Bootstrap struct {
	Seed      uint64
	Resamples int
	Level     float64 // of the interval, such as 0.95
}

// Estimate returns first-order indices (Saltelli 2010 on centred outputs) and total indices (Jansen) of the outputs
// at the points of Saltelli for k keys. Intervals are percentiles over resampled rows; since rows of a net are not
// independent, they tend to be too wide. Negative estimates are kept.
func (b Bootstrap) Estimate(outputs []float64, k int) (*Indices, error) {
	if b.Resamples < 40 || b.Resamples > 1_000_000 || !(0 < b.Level && b.Level < 1) {
		return nil, fmt.Errorf("%d resamples at level %v: expected 40 to 1,000,000 and a level between 0 and 1", b.Resamples, b.Level)
	}
	sample, failed, err := soundRows(outputs, k)
	if err != nil {
		return nil, err
	}
	x := sample.indices(nil)
	x.Failed = failed
	x.Interval = fmt.Sprintf("bootstrap over rows, %d resamples", b.Resamples)
	if x.First == nil {
		return x, nil
	}
	first, total := make([][]float64, k), make([][]float64, k)
	stream := num.NewStream(b.Seed, "design/bootstrap")
	pick := make([]int, sample.rows())
	for range b.Resamples {
		for i := range pick {
			pick[i] = stream.IntN(len(pick))
		}
		again := sample.indices(pick)
		for i := range again.First { // a resample without variance has no indices
			first[i] = append(first[i], again.First[i].Value)
			total[i] = append(total[i], again.Total[i].Value)
		}
	}
	for i := range k {
		x.First[i].Low, x.First[i].High = percentiles(first[i], b.Level)
		x.Total[i].Low, x.Total[i].High = percentiles(total[i], b.Level)
	}
	return x, nil
}

// Randomised returns the means of the indices over several randomisations of one net, each with the outputs at its
// own points, and Student intervals of these means at the given level: they have the right coverage where those of
// a bootstrap do not.
func Randomised(outputs [][]float64, k int, level float64) (*Indices, error) {
	if len(outputs) < 2 || !(0 < level && level < 1) {
		return nil, fmt.Errorf("%d randomisations at level %v: expected at least 2 and a level between 0 and 1", len(outputs), level)
	}
	mean := &Indices{Interval: fmt.Sprintf("Student, over %d randomisations", len(outputs))}
	first, total := make([][]float64, k), make([][]float64, k)
	n := float64(len(outputs))
	for r, y := range outputs {
		sample, failed, err := soundRows(y, k)
		if err != nil {
			return nil, fmt.Errorf("randomisation %d: %w", r, err)
		}
		x := sample.indices(nil)
		mean.Rows += x.Rows
		mean.Failed += failed
		mean.Mean += x.Mean / n
		mean.Variance += x.Variance / n
		for i := range x.First {
			first[i] = append(first[i], x.First[i].Value)
			total[i] = append(total[i], x.Total[i].Value)
		}
	}
	if len(first[0]) < 2 {
		return mean, nil
	}
	for i := range k {
		mean.First = append(mean.First, student(first[i], level))
		mean.Total = append(mean.Total, student(total[i], level))
	}
	return mean, nil
}

// sample holds the usable rows of outputs, each fA, fB and the k outputs fAB_i.
type sample struct {
	outputs []float64
	keys    int
}

func (s sample) rows() int { return len(s.outputs) / (s.keys + 2) }

// soundRows leaves out whole rows in which a run failed: dropping or replacing single outputs would bias every
// index.
func soundRows(outputs []float64, k int) (s sample, failed int, err error) {
	if k < 1 || len(outputs) == 0 || len(outputs)%(k+2) != 0 {
		return s, 0, fmt.Errorf("%d outputs for %d keys: expected a multiple of %d, one row after another", len(outputs), k, k+2)
	}
	s = sample{keys: k}
	for row := range slices.Chunk(outputs, k+2) {
		if !allFinite(row) {
			failed++
			continue
		}
		s.outputs = append(s.outputs, row...)
	}
	if all := len(outputs) / (k + 2); float64(failed) > float64(maxFailedShare*float64(all)) {
		return s, failed, fmt.Errorf("%d of %d rows have a failed run: indices need at least 95 %% of the rows; correct the failing points, or narrow the ranges",
			failed, all)
	}
	return s, failed, nil
}

// indices returns the indices of the picked rows, all if pick is nil.
func (s sample) indices(pick []int) *Indices {
	n := s.rows()
	row := func(i int) []float64 {
		if pick != nil {
			i = pick[i]
		}
		return s.outputs[i*(s.keys+2) : (i+1)*(s.keys+2)]
	}
	x := &Indices{Rows: n}
	for i := range n {
		x.Mean += (row(i)[0] + row(i)[1]) / float64(2*n)
	}
	first, total := make([]float64, s.keys), make([]float64, s.keys)
	for i := range n {
		y := row(i)
		a, b := y[0]-x.Mean, y[1]-x.Mean
		x.Variance += (float64(a*a) + float64(b*b)) / float64(2*n)
		for j, ab := range y[2:] {
			change := ab - y[0]
			first[j] += float64(b*change) / float64(n)
			total[j] += float64(change*change) / float64(2*n)
		}
	}
	if x.Variance <= float64(float64(x.Mean*x.Mean)*0x1p-96) { // no more than rounding of the mean
		x.Variance = 0
		return x
	}
	for j := range s.keys {
		x.First = append(x.First, Estimate{Value: first[j] / x.Variance})
		x.Total = append(x.Total, Estimate{Value: total[j] / x.Variance})
	}
	return x
}

// percentiles returns the ends of the middle share of the values, by quantiles of type 7; values are sorted in place.
func percentiles(values []float64, level float64) (low, high float64) {
	slices.Sort(values)
	at := func(q float64) float64 {
		place := float64(q * float64(len(values)-1))
		below := int(place)
		above := min(below+1, len(values)-1)
		return values[below] + float64((place-float64(below))*(values[above]-values[below]))
	}
	return at((1 - level) / 2), at((1 + level) / 2)
}

// student returns the mean of the values with its Student interval.
func student(values []float64, level float64) Estimate {
	e := summarise(values)
	n := float64(len(values))
	half := float64(e.SD / math.Sqrt(n) * distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile((1+level)/2))
	return Estimate{e.Mean, e.Mean - half, e.Mean + half}
}
