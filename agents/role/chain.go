package role

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"taolab/agents/settings"
	"taolab/sim/chain"
	"taolab/sim/chain/consensus"
	"taolab/sim/chain/emission"
)

// Chain picks an era's parameters and overrides some of them. An unset key keeps the era's value, scaled to
// the number of neurons where the protocol's limits depend on it; a written 0 is 0.
type Chain struct {
	Era                    string   `toml:"era" default:"finney-2023" doc:"parameter preset"`
	Rule                   string   `toml:"rule" one:",nakamoto,yuma2,yuma2-liquid,yuma3" doc:"consensus rule; empty keeps the era's"`
	Emission               string   `toml:"emission" one:",issuance,height,flat" doc:"supply curve; empty keeps the era's"`
	TempoBlocks            uint64   `toml:"tempo_blocks" default:"72" unit:"blocks" max:"1000000" doc:"tempo: blocks between epochs, one more in eras before 2026; 0: no epochs"`
	DigestEpochs           uint64   `toml:"digest_epochs" default:"1" unit:"epochs" max:"1000000" doc:"epochs between two ledger digests in the run digest; 0: only the final one"`
	ImmunityBlocks         *uint64  `toml:"immunity_blocks" unit:"blocks" max:"100000000" doc:"blocks during which a newcomer cannot be replaced"`
	ActivityCutoffBlocks   *uint64  `toml:"activity_cutoff_blocks" unit:"blocks" max:"100000000" doc:"blocks after which a silent validator no longer counts"`
	WeightsRateLimitBlocks uint64   `toml:"weights_rate_limit_blocks" default:"20" unit:"blocks" max:"1000000" doc:"blocks between two weight settings of one neuron"`
	MinAllowedWeights      *uint64  `toml:"min_allowed_weights" unit:"entries" max:"65535" doc:"fewest entries of a weight row"`
	MaxWeight              *float64 `toml:"max_weight" unit:"share" min:"0" max:"1" doc:"largest share of one entry in a weight row"`
	MaxValidators          *uint64  `toml:"max_validators" unit:"neurons" max:"65535" doc:"number of validator permits; unset: one for each validator of the scenario"`
	Kappa                  *float64 `toml:"kappa" unit:"share" min:"0" max:"1" doc:"stake majority that consensus weight needs"`
	BondsMovingAverage     *float64 `toml:"bonds_moving_average" unit:"share" min:"0" max:"0.999999" doc:"part of the old bonds that an epoch keeps"`
	InitialIssuanceTAO     float64  `toml:"initial_issuance_tao" unit:"TAO" min:"0" max:"20999999" doc:"issuance before the stakes and balances of this scenario"`

	LiquidAlpha    *bool    `toml:"liquid_alpha" doc:"the share of the new bond moves with consensus, between alpha_low and alpha_high"`
	AlphaLow       *float64 `toml:"alpha_low" unit:"share" min:"0" max:"1" doc:"least share of the new bond under liquid alpha"`
	AlphaHigh      *float64 `toml:"alpha_high" unit:"share" min:"0" max:"1" doc:"largest share of the new bond under liquid alpha"`
	AlphaSteepness *float64 `toml:"alpha_steepness" min:"-327" max:"327" doc:"steepness of the sigmoid between them"`
	BondsPenalty   *float64 `toml:"bonds_penalty" unit:"share" min:"0" max:"1" doc:"0: bonds from raw weights, 1: from weights clipped at consensus"`
	CommitReveal   *bool    `toml:"commit_reveal" doc:"weights are committed first and revealed in a later epoch; plain ones are refused"`
	RevealPeriod   *uint64  `toml:"reveal_period_epochs" unit:"epochs" min:"1" max:"100" doc:"epochs from a commit to its reveal"`
	ServerShare    *float64 `toml:"server_share" unit:"share" min:"0" max:"1" doc:"miners' part of the emission; 0: incentive and dividends divide it"`
	OwnerCut       *float64 `toml:"owner_cut" unit:"share" min:"0" max:"1" doc:"part of an epoch's emission that goes to the owner first"`
	Metagraph      string   `toml:"metagraph" doc:"JSON file, relative to the scenario, with a network's state as taolab apply --metagraph reads it: the ledger goes on from there. Validators of the scenario take the seats of its neurons with a permit, by uid, miners those of the others, each with the stake, weights, bonds and ages that are there; other neurons stay, and nobody is behind them. Its era and parameters stand in place of the era's"`
	Owner          string   `toml:"owner" doc:"group whose first member is the network's owner; empty: none"`
	CapTAO         *float64 `toml:"cap_tao" unit:"TAO" min:"0.000000001" max:"21000000" doc:"cap on the supply"`
	RewardTAO      *float64 `toml:"reward_tao" unit:"TAO" min:"0.000000001" max:"21000000" doc:"emission of the first block"`
	HalvingBlocks  *uint64  `toml:"halving_blocks" unit:"blocks" min:"1" max:"1000000000000" doc:"blocks between halvings under emission by height"`
	FlatTAO        *float64 `toml:"flat_tao" unit:"TAO" min:"0" max:"21000000" doc:"emission of a block under flat emission"`
	BurnTAO        *float64 `toml:"burn_tao" unit:"TAO" min:"0" max:"21000000" doc:"price of a registration at genesis"`
	MaxUIDs        *uint64  `toml:"max_uids" unit:"neurons" min:"1" max:"65535" doc:"seats; unset: as many as there are neurons at the beginning"`
	PruneBy        string   `toml:"prune_by" one:",emission,score,score-last,stake-or-incentive" doc:"which neuron a newcomer replaces: the one with the least emission, score (ties go to the earliest uid, with score-last to the last), or larger of stake share and incentive; empty keeps the era's"`
	MinNonImmune   *uint64  `toml:"min_non_immune" unit:"neurons" max:"65535" doc:"prune_by emission: where no more than this many are not immune, an immune one is replaced instead"`
	StakeThreshold *float64 `toml:"stake_threshold_tao" unit:"TAO" min:"0" max:"21000000" doc:"neurons with less stake do not count in consensus and cannot set weights"`

	Council          []string `toml:"council" max:"15" doc:"nodes whose coldkeys govern together, such as validator-1: parameters move in steps and within the constitution; empty: no council"`
	CouncilThreshold uint64   `toml:"council_threshold" max:"15" doc:"members of the council who must agree, more than half"`

	UpgradeRules  uint64 `toml:"upgrade_rules" max:"100" doc:"version of the rules from upgrade_height on: 2 counts epochs from the last one and reads commits as 2026 does, 3 also brings yuma3; 0: no upgrade"`
	UpgradeHeight uint64 `toml:"upgrade_height" unit:"blocks" max:"1000000000000" doc:"first block under upgrade_rules"`

	Registration
	Hard Hard `toml:"hard"`
}

// override copies the keys that the file sets, even to zero.
func (c *Chain) override(p *chain.Params) {
	p.Rule = consensus.Name(cmp.Or(c.Rule, string(p.Rule)))
	p.Emission = emission.Rule(cmp.Or(c.Emission, string(p.Emission)))
	p.PruneBy = chain.PruneBy(cmp.Or(c.PruneBy, string(p.PruneBy)))
	p.TempoBlocks, p.WeightsRateLimitBlocks = c.TempoBlocks, c.WeightsRateLimitBlocks
	set(&p.ImmunityBlocks, c.ImmunityBlocks, same)
	if set(&p.ActivityCutoffBlocks, c.ActivityCutoffBlocks, same); c.ActivityCutoffBlocks != nil {
		p.ActivityCutoffMilli = 0 // set in eras that count it in tempos
	}
	set(&p.MinAllowedWeights, c.MinAllowedWeights, count16)
	set(&p.MaxValidators, c.MaxValidators, count16)
	set(&p.MaxWeight, c.MaxWeight, share16)
	set(&p.Kappa, c.Kappa, share16)
	set(&p.BondsMovingAveragePPM, c.BondsMovingAverage, func(x float64) uint32 { return uint32(float64(x*1e6) + 0.5) })
	set(&p.LiquidAlpha, c.LiquidAlpha, same)
	set(&p.AlphaLow, c.AlphaLow, share16)
	set(&p.AlphaHigh, c.AlphaHigh, share16)
	set(&p.AlphaSteepness, c.AlphaSteepness, func(x float64) int16 {
		hundredths := float64(x * 100)
		if hundredths < 0 {
			return -int16(0.5 - hundredths)
		}
		return int16(hundredths + 0.5)
	})
	set(&p.BondsPenalty, c.BondsPenalty, share16)
	set(&p.CommitReveal, c.CommitReveal, same)
	set(&p.RevealPeriodEpochs, c.RevealPeriod, count16)
	set(&p.ServerShare, c.ServerShare, share16)
	set(&p.OwnerCut, c.OwnerCut, share16)
	set(&p.CapRao, c.CapTAO, Rao)
	set(&p.RewardRao, c.RewardTAO, Rao)
	set(&p.HalvingBlocks, c.HalvingBlocks, same)
	set(&p.EmissionFlatRao, c.FlatTAO, Rao)
	if c.BurnTAO != nil {
		p.BurnRao = Rao(*c.BurnTAO)
		p.MinBurnRao, p.MaxBurnRao = min(p.MinBurnRao, p.BurnRao), max(p.MaxBurnRao, p.BurnRao)
	}
	set(&p.MaxUIDs, c.MaxUIDs, count16)
	c.Registration.override(p)
	set(&p.MinNonImmune, c.MinNonImmune, count16)
	set(&p.StakeThresholdRao, c.StakeThreshold, Rao)
}

// Params returns the ledger's parameters: the era's, scaled to a network that begins with neurons neurons,
// miners of them miners, with the table's overrides.
func (c *Chain) Params(neurons, miners int) (chain.Params, error) {
	p, err := chain.Era(c.Era)
	if err != nil {
		return p, &settings.Error{Key: "chain.era", Fault: fmt.Sprintf("no era %q", c.Era),
			Want: "one of " + strings.Join(chain.Eras(), ", "), Hint: settings.Meant(c.Era, chain.Eras())}
	}
	p = p.Scaled(neurons)
	// The era's permits are for thousands of neurons; here every validator of the network has one.
	p.MaxValidators = uint16(neurons - miners)
	return c.ParamsOn(p, miners)
}

// ParamsOn returns the parameters of a ledger that continues another's, with the table's overrides.
func (c *Chain) ParamsOn(p chain.Params, miners int) (chain.Params, error) {
	c.override(&p)
	p.Hard = c.Hard.settings(p)
	if err := c.fit(&p, miners); err != nil {
		return p, err
	}
	if err := p.Validate(); err != nil {
		return p, inKeys(err)
	}
	return p, nil
}

// inKeys names a parameter that is out of its range by its key, if the key has the field's name and unit.
func inKeys(err error) error {
	fault := &settings.Error{Key: "chain", Fault: err.Error(), Want: "parameters that a chain can run with"}
	var span *chain.RangeError
	if !errors.As(err, &span) {
		return fault
	}
	table, path, field := reflect.TypeFor[Chain](), "chain.", span.Field
	if name, hard := strings.CutPrefix(field, "Hard."); hard {
		table, path, field = reflect.TypeFor[Hard](), "chain.hard.", name
		fault.Hint = `or preset = "live", which sets all that fees need`
	}
	if f, known := table.FieldByName(field); known && f.Type == reflect.TypeFor[*uint64]() {
		fault.Key, fault.Fault = path+f.Tag.Get("toml"), fmt.Sprint(span.Have)
		fault.Want = fmt.Sprintf("%d to %d", span.Lo, span.Hi)
	}
	return fault
}

// fit refuses parameters that contradict each other, and names their keys.
func (c *Chain) fit(p *chain.Params, targets int) error {
	switch {
	case p.AlphaLow > p.AlphaHigh:
		return &settings.Error{Key: "chain.alpha_low", Fault: Share(p.AlphaLow) + " is above alpha_high",
			Want: "at most " + Share(p.AlphaHigh), Hint: "or raise alpha_high"}
	case (c.UpgradeRules == 0) != (c.UpgradeHeight == 0):
		return &settings.Error{Key: "chain.upgrade_height", Fault: fmt.Sprintf("%d with upgrade_rules = %d", c.UpgradeHeight,
			c.UpgradeRules), Want: "both or neither"}
	case c.UpgradeRules != 0 && p.Hard.VoteDelayBlocks == 0:
		return &settings.Error{Key: "chain.upgrade_rules", Fault: "set, but the rules of this chain never change",
			Want: "hard.vote_delay_blocks of at least 1"}
	case len(c.Council) > 0 && p.Hard.VoteDelayBlocks == 0:
		return &settings.Error{Key: "chain.council", Fault: "set, but nobody votes on this chain",
			Want: "hard.vote_delay_blocks of at least 1", Hint: `or hard.preset = "live"`}
	case 2*c.CouncilThreshold <= uint64(len(c.Council)) && len(c.Council) > 0 || c.CouncilThreshold > uint64(len(c.Council)):
		return &settings.Error{Key: "chain.council_threshold", Fault: fmt.Sprintf("%d of a council of %d", c.CouncilThreshold, len(c.Council)),
			Want: "more than half of the council and at most all"}
	case p.Hard.ExistentialRao != 0 && !p.Hard.StrictNonce:
		return &settings.Error{Key: "chain.hard.existential_rao",
			Fault: "set without strict_nonce: the old transactions of an account that comes back could be sent again",
			Want:  "hard.strict_nonce = true"}
	case p.RewardRao > p.CapRao:
		return &settings.Error{Key: "chain.reward_tao", Fault: TAO(p.RewardRao) + " is above the cap",
			Want: "at most " + TAO(p.CapRao), Hint: "or raise cap_tao"}
	case uint64(p.MaxWeight)*uint64(targets) < 65535:
		return &settings.Error{Key: "chain.max_weight",
			Fault: fmt.Sprintf("%s for each of %d miners adds up to less than 1", Share(p.MaxWeight), targets),
			Want:  fmt.Sprintf("at least %.4f", 1/float64(targets))}
	}
	return nil
}

// Idle reports keys of [chain] that are set but have no effect under the run's rule and emission: a user who
// varies one of them would measure nothing without noticing.
func (c *Chain) Idle(p *chain.Params, report Report) {
	yuma := p.Rule != consensus.Nakamoto
	liquid := p.LiquidAlpha && (p.Rule == consensus.Yuma2Liquid || p.Rule == consensus.Yuma3)
	for _, k := range []struct {
		name      string
		set, used bool
		want      string
	}{
		{"halving_blocks", c.HalvingBlocks != nil, p.Emission == emission.ByHeight, `emission = "height"`},
		{"flat_tao", c.FlatTAO != nil, p.Emission == emission.Flat, `emission = "flat"`},
		{"reward_tao", c.RewardTAO != nil, p.Emission != emission.Flat, `emission = "issuance" or "height"`},
		{"liquid_alpha", p.LiquidAlpha && c.LiquidAlpha != nil, liquid, `rule = "yuma2-liquid" or "yuma3"`},
		{"alpha_low", c.AlphaLow != nil, liquid, "liquid_alpha = true"},
		{"alpha_high", c.AlphaHigh != nil, liquid, "liquid_alpha = true"},
		{"alpha_steepness", c.AlphaSteepness != nil, liquid && p.Rule == consensus.Yuma3,
			`liquid_alpha = true and rule = "yuma3"`},
		{"kappa", c.Kappa != nil, yuma, "a rule that is not nakamoto"},
		{"bonds_penalty", c.BondsPenalty != nil, yuma, "a rule that is not nakamoto"},
		{"reveal_period_epochs", c.RevealPeriod != nil, p.CommitReveal, "commit_reveal = true"},
		{"min_non_immune", c.MinNonImmune != nil, p.PruneBy == chain.PruneByEmission, `prune_by = "emission"`},
	} {
		if k.set && !k.used {
			report("chain."+k.name, fmt.Sprintf("it has no effect with rule %s and emission %s", p.Rule, p.Emission),
				k.want, "set that too, or leave the key out")
		}
	}
}
