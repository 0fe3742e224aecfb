package scenarios

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"taolab/agents/role"
	"taolab/agents/score"
	"taolab/model/base"
	"taolab/sim/chain"
	"taolab/sim/virtual"
)

// Setting is a rule or parameter in force in the run: after era, scaling and release.
type Setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Note  string `json:"note"`
}

// InForce lists every rule and parameter that the run really uses.
func (f *File) InForce() ([]Setting, error) {
	p, err := f.Params()
	if err != nil {
		return nil, err
	}
	n, miners := f.NeuronCount(), f.MinerCount()
	list := []Setting{
		{"neurons", fmt.Sprint(n), fmt.Sprintf("%d miners, %d validators; %d uids", miners, n-miners, p.MaxUIDs)},
		{"blocks", fmt.Sprint(f.BlockCount()), fmt.Sprintf("one every %g s", f.Time.BlockS)},
	}
	list = append(list, f.metagraphInForce()...)
	list = append(list, f.ledgerInForce(p)...)
	list = append(list, f.linksInForce()...)
	list = append(list, f.faultsInForce()...)
	for i, g := range f.Validators {
		if g.Acts().Asks {
			list = append(list, f.validatorInForce(fmt.Sprintf("validators[%d] %s", i, g.Name), &g)...)
		}
	}
	list = append(list, f.ownersInForce()...)
	if f.Economy() {
		return list, nil
	}
	vocab := f.Corpus.Vocab
	return append(list,
		Setting{"inflation by rows", inflationTable,
			"mean of the base scores over the base score of the mean loss, measured on mixed rows at a power of 0.5; none from release 3.6.0 on"},
		Setting{"vocabulary V", fmt.Sprint(vocab), "in place of 50,257 and 50,258"},
		Setting{"largest topk", fmt.Sprint(vocab / 8), "an eighth of V"},
	), nil
}

// ledgerInForce lists the parameters of the ledger.
func (f *File) ledgerInForce(p chain.Params) []Setting {
	return slices.Concat(f.consensusInForce(p), weightsInForce(p), seatsInForce(p), f.moneyInForce(p),
		hardInForce(p.Hard))
}

// hardInForce lists the rules that a ledger for strangers adds to its era's.
func hardInForce(h chain.Hard) []Setting {
	if h == (chain.Hard{}) {
		return []Setting{{"hard", "off", "the ledger of the era: transactions are free, and nothing guards it against strangers"}}
	}
	var list []Setting
	for _, s := range role.HardInForce(h) {
		list = append(list, Setting{s.Name, s.Value, s.Note})
	}
	return list
}

func (f *File) consensusInForce(p chain.Params) []Setting {
	return []Setting{
		{"rule", string(p.Rule), f.presets()},
		{"epoch", epochs(p), fmt.Sprintf("tempo %d, %s", p.TempoBlocks, p.EpochDue)},
		{"kappa", role.Share(p.Kappa), "majority of stake that consensus weight needs"},
		{"bonds moving average", fmt.Sprintf("%.6f", float64(p.BondsMovingAveragePPM)/1e6), "part of the old bonds that an epoch keeps"},
		{"bonds penalty", role.Share(p.BondsPenalty), "0: bonds from raw weights, 1: from clipped weights"},
		{"bonds reset", onOff(p.BondsReset), "a neuron may have all bonds in it deleted"},
		{"activity cutoff", activityCutoff(p), fmt.Sprintf("a validator silent for longer does not count; %d blocks", p.CutoffBlocks())},
		{"stake threshold", role.TAO(p.StakeThresholdRao), "neurons with less do not count in consensus and cannot set weights"},
		{"liquid alpha", onOff(p.LiquidAlpha), fmt.Sprintf("share of the new bond from %s to %s, steepness %.2f",
			role.Share(p.AlphaLow), role.Share(p.AlphaHigh), float64(p.AlphaSteepness)/100)},
		{"rho", fmt.Sprint(p.Rho), "nakamoto: steepness of the sigmoid of trust"},
		{"kappa inverse", fmt.Sprint(p.KappaInverse), "nakamoto: one over the trust at which consensus is one half"},
		{"self-ownership inverse", fmt.Sprint(p.SelfOwnershipInverse), "nakamoto: one over the share of its incentive that a neuron keeps"},
	}
}

func weightsInForce(p chain.Params) []Setting {
	return []Setting{
		{"max weight", role.Share(p.MaxWeight), "largest share of one entry; an era's limit for 4,096 neurons, scaled: x 4096/n, at most 1"},
		{"max weight ratio", fmt.Sprint(p.MaxWeightRatio), "of the largest to the smallest weight; 0: any"},
		{"min allowed weights", fmt.Sprint(p.MinAllowedWeights), "fewest entries; an era's limit for 4,096 neurons, scaled: x n/4096"},
		{"weights rate limit", fmt.Sprintf("%d blocks", p.WeightsRateLimitBlocks), "between two weight settings of one neuron"},
		{"weights version", fmt.Sprint(p.WeightsVersion), "an older version key is refused"},
		{"commit-reveal", onOff(p.CommitReveal), fmt.Sprintf("epochs from a commit to its reveal: %d", p.RevealPeriodEpochs)},
		{"validator permits", fmt.Sprint(p.MaxValidators), "by stake; unset: one for each validator of the scenario"},
	}
}

func seatsInForce(p chain.Params) []Setting {
	return []Setting{
		{"seats", fmt.Sprint(p.MaxUIDs), "a newcomer to a full network replaces the neuron with the least " + string(p.PruneBy)},
		{"immunity period", fmt.Sprintf("%d blocks", p.ImmunityBlocks),
			fmt.Sprintf("newcomers cannot be replaced; prune_by emission: where at most %d are not immune, an immune one can", p.MinNonImmune)},
		{"registration by burning", onOff(p.AllowBurn),
			fmt.Sprintf("%s at genesis, between %s and %s; recycled: %t", role.TAO(p.BurnRao), role.TAO(p.MinBurnRao), role.TAO(p.MaxBurnRao), p.RecycleBurned)},
		{"price of a registration", string(p.BurnRule),
			fmt.Sprintf("by demand: halves in %d blocks, %d %% after a registration", p.BurnHalfLifeBlocks, p.BurnIncreasePercent)},
		{"registration by work", onOff(p.AllowWork), fmt.Sprintf("seal %s, difficulty %d, between %d and %d, younger than %d blocks",
			p.Seal, p.Difficulty, p.MinDifficulty, p.MaxDifficulty, p.WorkValidBlocks)},
		{"adjustment", fmt.Sprintf("every %d blocks", p.AdjustmentIntervalBlocks),
			fmt.Sprintf("by interval: %s toward %d registrations, keeping %.6f of the old price",
				p.AdjustBy, p.TargetRegistrations, float64(p.AdjustmentAlpha)/(1<<64))},
		{"registrations a block", fmt.Sprint(p.MaxRegistrationsPerBlock), "at most"},
		{"take", role.Share(p.DefaultTake), fmt.Sprintf("of a delegate at first, at most %s; %d nominators", role.Share(p.MaxTake), p.MaxNominators)},
	}
}

func (f *File) moneyInForce(p chain.Params) []Setting {
	return []Setting{
		{"emission", string(p.Emission), fmt.Sprintf("flat: %s a block; otherwise %s at first; at most %s in all; by height it halves every %d blocks",
			role.TAO(p.EmissionFlatRao), role.TAO(p.RewardRao), role.TAO(p.CapRao), p.HalvingBlocks)},
		{"issuance at genesis", role.TAO(f.issued(&p)), "of " + role.TAO(p.CapRao)},
		{"server share", role.Share(p.ServerShare), "miners' part of the emission; 0: incentive and dividends divide it"},
		{"stake settles", fmt.Sprint(p.StakeSettles), "true: stake that was added since the last epoch earns nothing in it"},
		{"owner cut", role.Share(p.OwnerCut), "goes first to the first member of " + cmp.Or(f.Chain.Owner, "nobody")},
	}
}

func (f *File) linksInForce() []Setting {
	n := f.Network
	return []Setting{
		{"block delay", fmt.Sprintf("%g ms on average", n.BlockDelayMs), fmt.Sprintf("drawn for each node, at most %d blocks", maxDelayBlocks)},
		{"block producer", cmp.Or(n.Producer, n.Regions[0]), fmt.Sprintf("%d transactions a block, %d waiting, dropped after %d blocks",
			n.ProducerTxs, n.ProducerWaiting, n.TxExpiryBlocks)},
		{"ledger digests", fmt.Sprint(f.Chain.DigestEpochs), "epochs between two in the run digest; 0: only the final one"},
	}
}

func epochs(p chain.Params) string {
	if p.TempoBlocks == 0 {
		return "never"
	}
	return fmt.Sprintf("every %d blocks", period(p))
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// activityCutoff formats the time that a silent validator counts.
func activityCutoff(p chain.Params) string {
	if p.ActivityCutoffMilli > 0 {
		return fmt.Sprintf("%.3f tempos", float64(p.ActivityCutoffMilli)/1000)
	}
	return fmt.Sprintf("%d blocks", p.ActivityCutoffBlocks)
}

// period is the number of blocks from one epoch to the next: until 2026 one more than the tempo.
func period(p chain.Params) uint64 {
	if p.EpochDue == chain.DueByHeight {
		return p.TempoBlocks + 1
	}
	return p.TempoBlocks
}

// scale lists the constants that convert a text's tokens.
func scale(bytesPerToken float64) []Setting {
	return []Setting{
		{"bytes per token", fmt.Sprintf("%.4f", bytesPerToken), "of the standard tokenizer on the scoring text"},
		{"loss scale", fmt.Sprintf("%.4f", score.LossScale(bytesPerToken)),
			"nats per GPT-2-equivalent token for a nat per token: 3.409 / bytes per token"},
	}
}

// Scale reads the corpus and returns the constants that convert its tokens.
func (f *File) Scale(cache base.Cache) ([]Setting, error) {
	if f.Economy() {
		return nil, nil
	}
	text, err := base.Read(context.Background(), f.source, f.Corpus.Vocab, cache)
	if err != nil {
		return nil, err
	}
	return scale(text.Store.BytesPerToken()), nil
}

// inForce is InForce with the scale, encoded for a manifest.
func (f *File) inForce(m *Material) json.RawMessage {
	list, err := f.InForce()
	if err != nil {
		panic("scenarios: the parameters of a network that was built are refused: " + err.Error())
	}
	if m.Text != nil {
		list = append(list, scale(m.Store.BytesPerToken())...)
	}
	data, err := json.Marshal(list)
	if err != nil {
		panic("scenarios: settings are not JSON: " + err.Error())
	}
	return data
}

// faultsInForce lists the faults with their targets, times and settings.
func (f *File) faultsInForce() []Setting {
	var list []Setting
	kinds := virtual.FaultKinds()
	for i := range f.Faults {
		e := &f.Faults[i]
		at := slices.IndexFunc(kinds, func(k virtual.FaultKind) bool { return k.Name == e.Kind })
		if at < 0 {
			continue // refused by Validate
		}
		list = append(list, Setting{fmt.Sprintf("faults[%d] %s", i, e.Kind), e.settingsInForce(&kinds[at]),
			e.targetInForce() + ", " + e.timeInForce()})
	}
	if w := f.Waves; w.QuietS > 0 {
		list = append(list, Setting{"waves", fmt.Sprintf("%d faults within %g s", w.Together, w.StormS),
			fmt.Sprintf("after %g s of quiet on average", w.QuietS)})
	}
	if f.Waves.TailS > 0 {
		list = append(list, Setting{"quiet tail", fmt.Sprintf("%g s", f.Waves.TailS), "without faults at the end of the run"})
	}
	return list
}

// settingsInForce formats the numbers that the kind reads, set or by default, and its mode.
func (e *FaultEntry) settingsInForce(kind *virtual.FaultKind) string {
	var told []string
	if len(kind.Modes) > 0 {
		told = append(told, cmp.Or(e.Mode, kind.Modes[0]))
	}
	set := e.settings()
	for _, s := range kind.Settings {
		x, is := set[s.Name]
		if !is {
			x = s.Default
		}
		told = append(told, fmt.Sprintf("%s = %g", s.Name, x))
	}
	return cmp.Or(strings.Join(told, ", "), "no settings")
}

func (e *FaultEntry) targetInForce() string {
	target := selected(e.Node, e.Group, e.Region)
	switch {
	case e.Kind == "crash" && e.Group != "" && e.Members == 0:
		target = member(e.Group, 0)
	case e.Members > 0:
		target = fmt.Sprintf("%g of %s", e.Members, target)
	}
	if e.Direction != "" {
		target += ", " + e.Direction
	}
	if e.PeerNode+e.PeerGroup+e.PeerArea != "" {
		target += ", messages with " + selected(e.PeerNode, e.PeerGroup, e.PeerArea)
	}
	return target
}

func selected(node, group, region string) string {
	switch {
	case node != "":
		return node
	case group != "":
		return "group " + group
	case region != "":
		return "region " + region
	}
	return "everybody"
}

func (e *FaultEntry) timeInForce() string {
	if e.Wave {
		return fmt.Sprintf("for %g s in waves", e.DurationS)
	}
	return fmt.Sprintf("from %g s for %g s", e.AtS, e.DurationS)
}
