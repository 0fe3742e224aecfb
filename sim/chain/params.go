package chain

import (
	"fmt"

	"taolab/sim/chain/consensus"
	"taolab/sim/chain/emission"
)

// Params are the parameters of a network: plain data, fixed at genesis. Lengths of time are in
// blocks, money in rao, shares in 1/65535 unless the name says otherwise.
type Params struct {
	Rule consensus.Name // the consensus rule, see consensus.Names

	TempoBlocks           uint64 // blocks of an epoch, see EpochDue; 0: no epoch ever
	EpochDue              EpochDue
	Kappa                 uint16 // majority that consensus needs, 1/65535 of active stake
	BondsPenalty          uint16 // 0: bonds from raw weights, 65535: from clipped weights
	BondsMovingAveragePPM uint32 // share of the old bond that an epoch keeps
	ActivityCutoffBlocks  uint64 // without weights for longer: inactive
	StakeThresholdRao     uint64 // stake below it does not count in consensus nor set weights

	MaxUIDs        uint16
	MaxValidators  uint16 // permits given by an epoch
	ImmunityBlocks uint64 // a newcomer is not pruned for so long
	MinNonImmune   uint16 // only while more neurons than this are not immune, one of them is pruned
	PruneBy        PruneBy

	MinAllowedWeights      uint16 // entries that a weight vector needs at least
	MaxWeight              uint16 // largest share of one entry, 1/65535
	WeightsRateLimitBlocks uint64
	WeightsVersion         uint64 // weights with a smaller version key, other than 0, are refused

	BurnRao                  uint64 // price of a registration at genesis
	MinBurnRao, MaxBurnRao   uint64
	BurnRule                 BurnRule
	BurnHalfLifeBlocks       uint64 // BurnByDemand: time in which the price halves
	BurnIncreasePercent      uint32 // BurnByDemand: price after a registration, in percent of before
	AdjustmentIntervalBlocks uint64 // BurnByInterval: blocks between adjustments
	AdjustmentAlpha          uint64 // BurnByInterval: share of the old price kept, 1/2^64
	TargetRegistrations      uint16 // BurnByInterval: registrations per interval that keep the price
	MaxRegistrationsPerBlock uint16
	RecycleBurned            bool // burned money leaves the issuance, so that it is minted again

	Emission        emission.Rule
	EmissionFlatRao uint64 // per block, for emission.Flat
}

// EpochDue says when an epoch runs.
type EpochDue string

// The two rules: TempoBlocks after the last epoch, or every TempoBlocks + 1 blocks by height.
const (
	DueSinceLast EpochDue = "since-last"
	DueByHeight  EpochDue = "by-height"
)

// PruneBy says who gives way to a newcomer in a full network.
type PruneBy string

// PruneByEmission takes the lowest emission; PruneByScore the lowest u16 score made of it, where
// a neuron once chosen is not chosen again before the next epoch.
const (
	PruneByEmission PruneBy = "emission"
	PruneByScore    PruneBy = "score"
)

// BurnRule says how the price of a registration moves.
type BurnRule string

// BurnByDemand: the price halves every BurnHalfLifeBlocks and rises by each registration.
// BurnByInterval: it is adjusted every AdjustmentIntervalBlocks toward TargetRegistrations.
const (
	BurnByDemand   BurnRule = "demand"
	BurnByInterval BurnRule = "interval"
)

// Eras lists the names that Era knows.
func Eras() []string { return nil }

// Era returns the parameters of a period of the chain's history.
func Era(name string) (Params, error) { return Params{}, fmt.Errorf("era %q: unknown", name) }

// Scaled returns the parameters for a network of uids neurons: limits that are stated for 4,096
// neurons shrink in proportion.
func (p Params) Scaled(uids int) Params { return p }

// Validate says which parameter is impossible.
func (p Params) Validate() error { return nil }
