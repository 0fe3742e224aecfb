package retention

import (
	"fmt"
	"math"
	"strings"

	"taolab/sim/chain/consensus"
)

// Setting is a rule with its parameters and the networks on which it is tried.
type Setting struct {
	Rule           consensus.Name `json:"rule"`
	Kappa          float64        `json:"kappa"` // share of stake that makes a consensus
	BondsPenalty   float64        `json:"penalty"`
	ValidatorShare float64        `json:"validator_share"` // of the emission
	WeightSD       float64        `json:"weight_sd"`       // spread of an honest or a cabal weight around the mean of its side
	StakeSD        float64        `json:"stake_sd"`        // spread of a validator's stake around the mean of its side
	Neurons        int            `json:"neurons"`
	Validators     int            `json:"validators"`
}

// Published is the setting of the published study.
func Published() Setting {
	return Setting{
		Rule: consensus.Yuma2, Kappa: 0.5, BondsPenalty: 1, ValidatorShare: 0.5, WeightSD: 0.4, StakeSD: 0.3,
		Neurons: 512, Validators: 64,
	}
}

// PublishedStakes are honest shares of stake, 11 of them as in the published study.
func PublishedStakes() []float64 {
	return []float64{0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99}
}

// Parts lists the parameters that distinguish settings.
func (s Setting) Parts() []string {
	return []string{
		string(s.Rule), fmt.Sprintf("kappa %g", s.Kappa), fmt.Sprintf("penalty %g", s.BondsPenalty),
		fmt.Sprintf("validator share %g", s.ValidatorShare), fmt.Sprintf("weight sd %g", s.WeightSD),
		fmt.Sprintf("stake sd %g", s.StakeSD), fmt.Sprintf("%d neurons", s.Neurons), fmt.Sprintf("%d validators", s.Validators),
	}
}

// String joins the parts.
func (s Setting) String() string { return strings.Join(s.Parts(), ", ") }

// Check returns an error unless networks of the setting can be made.
func (s Setting) Check() error {
	if _, err := consensus.Lookup(s.Rule); err != nil {
		return err
	}
	for _, v := range []struct {
		name      string
		value, to float64
	}{
		{"kappa", s.Kappa, 1}, {"penalty", s.BondsPenalty, 1}, {"validator share", s.ValidatorShare, 1},
		{"weight sd", s.WeightSD, 10}, {"stake sd", s.StakeSD, 10},
	} {
		if !(0 <= v.value && v.value <= v.to) {
			return fmt.Errorf("%s %v: expected 0 to %g", v.name, v.value, v.to)
		}
	}
	inverse := 1 / s.Kappa
	switch {
	case s.Rule == consensus.Nakamoto && (s.Kappa == 0 || math.Abs(inverse-math.Round(inverse)) > 1e-9 || inverse > 100):
		return fmt.Errorf("kappa %v: nakamoto knows 1, 1/2, 1/3 and so on to 1/100", s.Kappa)
	case s.Rule == consensus.Nakamoto && s.BondsPenalty != 1:
		return fmt.Errorf("penalty %v: nakamoto has none; expected 1, which stands for that", s.BondsPenalty)
	case s.Validators < 2 || s.Neurons > 4096 || s.Neurons-s.Validators < 2:
		return fmt.Errorf("%d neurons with %d validators: expected at most 4,096, of them at least 2 validators and 2 servers",
			s.Neurons, s.Validators)
	}
	return nil
}

// params are the setting's parameters of an epoch.
func (s Setting) params() consensus.Params {
	p := consensus.Params{
		TempoBlocks: 100, Kappa: share16(s.Kappa), BondsPenalty: share16(s.BondsPenalty), BondsMovingAveragePPM: 900_000,
		ActivityCutoffBlocks: 5000, MaxValidators: s.Validators,
	}
	if s.Rule == consensus.Nakamoto {
		p.Rho, p.KappaInverse, p.SelfOwnershipInverse = 10, uint16(math.Round(1/s.Kappa)), 2
	}
	return p
}

// share16 converts a share to units of 1/65535 as in the chain's parameters: 1/2 is 32,767. The added 1e-6
// undoes the rounding of whole numbers.
func share16(x float64) uint16 { return uint16(float64(x*65535) + 1e-6) }

// honestOf is the number of honest ones among n at a share, with at least one on either side.
func honestOf(share float64, n int) int { return min(max(int(float64(share*float64(n))), 1), n-1) }
