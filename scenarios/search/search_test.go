package search

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"taolab/model/num"
)

func ExampleCMAES() {
	s, err := NewCMAES([]float64{.5, .5}, .3, 0, num.NewStream(1, "search"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 60 {
		var outcomes []Outcome
		for _, x := range s.Ask() {
			// Least on the line x0 + x1 = 1.2 that the constraint allows, at (0.7, 0.5).
			outcomes = append(outcomes, Outcome{
				Objective: (x[0]-.6)*(x[0]-.6) + (x[1]-.4)*(x[1]-.4), Violation: max(0, 1.2-x[0]-x[1]),
			})
		}
		if err := s.Tell(outcomes); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Printf("%.2f\n", s.Mean())
	// Output:
	// [0.70 0.50]
}

func ExampleNelderMead() {
	trials, err := NelderMead([]float64{.2, .2}, .1, 120, func(x []float64) (Outcome, error) {
		return Outcome{Objective: (x[0]-.6)*(x[0]-.6) + (x[1]-.4)*(x[1]-.4)}, nil
	})
	last := trials[len(trials)-1]
	fmt.Printf("%d trials, the last at %.3f, %v\n", len(trials), last.Point, err)
	// Output:
	// 120 trials, the last at [0.600 0.400], <nil>
}

func ExampleFront() {
	fmt.Println(Front([][2]float64{{1, 5}, {2, 2}, {3, 3}, {4, 1}, {1, 6}}))
	// Output:
	// [0 1 3]
}

// objectives of the literature with their optimum, 0, at the point (1, 1, ...).
var objectives = map[string]func(x []float64) float64{
	"sphere": func(x []float64) (f float64) {
		for _, v := range x {
			f += (v - 1) * (v - 1)
		}
		return f
	},
	"Rosenbrock": func(x []float64) (f float64) {
		for i := range x[1:] {
			f += 100*math.Pow(x[i+1]-x[i]*x[i], 2) + math.Pow(1-x[i], 2)
		}
		return f
	},
	"ellipsoid": func(x []float64) (f float64) {
		for i, v := range x {
			f += math.Pow(1e6, float64(i)/float64(len(x)-1)) * (v - 1) * (v - 1)
		}
		return f
	},
}

// evaluations counts what a search without bounds needs until the objective falls below 1e-6.
func evaluations(t *testing.T, f func([]float64) float64, n int, seed uint64) int {
	t.Helper()
	s, err := NewCMAES(make([]float64, n), .3, 0, num.NewStream(seed, "search"))
	if err != nil {
		t.Fatal(err)
	}
	for count := 0; count < 20_000; {
		s.Ask()
		outcomes := make([]Outcome, len(s.points))
		for i, x := range s.points { // the points themselves: the optimum lies on a bound
			count++
			if outcomes[i].Objective = f(x); outcomes[i].Objective < 1e-6 {
				return count
			}
		}
		if err := s.Tell(outcomes); err != nil {
			t.Fatal(err)
		}
	}
	return 20_000
}

func TestCMAESNeedsFewEvaluations(t *testing.T) {
	for _, c := range []struct {
		name string
		want map[int]float64
	}{
		{"sphere", map[int]float64{2: 189, 4: 406, 8: 852}},
		{"Rosenbrock", map[int]float64{2: 463, 4: 1325, 8: 4003}},
		{"ellipsoid", map[int]float64{2: 625, 4: 1449, 8: 3856}},
	} {
		for _, n := range []int{2, 4, 8} {
			var mean float64
			for seed := range uint64(20) {
				mean += float64(evaluations(t, objectives[c.name], n, seed)) / 20
			}
			t.Logf("%s in %d dimensions: %.0f evaluations, published %.0f", c.name, n, mean, c.want[n])
			if mean > 1.3*c.want[n] {
				t.Errorf("%s in %d dimensions took %.0f evaluations, expected at most 1.3 times %.0f", c.name, n, mean, c.want[n])
			}
		}
	}
}

// tuned returns the distance of a search's mean from the optimum of a sphere inside the cube after some points.
func tuned(seed uint64, points int, noise float64, replications int) float64 {
	s, err := NewCMAES([]float64{.5, .5}, .3, 0, num.NewStream(seed, "search"))
	if err != nil {
		panic(err)
	}
	stream := num.NewStream(seed, "noise")
	for range points / DefaultPopulation(2) {
		var outcomes []Outcome
		for _, x := range s.Ask() {
			f := math.Pow(x[0]-.3, 2) + math.Pow(x[1]-.7, 2)
			for range replications {
				f += noise * stream.Normal() / float64(replications)
			}
			outcomes = append(outcomes, Outcome{Objective: f})
		}
		if err := s.Tell(outcomes); err != nil {
			panic(err)
		}
	}
	m := s.Mean()
	return math.Hypot(m[0]-.3, m[1]-.7)
}

func TestCMAESFindsTheOptimumInFiveOfFiveSeeds(t *testing.T) {
	for seed := range uint64(5) {
		if d := tuned(seed, 300, 0, 1); d > 1e-3 {
			t.Errorf("seed %d: the mean is %v from the optimum", seed, d)
		}
	}
}

func TestCMAESFindsTheOptimumUnderNoise(t *testing.T) {
	for replications, want := range map[int]float64{1: .2, 4: .12, 16: .1} { // order-free: each is checked by itself
		var distances []float64
		for seed := range uint64(41) {
			distances = append(distances, tuned(seed, 102, .1, replications))
		}
		slices.Sort(distances)
		t.Logf("%d replications: median distance %.3f", replications, distances[20])
		if distances[20] > want {
			t.Errorf("%d replications: median distance %.3f, expected at most %v", replications, distances[20], want)
		}
	}
}

func TestASearchRepeatsBitForBit(t *testing.T) {
	search := func(seed uint64) string {
		s, err := NewCMAES([]float64{.5, .5, .5}, .3, 0, num.NewStream(seed, "search"))
		if err != nil {
			t.Fatal(err)
		}
		for range 30 {
			var outcomes []Outcome
			for _, x := range s.Ask() {
				a, b := x[0]-.2, x[1]-.6
				outcomes = append(outcomes, Outcome{Objective: float64(a*a) + float64(b*b) + float64(x[2]*x[0])})
			}
			if err := s.Tell(outcomes); err != nil {
				t.Fatal(err)
			}
		}
		return fmt.Sprintf("%x", s.Mean())
	}
	if a, b := search(3), search(4); a == b {
		t.Errorf("mean %s from two seeds", a)
	}
	const golden = "[0x1.75d6b82783d08p-03 0x1.30c85f020a199p-01 0x1.05cb664145094p-10]"
	if got := search(3); got != golden {
		t.Errorf("mean %s, expected the bits %s", got, golden)
	}
}

// A direction in which nothing changes must not break the factor.
func TestFlatAndFailingObjectivesDoNotBreakTheSearch(t *testing.T) {
	for name, outcome := range map[string]func(x []float64) Outcome{ // order-free: each is searched by itself
		"flat":   func([]float64) Outcome { return Outcome{} },
		"failed": func([]float64) Outcome { return Outcome{Failed: true} },
		"no number": func([]float64) Outcome {
			return Outcome{Objective: math.NaN()}
		},
		"ridge": func(x []float64) Outcome { return Outcome{Objective: 1e30 * math.Abs(x[0]-.5)} },
	} {
		s, _ := NewCMAES([]float64{.5, .5, .5}, .3, 0, num.NewStream(1, "search"))
		for range 2000 {
			var outcomes []Outcome
			for _, x := range s.Ask() {
				for _, v := range x {
					if !(0 <= v && v <= 1) {
						t.Fatalf("%s: asked for %v", name, x)
					}
				}
				outcomes = append(outcomes, outcome(x))
			}
			if err := s.Tell(outcomes); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestOutcomesRankFeasibleThenViolationThenFailed(t *testing.T) {
	ranked := []Outcome{
		{Objective: -5}, {Objective: 3}, {Objective: 1e200}, {Objective: -9, Violation: .1}, {Violation: 2}, {Failed: true, Objective: -99},
	}
	for i, a := range ranked {
		for j, b := range ranked {
			if got := a.Compare(b); got < 0 != (i < j) || got > 0 != (i > j) {
				t.Errorf("%+v against %+v: %d", a, b, got)
			}
		}
	}
	if (Outcome{Objective: math.NaN()}).Compare(Outcome{Failed: true}) != 0 {
		t.Error("an objective that is not a number was not a failure")
	}
}

func TestCoordinatesFoldAtTheBounds(t *testing.T) {
	for _, c := range [][2]float64{{.3, .3}, {1, 1}, {0, 0}, {1.25, .75}, {-.25, .25}, {2.25, .25}, {3.25, .75}, {-1.5, .5}} {
		if got := Reflect(c[0]); got != c[1] {
			t.Errorf("Reflect(%v) = %v, expected %v", c[0], got, c[1])
		}
	}
	if got := Round(1. / 3); got != .333333333333 {
		t.Errorf("Round(1/3) = %v", got)
	}
}

func TestNelderMeadFindsTheOptimumAndKeepsItsBudget(t *testing.T) {
	for name, f := range objectives { // order-free: each is searched by itself
		trials, err := NelderMead([]float64{.4, .4}, .1, 400, func(x []float64) (Outcome, error) {
			return Outcome{Objective: f([]float64{x[0] + .3, x[1] + .3})}, nil // the optimum lies at .7
		})
		if err != nil {
			t.Fatal(err)
		}
		best := slices.MinFunc(trials, func(a, b Trial) int { return a.Outcome.Compare(b.Outcome) })
		if len(trials) > 400 || best.Outcome.Objective > 1e-6 {
			t.Errorf("%s: %g at %v after %d points", name, best.Outcome.Objective, best.Point, len(trials))
		}
		for _, trial := range trials {
			for _, x := range trial.Point {
				if x < 0 || x > 1 || x != Round(x) {
					t.Fatalf("%s: evaluated at %v", name, trial.Point)
				}
			}
		}
	}
}

func TestNelderMeadEndsWithTheFirstError(t *testing.T) {
	broken := errors.New("disk full")
	count := 0
	trials, err := NelderMead([]float64{.5}, .1, 50, func([]float64) (Outcome, error) {
		if count++; count == 7 {
			return Outcome{}, broken
		}
		return Outcome{Failed: count < 3}, nil
	})
	if !errors.Is(err, broken) || len(trials) != 6 || count != 7 {
		t.Errorf("%d trials, %d evaluations, error %v; expected 6, 7 and %v", len(trials), count, err, broken)
	}
}

// dominated is the plain twin of Front.
func dominated(objectives [][2]float64, i int) bool {
	for j, o := range objectives {
		p := objectives[i]
		if o[0] <= p[0] && o[1] <= p[1] && (o != p || j < i) {
			return true
		}
	}
	return false
}

func FuzzFront(f *testing.F) {
	f.Add(uint64(1), 5, 3)
	f.Add(uint64(2), 40, 1000)
	f.Fuzz(func(t *testing.T, seed uint64, n, levels int) {
		n, levels = max(n, -n)%200, max(levels, 1)
		s := num.NewStream(seed, "front")
		objectives := make([][2]float64, max(n, 0))
		for i := range objectives {
			objectives[i] = [2]float64{float64(s.IntN(levels)), float64(s.IntN(levels))}
		}
		front := Front(objectives)
		for i := range objectives {
			if slices.Contains(front, i) == dominated(objectives, i) {
				t.Fatalf("point %d of %v: front %v", i, objectives, front)
			}
		}
	})
}

func TestAPointWithoutAValueIsNotOnTheFront(t *testing.T) {
	if front := Front([][2]float64{{math.NaN(), 0}, {1, 1}, {0, math.NaN()}}); !slices.Equal(front, []int{1}) {
		t.Errorf("front %v, expected [1]", front)
	}
}

// The front of (x, 1 - x**2) is concave: weighted sums find its ends only, Chebyshev weights all of it.
func TestChebyshevWeightsReachAConcaveFront(t *testing.T) {
	for _, weight := range []float64{.2, .5, .8} {
		best, at := math.Inf(1), 0.0
		for i := range 1001 {
			x := float64(i) / 1000
			if d := Chebyshev([2]float64{x, 1 - x*x}, [2]float64{0, 0}, [2]float64{1, 1}, weight); d < best {
				best, at = d, x
			}
		}
		r := weight / (1 - weight) // weight x = (1 - weight)(1 - x**2)
		want := (math.Sqrt(r*r+4) - r) / 2
		if math.Abs(at-want) > .002 {
			t.Errorf("weight %v: least at %v, expected %v", weight, at, want)
		}
	}
}

func TestSearchesRefuseWhatTheyCannotStart(t *testing.T) {
	cma := func(start []float64, step float64, population int) error {
		_, err := NewCMAES(start, step, population, num.NewStream(1, "search"))
		return err
	}
	s, _ := NewCMAES([]float64{.5}, .3, 0, num.NewStream(1, "search"))
	_, few := NelderMead([]float64{.5, .5}, .1, 2, nil)
	for _, c := range []struct {
		err  error
		want string
	}{
		{cma(nil, .3, 0), "expected 1 to 256"}, {cma([]float64{2}, .3, 0), "starts at 2"}, {cma([]float64{math.NaN()}, .3, 0), "starts at NaN"},
		{cma([]float64{.5}, 0, 0), "first step 0"}, {cma([]float64{.5}, .3, 3), "population of 3"},
		{s.Tell(make([]Outcome, 4)), "points asked for"}, {few, "expected 3 to"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("error %v, expected one with %q", c.err, c.want)
		}
	}
}

// Rounding can leave a covariance that is not positive definite; its factor must be finite all the same.
func TestASingularCovarianceHasAFactor(t *testing.T) {
	for _, c := range [][][]float64{{{1}, {1, 1}, {1, 1, 1}}, {{1}, {1, 1 - 1e-9}, {0, 0, 1}}, {{1}, {0, 0}, {0, 0, 1e-30}}} {
		a := identity(3)
		factorise(c, a)
		for i, row := range a {
			if !(row[i] > 0) || slices.ContainsFunc(row, func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }) {
				t.Errorf("covariance %v has the factor %v", c, a)
			}
		}
	}
}
