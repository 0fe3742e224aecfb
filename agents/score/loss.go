package score

import (
	"math"

	"taolab/model/num"
)

const (
	tiny       = 1e-40 // keeps logarithms finite
	badLoss    = 20    // what a loss that is not a number counts as, in nats
	tokenBytes = 3.409 // bytes per GPT-2 token on the Pile
)

// Irreducible is the loss no model can go below, in nats per GPT-2-equivalent token (Hoffmann et al. 2022).
const Irreducible = 1.69

// Phrase is a continuation of one or more standard tokens and its probability.
type Phrase struct {
	Prob   float32
	Tokens []uint16
}

// NextRow is what a server predicts after the last position of one row: its most probable phrases
// and the probability of each token that it left out.
type NextRow struct {
	Phrases []Phrase
	Floor   float32
}

// PhraseLoss is the loss of one row in nats.
type PhraseLoss struct {
	First  float64 // on the first target token alone
	Phrase float64 // on any prefix of the target: the one that scores
}

// PhraseLosses measures the rows of one answer against their targets: phrase is credited when it
// is any prefix of the target, so that a server with long tokens is not punished for them.
// targets holds as many tokens per row, in order; vocab is the standard vocabulary, topk the
// number of phrases asked for. What is not a number counts as 20 nats.
func PhraseLosses(rows []NextRow, targets []uint16, vocab, topk int) []PhraseLoss {
	return make([]PhraseLoss, len(rows))
}

// Dist is the top of a next-token distribution of one row: probabilities and their tokens.
type Dist struct {
	Probs []float32
	IDs   []uint16
}

// NextTokenLoss is the cross-entropy in nats of the full distribution behind d: the probability
// that d leaves over is spread evenly over the tokens it does not name.
func NextTokenLoss(d Dist, target uint16, vocab int) float64 { return 0 }

// LossScale turns nats per standard token into nats per GPT-2-equivalent token, given the mean
// bytes per standard token of the scoring corpus.
func LossScale(bytesPerToken float64) float64 { return tokenBytes / bytesPerToken }

// EffectiveParameters is the size of a model that would reach a loss in nats per GPT-2-equivalent
// token, by L(N) = (8.8e13/N)^0.076 (Kaplan et al. 2020), never below Irreducible.
func EffectiveParameters(loss float64) float64 { return num.Exp(logParameters(loss)) }

func logParameters(loss float64) float64 {
	return num.Log(8.8e13) - num.Log(math.Max(loss, Irreducible))/0.076
}

// RoutingTarget is what a gate should say of a peer with a loss in nats per GPT-2-equivalent token:
// 1 at the irreducible loss, falling exponentially above it.
func RoutingTarget(loss float64) float64 { return num.Exp(-math.Max(0, loss-Irreducible)) }
