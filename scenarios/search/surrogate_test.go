package search

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"taolab/model/num"
)

// landscape is a function of the literature over the unit cube with its least value.
type landscape struct {
	name       string
	dimensions int
	value      func(x []float64) float64
	least      float64
	near       float64 // a value so far above the least counts as found
	share      float64 // of CMA-ES's points, by medians
}

var landscapes = []landscape{
	{"Branin", 2, branin, 0.397887, 0.02, 1. / 3},
	{"six-hump camel", 2, camel, -1.031628, 0.01, 1. / 3},
	{"Hartmann 3", 3, hartmann3, -3.86278, 0.01, 1. / 3},
	{"Hartmann 6", 6, hartmann6, -3.32237, 0.1, 1. / 3},
	{"Rosenbrock", 2, func(x []float64) float64 {
		a, b := 4*x[0]-2, 4*x[1]-2
		return 100*math.Pow(b-a*a, 2) + math.Pow(1-a, 2)
	}, 0, 0.1, 0.4},
	{"Goldstein-Price", 2, goldstein, 3, 0.3, 1. / 3},
	{"sphere 4", 4, func(x []float64) (f float64) {
		for i, v := range x {
			f += math.Pow(v-.3-.1*float64(i), 2)
		}
		return f
	}, 0, 0.0005, 1. / 3},
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
	s, err := NewSurrogate(l.dimensions, limit, 1, nil, num.NewStream(seed, "surrogate"))
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

func TestASurrogateFindsOptimaWithAThirdOfThePointsOfCMAES(t *testing.T) {
	for _, l := range landscapes {
		var few, many []int
		for seed := range uint64(5) {
			few = append(few, surrogatePoints(t, l, seed, 70))
		}
		for seed := range uint64(21) {
			many = append(many, cmaesPoints(t, l, seed, 2000))
		}
		slices.Sort(few)
		slices.Sort(many)
		t.Logf("%s: %d points, CMA-ES %d (quartiles)", l.name, few, []int{many[5], many[10], many[15]})
		if float64(few[2]) > l.share*float64(many[10]) {
			t.Errorf("%s: median of %d points, expected at most %.2f times the %d of CMA-ES", l.name, few[2], l.share, many[10])
		}
	}
}

// away returns the distance of a surrogate's best point from the optimum of a noisy sphere.
func away(t *testing.T, seed uint64, points, batch int, noise float64) float64 {
	t.Helper()
	s, err := NewSurrogate(2, points, batch, nil, num.NewStream(seed, "surrogate"))
	if err != nil {
		t.Fatal(err)
	}
	stream := num.NewStream(seed, "noise")
	search(t, s, func(x []float64) Outcome {
		f := math.Pow(x[0]-.3, 2) + math.Pow(x[1]-.7, 2)
		return Outcome{Objective: f + noise*stream.Normal(), Variance: noise * noise}
	})
	best, err := s.Best()
	if err != nil {
		t.Fatal(err)
	}
	return math.Hypot(best[0]-.3, best[1]-.7)
}

// search runs a surrogate until it asks for nothing more, and counts the points.
func search(t *testing.T, s *Surrogate, outcome func(x []float64) Outcome) (tried int) {
	t.Helper()
	for {
		points, err := s.Ask()
		if err != nil {
			t.Fatal(err)
		}
		if len(points) == 0 {
			return tried
		}
		var outcomes []Outcome
		for _, x := range points {
			for _, v := range x {
				if !(0 <= v && v <= 1) {
					t.Fatalf("asked for %v", x)
				}
			}
			tried++
			outcomes = append(outcomes, outcome(x))
		}
		if err := s.Tell(outcomes); err != nil {
			t.Fatal(err)
		}
	}
}

// CMA-ES has a median distance of 0.14, 0.08 and 0.08 after 102 points.
func TestASurrogateFindsTheOptimumUnderNoise(t *testing.T) {
	for replications, want := range map[int]float64{1: .14, 4: .1, 16: .06} { // order-free: each is checked by itself
		var distances []float64
		for seed := range uint64(11) {
			distances = append(distances, away(t, seed, 34, 1, .1/math.Sqrt(float64(replications))))
		}
		slices.Sort(distances)
		t.Logf("%d replications: distances %.3f", replications, distances)
		if distances[5] > want {
			t.Errorf("%d replications: median distance %.3f, expected at most %v", replications, distances[5], want)
		}
	}
}

// Of one outcome that sticks out, a process makes noise if replications say that there is so much, and a valley if not.
func TestReplicationsTellWhatIsNoise(t *testing.T) {
	const odd = 9
	off := func(variance float64) float64 {
		s, err := NewSurrogate(1, 40, 1, nil, num.NewStream(1, "surrogate"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 21 {
			x := float64(i) / 20
			o := Outcome{Objective: 4 * (x - .5) * (x - .5), Variance: variance}
			if i == odd {
				o.Objective -= 1
			}
			s.points, s.outcomes = append(s.points, []float64{x}), append(s.outcomes, o)
		}
		b, err := s.believe()
		if err != nil {
			t.Fatal(err)
		}
		expected, _ := b.objective.at(s.points[odd])
		return expected - b.objective.values[odd] // in standard deviations of the outcomes
	}
	if far, near := off(.1), off(1e-8); far < 1 || near > .1 {
		t.Errorf("the process is %.3f off the odd outcome under noise and %.3f without; expected 1 or more, and 0.1 or less", far, near)
	}
}

func TestBatchesOfASurrogateHoldDifferentPoints(t *testing.T) {
	s, err := NewSurrogate(2, 40, 6, nil, num.NewStream(1, "surrogate"))
	if err != nil {
		t.Fatal(err)
	}
	outcome := func(x []float64) Outcome { return Outcome{Objective: branin(x)} }
	var points [][]float64
	if n := search(t, s, func(x []float64) Outcome { points = append(points, x); return outcome(x) }); n != 40 {
		t.Errorf("%d points, expected the 40 of the budget: the last batch is a smaller one", n)
	}
	begin := SurrogateBegin(2)
	for i, x := range points[begin : begin+6] {
		for _, y := range points[:begin+i] {
			if math.Hypot(x[0]-y[0], x[1]-y[1]) < .001 {
				t.Errorf("the first batch has %v, where %v is known or asked for", x, y)
			}
		}
	}
	best, err := s.Best()
	if err != nil || branin(best) > .45 {
		t.Errorf("best %v with %v, %v", best, branin(best), err)
	}
}

// The least value without the constraint lies far outside of it.
func TestASurrogateKeepsConstraintsAndForgetsFailures(t *testing.T) {
	for seed := range uint64(5) {
		s, err := NewSurrogate(2, 40, 1, nil, num.NewStream(seed, "surrogate"))
		if err != nil {
			t.Fatal(err)
		}
		search(t, s, func(x []float64) Outcome {
			return Outcome{
				Objective: math.Pow(x[0]-.6, 2) + math.Pow(x[1]-.4, 2), Failed: x[0] > .9,
				Violation: max(0, 1.2-x[0]-x[1]), Margins: []float64{1.2 - x[0] - x[1], -1},
			}
		})
		best, err := s.Best()
		if err != nil || best[0]+best[1] < 1.2 || math.Hypot(best[0]-.7, best[1]-.5) > .05 {
			t.Errorf("seed %d: best %.3f, %v; expected (0.7, 0.5), where the constraint holds", seed, best, err)
		}
	}
}

// Settings with few values are tried in the middle of their cells, and no cell is tried twice while others promise more.
func TestASurrogateTriesEachOfFewValuesOnce(t *testing.T) {
	s, err := NewSurrogate(2, 20, 1, []int{5, 4}, num.NewStream(1, "surrogate"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[[2]float64]int{}
	search(t, s, func(x []float64) Outcome {
		seen[[2]float64(x)]++
		if a, b := x[0]*5-.5, x[1]*4-.5; math.Abs(a-math.Round(a)) > 1e-9 || math.Abs(b-math.Round(b)) > 1e-9 {
			t.Errorf("%v lies in the middle of no cell", x)
		}
		return Outcome{Objective: branin(x)}
	})
	if len(seen) < 15 {
		t.Errorf("20 trials saw %d of 20 cells", len(seen))
	}
}

func TestASurrogateRepeatsBitForBit(t *testing.T) {
	found := func(seed uint64) string {
		s, err := NewSurrogate(3, 20, 2, nil, num.NewStream(seed, "surrogate"))
		if err != nil {
			t.Fatal(err)
		}
		search(t, s, func(x []float64) Outcome {
			a, b := x[0]-.2, x[1]-.6
			return Outcome{Objective: float64(a*a) + float64(b*b) + float64(x[2]*x[0])}
		})
		return fmt.Sprint(s.points[len(s.points)-1])
	}
	if a, b := found(3), found(4); a == b {
		t.Errorf("%s from two seeds", a)
	}
	const golden = "[0.198032712915 0.594305419015 7.28390336738e-06]"
	if got := found(3); got != golden {
		t.Errorf("the last point is %s, expected the bits of %s", got, golden)
	}
}

func TestFlatSteepAndFailingObjectivesDoNotBreakASurrogate(t *testing.T) {
	for name, outcome := range map[string]func(x []float64) Outcome{ // order-free: each is searched by itself
		"flat":          func([]float64) Outcome { return Outcome{} },
		"failed":        func([]float64) Outcome { return Outcome{Failed: true} },
		"no number":     func([]float64) Outcome { return Outcome{Objective: math.NaN()} },
		"infinite":      func(x []float64) Outcome { return Outcome{Objective: 1 / (x[0] - .5)} },
		"never holds":   func(x []float64) Outcome { return Outcome{Violation: 1 + x[0]} },
		"ridge":         func(x []float64) Outcome { return Outcome{Objective: 1e30 * math.Abs(x[0]-.5)} },
		"one of two":    func(x []float64) Outcome { return Outcome{Objective: math.Round(x[0])} },
		"missed by far": func(x []float64) Outcome { return Outcome{Objective: x[0], Violation: math.Inf(1)} },
	} {
		s, err := NewSurrogate(2, 24, 1, nil, num.NewStream(1, "surrogate"))
		if err != nil {
			t.Fatal(err)
		}
		if n := search(t, s, outcome); n != 24 {
			t.Errorf("%s: %d points", name, n)
		}
		if best, err := s.Best(); err != nil || len(best) != 2 {
			t.Errorf("%s: best %v, %v", name, best, err)
		}
	}
}

// The plain twin of mean and deviation: the textbook's formulas with an inverse by elimination.
func TestAProcessIsTheTextbooks(t *testing.T) {
	stream := num.NewStream(1, "process")
	p := &process{lengths: []float64{.3, .8}, nugget: .01}
	var values []float64
	for range 7 {
		p.points = append(p.points, []float64{stream.Float64(), stream.Float64()})
		values = append(values, stream.Normal())
	}
	p.condition(values)
	n := len(values)
	k := make([][]float64, n) // the correlations next to the identity
	for i := range k {
		k[i] = make([]float64, 2*n)
		for j := range n {
			k[i][j] = p.correlation(p.points[i], p.points[j])
		}
		k[i][i] += p.nugget
		k[i][n+i] = 1
	}
	for c := range n {
		for r := range n {
			if r == c {
				continue
			}
			f := k[r][c] / k[c][c]
			for j := range k[r] {
				k[r][j] -= f * k[c][j]
			}
		}
	}
	inverse := func(x, y []float64) (sum float64) {
		for i := range n {
			for j := range n {
				sum += x[i] * k[i][n+j] / k[i][i] * y[j]
			}
		}
		return sum
	}
	ones := slices.Repeat([]float64{1}, n)
	mean := inverse(ones, values) / inverse(ones, ones)
	rest := slices.Clone(values)
	for i := range rest {
		rest[i] -= mean
	}
	signal := inverse(rest, rest) / float64(n)
	x, near := []float64{.4, .6}, make([]float64, n)
	for i := range near {
		near[i] = p.correlation(x, p.points[i])
	}
	wantMean, wantDeviation := mean+inverse(near, rest), math.Sqrt(signal*(1-inverse(near, near)))
	gotMean, gotDeviation := p.at(x)
	if math.Abs(gotMean-wantMean) > 1e-10 || math.Abs(gotDeviation-wantDeviation) > 1e-10 {
		t.Errorf("mean %v and deviation %v, expected %v and %v", gotMean, gotDeviation, wantMean, wantDeviation)
	}
	if one := p.correlation([]float64{0, 0}, []float64{.3, 0}); math.Abs(one-0.52399) > 1e-5 {
		t.Errorf("correlation %v at a distance of one length, expected 0.52399", one)
	}
}

func TestExpectedImprovementIsTheIntegral(t *testing.T) {
	for _, c := range [][3]float64{{0, 0, 1}, {1, 0, 1}, {-1, 0, 2}, {0, 3.2, 1}, {0, 2.9, 1}, {5, 0, 1}, {0, 8, 1}, {2, 1, 0}, {1, 2, 0}} {
		mark, mean, deviation := c[0], c[1], c[2]
		want := max(mark-mean, 0)
		if deviation > 0 {
			want = 0
			const steps = 200_000
			low := min(mean, mark) - 12*deviation
			for k := range steps { // middles of the steps below the mark
				y := low + (float64(k)+.5)*(mark-low)/steps
				z := (y - mean) / deviation
				want += (mark - y) * math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) / deviation * (mark - low) / steps
			}
		}
		if got := improvement(mark, mean, deviation); math.Abs(got-want) > 1e-6*want {
			t.Errorf("improvement(%v, %v, %v) = %v, expected %v", mark, mean, deviation, got, want)
		}
	}
	if math.Signbit(improvement(0, 60, 1)) {
		t.Error("an improvement is below 0")
	}
}

func ExampleSurrogate() {
	s, err := NewSurrogate(2, 20, 1, nil, num.NewStream(1, "search"))
	for err == nil {
		var points [][]float64
		if points, err = s.Ask(); len(points) == 0 {
			break
		}
		var outcomes []Outcome
		for _, x := range points {
			outcomes = append(outcomes, Outcome{Objective: (x[0]-.6)*(x[0]-.6) + (x[1]-.4)*(x[1]-.4)})
		}
		err = s.Tell(outcomes)
	}
	best, err := s.Best()
	fmt.Printf("%.2f %v\n", best, err)
	// Output:
	// [0.60 0.40] <nil>
}
