package search

import (
	"math"
	"slices"
	"testing"
	"time"

	"taolab/model/num"
)

// landscape is a function of the literature over the unit cube with its least value.
type landscape struct {
	name       string
	dimensions int
	value      func(x []float64) float64
	least      float64
	near       float64 // a value so far above the least counts as found
}

var landscapes = []landscape{
	{"Branin", 2, branin, 0.397887, 0.05},
	{"six-hump camel", 2, camel, -1.031628, 0.05},
	{"Hartmann 3", 3, hartmann3, -3.86278, 0.05},
	{"Hartmann 6", 6, hartmann6, -3.32237, 0.1},
	{"Rosenbrock", 2, func(x []float64) float64 {
		a, b := 4*x[0]-2, 4*x[1]-2
		return 100*math.Pow(b-a*a, 2) + math.Pow(1-a, 2)
	}, 0, 0.5},
	{"Goldstein-Price", 2, goldstein, 3, 3},
	{"sphere 4", 4, func(x []float64) (f float64) {
		for i, v := range x {
			f += math.Pow(v-.3-.1*float64(i), 2)
		}
		return f
	}, 0, 0.0005},
}

func branin(x []float64) float64 {
	a, b := 15*x[0]-5, 15*x[1]
	return math.Pow(b-5.1/(4*math.Pi*math.Pi)*a*a+5/math.Pi*a-6, 2) + 10*(1-1/(8*math.Pi))*math.Cos(a) + 10
}

func camel(x []float64) float64 {
	a, b := 4*x[0]-2, 2*x[1]-1
	return (4-2.1*a*a+a*a*a*a/3)*a*a + a*b + (4*b*b-4)*b*b
}

func goldstein(x []float64) float64 {
	a, b := 4*x[0]-2, 4*x[1]-2
	return (1 + math.Pow(a+b+1, 2)*(19-14*a+3*a*a-14*b+6*a*b+3*b*b)) *
		(30 + math.Pow(2*a-3*b, 2)*(18-32*a+12*a*a+48*b-36*a*b+27*b*b))
}

func hartmann(x []float64, slopes, centres [4][]float64) (f float64) {
	for i, height := range []float64{1, 1.2, 3, 3.2} {
		var e float64
		for j, v := range x {
			e += slopes[i][j] * math.Pow(v-centres[i][j], 2)
		}
		f -= height * math.Exp(-e)
	}
	return f
}

func hartmann3(x []float64) float64 {
	return hartmann(x, [4][]float64{{3, 10, 30}, {.1, 10, 35}, {3, 10, 30}, {.1, 10, 35}},
		[4][]float64{{.3689, .1170, .2673}, {.4699, .4387, .7470}, {.1091, .8732, .5547}, {.0381, .5743, .8828}})
}

func hartmann6(x []float64) float64 {
	return hartmann(x,
		[4][]float64{{10, 3, 17, 3.5, 1.7, 8}, {.05, 10, 17, .1, 8, 14}, {3, 3.5, 1.7, 10, 17, 8}, {17, 8, .05, 10, .1, 14}},
		[4][]float64{{.1312, .1696, .5569, .0124, .8283, .5886}, {.2329, .4135, .8307, .3736, .1004, .9991},
			{.2348, .1451, .3522, .2883, .3047, .6650}, {.4047, .8828, .8732, .5743, .1091, .0381}})
}

// surrogatePoints counts the points that a surrogate tries until it finds the least value, at most limit.
func surrogatePoints(t *testing.T, l landscape, seed uint64, limit int) int {
	t.Helper()
	s, err := NewSurrogate(l.dimensions, 1, nil, num.NewStream(seed, "surrogate"))
	if err != nil {
		t.Fatal(err)
	}
	for tried := 0; tried < limit; {
		points, err := s.Ask()
		if err != nil {
			t.Fatal(err)
		}
		var outcomes []Outcome
		for _, x := range points {
			tried++
			f := l.value(x)
			if f <= l.least+l.near {
				return tried
			}
			outcomes = append(outcomes, Outcome{Objective: f})
		}
		if err := s.Tell(outcomes); err != nil {
			t.Fatal(err)
		}
	}
	return limit
}

// cmaesPoints counts the same of CMA-ES.
func cmaesPoints(t *testing.T, l landscape, seed uint64, limit int) int {
	t.Helper()
	s, err := NewCMAES(slices.Repeat([]float64{.5}, l.dimensions), .3, 0, num.NewStream(seed, "search"))
	if err != nil {
		t.Fatal(err)
	}
	for tried := 0; tried < limit; {
		var outcomes []Outcome
		for _, x := range s.Ask() {
			tried++
			f := l.value(x)
			if f <= l.least+l.near {
				return tried
			}
			outcomes = append(outcomes, Outcome{Objective: f})
		}
		if err := s.Tell(outcomes); err != nil {
			t.Fatal(err)
		}
	}
	return limit
}

func TestProbe(t *testing.T) {
	for _, l := range landscapes {
		var a, b []int
		t0 := time.Now()
		for seed := range uint64(5) {
			a = append(a, surrogatePoints(t, l, seed, 100))
		}
		el := time.Since(t0)
		for seed := range uint64(21) {
			b = append(b, cmaesPoints(t, l, seed, 2000))
		}
		slices.Sort(b)
		t.Logf("%s: %v %v; cmaes median %v q1 %v q3 %v", l.name, a, el, b[10], b[5], b[15])
	}
}
