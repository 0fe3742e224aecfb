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

// View is the state after a block, or within one after the transactions so far: a small
// immutable value that shares what did not change with the views before it. Safe to read from
// several goroutines. The zero View is not usable.
type View struct {
	height   uint64
	burnRao  uint64
	totals   Totals
	params   *Params
	accounts *accounts
	neurons  *neurons
}

// View returns the state as an immutable value. It costs nothing; the state copies a page of 32
// neurons or a bucket of accounts when it first changes it afterwards.
func (s *State) View() View {
	s.age++
	return View{s.height, s.burnPriceRao, s.Totals(), s.constants, s.accounts, s.neurons}
}

// Height is the block that the view shows.
func (v View) Height() uint64 { return v.height }

// N is the number of neurons; uids are 0 to N-1.
func (v View) N() int { return v.neurons.n }

// Params are the parameters of the network.
func (v View) Params() Params { return *v.params }

// Neuron returns the neuron in slot uid; as with Weights and Bonds it panics unless uid is below N.
func (v View) Neuron(uid UID) Neuron {
	n := v.slot(uid)
	a := v.accounts.get(n.hotkey)
	return Neuron{
		Hotkey: n.hotkey, Coldkey: a.owner, Axon: n.axon, StakeRao: a.stakeRao,
		RegisteredAt: n.registeredAt, LastUpdate: n.lastUpdate, EmissionRao: n.emissionRao,
		Consensus: n.consensus, Incentive: n.incentive, Dividends: n.dividends,
		ValidatorTrust: n.trust, StakeWeight: n.stakeWeight, Active: n.active, Permit: n.permit,
	}
}

func (v View) slot(uid UID) *neuron {
	if int(uid) >= v.neurons.n {
		panic("chain: uid beyond the network")
	}
	return v.neurons.get(uid)
}

// UIDOf returns the uid of a hotkey, if it has one.
func (v View) UIDOf(hotkey Key) (UID, bool) { return v.neurons.uidOf(hotkey) }

// StakeOf returns the stake on a hotkey in rao, with or without a uid.
func (v View) StakeOf(hotkey Key) uint64 { return v.accounts.get(hotkey).stakeRao }

// FreeOf returns the free money of a coldkey in rao.
func (v View) FreeOf(coldkey Key) uint64 { return v.accounts.get(coldkey).freeRao }

// OwnerOf returns the coldkey that owns a hotkey, if one does.
func (v View) OwnerOf(hotkey Key) (Key, bool) {
	owner := v.accounts.get(hotkey).owner
	return owner, owner != Key{}
}

// Nonce is the smallest nonce that the next transaction of signer may have.
func (v View) Nonce(signer Key) uint64 { return v.accounts.get(signer).nonce }

// BurnRao is the price of a registration in the next block.
func (v View) BurnRao() uint64 { return v.burnRao }

// Weights returns the stored weights of a neuron in the order given by its owner. Read only.
func (v View) Weights(uid UID) []WeightEntry { return v.slot(uid).weights }

// Bonds returns the stored bonds of a neuron in ascending uid order. Read only.
func (v View) Bonds(uid UID) []BondEntry { return v.slot(uid).bonds }

// Totals is the ledger's account of all money.
func (v View) Totals() Totals { return v.totals }
