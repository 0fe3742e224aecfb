package scenarios

import (
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/virtual"
)

// government adds the parts of genesis that only a ledger for strangers has: a planned upgrade, and
// consensus keys of the scenario's validators, which compete for its seats.
func (b *builder) government() {
	b.genesis.Upgrade = chain.Upgrade{Rules: uint32(b.Chain.UpgradeRules), Height: b.Chain.UpgradeHeight}
	if len(b.Chain.Council) > 0 {
		b.genesis.Council, b.genesis.Threshold = nil, uint8(b.Chain.CouncilThreshold)
		for _, name := range b.Chain.Council {
			b.genesis.Council = append(b.genesis.Council, virtual.PublicKey(b.Seed, name, host.Coldkey))
		}
	}
	if b.genesis.Params.Hard.Seats == 0 {
		return
	}
	for _, g := range b.Validators {
		for i := range g.Count {
			name := member(g.Name, i)
			b.genesis.Operators = append(b.genesis.Operators, chain.GenesisOperator{
				Hotkey:       virtual.PublicKey(b.Seed, name, host.Hotkey),
				ConsensusKey: virtual.PublicKey(b.Seed, "consensus of "+name, host.Hotkey),
			})
		}
	}
}
