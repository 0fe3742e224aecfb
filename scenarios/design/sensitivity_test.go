package design

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"taolab/model/num"
)

// function is a test function of the literature with its exact indices; the Sobol tolerances are for 4,096 rows.
type function struct {
	name         string
	f            func(x []float64) float64
	first, total []float64
	variance     float64
	tolerance    float64
}

func ishigami(b float64) func(x []float64) float64 {
	return func(x []float64) float64 {
		angle := func(i int) float64 { return math.Pi * (2*x[i] - 1) }
		s := math.Sin(angle(1))
		return math.Sin(angle(0))*(1+b*math.Pow(angle(2), 4)) + 7*s*s
	}
}

func sobolG(a ...float64) func(x []float64) float64 {
	return func(x []float64) float64 {
		g := 1.0
		for i, v := range x {
			g *= (math.Abs(4*v-2) + a[i]) / (1 + a[i])
		}
		return g
	}
}

func linear(x []float64) float64 { return x[0] + 2*x[1] + 3*x[2] + 4*x[3] }

func repeated(x float64, n int) []float64 {
	r := make([]float64, n)
	for i := range r {
		r[i] = x
	}
	return r
}

func functions() []function {
	third := []float64{1. / 30, 4. / 30, 9. / 30, 16. / 30}
	return []function{
		{"Ishigami, b 0.1", ishigami(.1), []float64{.313905, .442411, 0}, []float64{.557589, .442411, .243684}, 13.844588, .005},
		{"Ishigami, b 0.05", ishigami(.05), []float64{.218519, .686895, 0}, []float64{.313105, .686895, .094587}, 8.916942, .005},
		{"g", sobolG(0, 1, 4.5, 9, 99, 99, 99, 99),
			[]float64{.716192, .179048, .023676, .007162, .000072, .000072, .000072, .000072},
			[]float64{.787144, .242198, .034317, .010460, .000105, .000105, .000105, .000105}, .465424, .005},
		{"hard g", sobolG(repeated(0, 6)...), repeated(.072171, 6), repeated(.304128, 6), 4.618656, .10},
		{"linear", linear, third, third, 2.5, .005},
		{"linear, mean 105", func(x []float64) float64 { return linear(x) + 100 }, third, third, 2.5, .005},
		{"step", func(x []float64) float64 {
			if x[0] > .3 && x[1] > .6 {
				return 1
			}
			return 0
		}, []float64{.166667, .583333, 0}, []float64{.416667, .833333, 0}, .2016, .015},
	}
}

func letters(k int) []string { return strings.Split("abcdefghijklmnopqrstuvwxyz"[:k], "") }

// answers evaluates f at the points of a Sobol design.
func answers(f func(x []float64) float64, s Sobol, n int) []float64 {
	a, b, err := s.Points(n)
	if err != nil {
		panic(err)
	}
	points := Saltelli(a, b)
	y := make([]float64, len(points))
	for i, p := range points {
		y[i] = f(p)
	}
	return y
}

func ExampleBootstrap() {
	product := func(x []float64) float64 { return x[0] + x[0]*x[1] }
	y := answers(product, Sobol{Seed: 1, Keys: []string{"take", "kappa"}}, 1024)
	x, _ := Bootstrap{Seed: 1, Resamples: 1000, Level: .95}.Estimate(y, 2)
	for i, key := range []string{"take", "kappa"} {
		fmt.Printf("%-5s  first %.2f, total %.2f\n", key, x.First[i].Value, x.Total[i].Value)
	}
	fmt.Println(x.Rows, "rows, widest interval above 0.1:", x.Widest() > .1)
	// Output:
	// take   first 0.87, total 0.90
	// kappa  first 0.10, total 0.13
	// 1024 rows, widest interval above 0.1: true
}

func ExampleMorris() {
	points, _ := Morris{Seed: 1, Keys: []string{"take", "kappa", "tempo"}}.Points(10)
	y := make([]float64, len(points))
	for i, x := range points {
		y[i] = 4*x[0] - 2*x[1]*x[1]
	}
	effects, _, _ := Effects(points, y)
	for i, key := range []string{"take", "kappa", "tempo"} {
		fmt.Printf("%-5s  mu* %.2f, sigma %.2f\n", key, effects[i].MeanAbs, effects[i].SD)
	}
	// Output:
	// take   mu* 4.00, sigma 0.00
	// kappa  mu* 2.13, sigma 0.69
	// tempo  mu* 0.00, sigma 0.00
}

func TestIndicesOfKnownFunctionsAreWithinTolerance(t *testing.T) {
	for _, c := range functions() {
		k := len(c.first)
		var worst float64
		for seed := range uint64(25) {
			s, _, err := soundRows(answers(c.f, Sobol{Seed: seed, Keys: letters(k)}, 4096), k)
			if err != nil {
				t.Fatal(err)
			}
			x := s.indices(nil)
			for i := range k {
				worst = max(worst, math.Abs(x.First[i].Value-c.first[i]), math.Abs(x.Total[i].Value-c.total[i]))
			}
			if math.Abs(x.Variance/c.variance-1) > c.tolerance {
				t.Errorf("%s, seed %d: variance %v, expected %v", c.name, seed, x.Variance, c.variance)
			}
		}
		t.Logf("%s: errors at most %.5f", c.name, worst)
		if worst > c.tolerance {
			t.Errorf("%s: an index is off by %.4f, expected at most %v", c.name, worst, c.tolerance)
		}
	}
}

// Independent noise makes every idle key look active, by a known amount.
func TestIndependentNoiseFlattensIndicesAsTheoryHasIt(t *testing.T) {
	y := answers(linear, Sobol{Seed: 3, Keys: letters(4)}, 1<<15)
	noise := num.NewStream(1, "noise")
	for i := range y {
		y[i] += math.Sqrt(.5) * noise.Normal()
	}
	x, err := Bootstrap{Resamples: 40, Level: .9}.Estimate(y, 4)
	if err != nil {
		t.Fatal(err)
	}
	first, total := []float64{.027778, .111111, .25, .444444}, []float64{.194444, .277778, .416667, .611111}
	for i := range 4 {
		if math.Abs(x.First[i].Value-first[i]) > .02 || math.Abs(x.Total[i].Value-total[i]) > .02 {
			t.Errorf("key %d: %.4f and %.4f, expected %.4f and %.4f", i, x.First[i].Value, x.Total[i].Value, first[i], total[i])
		}
	}
	if share := x.NoiseShare([]float64{1, 2, 3}, 4); math.Abs(share-2./4/x.Variance) > 1e-12 {
		t.Errorf("share of noise %v", share)
	}
}

// Nominal 95 % intervals of independent rows hold the exact value nearly that often.
func TestIntervalsCover(t *testing.T) {
	const designs = 200
	c := functions()[0]
	var plain, randomised int
	for d := range uint64(designs) {
		stream := num.NewStream(d, "plain")
		a, b := rows(512, 3), rows(512, 3)
		for i := range a {
			for j := range 3 {
				a[i][j], b[i][j] = stream.Float64(), stream.Float64()
			}
		}
		y := make([]float64, 0, 512*5)
		for _, p := range Saltelli(a, b) {
			y = append(y, c.f(p))
		}
		x, err := Bootstrap{Seed: d, Resamples: 200, Level: .95}.Estimate(y, 3)
		if err != nil {
			t.Fatal(err)
		}
		var several [][]float64
		for r := range 8 {
			several = append(several, answers(c.f, Sobol{Seed: d, Keys: letters(3), Randomisation: r}, 64))
		}
		z, err := Randomised(several, 3, .95)
		if err != nil {
			t.Fatal(err)
		}
		plain += covers(x, c)
		randomised += covers(z, c)
	}
	got := []float64{float64(plain) / (6 * designs), float64(randomised) / (6 * designs)}
	t.Logf("coverage: bootstrap %.3f, randomisations %.3f", got[0], got[1])
	if got[0] < .90 || got[0] > .97 {
		t.Errorf("bootstrap intervals cover %.3f, expected .90 to .97", got[0])
	}
	if got[1] < .80 || got[1] > .99 {
		t.Errorf("intervals over randomisations cover %.3f, expected .80 to .99", got[1])
	}
}

// covers counts the intervals that hold the exact value.
func covers(x *Indices, c function) (count int) {
	for i := range c.first {
		if x.First[i].Low <= c.first[i] && c.first[i] <= x.First[i].High {
			count++
		}
		if x.Total[i].Low <= c.total[i] && c.total[i] <= x.Total[i].High {
			count++
		}
	}
	return count
}

func TestAFailedRunTakesItsRowOut(t *testing.T) {
	y := answers(linear, Sobol{Keys: letters(4)}, 128)
	kept, _ := Bootstrap{Resamples: 40, Level: .9}.Estimate(y[6:], 4)
	y[3] = math.NaN()
	x, err := Bootstrap{Resamples: 40, Level: .9}.Estimate(y, 4)
	if err != nil {
		t.Fatal(err)
	}
	if x.Failed != 1 || x.Rows != 127 || x.First[2] != kept.First[2] || x.Total[1] != kept.Total[1] {
		t.Errorf("%+v, expected the indices of the other 127 rows %+v", x, kept)
	}
	for i := range 7 {
		y[6*i+i%6] = math.Inf(1)
	}
	if _, err := (Bootstrap{Resamples: 40, Level: .9}).Estimate(y, 4); err == nil || !strings.Contains(err.Error(), "7 of 128") {
		t.Errorf("error %v, expected one that counts 7 of 128 rows", err)
	}
}

func TestAConstantOutputHasNoIndices(t *testing.T) {
	constant := func([]float64) float64 { return .1 }
	x, err := Bootstrap{Resamples: 40, Level: .9}.Estimate(answers(constant, Sobol{Keys: letters(2)}, 64), 2)
	if err != nil || x.First != nil || x.Total != nil || x.Widest() != 0 {
		t.Errorf("%+v, %v; expected no indices", x, err)
	}
	z, err := Randomised([][]float64{repeated(2, 8), repeated(2, 8)}, 2, .9)
	if err != nil || z.First != nil || z.Total != nil {
		t.Errorf("%+v, %v; expected no indices", z, err)
	}
}

func TestIndicesRefuseWhatTheyCannotRead(t *testing.T) {
	sound := Bootstrap{Resamples: 100, Level: .95}
	if _, err := sound.Estimate(make([]float64, 9), 2); err == nil || !strings.Contains(err.Error(), "multiple of 4") {
		t.Errorf("error %v", err)
	}
	if _, err := (Bootstrap{Resamples: 1, Level: .95}).Estimate(make([]float64, 8), 2); err == nil {
		t.Error("one resample is accepted")
	}
	if _, err := Randomised([][]float64{make([]float64, 8)}, 2, .9); err == nil {
		t.Error("one randomisation is accepted")
	}
}

// morris20 is Morris's function of 20 factors with its random coefficients replaced by (-1)**i.
func morris20(x []float64) float64 {
	w := make([]float64, 20)
	for i, v := range x {
		w[i] = 2 * (v - .5)
		if i == 2 || i == 4 || i == 6 {
			w[i] = 2 * (1.1*v/(v+.1) - .5)
		}
	}
	sign := func(n int) float64 { return float64(1 - 2*(n%2)) }
	y := 5 * w[0] * w[1] * w[2] * w[3]
	for i := range 20 {
		b := sign(i + 1)
		if i < 10 {
			b = 20
		}
		y += b * w[i]
		for j := i + 1; j < 20; j++ {
			b := sign(i + j)
			if j < 6 {
				b = -15
			}
			y += b * w[i] * w[j]
			for l := j + 1; l < 5; l++ {
				y -= 10 * w[i] * w[j] * w[l]
			}
		}
	}
	return y
}

// screen returns the effects of a function's keys over r trajectories.
func screen(t *testing.T, f func([]float64) float64, seed uint64, k, r int) []Effect {
	t.Helper()
	points, err := Morris{Seed: seed, Keys: letters(k)}.Points(r)
	if err != nil {
		t.Fatal(err)
	}
	y := make([]float64, len(points))
	for i, p := range points {
		y[i] = f(p)
	}
	effects, _, err := Effects(points, y)
	if err != nil {
		t.Fatal(err)
	}
	return effects
}

func TestEffectsTendToTheirPopulationValues(t *testing.T) {
	twenty := map[int]Effect{
		0: {13.500968, 64.203866, 75.419951}, 1: {11.895616, 63.806641, 75.419951}, 2: {23.952752, 51.229268, 70.134289},
		4: {23.952752, 50.927570, 70.005091}, 5: {15.117057, 43.359917, 52.272843}, 6: {34.647935, 34.647935, 25.939614},
		7: {37.591973, 37.591973, 6.600114}, 8: {42.408027, 42.408027, 6.600114}, 10: {.408027, 5.292729, 6.600114},
		19: {-.408027, 5.292729, 6.600114},
	}
	three := map[int]Effect{0: {7.704054, 7.704054, 6.248796}, 1: {0, 7.875, 7.875}, 2: {0, 6.248796, 8.837132}}
	four := map[int]Effect{0: {1, 1, 0}, 1: {2, 2, 0}, 2: {3, 3, 0}, 3: {4, 4, 0}}
	for _, c := range []struct {
		name string
		f    func([]float64) float64
		k    int
		want map[int]Effect
	}{{"Morris", morris20, 20, twenty}, {"Ishigami", ishigami(.1), 3, three}, {"linear", linear, 4, four}} {
		const r = 1000
		got := screen(t, c.f, 5, c.k, r)
		for i, want := range c.want { // order-free: each is compared by itself
			off := 4*want.SD/math.Sqrt(r) + 1e-9
			g := got[i]
			if math.Abs(g.Mean-want.Mean) > off || math.Abs(g.MeanAbs-want.MeanAbs) > off || math.Abs(g.SD-want.SD) > off {
				t.Errorf("%s, key %d: %+v, expected %+v within %.3f", c.name, i+1, g, want, off)
			}
		}
	}
}

func TestTenTrajectoriesSeparateActiveKeys(t *testing.T) {
	for seed := range uint64(100) {
		effects := screen(t, morris20, seed, 20, 10)
		least, most := math.Inf(1), 0.0
		for i, e := range effects {
			if i < 10 {
				least = min(least, e.MeanAbs)
			} else {
				most = max(most, e.MeanAbs)
			}
		}
		if least <= most {
			t.Errorf("seed %d: least of the ten active keys %.2f, most of the others %.2f", seed, least, most)
		}
	}
}

func TestTrajectoriesMoveEachKeyOnceByOneStep(t *testing.T) {
	const k, r = 6, 50
	points, err := Morris{Seed: 2, Keys: letters(k)}.Points(r)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[float64]int{}
	for first := 0; first < len(points); first += k + 1 {
		moves := make([]int, k)
		for i := first; i < first+k; i++ {
			for j := range k {
				seen[points[i][j]]++
				if d := math.Abs(points[i+1][j] - points[i][j]); d > 1e-9 {
					moves[j]++
					if math.Abs(d-morrisStep) > 1e-12 {
						t.Fatalf("key %d moves by %v", j, d)
					}
				}
			}
		}
		for j, m := range moves {
			if m != 1 {
				t.Fatalf("trajectory at %d moves key %d %d times", first, j, m)
			}
		}
	}
	if len(seen) != 4 {
		t.Errorf("levels %v, expected 4", seen)
	}
}

func TestAFailedRunTakesItsTrajectoryOut(t *testing.T) {
	points, _ := Morris{Keys: letters(2)}.Points(3)
	y := []float64{1, 2, math.NaN(), 1, 2, 3, 2, 2, 2}
	if effects, failed, err := Effects(points, y); err != nil || failed != 1 || len(effects) != 2 {
		t.Errorf("%v, %d failed, %v; expected 1 failed", effects, failed, err)
	}
	y[8] = math.Inf(-1)
	if _, _, err := Effects(points, y); err == nil || !strings.Contains(err.Error(), "2 trajectories failed and 1 remain") {
		t.Errorf("error %v", err)
	}
	if _, _, err := Effects(points, y[:8]); err == nil {
		t.Error("outputs that do not fit the points are accepted")
	}
	if _, err := (Morris{Keys: letters(2)}).Points(1); err == nil {
		t.Error("one trajectory is accepted")
	}
}
