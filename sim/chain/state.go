package chain

import (
	"fmt"

	"taolab/sim/chain/consensus"
	"taolab/sim/chain/registration"
)

// Totals is the account of all money, in rao:
// Minted = Free + Staked + Unbonding + Pending + Burned + Dust + Unallocated.
type Totals struct {
	Minted      uint64 // genesis money plus the sum of block emissions
	Free        uint64 // on coldkeys
	Staked      uint64 // on hotkeys
	Pending     uint64 // emitted and waiting for the next epoch
	Burned      uint64 // by registrations and by choice
	Dust        uint64 // left over by the floors of the epochs' divisions
	Unallocated uint64 // emitted by epochs in which nobody was eligible
	Recycled    uint64 // the part of Burned that left the issuance again
	Issuance    uint64 // what the supply curve counts: offset + Minted - Recycled
	Unbonding   uint64 // on its way from hotkeys to coldkeys
}

const maxChainID = 64

// header is the state besides neurons and accounts. Its bytes are its fields in order.
type header struct {
	chainID        string
	params         Params
	height         uint64
	lastEpoch      uint64 // block of the last epoch, 0: none yet
	epochs         uint64 // run so far
	issuanceOffset uint64
	money          Totals
	burnPriceRao   uint64
	difficulty     uint64
	inBlock        uint16 // registrations
	burnsInterval  uint32 // registrations by burn in this interval
	worksInterval  uint32 // and by work
	governor       Key    // may set parameters; zero: nobody
	owner          Key    // hotkey of the network's owner; zero: none
	mix            Digest // of the transactions in the block that has not ended yet
	marks          []mark // the entropy at the ends of the newest blocks that changed it
	works          []usedWork
	events         []Event // of the block that has not ended yet

	// What follows is kept where work costs anything.
	priceRao  uint64 // of a unit of work
	workUsed  uint64 // in the block that has not ended yet
	bytesUsed uint32 // in it
	resets    []UID  // of which all bonds go before the next epoch

	touched []Key // in this block, or still to be looked at, where accounts take a deposit

	seating              // where there are seats
	governing            // where a council governs
	operators []operator // ascending by hotkey, a kind of leaves of its own
}

// mark is the entropy in force from the end of a block on.
type mark struct {
	height  uint64
	entropy Digest
}

// usedWork is a proof of work that made a neuron and cannot make another.
type usedWork struct {
	block uint64 // whose hash it seals
	work  Digest
}

const (
	maxWorkValidBlocks = 256
	markBytes          = 8 + 32
)

func (h *header) layout(c *coder) {
	text(c, &h.chainID)
	h.params.layout(c)
	c.u64(&h.height)
	c.u64(&h.lastEpoch)
	c.u64(&h.epochs)
	c.u64(&h.issuanceOffset)
	c.u64(&h.money.Minted)
	c.u64(&h.money.Free)
	c.u64(&h.money.Staked)
	c.u64(&h.money.Pending)
	c.u64(&h.money.Burned)
	c.u64(&h.money.Dust)
	c.u64(&h.money.Unallocated)
	c.u64(&h.money.Recycled)
	c.u64(&h.burnPriceRao)
	c.u16(&h.inBlock)
	c.u64(&h.difficulty)
	c.u32(&h.burnsInterval)
	c.u32(&h.worksInterval)
	c.bytes(h.governor[:])
	c.bytes(h.owner[:])
	c.bytes(h.mix[:])
	list(c, &h.marks, markBytes, func(m *mark) {
		c.u64(&m.height)
		c.bytes(m.entropy[:])
	})
	list(c, &h.works, markBytes, func(w *usedWork) {
		c.u64(&w.block)
		c.bytes(w.work[:])
	})
	list(c, &h.events, eventBytes, func(e *Event) { eventLayout(c, e) })
	if h.params.Hard.FeeRao != 0 {
		c.u64(&h.priceRao)
		c.u64(&h.workUsed)
		c.u32(&h.bytesUsed)
		list(c, &h.resets, 2, func(uid *UID) { c.u16((*uint16)(uid)) })
	}
	h.touchedLayout(c)
	if h.params.Hard.UnbondEpochs != 0 {
		c.u64(&h.money.Unbonding)
	}
	if h.params.Hard.Seats != 0 {
		h.seating.layout(c)
	}
	if h.params.Hard.VoteDelayBlocks != 0 {
		h.governing.layout(c)
	}
}

// issuance is what the supply curve counts.
func (h *header) issuance() uint64 { return h.issuanceOffset + h.money.Minted - h.money.Recycled }

// State is the ledger after some transactions. Not safe for concurrent use; hand out Views.
type State struct {
	header
	accounts accounts
	neurons  *neurons

	operatorsAge uint64 // that of the operators, which views share as they do the rest

	age uint64 // grows with every view: what is of another age is shared with one

	// What follows is derived or scratch, no part of the state.
	rule      consensus.Rule
	decayQ32  uint64
	constants *Params // shared with views
	workspace consensus.Workspace
	input     consensus.Input
	bondArena []BondEntry
	arenaAge  uint64
	seen      [(maxU16 + 1) / 64]uint64
	hashing   hasher
	nominated []uint64 // what each neuron's nominators got in the last epoch that ran here, shared with views; nil: nothing
}

// newState makes a state without neurons and accounts.
func newState(h header) (*State, error) {
	if err := h.params.Validate(); err != nil {
		return nil, err
	}
	rule, err := consensus.Lookup(h.params.Rule)
	if err != nil {
		return nil, err
	}
	p := h.params
	s := &State{
		header: h, neurons: &neurons{}, rule: rule, constants: &p,
		decayQ32: registration.DecayFactor(p.BurnHalfLifeBlocks),
	}
	return s, nil
}

// Height is the number of ended blocks.
func (s *State) Height() uint64 { return s.height }

// ChainID is the chain's id of genesis.
func (s *State) ChainID() string { return s.chainID }

// Nonce is the smallest nonce that the next transaction of signer may have.
func (s *State) Nonce(signer Key) uint64 {
	return s.accounts.nonceOf(signer, &s.params, s.height)
}

// Totals is the account of all money.
func (s *State) Totals() Totals {
	t := s.money
	t.Issuance = s.issuance()
	return t
}

// mustConserve panics if money appeared or vanished: going on would only hide where.
func (s *State) mustConserve() {
	m := &s.money
	// A negative amount would wrap to a very large one, and the sum could still come out right.
	largest := max(m.Free, m.Staked, m.Unbonding, m.Pending, m.Burned, m.Dust, m.Unallocated)
	sum := m.Free + m.Staked + m.Unbonding + m.Pending + m.Burned + m.Dust + m.Unallocated
	if sum != m.Minted || largest > m.Minted {
		panic(fmt.Sprintf("chain: money is not conserved at height %d: minted %d rao, found %d: %+v",
			s.height, m.Minted, sum, *m))
	}
}
