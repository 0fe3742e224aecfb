package scenarios

import (
	"fmt"

	"taolab/sim/chain"
	"taolab/sim/chain/consensus"
	"taolab/sim/chain/emission"
)

// idle finds keys of [chain] that are set and change nothing under the rule and the emission that
// the run has: whoever moves one of them would measure nothing and not know it.
func (c *checker) idle(p *chain.Params) {
	s := &c.Chain
	yuma := p.Rule != consensus.Nakamoto
	liquid := p.LiquidAlpha && (p.Rule == consensus.Yuma2Liquid || p.Rule == consensus.Yuma3)
	for _, k := range []struct {
		name      string
		set, used bool
		want      string
	}{
		{"halving_blocks", s.HalvingBlocks != nil, p.Emission == emission.ByHeight, `emission = "height"`},
		{"flat_tao", s.FlatTAO != nil, p.Emission == emission.Flat, `emission = "flat"`},
		{"reward_tao", s.RewardTAO != nil, p.Emission != emission.Flat, `emission = "issuance" or "height"`},
		{"liquid_alpha", p.LiquidAlpha && s.LiquidAlpha != nil, liquid, `rule = "yuma2-liquid" or "yuma3"`},
		{"alpha_low", s.AlphaLow != nil, liquid, "liquid_alpha = true"},
		{"alpha_high", s.AlphaHigh != nil, liquid, "liquid_alpha = true"},
		{"alpha_steepness", s.AlphaSteepness != nil, liquid && p.Rule == consensus.Yuma3,
			`liquid_alpha = true and rule = "yuma3"`},
		{"kappa", s.Kappa != nil, yuma, "a rule that is not nakamoto"},
		{"bonds_penalty", s.BondsPenalty != nil, yuma, "a rule that is not nakamoto"},
		{"reveal_period_epochs", s.RevealPeriod != nil, p.CommitReveal, "commit_reveal = true"},
		{"min_non_immune", s.MinNonImmune != nil, p.PruneBy == chain.PruneByEmission, `prune_by = "emission"`},
	} {
		if k.set && !k.used {
			c.fault("chain."+k.name, fmt.Sprintf("it changes nothing with rule %s and emission %s", p.Rule, p.Emission),
				k.want, "set that too, or leave the key out")
		}
	}
}

// fit refuses parameters that contradict each other, by the names that they have in a scenario.
func (sc *Scenario) fit(p *chain.Params) error {
	targets := sc.MinerCount()
	switch {
	case p.AlphaLow > p.AlphaHigh:
		return &Error{Key: "chain.alpha_low", Fault: share(p.AlphaLow) + " is above alpha_high",
			Want: "at most " + share(p.AlphaHigh), Hint: "or raise alpha_high"}
	case p.RewardRao > p.CapRao:
		return &Error{Key: "chain.reward_tao", Fault: tao(p.RewardRao) + " is above the cap",
			Want: "at most " + tao(p.CapRao), Hint: "or raise cap_tao"}
	case uint64(p.MaxWeight)*uint64(targets) < 65535:
		return &Error{Key: "chain.max_weight",
			Fault: fmt.Sprintf("%s for each of %d miners adds up to less than a whole row", share(p.MaxWeight), targets),
			Want:  fmt.Sprintf("at least %.4f", 1/float64(targets))}
	}
	return nil
}
