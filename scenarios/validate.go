package scenarios

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"taolab/model/pile"
	"taolab/sim/chain"
	"taolab/sim/chain/consensus"
	"taolab/sim/chain/emission"
)

// validate finds what no single key shows: counts, shapes and limits that do not fit each other.
func validate(sc *Scenario, where func(key string) string) []error {
	v := validator{Scenario: sc, where: where}
	v.network()
	v.corpus()
	v.miners()
	v.validators()
	v.applications()
	v.faultEntries()
	if len(v.faults) == 0 {
		v.chain()
	}
	return v.faults
}

type validator struct {
	*Scenario
	where  func(key string) string
	faults []error
}

func (v *validator) fault(key, fault, want, hint string) {
	v.faults = append(v.faults, &Error{Where: v.where(key), Key: key, Fault: fault, Want: want, Hint: hint})
}

func (v *validator) network() {
	n := len(v.Network.Regions)
	if n == 0 || n > 64 {
		v.fault("network.regions", fmt.Sprintf("%d regions", n), "1 to 64 names", "")
	}
	if len(v.Network.LatencyMs) != n {
		v.fault("network.latency_ms", fmt.Sprintf("%d rows for %d regions", len(v.Network.LatencyMs), n), "a square matrix, one row a region", "")
		return
	}
	for i, row := range v.Network.LatencyMs {
		if len(row) != n {
			v.fault("network.latency_ms", fmt.Sprintf("row %d has %d entries for %d regions", i, len(row), n), "a square matrix", "")
			return
		}
		for j := range row {
			if j < i && row[j] != v.Network.LatencyMs[j][i] {
				v.fault("network.latency_ms", fmt.Sprintf("%s to %s takes %g ms, the way back %g", v.Network.Regions[i], v.Network.Regions[j], row[j], v.Network.LatencyMs[j][i]),
					"a symmetric matrix", "")
			}
		}
	}
}

func (v *validator) corpus() {
	if v.Corpus.Kind == "shards" && v.Corpus.Path == "" {
		v.fault("corpus.path", "missing", "a folder or file of .jsonl or .jsonl.zst shards", "set corpus.path, or corpus.kind = \"synthetic\"")
	}
	if v.Corpus.Kind == "synthetic" && v.Corpus.Path != "" {
		v.fault("corpus.path", "set, but the corpus is synthetic", "no path", "set corpus.kind = \"shards\" to read it")
	}
	v.subsets("corpus.subsets", v.Corpus.Subsets)
}

// subsets checks names against the synthetic Pile, whose names are known; shards may have any.
func (v *validator) subsets(key string, names []string) {
	var known []string
	if v.Corpus.Kind == "synthetic" {
		known = pile.SubsetNames()
	}
	if key != "corpus.subsets" && len(v.Corpus.Subsets) > 0 {
		known = v.Corpus.Subsets
	}
	for i, name := range names {
		if known != nil && !slices.Contains(known, name) {
			v.fault(key, fmt.Sprintf("no subset %q", name), "one of "+strings.Join(known, ", "), "did you mean "+nearest(name, known)+"?")
		}
		if slices.Contains(names[:i], name) {
			v.fault(key, fmt.Sprintf("subset %q stands twice", name), "each subset once", "")
		}
	}
}

func (v *validator) miners() {
	if len(v.Miners) == 0 {
		v.fault("miners", "none", "at least one [[miners]] table", "")
	}
	for i, g := range v.Miners {
		key := fmt.Sprintf("miners[%d]", i)
		v.name(key, g.Name)
		v.heads(key, "heads", g.Heads, g.Width)
		v.subsets(key+".subsets", g.Subsets)
		if g.Behaviour == "honest" && g.LearningRate == 0 && g.Duty.From > 0 {
			v.fault(key+".learning_rate", "an honest miner that trains at rate 0", "a rate above 0", "or duty = 0")
		}
	}
}

// name checks that groups can be told apart.
func (v *validator) name(key, name string) {
	if name == "" || strings.ContainsAny(name, " /\\\t\n") {
		v.fault(key+".name", fmt.Sprintf("%q", name), "a word without spaces and slashes", "")
	}
	groups := v.groups()
	if i := slices.Index(groups, name); i >= 0 && slices.Contains(groups[i+1:], name) {
		v.fault(key+".name", fmt.Sprintf("%q names two groups", name), "each group a name of its own", "")
	}
}

func (v *validator) groups() []string {
	var names []string
	for _, g := range v.Miners {
		names = append(names, g.Name)
	}
	for _, g := range v.Validators {
		names = append(names, g.Name)
	}
	for _, g := range v.Applications {
		names = append(names, g.Name)
	}
	return names
}

func (v *validator) heads(key, name string, heads, width int) {
	if width%heads != 0 {
		v.fault(key+"."+name, fmt.Sprintf("%d heads do not divide a width of %d", heads, width), "a divisor of the width", "")
	}
}

func (v *validator) validators() {
	if len(v.Validators) == 0 {
		v.fault("validators", "none", "at least one [[validators]] table", "")
	}
	miners := v.minerCount()
	for i, g := range v.Validators {
		key := fmt.Sprintf("validators[%d]", i)
		v.name(key, g.Name)
		v.heads(key, "router_heads", g.RouterHeads, g.RouterWidth)
		v.subsets(key+".subsets", g.Subsets)
		v.topK(key, g.TopK)
		if g.Behaviour != "honest" {
			continue
		}
		for j, m := range v.Miners {
			if g.Tokens > m.Context {
				v.fault(key+".tokens", fmt.Sprintf("rows of %d tokens do not fit the context of %d of miners[%d] (%s)", g.Tokens, m.Context, j, m.Name),
					"at most the smallest context", "")
			}
		}
		if g.Peers > miners {
			v.fault(key+".peers", fmt.Sprintf("%d peers of %d miners", g.Peers, miners), "at most the number of miners", "")
		}
		if g.Routing == "gated" && (g.Explore < 1 || g.Explore > g.Peers) {
			v.fault(key+".explore", fmt.Sprintf("%d of %d peers", g.Explore, g.Peers), "at least 1, so that every uid is asked now and then, and at most peers", "")
		}
		if g.TimeoutS > g.StepS {
			v.fault(key+".timeout_s", fmt.Sprintf("%g s in a step of %g s", g.TimeoutS, g.StepS), "at most step_s", "")
		}
	}
}

func (v *validator) topK(key string, topK int) {
	if topK > v.Corpus.Vocab/8 {
		v.fault(key+".topk", fmt.Sprintf("%d of a vocabulary of %d", topK, v.Corpus.Vocab), fmt.Sprintf("at most an eighth, %d", v.Corpus.Vocab/8), "")
	}
}

func (v *validator) minerCount() int {
	n := 0
	for _, g := range v.Miners {
		n += g.Count
	}
	return n
}

func (v *validator) neuronCount() int {
	n := v.minerCount()
	for _, g := range v.Validators {
		n += g.Count
	}
	return n
}

func (v *validator) applications() {
	for i, g := range v.Applications {
		key := fmt.Sprintf("applications[%d]", i)
		v.name(key, g.Name)
		v.topK(key, g.TopK)
		for j, m := range v.Miners {
			if g.Prompt > m.Context {
				v.fault(key+".prompt", fmt.Sprintf("%d tokens do not fit the context of %d of miners[%d] (%s)", g.Prompt, m.Context, j, m.Name),
					"at most the smallest context", "")
			}
		}
	}
}

func (v *validator) faultEntries() {
	for i, f := range v.Faults {
		key := fmt.Sprintf("faults[%d]", i)
		if f.Kind == "crash" && !slices.Contains(v.groups(), f.Group) {
			v.fault(key+".group", fmt.Sprintf("no group %q", f.Group), "one of "+strings.Join(v.groups(), ", "), "did you mean "+nearest(f.Group, v.groups())+"?")
		}
		if f.Kind == "partition" && !slices.Contains(v.Network.Regions, f.Region) {
			v.fault(key+".region", fmt.Sprintf("no region %q", f.Region), "one of "+strings.Join(v.Network.Regions, ", "), "")
		}
		if f.AtS > float64(v.Time.Hours*3600) {
			v.fault(key+".at_s", fmt.Sprintf("%g s, after the end of the run", f.AtS), fmt.Sprintf("at most %g", float64(v.Time.Hours*3600)), "")
		}
	}
}

// chain checks that the ledger's limits can be met by the network that the scenario describes.
func (v *validator) chain() {
	p, err := v.Params()
	if err != nil {
		v.faults = append(v.faults, v.located(err))
		return
	}
	if n := v.neuronCount(); n > int(p.MaxUIDs) {
		v.fault("chain", fmt.Sprintf("%d neurons, the era has %d uids", n, p.MaxUIDs), "fewer miners or validators", "")
	}
	if blocks := v.BlockCount(); p.TempoBlocks > blocks {
		v.fault("chain.tempo_blocks", fmt.Sprintf("%d, longer than the run of %d blocks", p.TempoBlocks, blocks), "at least one epoch in the run", "lengthen time.hours")
	}
	targets := v.minerCount()
	if int(p.MinAllowedWeights) > targets {
		v.fault("chain.min_allowed_weights", fmt.Sprintf("%d entries, but there are %d miners to weight", p.MinAllowedWeights, targets), fmt.Sprintf("at most %d", targets), "")
	}
	if uint64(p.MaxWeight)*uint64(targets) < 65535 {
		v.fault("chain.max_weight", fmt.Sprintf("%d/65535 for each of %d miners adds up to less than a whole row", p.MaxWeight, targets),
			fmt.Sprintf("at least %.4f", 1/float64(targets)), "")
	}
}

// located gives an error of the parameters its place.
func (v *validator) located(err error) error {
	var fault *Error
	if errors.As(err, &fault) {
		fault.Where = v.where(fault.Key)
		return fault
	}
	return &Error{Where: v.where("chain"), Key: "chain", Fault: err.Error()}
}

// BlockCount is the number of blocks in the run.
func (sc *Scenario) BlockCount() uint64 {
	return uint64(float64(sc.Time.Hours*3600)/sc.Time.BlockS + 0.5)
}

// Params are the chain's parameters: the era's, scaled to the network, with what the scenario
// overrides.
func (sc *Scenario) Params() (chain.Params, error) {
	c := &sc.Chain
	p, err := chain.Era(c.Era)
	if err != nil {
		return p, &Error{Key: "chain.era", Fault: fmt.Sprintf("no era %q", c.Era), Want: "one of " + strings.Join(chain.Eras(), ", "), Hint: "did you mean " + nearest(c.Era, chain.Eras()) + "?"}
	}
	v := validator{Scenario: sc}
	n := v.neuronCount()
	p = p.Scaled(n)
	// The era's seats are for thousands of neurons; here every validator of the scenario has one.
	p.MaxValidators = uint16(n - v.minerCount())
	if c.Rule != "" {
		p.Rule = consensus.Name(c.Rule)
	}
	if c.Emission != "" {
		p.Emission = emission.Rule(c.Emission)
	}
	override(&p.TempoBlocks, c.TempoBlocks)
	override(&p.ImmunityBlocks, c.ImmunityBlocks)
	override(&p.ActivityCutoffBlocks, c.ActivityCutoffBlocks)
	override(&p.WeightsRateLimitBlocks, c.WeightsRateLimitBlocks)
	override(&p.MinAllowedWeights, uint16(c.MinAllowedWeights))
	override(&p.MaxValidators, uint16(c.MaxValidators))
	override(&p.MaxWeight, share16(c.MaxWeight))
	override(&p.Kappa, share16(c.Kappa))
	override(&p.BondsMovingAveragePPM, uint32(float64(c.BondsMovingAverage*1e6)+0.5))
	if err := p.Validate(); err != nil {
		return p, &Error{Key: "chain", Fault: err.Error(), Want: "parameters that a chain can run with"}
	}
	return p, nil
}

func override[T comparable](p *T, value T) {
	var zero T
	if value != zero {
		*p = value
	}
}

func share16(x float64) uint16 { return uint16(float64(x*65535) + 0.5) }
