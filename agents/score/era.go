package score

import (
	"fmt"
	"strings"
)

// Selection is how a validator picks the uids of one step.
type Selection uint8

// The selections.
const (
	FreshEachStep Selection = iota + 1 // a new permutation every step: repeats between steps
	OnceAnEpoch                        // one permutation, walked to its end but dropped when an epoch starts
	OnceASweep                         // one permutation, walked to its end regardless of epochs
)

// Keep selects the number of scored uids that receive a weight.
type Keep uint8

// The keeps.
const (
	KeepMinimum    Keep = iota + 1 // the first MinAllowed
	KeepResponsive                 // the first MinAllowed, or as many as answered if those are more
	KeepAll                        // all
)

// Limit selects the bound on weights.
type Limit uint8

// The limits.
const (
	RatioLimit Limit = iota + 1 // largest over smallest stays below a ratio
	ShareLimit                  // no share of the sum above a limit
)

// Ending selects the end of a validator's epoch.
type Ending uint8

// The endings.
const (
	EndByBlocks         Ending = iota + 1 // enough blocks
	EndByBlocksAndSweep                   // enough blocks and every uid asked, or twice the blocks
	EndByBlocksAndClock                   // enough blocks and their nominal time on the clock
)

// Era describes the rules of one release of the reference validator, as data.
type Era struct {
	Name            string
	Selection       Selection
	Ending          Ending
	Shuffled        bool    // candidates are shuffled within their standing before some are kept
	Keep            Keep    // how many candidates are kept
	ExcludeQuantile float64 // lowest part that is dropped when more than MinAllowed are kept
	Limit           Limit
	MaxMinRatio     float64 // for RatioLimit
	MaxShare        float64 // for ShareLimit, at 4,096 uids
	Power           float64 // exponent of effective parameters in the base score
	SynergyPower    float64 // the same in the synergy
	SynergySum      bool    // synergy is not divided by the number of responders
	MeanLoss        bool    // the base score comes from the loss's moving average, not from the batch's loss
	LooseRange      bool    // any value up to 1.5 counts as a probability on the wire
}

var eras = []Era{
	{
		Name: "3.3.0", Selection: FreshEachStep, Ending: EndByBlocks, Shuffled: true,
		Keep: KeepMinimum, Limit: RatioLimit, MaxMinRatio: 64,
		Power: 0.5, SynergyPower: 0.5, SynergySum: true, LooseRange: true,
	},
	{
		Name: "3.3.4", Selection: OnceAnEpoch, Ending: EndByBlocksAndSweep, Shuffled: true,
		Keep: KeepResponsive, ExcludeQuantile: 0.1, Limit: RatioLimit, MaxMinRatio: 64,
		Power: 0.5, SynergyPower: 0.6, LooseRange: true,
	},
	{
		Name: "3.4.2", Selection: OnceAnEpoch, Ending: EndByBlocksAndSweep, Shuffled: true,
		Keep: KeepResponsive, ExcludeQuantile: 0.05, Limit: ShareLimit, MaxShare: maxShare2022,
		Power: 0.5, SynergyPower: 0.5, LooseRange: true,
	},
	{
		Name: "3.5.1", Selection: OnceASweep, Ending: EndByBlocksAndClock,
		Keep: KeepAll, ExcludeQuantile: 0.05, Limit: ShareLimit, MaxShare: maxShare2022,
		Power: 0.5, SynergyPower: 0.5,
	},
	{
		Name: "3.6.0", Selection: OnceASweep, Ending: EndByBlocksAndClock,
		Keep: KeepAll, ExcludeQuantile: 0.05, Limit: ShareLimit, MaxShare: maxShare2022,
		Power: 0.5, SynergyPower: 0.5, MeanLoss: true,
	},
}

const maxShare2022 = 17_179_868.0 / (1<<32 - 1) // the chain's MaxWeightLimit of 2022, 0.4 %

// DefaultEra is the release in use for most of autumn 2022.
const DefaultEra = "3.4.2"

// Eras returns the known eras, oldest first.
func Eras() []Era { return append([]Era(nil), eras...) }

// EraNamed returns the era of a release.
func EraNamed(name string) (Era, error) {
	names := make([]string, len(eras))
	for i, e := range eras {
		if e.Name == name {
			return e, nil
		}
		names[i] = e.Name
	}
	return Era{}, fmt.Errorf("score: unknown validator era %q; use one of %s", name, strings.Join(names, ", "))
}

// Elapsed is the progress of an epoch.
type Elapsed struct {
	Blocks  uint64
	Ns      int64 // on the validator's clock
	AllSeen bool  // every uid was asked in this epoch
}

// EpochOver reports whether an epoch of epochBlocks blocks of blockNs each has ended.
func (e Era) EpochOver(at Elapsed, epochBlocks uint64, blockNs int64) bool {
	if at.Blocks < epochBlocks {
		return false
	}
	switch e.Ending {
	case EndByBlocksAndSweep:
		return at.AllSeen || at.Blocks >= 2*epochBlocks
	case EndByBlocksAndClock:
		return at.Ns/blockNs >= int64(epochBlocks)
	default:
		return true
	}
}

// Powers returns the exponents and the loss scale that Shapley takes.
func (e Era) Powers(lossScale float64) Powers {
	return Powers{Base: e.Power, Synergy: e.SynergyPower, LossScale: lossScale, SynergySum: e.SynergySum}
}
