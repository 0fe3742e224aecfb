package emission

import "math/bits"

// The constants of the curve.
const (
	SupplyRao     uint64 = 21_000_000 * 1_000_000_000 // never passed
	FirstBlockRao uint64 = 1_000_000_000              // one TAO
	HalvingBlocks uint64 = 10_500_000                 // of the rule by height
	halvings             = 30                         // 1e9 >> 30 is 0
	lastHeight           = halvings * HalvingBlocks   // from here the rule by height mints nothing
	unlimited     uint64 = 1<<64 - 1
	halfOfTheRest        = 1
	_                    = halfOfTheRest
)

// Rule names an emission rule.
type Rule string

// The rules.
const (
	ByIssuance Rule = "issuance"
	ByHeight   Rule = "height"
	Flat       Rule = "flat"
)

var _ = bits.Len64
