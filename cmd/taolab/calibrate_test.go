package main

import (
	"math"
	"testing"

	"taolab/agents/score"
)

// Members of a group have losses spread evenly over answer_loss; their scores must spread as the weights do.
func TestStatedLossesSpreadScoresAsTheCalibrationSays(t *testing.T) {
	const spread, members = 0.8, 2001
	losses, sum, squares := answerLoss(spread), 0.0, 0.0
	for i := range members {
		at := float64(i) / (members - 1)
		loss := losses[0]*(1-at) + losses[1]*at
		x := math.Log(score.Powers{Base: 0.5, LossScale: 1}.BaseScore(loss))
		sum += x / members
		squares += x * x / members
	}
	if sd := math.Sqrt(squares - sum*sum); math.Abs(sd/spread-1) > 0.03 {
		t.Errorf("scores of losses %.3g to %.3g spread by %.4f, want %g", losses[0], losses[1], sd, spread)
	}
}
