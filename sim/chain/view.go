package chain

// Neuron is one neuron as the ledger knows it.
type Neuron struct {
	Hotkey, Coldkey Key
	Axon            Key    // the peer's address on the wire: the hotkey, or what ServeAxon published
	StakeRao        uint64 // on the hotkey
	RegisteredAt    uint64 // block
	LastUpdate      uint64 // block of the last weights, or of registration
	EmissionRao     uint64 // of the last epoch
	Consensus       uint16 // 1/65535, as all that follow; what a rule does not have is 0
	Incentive       uint16
	Dividends       uint16
	ValidatorTrust  uint16
	StakeWeight     uint16
	Active          bool // at the last epoch
	Permit          bool // may set weights and counts as a validator in the next epoch
	Rank, Trust     uint16
	Wide            Wide     // nakamoto
	IP              [16]byte // of the server, IPv4 mapped into IPv6; all zero: none
	Port            uint16
	ConsensusKey    Key // of the validator's consensus engine; zero: none
}

// Wide is a neuron's scores of nakamoto in 1/(2^64-1).
type Wide struct{ Rank, Trust, Consensus, Incentive, Dividends uint64 }

// Commit is a hidden vector of weights that waits for its reveal.
type Commit struct {
	Digest Digest
	Block  uint64 // of the commit
	Epoch  uint64 // number of the epoch in which it was made
}

// View is the state after a block, or within one after the transactions so far: a small
// immutable value that shares what did not change with the views before it. Safe to read from
// several goroutines. The zero View is not usable.
type View struct {
	height   uint64
	burnRao  uint64
	header   viewHeader
	totals   Totals
	params   *Params
	accounts accounts
	neurons  *neurons

	nominated []uint64
}

// View returns the state as an immutable value. It costs nothing; the state copies a page of 32
// neurons or a bucket of accounts when it first changes it afterwards.
func (s *State) View() View {
	s.age++
	h := viewHeader{
		s.chainID, s.difficulty, s.epochs, s.governor, s.owner, s.marks, s.priceRao, s.lastEpoch, s.operators, s.tombs,
		s.governing,
	}
	return View{s.height, s.burnPriceRao, h, s.Totals(), s.constants, s.accounts, s.neurons, s.nominated}
}

// viewHeader is what a view shows of the header besides prices and money.
type viewHeader struct {
	chainID         string
	difficulty      uint64
	epochs          uint64
	governor, owner Key
	marks           []mark
	priceRao        uint64
	lastEpoch       uint64
	operators       []operator
	tombs           []Key
	governing       governing
}

// ChainID is the chain's id of genesis, which signatures are for.
func (v View) ChainID() string { return v.header.chainID }

// Difficulty is that of a proof of work in the next block.
func (v View) Difficulty() uint64 { return v.header.difficulty }

// BlockHash is the hash of the block at a height, for the seals of proofs of work; false where
// it is too old or has not ended.
func (v View) BlockHash(height uint64) (Digest, bool) {
	return blockHash(v.header.chainID, v.params, v.height, v.header.marks, height)
}

// Epochs is the number of epochs that have run.
func (v View) Epochs() uint64 { return v.header.epochs }

// EpochAfter is the first height above another one, no lower than the view's, at whose end an epoch
// runs if the parameters stay; false: none ever does.
func (v View) EpochAfter(height uint64) (uint64, bool) {
	next := v.height + 1
	wait := BlocksToEpoch(v.params.EpochDue, v.params.TempoBlocks, v.header.lastEpoch, next)
	if wait == never {
		return 0, false
	}
	period := v.params.TempoBlocks
	if v.params.EpochDue == DueByHeight {
		period++
	}
	if next += wait; height >= next {
		next += ((height-next)/period + 1) * period
	}
	return next, true
}

// Governor is the key that may set parameters; zero: nobody.
func (v View) Governor() Key { return v.header.governor }

// Owner is the hotkey of the network's owner; zero: none.
func (v View) Owner() Key { return v.header.owner }

// Take returns the share that a delegate keeps of its nominators' dividends in 1/65535; false
// for a hotkey that is not a delegate.
func (v View) Take(hotkey Key) (uint16, bool) {
	a := v.accounts.get(hotkey)
	return a.take, a.delegate
}

// NominationOf returns the stake of a nominator on a delegate in rao.
func (v View) NominationOf(hotkey, coldkey Key) uint64 {
	a := v.accounts.get(hotkey)
	if i, ok := a.nomination(coldkey); ok {
		return a.nominations[i].stakeRao
	}
	return 0
}

// Commits returns the commits of a neuron that wait for their reveal, oldest first.
func (v View) Commits(uid UID) []Commit {
	var list []Commit
	for _, c := range waiting(v.slot(uid).commits, v.header.epochs, v.params) {
		list = append(list, Commit{c.digest, c.block, c.epoch})
	}
	return list
}

// IsZero reports whether this is the zero View, which shows no block.
func (v View) IsZero() bool { return v.neurons == nil }

// Height is the block that the view shows.
func (v View) Height() uint64 { return v.height }

// Accounts is the number of accounts.
func (v View) Accounts() int { return v.accounts.len() }

// N is the number of neurons; uids are 0 to N-1.
func (v View) N() int { return v.neurons.n }

// Params are the parameters of the network.
func (v View) Params() Params { return *v.params }

// NominatorsRao is the part of what the last epoch paid a neuron that its nominators got. The state does not have it: one
// that was read from bytes says 0 until it runs an epoch.
func (v View) NominatorsRao(uid UID) uint64 {
	if v.nominated == nil {
		return 0
	}
	return v.nominated[uid]
}

// Neuron returns the neuron in slot uid; as with Weights and Bonds it panics unless uid is below N.
func (v View) Neuron(uid UID) Neuron {
	n := v.slot(uid)
	a := v.accounts.at(n.hotkey, &n.path)
	return Neuron{
		Hotkey: n.hotkey, Coldkey: a.owner, Axon: n.axon, StakeRao: a.stakeRao,
		RegisteredAt: n.registeredAt, LastUpdate: n.lastUpdate, EmissionRao: n.emissionRao,
		Consensus: n.consensus, Incentive: n.incentive, Dividends: n.dividends,
		ValidatorTrust: n.trust, StakeWeight: n.stakeWeight, Active: n.active, Permit: n.permit,
		IP: n.ip, Port: n.port, ConsensusKey: n.consensusKey, Rank: n.rank, Trust: n.minerTrust,
		Wide: Wide{n.wide.rank, n.wide.trust, n.wide.consensus, n.wide.incentive, n.wide.dividends},
	}
}

// Incentive is a neuron's incentive, for those who compare many: Neuron also looks its account up.
func (v View) Incentive(uid UID) uint16 { return v.slot(uid).incentive }

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

// OwnStakeOf returns the part of the stake on a hotkey that is its owner's, in rao.
func (v View) OwnStakeOf(hotkey Key) uint64 {
	a := v.accounts.get(hotkey)
	return a.ownStake()
}

// FreeOf returns the free money of a coldkey in rao.
func (v View) FreeOf(coldkey Key) uint64 { return v.accounts.get(coldkey).freeRao }

// OwnerOf returns the coldkey that owns a hotkey, if one does.
func (v View) OwnerOf(hotkey Key) (Key, bool) {
	owner := v.accounts.get(hotkey).owner
	return owner, owner != Key{}
}

// Nonce is the smallest nonce that the next transaction of signer may have.
func (v View) Nonce(signer Key) uint64 { return v.accounts.nonceOf(signer, v.params, v.height) }

// BurnRao is the price of a registration in the next block.
func (v View) BurnRao() uint64 { return v.burnRao }

// Weights returns the stored weights of a neuron in the order given by its owner. Read only.
func (v View) Weights(uid UID) []WeightEntry { return v.slot(uid).weights }

// Bonds returns the stored bonds of a neuron: in ascending uid order, but with liquid alpha under
// yuma3, which keeps the order of its weights. Read only.
func (v View) Bonds(uid UID) []BondEntry { return v.slot(uid).bonds }

// Totals is the ledger's account of all money.
func (v View) Totals() Totals { return v.totals }
