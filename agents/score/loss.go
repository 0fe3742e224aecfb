package score

import (
	"math"
	"slices"

	"taolab/model/num"
)

const (
	tiny       = 1e-40 // keeps logarithms finite
	badLoss    = 20    // nats that replace a NaN
	tokenBytes = 3.409 // bytes per GPT-2 token on the Pile
)

// Irreducible is the least loss of any model, in nats per GPT-2-equivalent token (Hoffmann et al. 2022).
const Irreducible = 1.69

// Phrase is a continuation of one or more standard tokens and its probability.
type Phrase struct {
	Prob   float32
	Tokens []uint16
}

// NextRow is a server's prediction after the last position of one row: its most probable phrases, and the
// probability of each token that it left out.
type NextRow struct {
	Phrases []Phrase
	Floor   float32
}

// PhraseLoss is the loss of one row in nats.
type PhraseLoss struct {
	First  float64 // on the first target token only
	Phrase float64 // on any prefix of the target: the one that scores
}

// PhraseLosses measures the rows of one answer against their targets: any phrase that is a prefix of the
// target earns credit, so that a server is not punished for long tokens. targets holds equally many tokens
// per row, row by row; vocab is the size of the standard vocabulary, topk the number of phrases asked for. A
// NaN counts as 20 nats.
func PhraseLosses(rows []NextRow, targets []uint16, vocab, topk int) []PhraseLoss {
	if len(rows) == 0 {
		return nil
	}
	perRow := len(targets) / len(rows)
	credited := min(longest(rows), perRow)
	losses := make([]PhraseLoss, len(rows))
	for i, row := range rows {
		losses[i] = row.loss(targets[i*perRow:(i+1)*perRow], credited, max(0, vocab-topk))
	}
	return losses
}

// longest is the length in tokens of the longest phrase of an answer. Every shorter prefix of the
// target that no phrase of a row matches earns that row one floor, as in the reference.
func longest(rows []NextRow) int {
	n := 0
	for _, row := range rows {
		for _, q := range row.Phrases {
			n = max(n, len(q.Tokens))
		}
	}
	return n
}

// loss credits the prefixes of the target of up to credited tokens; unnamed is the number of tokens that
// share the floor.
func (r NextRow) loss(target []uint16, credited, unnamed int) PhraseLoss {
	total := float64(float64(unnamed) * float64(r.Floor))
	for _, q := range r.Phrases {
		total += float64(q.Prob)
	}
	floor := float64(r.Floor) / total

	first, firstFound := 0.0, false
	match, matched := make([]float64, credited), make([]bool, credited)
	for _, q := range r.Phrases {
		prob := float64(q.Prob) / total
		if len(q.Tokens) == 0 || len(target) == 0 || q.Tokens[0] != target[0] {
			continue
		}
		first, firstFound = first+prob, true
		if n := len(q.Tokens); n <= credited && slices.Equal(q.Tokens, target[:n]) {
			match[n-1], matched[n-1] = match[n-1]+prob, true
		}
	}
	if !firstFound {
		first = floor
	}
	sum := 0.0
	for c := range match {
		if !matched[c] {
			match[c] = floor
		}
		sum += match[c]
	}
	return PhraseLoss{First: surprise(first), Phrase: surprise(sum)}
}

// surprise is the loss in nats of a probability, which is clamped to 0..1 first.
func surprise(prob float64) float64 {
	return number(0 - num.Log(min(max(prob, 0), 1)+tiny))
}

func number(loss float64) float64 {
	if math.IsNaN(loss) {
		return badLoss
	}
	return loss
}

// Dist is the top of a next-token distribution of one row: probabilities and their tokens, which
// differ from each other.
type Dist struct {
	Probs []float32
	IDs   []uint16
}

// NextTokenLoss is the cross-entropy in nats of the full distribution that d stands for: the tokens that d
// does not name share the remaining probability evenly.
func NextTokenLoss(d Dist, target uint16, vocab int) float64 {
	kept, prob, named := 0.0, tiny, false
	for i, p := range d.Probs {
		kept += float64(p)
		if d.IDs[i] == target {
			prob, named = float64(p)+tiny, true
		}
	}
	total := kept + tiny
	if unnamed := vocab - len(d.Probs); unnamed > 0 {
		left := min(max(1-kept, tiny), 1)
		total += left
		if !named {
			prob = left / float64(unnamed)
		}
	}
	// A sum above one is a forgery; the softmax of the decoded logarithms scales it back.
	return number(num.Log(total) - num.Log(prob))
}

// LossScale is the factor from nats per standard token to nats per GPT-2-equivalent token, given the mean
// bytes per standard token of the scoring corpus.
func LossScale(bytesPerToken float64) float64 { return tokenBytes / bytesPerToken }

// logParameters is the logarithm of the effective parameters: the size of a model that would reach a loss in
// nats per GPT-2-equivalent token, by L(N) = (8.8e13/N)^0.076 (Kaplan et al. 2020), never below Irreducible.
func logParameters(loss float64) float64 {
	return num.Log(8.8e13) - num.Log(math.Max(loss, Irreducible))/0.076
}

// RoutingTarget is the gate's target for a peer with a loss in nats per GPT-2-equivalent token: 1 at the
// irreducible loss, falling exponentially above it.
func RoutingTarget(loss float64) float64 { return num.Exp(-math.Max(0, loss-Irreducible)) }
