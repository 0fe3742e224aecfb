package pile

import (
	"math"
	"slices"
	"strings"
	"testing"

	"taolab/model/num"
)

func TestAMixDrawsSubsetsByWeightAndPlacesEvenly(t *testing.T) {
	s := small(t)
	mix, err := s.NewMix(Score, []float64{3, 1})
	if err != nil {
		t.Fatal(err)
	}
	stream := num.NewStream(1, "mix")
	const rows = 20000
	tokens := make([]uint16, rows)
	targets := make([]uint16, rows)
	mix.Batch(stream, rows, 1, tokens, targets)
	counts := make(map[uint16]int)
	for _, id := range tokens {
		counts[id]++
	}
	// Score text of the first subset: 300 bytes a, b, c and the end of text; of the second: y and z.
	tok := plain(t)
	for word, want := range map[string]float64{"a": 0.75 * 100 / 301, "c": 0.75 * 100 / 301, "y": 0.25 * 128 / 257} { // order-free: a table
		n := float64(counts[tok.Encode(nil, []byte(word))[0]])
		if allowed := 4 * math.Sqrt(rows*want*(1-want)); math.Abs(n-rows*want) > allowed {
			t.Errorf("%s is drawn %v times; wanted %.0f ± %.0f", word, n, rows*want, allowed)
		}
	}
	seen := [2]int{}
	for range 2000 {
		seen[mix.Batch1(stream, 2, 3, tokens[:6])]++
	}
	if math.Abs(float64(seen[0])-1500) > 4*math.Sqrt(2000*0.75*0.25) {
		t.Errorf("batches of one subset are of %v; wanted 1500 and 500", seen)
	}
}

func TestTargetsAreTheTokensOnePlaceLaterAroundTheRing(t *testing.T) {
	s := small(t)
	for _, cols := range []int{1, 7, 257, 600} {
		mix, err := s.NewMix(Score, []float64{0, 1})
		if err != nil {
			t.Fatal(err)
		}
		ring := s.Tokens(1, Score)
		stream := num.NewStream(4, "ring")
		tokens, targets := make([]uint16, 40*cols), make([]uint16, 40*cols)
		mix.Batch(stream, 40, cols, tokens, targets)
		twin := num.NewStream(4, "ring")
		for row := range 40 {
			twin.Pick([]float64{0, 1})
			at := twin.IntN(len(ring))
			for i := range cols {
				if tokens[row*cols+i] != ring[(at+i)%len(ring)] || targets[row*cols+i] != ring[(at+i+1)%len(ring)] {
					t.Fatalf("%d columns: row %d differs at %d from the ring at %d", cols, row, i, at)
				}
			}
		}
	}
}

func TestTheStreamIsTheWholeStateOfAMix(t *testing.T) {
	s := small(t)
	one, _ := s.NewMix(Train, nil)
	other, _ := s.NewMix(Train, nil)
	a, b := make([]uint16, 30), make([]uint16, 30)
	one.Batch1(num.NewStream(9, "elsewhere"), 3, 10, a)
	subset := one.Batch1(num.NewStream(1, "here"), 3, 10, a)
	if subset != other.Batch1(num.NewStream(1, "here"), 3, 10, b) || !slices.Equal(a, b) {
		t.Error("what was drawn before changes what is drawn")
	}
	stream := num.NewStream(1, "here")
	one.Batch1(stream, 3, 10, a)
	saved, _ := stream.AppendBinary(nil)
	one.Batch1(stream, 3, 10, a)
	restored := new(num.Stream)
	if err := restored.UnmarshalBinary(saved); err != nil {
		t.Fatal(err)
	}
	if other.Batch1(restored, 3, 10, b); !slices.Equal(a, b) {
		t.Error("a restored stream draws something else")
	}
}

func TestMixesThatWeighNothingAreRefused(t *testing.T) {
	s := small(t)
	for _, c := range []struct {
		split   Split
		weights []float64
		want    string
	}{
		{Train, []float64{1}, "1 weights; wanted one for each of 2 subsets"},
		{Train, []float64{0, 0}, "all 2 weights of a mix are 0"},
		{Train, []float64{1, -1}, `subset "b" has weight -1`},
		{Train, []float64{math.NaN(), 1}, `subset "a" has weight NaN`},
		{Train, []float64{1, math.Inf(1)}, "weight +Inf; wanted 0 or more, and finite"},
		{splits, nil, "no split 3; wanted train, score or held out"},
	} {
		if _, err := s.NewMix(c.split, c.weights); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v of %v: error %v; wanted one that says %q", c.weights, c.split, err, c.want)
		}
	}
}
