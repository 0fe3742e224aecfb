package chain

import (
	"fmt"

	"taolab/sim/chain/consensus"
	"taolab/sim/chain/emission"
)

// An era is a date: each switch has the value that was in force then, with the dates between which it
// held. Numbers without a date are the runtime's defaults at the date of the era. In all eras owner cut
// and take are 0 unless set.

// era2025 is what the chain ran with before subnets had pools (opentensor/subtensor, 7 January 2025).
var era2025 = Params{
	Rule:                     consensus.Yuma2Liquid, // liquid alpha: 2024-06-20 to 2025-04; to 2025-03-20 as to bonds
	TempoBlocks:              360,
	EpochDue:                 DueByHeight, // to 2026-05
	Kappa:                    32767,
	BondsPenalty:             65535,
	BondsMovingAveragePPM:    900_000,
	ActivityCutoffBlocks:     5000,
	AlphaLow:                 45875,
	AlphaHigh:                58982,
	AlphaSteepness:           1000,
	RevealPeriodEpochs:       1,
	Rho:                      10,
	KappaInverse:             2,
	SelfOwnershipInverse:     2,
	MaxTake:                  11796, // 18 %, also the chain's default
	MaxNominators:            1024,
	StakeSettles:             true, // late in 2024 to 2025-02, when subnets got pools
	AllowBurn:                true,
	AllowWork:                true,            // to early in 2026
	Seal:                     "keccak-hotkey", // 2023-01 to 2025-05
	Difficulty:               10_000_000,
	MinDifficulty:            10_000_000,
	MaxDifficulty:            1 << 62,
	WorkValidBlocks:          3,
	AdjustBy:                 AdjustByTarget, // 2023 to early in 2026
	MaxUIDs:                  4096,
	MaxValidators:            128,
	ImmunityBlocks:           4096,
	PruneBy:                  PruneByScore, // 2024-08 (#726) to 2025-10-29
	MinAllowedWeights:        1024,
	MaxWeight:                1000,
	WeightsRateLimitBlocks:   100,
	BurnRao:                  1 * RaoPerTAO,
	MinBurnRao:               1 * RaoPerTAO,
	MaxBurnRao:               100 * RaoPerTAO,
	BurnRule:                 BurnByInterval, // 2023 to early in 2026
	AdjustmentIntervalBlocks: 100,
	TargetRegistrations:      2,
	MaxRegistrationsPerBlock: 1, // to early in 2026
	RecycleBurned:            true,
	Emission:                 emission.ByIssuance, // since 2023-03
	RewardRao:                emission.FirstBlockRao,
	CapRao:                   emission.SupplyRao,
	HalvingBlocks:            emission.EraBlocks,
}

// eraNakamoto is the chain before subnets (emostov/subtensor, 11 March 2022). Its rule, its pruning and
// its way to adjust held from November 2021 to March 2023.
var eraNakamoto = Params{
	Rule:                     consensus.Nakamoto,
	TempoBlocks:              100,
	EpochDue:                 DueSinceLast,
	Kappa:                    32767,
	BondsPenalty:             65535,
	BondsMovingAveragePPM:    900_000,
	ActivityCutoffBlocks:     5000,
	AlphaLow:                 45875,
	AlphaHigh:                58982,
	AlphaSteepness:           1000,
	RevealPeriodEpochs:       1,
	Rho:                      10,
	KappaInverse:             2,
	SelfOwnershipInverse:     2,
	MaxUIDs:                  2000,
	MaxValidators:            2000,
	ImmunityBlocks:           200,
	PruneBy:                  PruneByStakeOrIncentive,
	MinAllowedWeights:        1,
	MaxWeight:                65535,
	MaxWeightRatio:           10,
	AllowWork:                true,
	Seal:                     "sha256",
	Difficulty:               10_000_000,
	MinDifficulty:            10_000_000,
	MaxDifficulty:            1 << 62,
	WorkValidBlocks:          3,
	AdjustBy:                 AdjustByDoubleHalve,
	BurnRule:                 BurnByInterval,
	AdjustmentIntervalBlocks: 100,
	TargetRegistrations:      2,
	MaxRegistrationsPerBlock: 2,
	Emission:                 emission.Flat,
	EmissionFlatRao:          emission.FirstBlockRao,
	RewardRao:                emission.FirstBlockRao,
	CapRao:                   emission.SupplyRao,
	HalvingBlocks:            emission.EraBlocks,
}

type era struct {
	name   string
	params Params
}

var eras = []era{
	{"nakamoto-2022-03", eraNakamoto},
	{"nakamoto-2022-10", func() Params {
		p := eraNakamoto
		p.MaxUIDs = 4096
		p.MaxValidators = 4096
		p.ImmunityBlocks = 3072
		p.MinAllowedWeights = 1024
		p.MaxWeight = 262 // 17,179,868 of 2^32-1
		p.MaxWeightRatio = 64
		p.Seal = "keccak" // by October 2022
		p.WorkValidBlocks = 4
		p.AdjustmentIntervalBlocks = 150
		return p
	}()},
	{"finney-2023", func() Params {
		// The rule is that of 2023-05-02; liquid alpha, which came on 2024-06-20, is off.
		p := era2025
		p.TempoBlocks = 99
		p.MaxWeight = 262            // 0.004, which validators of the time kept to
		p.PruneBy = PruneByScoreLast // 2023-03 (#54) to 2024-08 (#726)
		p.StakeSettles = false       // to late in 2024
		return p
	}()},
	{"2025-01", era2025},
	{"2026", func() Params {
		p := era2025
		// opentensor/subtensor, 30 June 2026. Weights were also committed first, which a network has
		// to switch on here.
		// With bonds in young neurons masked since 2025-03-20 and no permit without stake since 2025-05-13.
		p.Rule = consensus.Yuma2
		p.EpochDue = DueSinceLast      // since 2026-05-06
		p.ActivityCutoffMilli = 13_889 // since 2026-05-06
		p.StakeSettles = false         // since 2025-02
		p.AllowWork = false            // since early in 2026
		p.Seal = "keccak-hotkey-le"    // since 2025-05
		p.MaxUIDs = 256
		p.MinNonImmune = 10
		p.PruneBy = PruneByEmission // since 2025-10-29
		p.MaxWeight = 65535
		p.BurnRao = RaoPerTAO / 10
		p.MinBurnRao = RaoPerTAO / 2000
		p.BurnRule = BurnByDemand // since early in 2026, with the four that follow
		p.BurnHalfLifeBlocks = 360
		p.BurnIncreasePercent = 126
		p.AdjustmentIntervalBlocks, p.TargetRegistrations = 0, 0
		p.MaxRegistrationsPerBlock = 65535
		return p
	}()},
}

// Eras lists the names that Era knows, oldest first.
func Eras() []string {
	names := make([]string, len(eras))
	for i, e := range eras {
		names[i] = e.name
	}
	return names
}

// Era returns the parameters of a period of the chain's history.
func Era(name string) (Params, error) {
	for _, e := range eras {
		if e.name == name {
			return e.params, nil
		}
	}
	return Params{}, fmt.Errorf("era %q: want one of %q", name, Eras())
}

// Scaled returns the parameters for a network of uids neurons, at least 1. Limits on weights are
// stated for 4,096 neurons: in a smaller network the largest weight grows and the number of
// weights shrinks in proportion. A quarter of the neurons are validators, if that is fewer.
func (p Params) Scaled(uids int) Params {
	const full = 4096
	n := uint64(min(max(uids, 1), maxWeights))
	if n < full {
		p.MaxWeight = uint16(min(65535, (uint64(p.MaxWeight)*full+n-1)/n))
		p.MinAllowedWeights = max(uint16(uint64(p.MinAllowedWeights)*n/full), min(p.MinAllowedWeights, 1))
	}
	p.MaxValidators = uint16(min(uint64(p.MaxValidators), max(n/4, 1)))
	p.MinNonImmune = uint16(uint64(p.MinNonImmune) * min(n, uint64(p.MaxUIDs)) / uint64(max(p.MaxUIDs, 1)))
	p.MaxUIDs = uint16(n)
	return p
}
