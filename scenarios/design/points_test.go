package design

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func ExampleLatinHypercube() {
	points, _ := LatinHypercube{Seed: 1, Keys: []string{"emission.kappa", "validators.take"}}.Points(4)
	for _, p := range points {
		fmt.Printf("%.3f\n", p)
	}
	// Output:
	// [0.617 0.401]
	// [0.242 0.757]
	// [0.995 0.181]
	// [0.411 0.507]
}

func ExampleSobol() {
	a, _, _ := Sobol{Seed: 1, Keys: []string{"emission.kappa", "validators.take"}}.Points(4)
	for _, p := range a {
		fmt.Printf("%.3f\n", p)
	}
	_, _, err := Sobol{Keys: []string{"emission.kappa"}}.Points(1000)
	fmt.Println(err)
	// Output:
	// [0.107 0.215]
	// [0.607 0.715]
	// [0.857 0.465]
	// [0.357 0.965]
	// 1000 points: a Sobol design needs a power of two, or its points are not spread evenly: take 512 or 1024
}

func TestDirectionIntegersAreThoseOfJoeAndKuo(t *testing.T) {
	h := sha256.New()
	if err := binary.Write(h, binary.LittleEndian, directions()); err != nil {
		t.Fatal(err)
	}
	const want = "e9f8c7de7b80c13fce58dd4f8fed873a0c11205fd4d70609faf5f9468945d9ab"
	if got := fmt.Sprintf("%x", h.Sum(nil)); got != want {
		t.Errorf("SHA-256 of the direction integers is %s, expected %s", got, want)
	}
}

func TestSequenceStartsAsPublished(t *testing.T) {
	want := [][]float64{
		{0, 0, 0, 0, 0, 0}, {.5, .5, .5, .5, .5, .5}, {.75, .25, .25, .25, .75, .75}, {.25, .75, .75, .75, .25, .25},
		{.375, .375, .625, .875, .375, .125}, {.875, .875, .125, .375, .875, .625},
	}
	for d := range 6 {
		for i, x := range sequence(d, len(want)) {
			if got := float64(x) / (1 << 32); got != want[i][d] {
				t.Errorf("point %d, dimension %d: %v, expected %v", i, d, got, want[i][d])
			}
		}
	}
}

func TestNestedScramblingHasItsGoldenBits(t *testing.T) {
	want := map[uint32]uint32{0: 0xd6282f73, 1 << 31: 0x713e2d2a, 3 << 30: 0x39606211, 1 << 30: 0x9d6a1808}
	for x, w := range want { // order-free: each is compared by itself
		if got := owen(1, x); got != w {
			t.Errorf("owen(1, %#x) = %#x, expected %#x", x, got, w)
		}
	}
}

// occupied counts the points in each of n equal strata of a column.
func occupied(points [][]float64, column int) []int {
	counts := make([]int, len(points))
	for _, p := range points {
		counts[int(p[column]*float64(len(points)))]++
	}
	return counts
}

func TestEveryStratumOfEveryKeyHoldsOnePoint(t *testing.T) {
	keys := []string{"a", "b", "c", "d", "e"}
	for seed := range uint64(20) {
		designs := map[string][][]float64{}
		designs["hypercube"], _ = LatinHypercube{Seed: seed, Keys: keys}.Points(50)
		designs["maximin"], _ = LatinHypercube{Seed: seed, Keys: keys, Candidates: 8}.Points(50)
		designs["shift"], designs["shift, B"], _ = Sobol{Seed: seed, Keys: keys}.Points(64)
		designs["owen"], designs["owen, B"], _ = Sobol{Seed: seed, Keys: keys, Scramble: Owen, Randomisation: 3}.Points(64)
		for name, points := range designs { // order-free: each is checked by itself
			for j := range keys {
				if counts := occupied(points, j); slices.Max(counts) != 1 {
					t.Fatalf("%s, seed %d, key %d: points per stratum %v, expected 1 each", name, seed, j, counts)
				}
			}
		}
	}
}

func TestAKeyAddedMovesNoOtherColumn(t *testing.T) {
	few, many := []string{"a", "b"}, []string{"a", "b", "c"}
	same := func(name string, x, y [][]float64) {
		for i := range x {
			if !slices.Equal(x[i], y[i][:2]) {
				t.Fatalf("%s: point %d is %v, with a third key %v", name, i, x[i], y[i])
			}
		}
	}
	x, _ := LatinHypercube{Seed: 7, Keys: few}.Points(30)
	y, _ := LatinHypercube{Seed: 7, Keys: many}.Points(30)
	same("hypercube", x, y)
	for _, scramble := range []Scramble{Shift, Owen} {
		xa, xb, _ := Sobol{Seed: 7, Keys: few, Scramble: scramble}.Points(32)
		ya, yb, _ := Sobol{Seed: 7, Keys: many, Scramble: scramble}.Points(32)
		same(string(scramble)+" A", xa, ya)
		same(string(scramble)+" B", xb, yb)
	}
}

func TestSeedRandomisationAndScrambleMoveTheNet(t *testing.T) {
	designs := []Sobol{{Seed: 1}, {Seed: 2}, {Seed: 1, Randomisation: 1}, {Seed: 1, Scramble: Owen}}
	var firsts []float64
	for _, d := range designs {
		d.Keys = []string{"a"}
		a, _, err := d.Points(4)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(firsts, a[0][0]) {
			t.Errorf("%+v starts at %v like another one", d, a[0][0])
		}
		firsts = append(firsts, a[0][0])
	}
}

// The mean of a linear function over a hypercube varies by sqrt(30/(12 n**3)) for coefficients 1 to 4.
func TestHypercubeEstimatesLinearMeanAsTheoryHasIt(t *testing.T) {
	for _, n := range []int{16, 100} {
		const designs = 2000
		var square float64
		for seed := range uint64(designs) {
			points, _ := LatinHypercube{Seed: seed, Keys: []string{"1", "2", "3", "4"}}.Points(n)
			var mean float64
			for _, p := range points {
				mean += (p[0] + 2*p[1] + 3*p[2] + 4*p[3]) / float64(n)
			}
			square += (mean - 5) * (mean - 5) / designs
		}
		want := math.Sqrt(30 / (12 * math.Pow(float64(n), 3)))
		if got := math.Sqrt(square); math.Abs(got-want) > .07*want {
			t.Errorf("n = %d: the mean varies by %.5f, expected %.5f", n, got, want)
		}
	}
}

// leastFraction is the least distance between two points of a design.
func leastFraction(points [][]float64) float64 {
	least := math.Inf(1)
	for i, p := range points {
		for _, q := range points[:i] {
			var square float64
			for j := range p {
				square += (p[j] - q[j]) * (p[j] - q[j])
			}
			least = min(least, math.Sqrt(square))
		}
	}
	return least
}

func TestMaximinKeepsPointsApart(t *testing.T) {
	for _, c := range []struct {
		n           int
		plain, best float64
	}{{20, .219, .329}, {50, .128, .190}} {
		var plain, best float64
		const designs = 60
		for seed := range uint64(designs) {
			keys := []string{"1", "2", "3", "4"}
			one, _ := LatinHypercube{Seed: seed, Keys: keys}.Points(c.n)
			chosen, _ := LatinHypercube{Seed: seed, Keys: keys, Candidates: 64}.Points(c.n)
			plain += leastFraction(one) / designs
			best += leastFraction(chosen) / designs
		}
		if math.Abs(plain-c.plain) > .02 || math.Abs(best-c.best) > .02 {
			t.Errorf("%d points: least distance %.3f, of 64 candidates %.3f; expected %.3f and %.3f",
				c.n, plain, best, c.plain, c.best)
		}
	}
}

func TestDesignsRefuseWhatTheyCannotMake(t *testing.T) {
	many := make([]string, MaxSobolKeys+1)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	sobol := func(s Sobol, n int) error { _, _, err := s.Points(n); return err }
	latin := func(l LatinHypercube, n int) error { _, err := l.Points(n); return err }
	one := []string{"a"}
	for _, c := range []struct {
		err  error
		want string
	}{
		{sobol(Sobol{Keys: one}, 1000), "take 512 or 1024"},
		{sobol(Sobol{Keys: one}, 0), "must be 1 to"},
		{sobol(Sobol{Keys: one, Scramble: "mix"}, 8), `expected "shift" or "owen"`},
		{sobol(Sobol{Keys: one, Randomisation: -1}, 8), "expected 0 or more"},
		{sobol(Sobol{Keys: many}, 8), "at most 512"},
		{latin(LatinHypercube{}, 8), "at least one key"},
		{latin(LatinHypercube{Keys: []string{"a", "b", "a"}}, 8), `"a" appears twice`},
		{latin(LatinHypercube{Keys: one}, math.MaxInt), "must be 1 to"},
		{latin(LatinHypercube{Keys: one, Candidates: 2}, MaxCompared+1), "at most 4096"},
		{latin(LatinHypercube{Keys: one, Candidates: -1}, 8), "at most 4096"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("error %v, expected one with %q", c.err, c.want)
		}
	}
}
