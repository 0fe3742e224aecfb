package score

// Powers are the exponents of the score and the scale of the losses that enter it.
type Powers struct {
	Base       float64 // exponent of effective parameters in the base score
	Synergy    float64 // the same in the synergy
	LossScale  float64 // GPT-2-equivalent nats per nat: LossScale(bytes per token)
	SynergySum bool    // synergy is not divided by the number of responders
}

// Answer is one usable answer to a step: the loss of every row in nats per standard token.
type Answer struct {
	UID     uint16
	RowLoss []float64
}

// Credit is what one responder earned in a step.
type Credit struct {
	UID         uint16
	Loss        float64 // mean over rows, nats per standard token
	Base        float64 // from its own loss
	Synergy     float64 // from what its answer adds to each other's
	SynergyLoss float64 // the same as a difference of losses, nats per standard token
}

// Shapley is the score of the credit: base plus synergy.
func (c Credit) Shapley() float64 { return c.Base + c.Synergy }

// Pair is what two answers are worth together.
type Pair struct {
	A, B     uint16
	Expected float64 // the better one's loss, nats per standard token
	Measured float64 // loss of the averaged prediction
	Share    float64 // synergy that each of the two earns
	LossGain float64 // the same as a difference of losses
}

// Shapley credits responders in uid order, whatever order they come in.
func Shapley(answers []Answer, p Powers) []Credit { return nil }

// Pairs measures every pair of responders in uid order.
func Pairs(answers []Answer, p Powers) []Pair { return nil }
