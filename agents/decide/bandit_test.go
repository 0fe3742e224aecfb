package decide

import (
	"fmt"
	"math"
	"testing"

	"taolab/model/num"
)

func ExampleBandit() {
	b := Bandit{Logs: make([]float64, 2)}
	b.Learn(0.5, 1) // arm 0 paid
	fmt.Printf("%.3f\n", b.Chances(0.5))
	// Output: [0.561 0.439]
}

// Three arms pay half of the time and one seven times in ten. The figures are those of another program.
func TestABanditFindsTheArmThatPaysBest(t *testing.T) {
	const plays, runs = 5000, 200
	pays := []float64{0.5, 0.5, 0.5, 0.7}
	exploration := Exploration(len(pays), plays)
	near(t, "exploration", exploration, 0.0254, 5e-5)
	stream, regret, best := num.NewStream(1, "bandit"), 0.0, 0.0
	for range runs {
		b := Bandit{Logs: make([]float64, len(pays))}
		for range plays {
			arm, reward := b.Play(exploration, stream), 0.0
			if stream.Float64() < pays[arm] {
				reward = 1
			}
			b.Learn(exploration, reward)
			regret += (0.7 - pays[arm]) / runs
			if arm == 3 {
				best += 1.0 / (plays * runs)
			}
		}
	}
	t.Logf("mean regret %.1f, best arm %.1f %% of the time", regret, 100*best)
	near(t, "mean regret", regret, 249, 15)
	near(t, "part of the plays on the best arm", best, 0.74, 0.02)
}

// A bandit that was wrong for ten thousand plays is not deaf: its weights stay numbers, and each arm is still played.
func TestABanditNeverStopsTrying(t *testing.T) {
	b := Bandit{Logs: make([]float64, 3)}
	for range 10000 {
		b.Arm = 1
		b.Learn(0.1, 1)
	}
	chances := b.Chances(0.1)
	for arm, want := range []float64{0.1 / 3, 0.9 + 0.1/3, 0.1 / 3} {
		near(t, fmt.Sprint("chance of arm ", arm), chances[arm], want, 1e-9)
	}
	if most := math.Max(b.Logs[0], math.Max(b.Logs[1], b.Logs[2])); most != 0 || math.IsInf(b.Logs[0], 0) {
		t.Errorf("logarithms of the weights %v, want finite ones of which the largest is 0", b.Logs)
	}
	if Exploration(5, 1) != 1 {
		t.Error("a bandit with fewer plays than arms should draw all alike")
	}
}

func TestARiseIsMeasuredAgainstTheUsualOne(t *testing.T) {
	var r Rise
	for i, c := range []struct {
		income, reward float64
		known          bool
	}{
		{100, 0, false},                                                           // the first: nothing to compare with
		{110, 0.75, true}, {120, 0.75, true}, {120, 0.5, true}, {115, 0.25, true}, // usual: 10, 10, 5, 5
		{215, 0.5 + 100/(4*52.5), true},
	} {
		reward, known := r.Reward(c.income, 0.5)
		if known != c.known || math.Abs(reward-c.reward) > 1e-12 {
			t.Errorf("income %d of %g: reward %g, %t; want %g, %t", i, c.income, reward, known, c.reward, c.known)
		}
	}
	fell := Rise{Before: 100, Begun: true, Size: Average{Value: 10, Known: true}}
	if reward, _ := fell.Reward(0, 0.1); reward != 0 {
		t.Errorf("a fall of five times the usual one rewards %g, want 0", reward)
	}
	still := Rise{Before: 7, Begun: true}
	if _, known := still.Reward(7, 0.5); known {
		t.Error("an income that never moved rewards what was tried")
	}
}

func TestABoostTakesFromAllInProportion(t *testing.T) {
	rule := MixRule{Floor: 0.05}
	for s, want := range []float64{0.1, 0.65, 0.25} {
		near(t, fmt.Sprint("share ", s), rule.Boosted([]float64{0.2, 0.3, 0.5}, 1, 0.5)[s], want, 1e-12)
	}
	mix := rule.Boosted([]float64{0.2, 0.3, 0.5}, 1, 1)
	for s, want := range []float64{0.05, 0.9, 0.05} {
		near(t, fmt.Sprint("share after all went to one, ", s), mix[s], want, 1e-12)
	}
}
