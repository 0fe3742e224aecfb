package chain

import (
	"fmt"

	"taolab/sim/chain/emission"
)

// Genesis is the beginning of a chain.
type Genesis struct {
	ChainID  string // 1 to 64 bytes
	Params   Params
	Balances []Balance
	Neurons  []GenesisNeuron // uids in this order
	Stakes   []GenesisStake
	// Delegates are open to nominators: a stake of another coldkey than the owner is a nomination.
	Delegates []GenesisDelegate
	Governor  Key // may set parameters; zero: nobody
	Owner     Key // hotkey of the network's owner, one of those above; zero: none
	// IssuanceOffsetRao counts as issued on top of the money below: what was minted before
	// genesis and lies outside this ledger.
	IssuanceOffsetRao uint64
}

// Balance is free money of a coldkey.
type Balance struct {
	Coldkey Key
	FreeRao uint64
}

// GenesisNeuron is a neuron that is registered at genesis.
type GenesisNeuron struct {
	Hotkey, Coldkey Key
	StakeRao        uint64
}

// GenesisDelegate is a hotkey that takes a share of its nominators' dividends.
type GenesisDelegate struct {
	Hotkey Key
	Take   uint16 // in 1/65535
}

// GenesisStake is a staked hotkey without a uid, or a nomination of a delegate.
type GenesisStake struct {
	Hotkey, Coldkey Key
	StakeRao        uint64
}

// New makes the state at height 0.
func New(g Genesis) (*State, error) {
	if n := len(g.ChainID); n < 1 || n > maxChainID {
		return nil, fmt.Errorf("genesis: chain id of %d bytes, want 1 to %d", n, maxChainID)
	}
	if len(g.Neurons) > int(g.Params.MaxUIDs) {
		return nil, fmt.Errorf("genesis: %d neurons, MaxUIDs is %d", len(g.Neurons), g.Params.MaxUIDs)
	}
	s, err := newState(header{chainID: g.ChainID, params: g.Params})
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	s.burnPriceRao = g.Params.BurnRao
	s.difficulty = g.Params.Difficulty
	s.governor = g.Governor
	total := g.IssuanceOffsetRao
	add := func(rao uint64) error {
		if rao > emission.SupplyRao || total > emission.SupplyRao-rao {
			return fmt.Errorf("genesis: more than the supply of %d rao", emission.SupplyRao)
		}
		total += rao
		s.money.Minted += rao
		return nil
	}
	if total > emission.SupplyRao {
		return nil, add(1)
	}
	s.issuanceOffset = g.IssuanceOffsetRao
	for i, b := range g.Balances {
		if b.Coldkey == (Key{}) {
			return nil, fmt.Errorf("genesis: balance %d: %w", i, ZeroKey)
		}
		if err := add(b.FreeRao); err != nil {
			return nil, err
		}
		s.account(b.Coldkey).freeRao += b.FreeRao
		s.money.Free += b.FreeRao
	}
	stake := func(what string, i int, n GenesisStake) error {
		if err := add(n.StakeRao); err != nil {
			return err
		}
		switch {
		case n.Hotkey == Key{} || n.Coldkey == Key{}:
			return fmt.Errorf("genesis: %s %d: %w", what, i, ZeroKey)
		case s.accounts.get(n.Hotkey).owner != Key{}:
			return fmt.Errorf("genesis: %s %d: hotkey %s stands twice", what, i, n.Hotkey)
		}
		a := s.account(n.Hotkey)
		a.owner = n.Coldkey
		a.stakeRao = n.StakeRao
		s.money.Staked += n.StakeRao
		return nil
	}
	for i, n := range g.Neurons {
		if err := stake("neuron", i, GenesisStake(n)); err != nil {
			return nil, err
		}
		s.appendNeuron(newcomer(n.Hotkey, 0))
	}
	for i, n := range g.Stakes {
		if err := stake("stake", i, n); err != nil {
			return nil, err
		}
	}
	s.mustConserve()
	return s, nil
}
