package score

import (
	"math"
	"slices"

	"taolab/model/num"
)

// Powers are the settings of the score: its exponents and the scale of the losses that enter it.
type Powers struct {
	Base       float64 // exponent of effective parameters in the base score
	Synergy    float64 // the same in the synergy
	LossScale  float64 // GPT-2-equivalent nats per nat: LossScale(bytes per token)
	SynergySum bool    // synergy is not divided by the number of responders
	CommonRows int     // least rows that two answers share to have synergy
}

// Answer is one usable answer to a step: the loss of every row in nats per standard token.
type Answer struct {
	UID     uint16
	RowLoss []float64
}

// Credit is one responder's score in a step.
type Credit struct {
	UID         uint16
	Loss        float64 // mean over rows, nats per standard token
	Base        float64 // from its own loss
	Synergy     float64 // from the gain of combining its answer with each other's
	SynergyLoss float64 // the same as a difference of losses, nats per standard token
}

// Shapley is the score of the credit: base plus synergy.
func (c Credit) Shapley() float64 { return c.Base + c.Synergy }

// pair is the joint value of two answers.
type pair struct {
	A, B     uint16  // A < B
	Expected float64 // the better one's loss, nats per standard token
	Measured float64 // loss of the averaged prediction, nats per standard token
	Share    float64 // synergy of each of the two
	LossGain float64 // the same as a difference of losses
}

// BaseScore is the score of a single loss in nats per standard token.
func (p Powers) BaseScore(loss float64) float64 {
	return p.score(loss, p.Base)
}

// RoutingTarget is RoutingTarget of a loss in nats per standard token.
func (p Powers) RoutingTarget(loss float64) float64 {
	return RoutingTarget(float64(p.LossScale * loss))
}

func (p Powers) score(loss, power float64) float64 {
	return num.Exp(float64(power * logParameters(float64(p.LossScale*loss))))
}

// Shapley credits responders over coalitions of one and two. The result is in uid order, whatever
// the order of the answers, which all are to the same rows. An answer without rows or with a loss
// that is not finite earns nothing and is left out.
func Shapley(answers []Answer, p Powers) []Credit {
	peers := usable(answers)
	credits := make([]Credit, len(peers))
	for i, a := range peers {
		credits[i] = Credit{UID: a.uid, Loss: a.loss, Base: p.BaseScore(a.loss)}
	}
	pairs := pairs(peers, p)
	for i := range credits {
		for j := i + 1; j < len(credits); j++ {
			credits[i].add(pairs[0])
			credits[j].add(pairs[0])
			pairs = pairs[1:]
		}
	}
	return credits
}

func (c *Credit) add(p pair) {
	c.Synergy += p.Share
	c.SynergyLoss += p.LossGain
}

// peer is an answer with the values that its pairs need.
type peer struct {
	uid  uint16
	loss float64   // mean over rows
	prob []float64 // of the target, by row
}

func usable(answers []Answer) []peer {
	var peers []peer
	for _, a := range answers {
		loss := mean(a.RowLoss)
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			continue
		}
		prob := make([]float64, len(a.RowLoss))
		for row, l := range a.RowLoss {
			prob[row] = num.Exp(-l)
		}
		peers = append(peers, peer{a.UID, loss, prob})
	}
	slices.SortStableFunc(peers, func(a, b peer) int { return int(a.uid) - int(b.uid) })
	return peers
}

// pairs measures every pair, ordered by A, then B.
func pairs(peers []peer, p Powers) []pair {
	sharers := 2.0
	if !p.SynergySum {
		sharers = float64(2 * len(peers))
	}
	alone := make([]float64, len(peers))
	for i, a := range peers {
		alone[i] = p.score(a.loss, p.Synergy)
	}
	all := make([]pair, 0, len(peers)*(len(peers)-1)/2)
	for i, a := range peers {
		for k, b := range peers[i+1:] {
			expected, worth, measured := a.loss, alone[i], ensembleLoss(a, b)
			if b.loss < a.loss {
				expected, worth = b.loss, alone[i+1+k]
			}
			gain, better := max(0, p.score(measured, p.Synergy)-worth), max(0, expected-measured)
			if min(len(a.prob), len(b.prob)) < p.CommonRows { // so few rows show only chance
				gain, better = 0, 0
			}
			all = append(all, pair{
				A: a.uid, B: b.uid, Expected: expected, Measured: measured,
				Share: gain / sharers, LossGain: better / sharers,
			})
		}
	}
	return all
}

// ensembleLoss is the loss of the average of two predictions.
func ensembleLoss(a, b peer) float64 {
	rows := min(len(a.prob), len(b.prob))
	sum := 0.0
	for row := range rows {
		sum -= num.Log((a.prob[row]+b.prob[row])/2 + tiny)
	}
	return sum / float64(rows)
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}
