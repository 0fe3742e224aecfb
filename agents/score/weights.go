package score

import "taolab/model/num"

// Standing is how a uid fared in an epoch.
type Standing uint8

// The standings, first kept first.
const (
	Responsive Standing = iota // answered at least once
	Quiet                      // was asked and never answered
	Unasked                    // was not asked
)

// Candidate is a uid that may receive a weight.
type Candidate struct {
	UID      uint16
	Score    float64
	Standing Standing
}

// WeightInput is all that the weights of an epoch depend on.
type WeightInput struct {
	Era        Era
	Candidates []Candidate
	MinAllowed int         // fewest weights that the ledger accepts
	MaxShare   float64     // largest share that the ledger accepts; 0: the era's
	Stream     *num.Stream // shuffles, in eras that do
}

// WeightShare is a uid's share of a validator's weight; shares sum to one.
type WeightShare struct {
	UID   uint16
	Share float64
}

// Weights computes the shares of an epoch in uid order; none means that nothing should be sent.
func Weights(in WeightInput) []WeightShare { return nil }

// LimitShares scales x to sum one with no share above limit.
func LimitShares(x []float64, limit float64) []float64 { return nil }

// LimitRatio scales x to sum one with largest over smallest below ratio.
func LimitRatio(x []float64, ratio float64) []float64 { return nil }

// U16 turns shares into a row for the ledger, the largest share becoming 65,535. Zeros are left
// out. maxWeight is the ledger's largest normalised weight over 65,535.
func U16(shares []WeightShare, maxWeight uint16) (uids, values []uint16) { return nil, nil }

// U32 turns shares into the row of 2022: values sum to 2^32-1 and zeros are left out.
func U32(shares []WeightShare) (uids []uint16, values []uint32) { return nil, nil }
