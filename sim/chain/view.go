package chain

// Neuron is one neuron as the ledger knows it.
type Neuron struct {
	Hotkey, Coldkey Key
	Axon            Key    // the peer's address on the wire: the hotkey, or what ServeAxon published
	StakeRao        uint64 // on the hotkey
	RegisteredAt    uint64 // block
	LastUpdate      uint64 // block of the last weights, or of registration
	EmissionRao     uint64 // of the last epoch
	Consensus       uint16 // 1/65535, as all that follow
	Incentive       uint16
	Dividends       uint16
	ValidatorTrust  uint16
	StakeWeight     uint16
	Active          bool // at the last epoch
	Permit          bool // may set weights and counts as a validator in the next epoch
}

// View is the state after a block: a small immutable value that shares what did not change with
// the views before it. Safe to read from several goroutines.
type View struct{ height uint64 }

// Height is the block that the view shows.
func (v View) Height() uint64 { return v.height }

// N is the number of neurons; uids are 0 to N-1.
func (v View) N() int { return 0 }

// Params are the parameters of the network.
func (v View) Params() Params { return Params{} }

// Neuron returns the neuron in slot uid, which must be below N.
func (v View) Neuron(uid UID) Neuron { return Neuron{} }

// UIDOf returns the uid of a hotkey, if it has one.
func (v View) UIDOf(hotkey Key) (UID, bool) { return 0, false }

// StakeOf returns the stake on a hotkey in rao, with or without a uid.
func (v View) StakeOf(hotkey Key) uint64 { return 0 }

// FreeOf returns the free money of a coldkey in rao.
func (v View) FreeOf(coldkey Key) uint64 { return 0 }

// BurnRao is the price of a registration in the next block.
func (v View) BurnRao() uint64 { return 0 }

// Weights returns the stored weights of a neuron in the order given by its owner. Read only.
func (v View) Weights(uid UID) []WeightEntry { return nil }

// Bonds returns the stored bonds of a neuron in ascending uid order. Read only.
func (v View) Bonds(uid UID) []BondEntry { return nil }

// Totals is the ledger's account of all money.
func (v View) Totals() Totals { return Totals{} }
