package chain

import (
	"fmt"
	"slices"

	"taolab/sim/chain/consensus"
	"taolab/sim/chain/emission"
)

// Params are the parameters of a network: plain data, fixed at genesis. Lengths of time are in
// blocks, money in rao, shares in 1/65535 unless the name says otherwise.
type Params struct {
	Rule consensus.Name // the consensus rule, see consensus.Names

	TempoBlocks           uint64 // length of an epoch, see EpochDue; 0: no epoch ever
	EpochDue              EpochDue
	Kappa                 uint16 // majority that consensus needs, of active stake
	BondsPenalty          uint16 // 0: bonds from raw weights, 65535: from clipped weights
	BondsMovingAveragePPM uint32 // share of the old bond that an epoch keeps, in millionths
	ActivityCutoffBlocks  uint64 // without new weights for longer: inactive
	StakeThresholdRao     uint64 // less does not count in consensus and sets no weights

	MaxUIDs        uint16
	MaxValidators  uint16 // permits given by an epoch
	ImmunityBlocks uint64 // a newcomer is not pruned for so long
	MinNonImmune   uint16 // PruneByEmission: only of more than so many that are not immune one is pruned
	PruneBy        PruneBy

	MinAllowedWeights      uint16 // entries that a weight vector needs, if there are as many neurons
	MaxWeight              uint16 // largest share that one entry may have
	WeightsRateLimitBlocks uint64
	WeightsVersion         uint64 // weights with a smaller version key are refused

	BurnRao                  uint64 // price of a registration at genesis
	MinBurnRao               uint64
	MaxBurnRao               uint64
	BurnRule                 BurnRule
	BurnHalfLifeBlocks       uint64 // BurnByDemand: time in which the price halves
	BurnIncreasePercent      uint32 // BurnByDemand: price after a registration, in percent of before
	AdjustmentIntervalBlocks uint64 // BurnByInterval: blocks between adjustments
	AdjustmentAlpha          uint64 // BurnByInterval: share of the old price kept, 2^64-1 is all
	TargetRegistrations      uint16 // BurnByInterval: per interval, keep the price; three times: the limit
	MaxRegistrationsPerBlock uint16
	RecycleBurned            bool // burned money leaves the issuance, so that it is minted again

	Emission        emission.Rule
	EmissionFlatRao uint64 // per block, for emission.Flat
}

// EpochDue says when an epoch runs.
type EpochDue string

// The two rules: TempoBlocks after the last epoch, or by height with a period of TempoBlocks + 1.
const (
	DueSinceLast EpochDue = "since-last"
	DueByHeight  EpochDue = "by-height"
)

// PruneBy says who gives way to a newcomer in a full network.
type PruneBy string

// PruneByEmission takes the lowest emission; PruneByScore the lowest u16 score made of it, where
// a slot once taken is not taken again before the next epoch.
const (
	PruneByEmission PruneBy = "emission"
	PruneByScore    PruneBy = "score"
)

// BurnRule says how the price of a registration moves.
type BurnRule string

// BurnByDemand: the price halves every BurnHalfLifeBlocks and rises with each registration.
// BurnByInterval: it is adjusted every AdjustmentIntervalBlocks toward TargetRegistrations.
const (
	BurnByDemand   BurnRule = "demand"
	BurnByInterval BurnRule = "interval"
)

func (p *Params) layout(c *coder) {
	text(c, &p.Rule)
	c.u64(&p.TempoBlocks)
	text(c, &p.EpochDue)
	c.u16(&p.Kappa)
	c.u16(&p.BondsPenalty)
	c.u32(&p.BondsMovingAveragePPM)
	c.u64(&p.ActivityCutoffBlocks)
	c.u64(&p.StakeThresholdRao)
	c.u16(&p.MaxUIDs)
	c.u16(&p.MaxValidators)
	c.u64(&p.ImmunityBlocks)
	c.u16(&p.MinNonImmune)
	text(c, &p.PruneBy)
	c.u16(&p.MinAllowedWeights)
	c.u16(&p.MaxWeight)
	c.u64(&p.WeightsRateLimitBlocks)
	c.u64(&p.WeightsVersion)
	c.u64(&p.BurnRao)
	c.u64(&p.MinBurnRao)
	c.u64(&p.MaxBurnRao)
	text(c, &p.BurnRule)
	c.u64(&p.BurnHalfLifeBlocks)
	c.u32(&p.BurnIncreasePercent)
	c.u64(&p.AdjustmentIntervalBlocks)
	c.u64(&p.AdjustmentAlpha)
	c.u16(&p.TargetRegistrations)
	c.u16(&p.MaxRegistrationsPerBlock)
	c.flag(&p.RecycleBurned)
	text(c, &p.Emission)
	c.u64(&p.EmissionFlatRao)
}

// Validate says which parameter is impossible, and what was expected.
func (p Params) Validate() error {
	if _, err := consensus.Lookup(p.Rule); err != nil {
		return err
	}
	if err := p.curve().Validate(); err != nil {
		return err
	}
	for _, name := range []struct {
		field, value string
		known        []string
	}{
		{"EpochDue", string(p.EpochDue), []string{string(DueSinceLast), string(DueByHeight)}},
		{"PruneBy", string(p.PruneBy), []string{string(PruneByEmission), string(PruneByScore)}},
		{"BurnRule", string(p.BurnRule), []string{string(BurnByDemand), string(BurnByInterval)}},
	} {
		if !slices.Contains(name.known, name.value) {
			return fmt.Errorf("%s %q: want one of %q", name.field, name.value, name.known)
		}
	}
	for _, r := range []struct {
		field        string
		have, lo, hi uint64
	}{
		{"MaxUIDs", uint64(p.MaxUIDs), 1, maxWeights},
		{"TempoBlocks", p.TempoBlocks, 0, 1 << 32},
		{"MaxValidators", uint64(p.MaxValidators), 1, maxWeights},
		{"BondsMovingAveragePPM", uint64(p.BondsMovingAveragePPM), 0, 1_000_000},
		{"MaxBurnRao", p.MaxBurnRao, p.MinBurnRao, emission.SupplyRao},
		{"BurnRao", p.BurnRao, p.MinBurnRao, p.MaxBurnRao},
		{"EmissionFlatRao", p.EmissionFlatRao, 0, emission.SupplyRao},
		// Below the fair share no vector of weights could be set at all.
		{"MaxWeight", uint64(p.MaxWeight), (65535 + uint64(p.MaxUIDs) - 1) / max(uint64(p.MaxUIDs), 1), 65535},
	} {
		if r.have < r.lo || r.have > r.hi {
			return fmt.Errorf("%s %d: want %d to %d", r.field, r.have, r.lo, r.hi)
		}
	}
	return p.validateBurn()
}

func (p Params) validateBurn() error {
	switch {
	case p.BurnRule == BurnByDemand && (p.BurnHalfLifeBlocks < 1 || p.BurnHalfLifeBlocks > 1<<24):
		return fmt.Errorf("BurnHalfLifeBlocks %d: want 1 to %d", p.BurnHalfLifeBlocks, 1<<24)
	case p.BurnRule == BurnByDemand && (p.BurnIncreasePercent < 100 || p.BurnIncreasePercent > 500):
		return fmt.Errorf("BurnIncreasePercent %d: want 100 to 500", p.BurnIncreasePercent)
	case p.BurnRule == BurnByInterval && p.AdjustmentIntervalBlocks < 1:
		return fmt.Errorf("AdjustmentIntervalBlocks 0: want at least 1")
	case p.BurnRule == BurnByInterval && p.TargetRegistrations < 1:
		return fmt.Errorf("TargetRegistrations 0: want at least 1")
	}
	return nil
}

func (p *Params) curve() emission.Curve {
	return emission.Curve{Rule: p.Emission, FlatRao: p.EmissionFlatRao}
}
