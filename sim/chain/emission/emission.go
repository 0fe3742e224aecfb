package emission

import (
	"fmt"
	"math/bits"
)

// The constants of the curve.
const (
	SupplyRao     uint64 = 21_000_000 * 1_000_000_000 // no rule passes it
	FirstBlockRao uint64 = 1_000_000_000              // one TAO
	EraBlocks     uint64 = 10_500_000                 // between halvings of the rule by height
)

// Rule names an emission rule.
type Rule string

// The rules.
const (
	ByIssuance Rule = "issuance"
	ByHeight   Rule = "height"
	Flat       Rule = "flat"
)

// Rules lists all rules.
func Rules() []Rule { return []Rule{ByIssuance, ByHeight, Flat} }

// Curve is an emission rule with its parameter.
type Curve struct {
	Rule    Rule
	FlatRao uint64 // per block, for Flat

	RewardRao     uint64 // of the first block
	CapRao        uint64 // which the issuance never passes, at most SupplyRao
	HalvingBlocks uint64 // between halvings of the rule by height
}

// Validate refuses an unknown rule.
func (c Curve) Validate() error {
	for _, r := range Rules() {
		if c.Rule == r {
			return nil
		}
	}
	return fmt.Errorf("emission rule %q: want one of %q", c.Rule, Rules())
}

// Next returns what the block at height mints when issuanceRao exist before it, and for how many
// blocks, that one included, this stays so if nothing else changes the issuance. Blocks are
// counted from 1. A rule that mints nothing any more does so for ever.
func (c Curve) Next(height, issuanceRao uint64) (rao, blocks uint64) {
	const forEver = 1<<64 - 1
	rest := SupplyRao - min(issuanceRao, SupplyRao)
	if rest == 0 {
		return 0, forEver
	}
	switch c.Rule {
	case ByIssuance:
		halvings := halvings(rest)
		rao = FirstBlockRao >> halvings
		if rao > 0 {
			// The next halving comes when the rest is at most supply / 2^(halvings+1).
			short := rest - SupplyRao>>(halvings+1)
			blocks = (short + rao - 1) / rao
		}
	case ByHeight:
		index := height - min(height, 1)
		if era := index / EraBlocks; era < 64 {
			rao = FirstBlockRao >> era
			blocks = EraBlocks - index%EraBlocks
		}
	case Flat:
		rao, blocks = c.FlatRao, forEver
	}
	if rao == 0 {
		return 0, forEver
	}
	if rao >= rest {
		return rest, 1
	}
	return rao, min(blocks, rest/rao)
}

// halvings is the largest k with rest <= supply / 2^k, for 0 < rest <= supply.
func halvings(rest uint64) int {
	k := bits.Len64(SupplyRao) - bits.Len64(rest)
	if rest<<k > SupplyRao {
		k--
	}
	return k
}

// Sum returns what n blocks from the one at height on mint together.
func (c Curve) Sum(height, issuanceRao, n uint64) uint64 {
	var sum uint64
	for n > 0 {
		rao, blocks := c.Next(height, issuanceRao+sum)
		if rao == 0 {
			break
		}
		blocks = min(blocks, n)
		sum += rao * blocks
		height += blocks
		n -= blocks
	}
	return sum
}
