package chain

import (
	"fmt"
	"slices"

	"taolab/sim/chain/consensus"
	"taolab/sim/chain/emission"
	"taolab/sim/chain/registration"
)

// Params are the parameters of a network: plain data, set at genesis, most of them later by the
// governor (see Governable). Lengths of time are in blocks, money in rao, shares in 1/65535 unless
// the name says otherwise.
type Params struct {
	Rule consensus.Name // the consensus rule, see consensus.Names

	TempoBlocks           uint64 // length of an epoch, see EpochDue; 0: no epoch ever
	EpochDue              EpochDue
	Kappa                 uint16 // majority that consensus needs, of active stake
	BondsPenalty          uint16 // 0: bonds from raw weights, 65535: from clipped weights
	BondsMovingAveragePPM uint32 // share of the old bond that an epoch keeps, in millionths
	ActivityCutoffBlocks  uint64 // without new weights for longer: inactive
	ActivityCutoffMilli   uint32 // the same in thousandths of the tempo; 0: ActivityCutoffBlocks holds
	StakeThresholdRao     uint64 // less does not count in consensus and sets no weights, but for the owner

	LiquidAlpha          bool // bonds move by a share from AlphaLow to AlphaHigh
	AlphaLow             uint16
	AlphaHigh            uint16
	AlphaSteepness       int16  // of the sigmoid that chooses the share, in hundredths
	BondsReset           bool   // a neuron may have all bonds in it deleted
	CommitReveal         bool   // weights are committed first and revealed later
	RevealPeriodEpochs   uint16 // from a commit to its reveal
	Rho                  uint16 // nakamoto: steepness of the sigmoid
	KappaInverse         uint16 // nakamoto: one over the trust at which consensus is one half
	SelfOwnershipInverse uint16 // nakamoto: one over the share of its incentive that a neuron keeps
	ServerShare          uint16 // of what an epoch pays; 0: as incentive and dividends have it
	OwnerCut             uint16 // share of each emission that goes to the network's owner
	DefaultTake          uint16 // that a scenario's delegates start with; the ledger does not use it
	MaxTake              uint16 // up to which a delegate may raise its take
	MaxNominators        uint16 // of one delegate; 0: no delegation
	StakeSettles         bool   // nominators share dividends by stake that was there all epoch

	MaxUIDs        uint16
	MaxValidators  uint16 // permits given by an epoch
	ImmunityBlocks uint64 // a newcomer is not pruned for so long
	MinNonImmune   uint16 // PruneByEmission: only of more than so many that are not immune one is pruned
	PruneBy        PruneBy

	MinAllowedWeights      uint16 // entries that a weight vector needs, if there are as many neurons
	MaxWeight              uint16 // largest share that one entry may have
	MaxWeightRatio         uint16 // of the largest to the smallest weight; 0: any
	WeightsRateLimitBlocks uint64
	WeightsVersion         uint64 // weights with a smaller version key are refused

	AllowBurn                bool   // registration by burning its price
	AllowWork                bool   // registration by proof of work
	Seal                     string // how a proof of work is hashed, see registration.Seal
	Difficulty               uint64 // of a proof of work at genesis
	MinDifficulty            uint64
	MaxDifficulty            uint64
	WorkValidBlocks          uint16   // a proof of work is younger in its block than that
	AdjustBy                 AdjustBy // BurnByInterval: how difficulty and price move
	BurnRao                  uint64   // price of a registration at genesis
	MinBurnRao               uint64
	MaxBurnRao               uint64
	BurnRule                 BurnRule
	BurnHalfLifeBlocks       uint64 // BurnByDemand: time in which the price halves
	BurnIncreasePercent      uint32 // BurnByDemand: price after a registration, in percent of before
	AdjustmentIntervalBlocks uint64 // BurnByInterval: blocks between adjustments
	AdjustmentAlpha          uint64 // BurnByInterval: share of the old price kept, 2^64-1 is all
	TargetRegistrations      uint16 // BurnByInterval: that keep the price; three times: the limit
	MaxRegistrationsPerBlock uint16 // 65535: more than come in one block, no limit
	RecycleBurned            bool   // burned money leaves the issuance, so that it is minted again

	Emission        emission.Rule
	EmissionFlatRao uint64 // per block, for emission.Flat
	RewardRao       uint64 // of the first block, for the rules that halve
	CapRao          uint64 // which the issuance never passes
	HalvingBlocks   uint64 // between halvings, for emission.ByHeight

	Hard Hard // what a network of strangers needs
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
// a slot once taken is not taken again before the next epoch, and of a tie the earlier registration;
// PruneByScoreLast does the same but for equals, of which it takes the last uid, or the first where
// all are immune; PruneByStakeOrIncentive the lowest of the larger of stake share and incentive.
const (
	PruneByEmission         PruneBy = "emission"
	PruneByScore            PruneBy = "score"
	PruneByScoreLast        PruneBy = "score-last"
	PruneByStakeOrIncentive PruneBy = "stake-or-incentive"
)

// AdjustBy says how BurnByInterval moves price and difficulty.
type AdjustBy string

// AdjustByTarget moves them toward TargetRegistrations, of the two the one that more or fewer came by;
// AdjustByTarget2023 does so as the chain did in May 2023, see registration.Moved2023; AdjustByDoubleHalve doubles the difficulty
// after an interval with more registrations than that and halves it otherwise.
const (
	AdjustByTarget      AdjustBy = "target"
	AdjustByTarget2023  AdjustBy = "target-2023"
	AdjustByDoubleHalve AdjustBy = "double-halve"
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
	c.u32(&p.ActivityCutoffMilli)
	c.u64(&p.StakeThresholdRao)
	c.flag(&p.LiquidAlpha)
	c.u16(&p.AlphaLow)
	c.u16(&p.AlphaHigh)
	c.i16(&p.AlphaSteepness)
	c.flag(&p.BondsReset)
	c.flag(&p.CommitReveal)
	c.u16(&p.RevealPeriodEpochs)
	c.u16(&p.Rho)
	c.u16(&p.KappaInverse)
	c.u16(&p.SelfOwnershipInverse)
	c.u16(&p.ServerShare)
	c.u16(&p.OwnerCut)
	c.u16(&p.DefaultTake)
	c.u16(&p.MaxTake)
	c.u16(&p.MaxNominators)
	c.flag(&p.StakeSettles)
	c.u16(&p.MaxUIDs)
	c.u16(&p.MaxValidators)
	c.u64(&p.ImmunityBlocks)
	c.u16(&p.MinNonImmune)
	text(c, &p.PruneBy)
	c.u16(&p.MinAllowedWeights)
	c.u16(&p.MaxWeight)
	c.u16(&p.MaxWeightRatio)
	c.u64(&p.WeightsRateLimitBlocks)
	c.u64(&p.WeightsVersion)
	c.flag(&p.AllowBurn)
	c.flag(&p.AllowWork)
	text(c, &p.Seal)
	c.u64(&p.Difficulty)
	c.u64(&p.MinDifficulty)
	c.u64(&p.MaxDifficulty)
	c.u16(&p.WorkValidBlocks)
	text(c, &p.AdjustBy)
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
	c.u64(&p.RewardRao)
	c.u64(&p.CapRao)
	c.u64(&p.HalvingBlocks)
	p.Hard.layout(c)
}

// RangeError is a parameter that is out of its range, under the name of its field, as in Hard.FeeRao.
type RangeError struct {
	Field        string
	Have, Lo, Hi uint64
}

func (e *RangeError) Error() string {
	return fmt.Sprintf("%s %d: want %d to %d", e.Field, e.Have, e.Lo, e.Hi)
}

// Validate returns an error if a parameter is impossible, and says what was expected.
func (p Params) Validate() error {
	if _, err := consensus.Lookup(p.Rule); err != nil {
		return err
	}
	if err := p.curve().Validate(); err != nil {
		return err
	}
	if err := registration.Seal(p.Seal).Validate(); err != nil {
		return err
	}
	if registration.Seal(p.Seal) == registration.Granted && p.Hard.HashEntropy {
		return fmt.Errorf("Seal %q: want one of %q where blocks bring entropy of their own, as among strangers: "+
			"nobody there is believed to have worked", p.Seal, registration.Seals())
	}
	for _, name := range []struct {
		field, value string
		known        []string
	}{
		{"EpochDue", string(p.EpochDue), []string{string(DueSinceLast), string(DueByHeight)}},
		{"PruneBy", string(p.PruneBy), []string{string(PruneByEmission), string(PruneByScore),
			string(PruneByScoreLast), string(PruneByStakeOrIncentive)}},
		{"AdjustBy", string(p.AdjustBy), []string{string(AdjustByTarget), string(AdjustByTarget2023), string(AdjustByDoubleHalve)}},
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
		{"TempoBlocks", p.TempoBlocks, 0, maxTempoBlocks},
		{"MaxValidators", uint64(p.MaxValidators), 1, maxWeights},
		{"BondsMovingAveragePPM", uint64(p.BondsMovingAveragePPM), 0, 1_000_000},
		{"AlphaLow", uint64(p.AlphaLow), 0, uint64(p.AlphaHigh)},
		{"RevealPeriodEpochs", uint64(p.RevealPeriodEpochs), 1, maxRevealEpochs},
		{"KappaInverse", uint64(p.KappaInverse), 1, 65535},
		{"SelfOwnershipInverse", uint64(p.SelfOwnershipInverse), 1, 65535},
		{"Rho", uint64(p.Rho), 0, maxRho},
		{"MaxTake", uint64(p.MaxTake), uint64(p.DefaultTake), 65535},
		{"MaxNominators", uint64(p.MaxNominators), 0, maxNominations},
		{"MaxDifficulty", p.MaxDifficulty, p.MinDifficulty, 1<<64 - 1},
		{"MinDifficulty", p.MinDifficulty, 1, 1<<64 - 1},
		{"Difficulty", p.Difficulty, p.MinDifficulty, p.MaxDifficulty},
		{"WorkValidBlocks", uint64(p.WorkValidBlocks), 1, maxWorkValidBlocks},
		{"MaxBurnRao", p.MaxBurnRao, p.MinBurnRao, emission.SupplyRao},
		{"BurnRao", p.BurnRao, p.MinBurnRao, p.MaxBurnRao},
		{"EmissionFlatRao", p.EmissionFlatRao, 0, emission.SupplyRao},
		{"MaxWeight", uint64(p.MaxWeight), p.fairShare(), 65535},
	} {
		if r.have < r.lo || r.have > r.hi {
			return &RangeError{r.field, r.have, r.lo, r.hi}
		}
	}
	if err := p.Hard.validate(); err != nil {
		return err
	}
	return p.validateBurn()
}

const (
	maxTempoBlocks    = 1 << 32
	maxHalfLifeBlocks = 1 << 24
	maxRevealEpochs   = 100
	maxRho            = 1000
)

// fairShare is the least MaxWeight with which a vector of weights can be set at all.
func (p *Params) fairShare() uint64 {
	n := uint64(max(p.MaxUIDs, 1))
	return (65535 + n - 1) / n
}

// ownerIsNeuron reports whether the rule knows the network's owner as a neuron, which needs neither the
// least stake nor a permit for its weights and is paid its cut as stake. Until February 2025 the owner
// was a coldkey, and no neuron was treated differently for it.
func (p *Params) ownerIsNeuron() bool {
	return p.Rule == consensus.Yuma2 || p.Rule == consensus.Yuma3
}

// CutoffBlocks is for how long a neuron without new weights counts as active.
func (p *Params) CutoffBlocks() uint64 {
	if p.ActivityCutoffMilli == 0 {
		return p.ActivityCutoffBlocks
	}
	return max(uint64(p.ActivityCutoffMilli)*p.TempoBlocks/1000, 1)
}

func (p Params) validateBurn() error {
	switch {
	case p.BurnRule == BurnByDemand &&
		(p.BurnHalfLifeBlocks < 1 || p.BurnHalfLifeBlocks > maxHalfLifeBlocks):
		return fmt.Errorf("BurnHalfLifeBlocks %d: want 1 to %d", p.BurnHalfLifeBlocks, maxHalfLifeBlocks)
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
	return emission.Curve{
		Rule: p.Emission, FlatRao: p.EmissionFlatRao,
		RewardRao: p.RewardRao, CapRao: p.CapRao, HalvingBlocks: p.HalvingBlocks,
	}
}
