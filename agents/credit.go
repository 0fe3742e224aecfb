package agents

import "taolab/agents/score"

// Credit is the performance that a validator's weights reward.
type Credit uint8

// The credits.
const (
	Mixture Credit = iota // whole batches, as in 2022
	Market                // each subset of them, by score.Market
)

// supplied adds a question of the scoring lane to the market.
func (v *Validator) supplied(a *ask, earned bool) {
	switch {
	case v.config.Credit != Market:
	case earned:
		subsets := make([]uint16, len(a.rows))
		for i, row := range a.rows {
			subsets[i] = v.judge.Rows()[row]
		}
		v.market.Answered(a.uid, a.losses, subsets)
	default:
		v.market.Silent(a.uid)
	}
}

// scores are the numbers that the weights are computed from, by uid.
func (v *Validator) scores() []float64 {
	scores := make([]float64, len(v.peers))
	if v.config.Credit == Mixture {
		for uid := range scores {
			scores[uid] = v.averages.Entry(uint16(uid)).Weight()
		}
		return scores
	}
	demand := v.judge.Demand()
	for i, part := range v.pay(demand) {
		scores[i/len(demand)] += part
	}
	return scores
}

// pay is each uid's part of the pay for each subset, [uids x subsets].
func (v *Validator) pay(demand []float64) []float64 {
	served := make([]float64, len(v.peers))
	for uid := range served {
		served[uid] = 1 - v.averages.Entry(uint16(uid)).Unanswered()
	}
	return v.market.Pay(demand, served, v.powers)
}

// newMarket returns an empty market with the validator's settings.
func (v *Validator) newMarket() score.Market { return score.Market{Alpha: v.config.Alpha} }
