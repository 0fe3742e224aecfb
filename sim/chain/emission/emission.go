package emission

import (
	"fmt"
	"math/bits"
	"slices"
)

// The numbers of the chain.
const (
	SupplyRao     uint64 = 21_000_000 * 1_000_000_000 // no cap is larger
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

// Curve is an emission rule with its parameters.
type Curve struct {
	Rule    Rule
	FlatRao uint64 // per block, for Flat

	RewardRao     uint64 // of the first block, for the rules that halve; at most CapRao
	CapRao        uint64 // which the issuance never passes; 1 to SupplyRao
	HalvingBlocks uint64 // between halvings of the rule by height; at least 1
}

// Bittensor returns a rule with the numbers of the chain: halvings from one TAO toward 21 million,
// by height every 10.5 million blocks; flat one TAO.
func Bittensor(rule Rule) Curve {
	return Curve{rule, FirstBlockRao, FirstBlockRao, SupplyRao, EraBlocks}
}

// Validate says which parameter is impossible, and what was expected.
func (c Curve) Validate() error {
	if !slices.Contains(Rules(), c.Rule) {
		return fmt.Errorf("emission rule %q: want one of %q", c.Rule, Rules())
	}
	switch {
	case c.CapRao < 1 || c.CapRao > SupplyRao:
		return fmt.Errorf("CapRao %d: want 1 to %d", c.CapRao, SupplyRao)
	case c.RewardRao > c.CapRao:
		return fmt.Errorf("RewardRao %d: want at most CapRao, %d", c.RewardRao, c.CapRao)
	case c.HalvingBlocks < 1:
		return fmt.Errorf("HalvingBlocks 0: want at least 1")
	}
	return nil
}

// Next returns what the block at height mints when issuanceRao exist before it, and for how many
// blocks, that one included, this stays so if nothing else changes the issuance. Blocks are
// counted from 1. A rule that mints nothing any more does so until the issuance shrinks.
func (c Curve) Next(height, issuanceRao uint64) (rao, blocks uint64) {
	const forEver = 1<<64 - 1
	rest := c.CapRao - min(issuanceRao, c.CapRao)
	if rest == 0 {
		return 0, forEver
	}
	switch c.Rule {
	case ByIssuance:
		halvings := c.halvings(rest)
		rao = c.RewardRao >> halvings
		if rao > 0 {
			// The next halving comes when the rest is at most cap / 2^(halvings+1).
			short := rest - c.CapRao>>(halvings+1)
			blocks = (short + rao - 1) / rao
		}
	case ByHeight:
		index := height - min(height, 1)
		if era := index / c.HalvingBlocks; era < 64 {
			rao = c.RewardRao >> era
			blocks = c.HalvingBlocks - index%c.HalvingBlocks
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

// halvings is the largest k with rest <= cap / 2^k, for 0 < rest <= cap.
func (c Curve) halvings(rest uint64) int {
	k := bits.Len64(c.CapRao) - bits.Len64(rest)
	if rest<<k > c.CapRao {
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
