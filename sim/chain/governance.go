package chain

import (
	"reflect"
	"slices"
	"strings"

	"taolab/sim/chain/consensus"
	"taolab/sim/chain/emission"
	"taolab/sim/chain/registration"
)

// governable is a parameter that the governor may set, from lo to hi, to a value with which all
// parameters together are valid.
type governable struct {
	name   string
	lo, hi uint64
	set    func(*Params, uint64)
}

const (
	maxU16 = 1<<16 - 1
	maxU32 = 1<<32 - 1
	maxU64 = 1<<64 - 1
	// leastAlpha is the least bound of liquid alpha: a fortieth.
	leastAlpha = 65535 / 40
)

// governables are sorted by name. The family of rules, which is fixed at genesis, and settings chosen
// among names are not among them.
var governables = []governable{
	{"ActivityCutoffBlocks", 0, maxU64, func(p *Params, v uint64) { p.ActivityCutoffBlocks = v }},
	{"ActivityCutoffMilli", 0, maxU32, func(p *Params, v uint64) { p.ActivityCutoffMilli = uint32(v) }},
	{"AdjustmentAlpha", 0, maxU64, func(p *Params, v uint64) { p.AdjustmentAlpha = v }},
	{"AdjustmentIntervalBlocks", 0, maxU64, func(p *Params, v uint64) { p.AdjustmentIntervalBlocks = v }},
	{"AllowBurn", 0, 1, func(p *Params, v uint64) { p.AllowBurn = v == 1 }},
	{"AllowWork", 0, 1, func(p *Params, v uint64) { p.AllowWork = v == 1 }},
	{"AlphaHigh", leastAlpha, maxU16, func(p *Params, v uint64) { p.AlphaHigh = uint16(v) }},
	{"AlphaLow", leastAlpha, maxU16, func(p *Params, v uint64) { p.AlphaLow = uint16(v) }},
	{"AlphaSteepness", 0, maxU16, func(p *Params, v uint64) { p.AlphaSteepness = int16(uint16(v)) }},
	{"BondsMovingAveragePPM", 0, 1_000_000, func(p *Params, v uint64) {
		p.BondsMovingAveragePPM = uint32(v)
	}},
	{"BondsPenalty", 0, maxU16, func(p *Params, v uint64) { p.BondsPenalty = uint16(v) }},
	{"BondsReset", 0, 1, func(p *Params, v uint64) { p.BondsReset = v == 1 }},
	{"BurnHalfLifeBlocks", 1, maxHalfLifeBlocks, func(p *Params, v uint64) { p.BurnHalfLifeBlocks = v }},
	{"BurnIncreasePercent", 100, 500, func(p *Params, v uint64) { p.BurnIncreasePercent = uint32(v) }},
	{"BurnRao", 0, emission.SupplyRao, func(p *Params, v uint64) { p.BurnRao = v }},
	{"CapRao", 1, emission.SupplyRao, func(p *Params, v uint64) { p.CapRao = v }},
	{"CommitReveal", 0, 1, func(p *Params, v uint64) { p.CommitReveal = v == 1 }},
	{"DefaultTake", 0, maxU16, func(p *Params, v uint64) { p.DefaultTake = uint16(v) }},
	{"Difficulty", 1, maxU64, func(p *Params, v uint64) { p.Difficulty = v }},
	{"EmissionFlatRao", 0, emission.SupplyRao, func(p *Params, v uint64) { p.EmissionFlatRao = v }},
	{"HalvingBlocks", 1, maxU64, func(p *Params, v uint64) { p.HalvingBlocks = v }},
	{"ImmunityBlocks", 0, maxU64, func(p *Params, v uint64) { p.ImmunityBlocks = v }},
	{"Kappa", 0, maxU16, func(p *Params, v uint64) { p.Kappa = uint16(v) }},
	{"KappaInverse", 1, maxU16, func(p *Params, v uint64) { p.KappaInverse = uint16(v) }},
	{"LiquidAlpha", 0, 1, func(p *Params, v uint64) { p.LiquidAlpha = v == 1 }},
	{"MaxBurnRao", 0, emission.SupplyRao, func(p *Params, v uint64) { p.MaxBurnRao = v }},
	{"MaxDifficulty", 1, maxU64, func(p *Params, v uint64) { p.MaxDifficulty = v }},
	{"MaxNominators", 0, maxNominations, func(p *Params, v uint64) { p.MaxNominators = uint16(v) }},
	{"MaxRegistrationsPerBlock", 0, maxU16, func(p *Params, v uint64) {
		p.MaxRegistrationsPerBlock = uint16(v)
	}},
	{"MaxTake", 0, maxU16, func(p *Params, v uint64) { p.MaxTake = uint16(v) }},
	{"MaxUIDs", 1, maxWeights, func(p *Params, v uint64) { p.MaxUIDs = uint16(v) }},
	{"MaxValidators", 1, maxWeights, func(p *Params, v uint64) { p.MaxValidators = uint16(v) }},
	{"MaxWeight", 1, maxU16, func(p *Params, v uint64) { p.MaxWeight = uint16(v) }},
	{"MaxWeightRatio", 0, maxU16, func(p *Params, v uint64) { p.MaxWeightRatio = uint16(v) }},
	{"MinAllowedWeights", 0, maxU16, func(p *Params, v uint64) { p.MinAllowedWeights = uint16(v) }},
	{"MinBurnRao", 0, emission.SupplyRao, func(p *Params, v uint64) { p.MinBurnRao = v }},
	{"MinDifficulty", 1, maxU64, func(p *Params, v uint64) { p.MinDifficulty = v }},
	{"MinNonImmune", 0, maxU16, func(p *Params, v uint64) { p.MinNonImmune = uint16(v) }},
	{"OwnerCut", 0, maxU16, func(p *Params, v uint64) { p.OwnerCut = uint16(v) }},
	{"RecycleBurned", 0, 1, func(p *Params, v uint64) { p.RecycleBurned = v == 1 }},
	{"RevealPeriodEpochs", 1, maxRevealEpochs, func(p *Params, v uint64) {
		p.RevealPeriodEpochs = uint16(v)
	}},
	{"RewardRao", 0, emission.SupplyRao, func(p *Params, v uint64) { p.RewardRao = v }},
	{"Rho", 0, maxRho, func(p *Params, v uint64) { p.Rho = uint16(v) }},
	{"SelfOwnershipInverse", 1, maxU16, func(p *Params, v uint64) {
		p.SelfOwnershipInverse = uint16(v)
	}},
	{"ServerShare", 0, maxU16, func(p *Params, v uint64) { p.ServerShare = uint16(v) }},
	{"StakeSettles", 0, 1, func(p *Params, v uint64) { p.StakeSettles = v == 1 }},
	{"StakeThresholdRao", 0, maxU64, func(p *Params, v uint64) { p.StakeThresholdRao = v }},
	{"TargetRegistrations", 0, maxU16, func(p *Params, v uint64) { p.TargetRegistrations = uint16(v) }},
	{"TempoBlocks", 0, maxTempoBlocks, func(p *Params, v uint64) { p.TempoBlocks = v }},
	{"WeightsRateLimitBlocks", 0, maxU64, func(p *Params, v uint64) { p.WeightsRateLimitBlocks = v }},
	{"WeightsVersion", 0, maxU64, func(p *Params, v uint64) { p.WeightsVersion = v }},
}

// Governable lists the names that SetParams knows, which are those of the fields of Params. A
// switch is 0 or 1; AlphaSteepness is the 16 bits of its number. BurnRao and Difficulty set the
// present ones too, which move with their bounds.
func Governable() []string {
	names := make([]string, len(governables))
	for i, g := range governables {
		names[i] = g.name
	}
	return names
}

// setParams changes a parameter on behalf of the governor.
func (s *State) setParams(signer Key, m SetParams) error {
	if s.governor == (Key{}) || signer != s.governor {
		return refuse(NotGovernor, 0, 0)
	}
	return s.Govern(m)
}

// Govern sets a parameter between two blocks as the governor's message would, without a signature, for
// the fork of a simulation. A live chain changes only by messages.
func (s *State) Govern(m SetParams) error {
	g, ok := findGovernable(m.Name)
	if !ok {
		return refuse(UnknownParameter, 0, 0)
	}
	return s.setParam(g, m.Value)
}

func findGovernable(name string) (governable, bool) {
	place, ok := slices.BinarySearchFunc(governables, name, func(g governable, name string) int {
		return strings.Compare(g.name, name)
	})
	if !ok {
		return governable{}, false
	}
	return governables[place], true
}

// value is the present one. The names are those of the fields.
func (g governable) value(p *Params) uint64 {
	switch f := reflect.ValueOf(p).Elem().FieldByName(g.name); f.Kind() {
	case reflect.Bool:
		if f.Bool() {
			return 1
		}
		return 0
	case reflect.Int16:
		return uint64(uint16(f.Int()))
	default:
		return f.Uint()
	}
}

// setParam changes a parameter if the parameters are valid with the new value.
func (s *State) setParam(g governable, value uint64) error {
	lo, hi := s.bounds(g)
	switch alpha := g.name == "AlphaLow" || g.name == "AlphaHigh"; {
	case alpha && !s.params.LiquidAlpha:
		return refuse(LiquidAlphaOff, 0, 0)
	case value < lo:
		return refuse(ParameterTooLow, value, lo)
	case value > hi:
		return refuse(ParameterTooHigh, value, hi)
	}
	p := s.params
	g.set(&p, value)
	p.BurnRao = p.clampBurn(p.BurnRao)
	p.Difficulty = min(max(p.Difficulty, p.MinDifficulty), p.MaxDifficulty)
	if p.Validate() != nil {
		return refuse(ParameterImpossible, value, 0)
	}
	s.adopt(p)
	switch g.name {
	case "BurnRao":
		s.burnPriceRao = value
	case "Difficulty":
		s.difficulty = value
	}
	s.burnPriceRao = p.clampBurn(s.burnPriceRao)
	s.difficulty = min(max(s.difficulty, p.MinDifficulty), p.MaxDifficulty)
	return nil
}

// adopt puts valid parameters in force, with everything derived from them.
func (s *State) adopt(p Params) {
	rule, err := consensus.Lookup(p.Rule)
	if err != nil {
		panic("chain: " + err.Error())
	}
	s.params, s.constants, s.rule = p, &p, rule
	s.decayQ32 = registration.DecayFactor(p.BurnHalfLifeBlocks)
}

// bounds are those of the table, narrowed by the parameters' present neighbours.
func (s *State) bounds(g governable) (lo, hi uint64) {
	p := &s.params
	lo, hi = g.lo, g.hi
	switch g.name {
	case "AlphaLow":
		hi = uint64(p.AlphaHigh)
	case "AlphaHigh":
		lo = max(lo, uint64(p.AlphaLow))
	case "MinBurnRao":
		hi = p.MaxBurnRao
	case "MaxBurnRao":
		lo = p.MinBurnRao
	case "BurnRao":
		lo, hi = p.MinBurnRao, p.MaxBurnRao
	case "MinDifficulty":
		hi = p.MaxDifficulty
	case "MaxDifficulty":
		lo = p.MinDifficulty
	case "Difficulty":
		lo, hi = p.MinDifficulty, p.MaxDifficulty
	case "DefaultTake":
		hi = uint64(p.MaxTake)
	case "MaxTake":
		lo = uint64(p.DefaultTake)
	case "MaxUIDs":
		lo = max(lo, uint64(s.neurons.n))
	case "MaxWeight":
		lo = p.fairShare()
	case "CapRao":
		lo = max(lo, s.issuance(), p.RewardRao)
	case "RewardRao":
		hi = p.CapRao
	}
	return lo, hi
}
