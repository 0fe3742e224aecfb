package score_test

import (
	"fmt"

	"taolab/agents/score"
	"taolab/model/num"
)

func ExampleShapley() {
	era, _ := score.EraNamed(score.DefaultEra)
	for _, c := range score.Shapley([]score.Answer{
		{UID: 7, RowLoss: []float64{2, 4}},
		{UID: 9, RowLoss: []float64{4, 2}}, // as good as 7, but on the other row
	}, era.Powers(1)) {
		fmt.Printf("uid %d: base %.0f, synergy %.0f\n", c.UID, c.Base, c.Synergy)
	}
	// Output:
	// uid 7: base 6812, synergy 3055
	// uid 9: base 6812, synergy 3055
}

func ExampleWeights() {
	era, _ := score.EraNamed("3.5.1")
	shares := score.Weights(score.WeightInput{
		Era: era, MinAllowed: 2, MaxShare: 0.5,
		Candidates: []score.Candidate{{UID: 0, Score: 300}, {UID: 1, Score: 100}, {UID: 2}},
	})
	uids, values := score.U16(shares, 65535)
	fmt.Println(uids, values)
	// Output: [0 1] [65535 65535]
}

func ExampleRotation() {
	r, s := score.Rotation{Selection: score.OnceASweep}, num.NewStream(1, "example")
	for range 3 {
		fmt.Println(len(r.Next([]uint16{0, 1, 2, 3, 4}, 2, s)))
	}
	// Output:
	// 2
	// 2
	// 1
}

func ExampleAverages() {
	var a score.Averages
	hotkey := [32]byte{1}
	for range 12 {
		a.Answered(hotkey, score.Credit{UID: 4, Base: 1}, 0, 0)
	}
	fmt.Printf("%.4f of %.0f\n", a.Entry(4).Score.Value, a.Entry(4).Shapley.Value)
	// Output: 0.7176 of 1
}

func ExampleSubsetMeans() {
	means := score.NewSubsetMeans(2, score.ServiceLane, 4)
	for range 20 { // uid 1 is good at the second subset
		means.Observe(1, score.ScoringLane, 0, 0.03)
		means.Observe(1, score.ServiceLane, 1, 0.66)
	}
	fmt.Printf("%.2f\n", means.Targets(2)) // by uid, then subset; nobody has asked uid 0
	fmt.Printf("%.1f\n", means.At(1, score.ServiceLane, 1).Target)
	// Output:
	// [0.34 0.34 0.08 0.61]
	// 0.7
}
