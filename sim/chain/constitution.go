package chain

import "fmt"

// article is a law about a council's change from one set of parameters to another, given the amount
// staked. Only an upgrade may break it.
type article struct {
	name, doc string
	kept      func(old, now *Params, stakedRao uint64) bool
}

const (
	mostCut        = 11_796 // 18 %
	leastTempo     = 60
	mostTempo      = 50_400
	mostBurnRao    = 100 * RaoPerTAO
	thresholdParts = 100 // of all stake
)

// constitution lists the laws that even a unanimous council cannot break.
var constitution = []article{
	{"cap-never-rises", "a council never raises the cap of the supply",
		func(old, now *Params, _ uint64) bool { return now.CapRao <= old.CapRao }},
	{"reward-never-rises", "a council never raises the reward of a block",
		func(old, now *Params, _ uint64) bool { return now.RewardRao <= old.RewardRao }},
	{"flat-emission-never-rises", "a council never raises an emission that does not halve",
		func(old, now *Params, _ uint64) bool { return now.EmissionFlatRao <= old.EmissionFlatRao }},
	{"halvings-never-wait", "a council never puts halvings off",
		func(old, now *Params, _ uint64) bool { return now.HalvingBlocks <= old.HalvingBlocks }},
	{"cuts-limited", "where a council governs, owner and delegates keep at most 18 %",
		func(_, now *Params, _ uint64) bool { return now.OwnerCut <= mostCut && now.MaxTake <= mostCut }},
	{"tempo-limited", "where a council governs, an epoch has 60 to 50,400 blocks",
		func(_, now *Params, _ uint64) bool {
			return leastTempo <= now.TempoBlocks && now.TempoBlocks <= mostTempo
		}},
	{"entry-open", "where a council governs, newcomers may register, at least one in a block",
		func(_, now *Params, _ uint64) bool {
			return (now.AllowBurn || now.AllowWork) && now.MaxRegistrationsPerBlock > 0
		}},
	{"threshold-low", "a council raises the stake that counts to a hundredth of all stake at most",
		func(old, now *Params, staked uint64) bool {
			return now.StakeThresholdRao <= max(old.StakeThresholdRao, staked/thresholdParts)
		}},
	{"price-limited", "where a council governs, a registration burns at most 100 TAO",
		func(_, now *Params, _ uint64) bool { return now.MaxBurnRao <= mostBurnRao }},
}

// moneyParams are the parameters whose changes wait longer.
var moneyParams = map[string]struct{}{
	"CapRao": {}, "RewardRao": {}, "EmissionFlatRao": {}, "HalvingBlocks": {}, "OwnerCut": {}, "MaxTake": {},
	"DefaultTake": {}, "MinBurnRao": {}, "MaxBurnRao": {}, "RecycleBurned": {}, "StakeThresholdRao": {},
}

// fixedParams are out of a council's reach: those that the market moves, and a number whose size means
// nothing.
var fixedParams = map[string]struct{}{"BurnRao": {}, "Difficulty": {}, "AlphaSteepness": {}}

// articleInvariants are the constitution as invariants, checked wherever a council governs.
func articleInvariants() []Invariant {
	var list []Invariant
	for _, a := range constitution {
		list = append(list, Invariant{Name: a.name, Doc: a.doc, step: func(before, after observation) error {
			if after.params.Hard.VoteDelayBlocks == 0 || len(after.council) == 0 || before.stored != after.stored ||
				a.kept(&before.params, &after.params, max(before.money.Staked, after.money.Staked)) {
				return nil
			}
			return fmt.Errorf("parameters became %+v", after.params)
		}})
	}
	return list
}
