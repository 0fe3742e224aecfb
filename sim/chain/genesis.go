package chain

// Genesis is the beginning of a chain.
type Genesis struct {
	ChainID  string // 1 to 64 bytes
	Params   Params
	Balances []Balance
	Neurons  []GenesisNeuron // uids in this order
	Stakes   []GenesisStake
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

// GenesisStake is a staked hotkey without a uid.
type GenesisStake struct {
	Hotkey, Coldkey Key
	StakeRao        uint64
}
