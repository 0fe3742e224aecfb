package scenarios

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"taolab/model/pile"
	"taolab/sim/chain"
	"taolab/sim/chain/consensus"
	"taolab/sim/chain/emission"
)

// validate finds what no single key shows: counts, shapes and limits that do not fit each other.
func validate(sc *Scenario, where func(key string) string) []error {
	c := checker{Scenario: sc, where: where}
	if sc.Name != "" && !folderName.MatchString(sc.Name) {
		c.fault("name", fmt.Sprintf("%q", sc.Name), "letters, digits, dots, dashes and underscores, at most 64, beginning with a letter or digit",
			"it names the run's folder")
	}
	c.network()
	c.corpus()
	c.miners()
	c.validators()
	c.applications()
	c.faultEntries()
	c.expectations()
	c.memory()
	c.size()
	if len(c.faults) == 0 {
		c.chain()
	} else if _, err := c.Params(); keyOf(err) == "chain.era" {
		c.faults = append(c.faults, c.located(err))
	}
	return c.faults
}

var folderName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// checker collects the faults of one scenario.
type checker struct {
	*Scenario
	where  func(key string) string
	faults []error
}

func (c *checker) fault(key, fault, want, hint string) {
	c.faults = append(c.faults, &Error{Where: c.where(key), Key: key, Fault: fault, Want: want, Hint: hint})
}

func (c *checker) network() {
	n := len(c.Network.Regions)
	if n == 0 || n > 64 {
		c.fault("network.regions", fmt.Sprintf("%d regions", n), "1 to 64 names", "")
	}
	for i, region := range c.Network.Regions {
		if region == "" || slices.Contains(c.Network.Regions[:i], region) {
			c.fault("network.regions", fmt.Sprintf("%q is empty or stands twice", region), "each region a name of its own", "")
		}
	}
	if c.Network.Producer != "" && !slices.Contains(c.Network.Regions, c.Network.Producer) {
		c.fault("network.producer", fmt.Sprintf("no region %q", c.Network.Producer), "one of "+strings.Join(c.Network.Regions, ", "),
			meant(c.Network.Producer, c.Network.Regions))
	}
	if len(c.Network.LatencyMs) != n {
		c.fault("network.latency_ms", fmt.Sprintf("%d rows for %d regions", len(c.Network.LatencyMs), n), "a square matrix, one row a region", "")
		return
	}
	for i, row := range c.Network.LatencyMs {
		if len(row) != n {
			c.fault("network.latency_ms", fmt.Sprintf("row %d has %d entries for %d regions", i, len(row), n), "a square matrix", "")
			return
		}
		for j := range row {
			if j < i && row[j] != c.Network.LatencyMs[j][i] {
				c.fault("network.latency_ms", fmt.Sprintf("%s to %s takes %g ms, the way back %g", c.Network.Regions[i], c.Network.Regions[j], row[j], c.Network.LatencyMs[j][i]),
					"a symmetric matrix", "")
			}
		}
	}
}

func (c *checker) corpus() {
	if c.Corpus.Kind == "shards" && c.Corpus.Path == "" {
		c.fault("corpus.path", "missing", "a folder or file of .jsonl or .jsonl.zst shards", "set corpus.path, or corpus.kind = \"synthetic\"")
	}
	if c.Corpus.Kind == "synthetic" && c.Corpus.Megabytes > maxSyntheticMB {
		c.fault("corpus.megabytes", fmt.Sprintf("%g MB of synthetic text", c.Corpus.Megabytes), fmt.Sprintf("at most %d", maxSyntheticMB), "a store is held in memory")
	}
	if c.Corpus.Kind == "synthetic" && c.Corpus.Path != "" {
		c.fault("corpus.path", "set, but the corpus is synthetic", "no path", "set corpus.kind = \"shards\" to read it")
	}
	if c.Corpus.Kind == "synthetic" && c.Corpus.InvalidUTF8 == "replace" {
		c.fault("corpus.invalid_utf8", "replace, but the corpus is synthetic", "refuse", "synthetic text is UTF-8; leave the key out")
	}
	c.subsets("corpus.subsets", c.Corpus.Subsets)
}

// subsets checks names against the synthetic Pile, whose names are known; shards may have any.
func (c *checker) subsets(key string, names []string) {
	var known []string
	if c.Corpus.Kind == "synthetic" {
		known = pile.SubsetNames()
	}
	if key != "corpus.subsets" && len(c.Corpus.Subsets) > 0 {
		known = c.Corpus.Subsets
	}
	for i, name := range names {
		if known != nil && !slices.Contains(known, name) {
			c.fault(key, fmt.Sprintf("no subset %q", name), "one of "+strings.Join(known, ", "), meant(name, known))
		}
		if slices.Contains(names[:i], name) {
			c.fault(key, fmt.Sprintf("subset %q stands twice", name), "each subset once", "")
		}
	}
}

func (c *checker) miners() {
	if len(c.Miners) == 0 || c.MinerCount() == 0 {
		c.fault("miners", "none", "at least one [[miners]] table", "")
	}
	for i, g := range c.Miners {
		key := fmt.Sprintf("miners[%d]", i)
		c.name(key, g.Name)
		c.heads(key, "heads", g.Heads, g.Width)
		if g.JoinsH > 0 && g.JoinsH >= c.Time.Hours {
			c.fault(key+".joins_h", fmt.Sprintf("%g h, after the end of the run", g.JoinsH), fmt.Sprintf("less than %g", c.Time.Hours), "")
		}
		c.subsets(key+".subsets", g.Subsets)
		if g.Behaviour == "honest" && g.LearningRate == 0 && max(g.Duty.From, g.Duty.To) > 0 {
			c.fault(key+".learning_rate", "an honest miner that trains at rate 0", "a rate above 0", "or duty = 0")
		}
	}
}

// name checks that groups can be told apart.
func (c *checker) name(key, name string) {
	if name == "" || strings.ContainsAny(name, " /\\\t\n") {
		c.fault(key+".name", fmt.Sprintf("%q", name), "a word without spaces and slashes", "")
	}
	groups := c.groups()
	if i := slices.Index(groups, name); i >= 0 && slices.Contains(groups[i+1:], name) {
		c.fault(key+".name", fmt.Sprintf("%q names two groups", name), "each group a name of its own", "")
	}
}

func (c *checker) groups() []string {
	var names []string
	for _, g := range c.Miners {
		names = append(names, g.Name)
	}
	for _, g := range c.Validators {
		names = append(names, g.Name)
	}
	for _, g := range c.Applications {
		names = append(names, g.Name)
	}
	return names
}

func (c *checker) heads(key, name string, heads, width int) {
	if width%heads != 0 {
		c.fault(key+"."+name, fmt.Sprintf("%d heads do not divide a width of %d", heads, width), "a divisor of the width", "")
	}
}

func (c *checker) validators() {
	if len(c.Validators) == 0 {
		c.fault("validators", "none", "at least one [[validators]] table", "")
	}
	miners := c.MinerCount()
	for i, g := range c.Validators {
		key := fmt.Sprintf("validators[%d]", i)
		c.name(key, g.Name)
		c.subsets(key+".subsets", g.Subsets)
		c.favour(key+".favour", g)
		if g.Behaviour != "honest" {
			continue // asks nobody and routes nothing
		}
		c.heads(key, "router_heads", g.RouterHeads, g.RouterWidth)
		c.topK(key, g.TopK)
		for j, m := range c.Miners {
			if g.Tokens > m.Context {
				c.fault(key+".tokens", fmt.Sprintf("rows of %d tokens do not fit the context of %d of miners[%d] (%s)", g.Tokens, m.Context, j, m.Name),
					"at most the smallest context", "")
			}
		}
		if g.Peers > miners {
			c.fault(key+".peers", fmt.Sprintf("%d peers of %d miners", g.Peers, miners), "at most the number of miners", "")
		}
		if g.ScorePeers != nil && *g.ScorePeers > g.Peers {
			c.fault(key+".score_peers", fmt.Sprintf("%d of %d peers", *g.ScorePeers, g.Peers), "at most peers", "or raise peers")
		}
		if g.TimeoutS > g.StepS {
			c.fault(key+".timeout_s", fmt.Sprintf("%g s in a step of %g s", g.TimeoutS, g.StepS), "at most step_s", "")
		}
	}
}

// favour checks the nodes that a lazy validator favours.
func (c *checker) favour(key string, g ValidatorGroup) {
	if g.Behaviour != "lazy" && len(g.Favour) > 0 {
		c.fault(key, "an honest validator weights by score", "no names", "or set behaviour = \"lazy\"")
	}
	neurons := c.neuronNames()
	for i, name := range g.Favour {
		if !slices.Contains(neurons, name) {
			c.fault(key, fmt.Sprintf("no miner or validator %q", name), "names of nodes, as in "+neurons[0], meant(name, neurons))
		}
		if slices.Contains(g.Favour[:i], name) {
			c.fault(key, fmt.Sprintf("%q stands twice", name), "each name once", "")
		}
	}
}

// neuronNames are the names of all miners and validators, newcomers among them.
func (sc *Scenario) neuronNames() []string {
	var names []string
	for _, g := range sc.Miners {
		for i := range g.Count {
			names = append(names, member(g.Name, i))
		}
	}
	for _, g := range sc.Validators {
		for i := range g.Count {
			names = append(names, member(g.Name, i))
		}
	}
	return names
}

func (c *checker) topK(key string, topK int) {
	if topK > c.Corpus.Vocab/8 {
		c.fault(key+".topk", fmt.Sprintf("%d of a vocabulary of %d", topK, c.Corpus.Vocab), fmt.Sprintf("at most an eighth, %d", c.Corpus.Vocab/8), "")
	}
}

func (c *checker) applications() {
	for i, g := range c.Applications {
		key := fmt.Sprintf("applications[%d]", i)
		c.name(key, g.Name)
		c.topK(key, g.TopK)
		for j, m := range c.Miners {
			if g.Prompt > m.Context {
				c.fault(key+".prompt", fmt.Sprintf("%d tokens do not fit the context of %d of miners[%d] (%s)", g.Prompt, m.Context, j, m.Name),
					"at most the smallest context", "")
			}
		}
	}
}

func (c *checker) faultEntries() {
	for i, f := range c.Faults {
		key := fmt.Sprintf("faults[%d]", i)
		if f.Kind == "crash" && !slices.Contains(c.groups(), f.Group) {
			c.fault(key+".group", fmt.Sprintf("no group %q", f.Group), "one of "+strings.Join(c.groups(), ", "), meant(f.Group, c.groups()))
		}
		if f.Kind == "partition" && !slices.Contains(c.Network.Regions, f.Region) {
			c.fault(key+".region", fmt.Sprintf("no region %q", f.Region), "one of "+strings.Join(c.Network.Regions, ", "), "")
		}
		if f.Kind == "crash" && f.Region != "" || f.Kind == "partition" && f.Group != "" {
			c.fault(key, "a crash has a group and no region, a partition a region and no group", "the one that fits its kind", "")
		}
		for j, g := range c.Faults[:i] {
			if f.Kind == "crash" && g.Kind == "crash" && f.Group == g.Group && f.AtS < g.AtS+g.DurationS {
				c.fault(key+".at_s", fmt.Sprintf("%s crashes at %g s, before faults[%d] has ended", f.Group, f.AtS, j), "crashes of a group one after the other", "")
			}
		}
		if f.AtS > float64(c.Time.Hours*3600) {
			c.fault(key+".at_s", fmt.Sprintf("%g s, after the end of the run", f.AtS), fmt.Sprintf("at most %g", float64(c.Time.Hours*3600)), "")
		}
	}
}

// chain checks that the ledger's limits can be met by the network that the scenario describes.
func (c *checker) chain() {
	p, err := c.Params()
	if err != nil {
		c.faults = append(c.faults, c.located(err))
		return
	}
	if n := c.NeuronCount(); n > int(p.MaxUIDs) {
		c.fault("chain", fmt.Sprintf("%d neurons, but there are %d uids", n, p.MaxUIDs), "fewer miners or validators", "")
	}
	if blocks := c.BlockCount(); p.TempoBlocks > blocks {
		c.fault("chain.tempo_blocks", fmt.Sprintf("%d, longer than the run of %d blocks", p.TempoBlocks, blocks), "at least one epoch in the run", "lengthen time.hours")
	}
	if issued := c.genesisRao(); issued > p.CapRao {
		c.fault("chain", fmt.Sprintf("stakes and initial issuance come to %.3f TAO", float64(issued)/chain.RaoPerTAO),
			fmt.Sprintf("at most %s", tao(p.CapRao)), "lower stake_tao or initial_issuance_tao")
	}
	if c.Chain.Owner != "" && !slices.Contains(c.groups(), c.Chain.Owner) {
		c.fault("chain.owner", fmt.Sprintf("no group %q", c.Chain.Owner), "one of "+strings.Join(c.groups(), ", "),
			meant(c.Chain.Owner, c.groups()))
	}
	if p.OwnerCut > 0 && c.Chain.Owner == "" {
		c.fault("chain.owner", "missing, but the owner gets a cut", "the name of a group", "or set owner_cut = 0")
	}
	targets := c.MinerCount()
	if int(p.MinAllowedWeights) > targets {
		c.fault("chain.min_allowed_weights", fmt.Sprintf("%d entries, but there are %d miners to weight", p.MinAllowedWeights, targets), fmt.Sprintf("at most %d", targets), "")
	}
	c.idle(&p)
}

// What a scenario may ask of the machine.
const (
	maxSyntheticMB = 4096
	maxModelBytes  = 16 << 30  // of all base models, and of weights and moments of all miners that train
	maxBatchBytes  = 4 << 30   // of the activations of one batch; each worker may hold one
	maxRunBlocks   = 1<<32 - 1 // each may end an epoch, and tables count those in 32 bits
	maxNodes       = 16384     // applications in all; neurons have a limit of their own
)

// memory refuses models that no machine this is meant for can hold.
func (c *checker) memory() {
	total := uint64(0)
	for _, g := range c.Miners {
		width := uint64(g.Width)
		params := uint64(c.Corpus.Vocab+g.Context)*width + uint64(g.Layers)*(12*width*width+13*width) + 2*width
		total += 4 * params
		if g.Behaviour == "honest" {
			total += 12 * params * uint64(g.Count)
		}
	}
	if total > maxModelBytes {
		c.fault("miners", fmt.Sprintf("their models take %.1f GiB", float64(total)/(1<<30)), fmt.Sprintf("at most %d", maxModelBytes>>30),
			"lower count, width or layers")
	}
	subsets := 1 // at least so many share the evaluation's rows
	if c.Corpus.Kind == "synthetic" {
		subsets = len(pile.SubsetNames())
	}
	if n := len(c.Corpus.Subsets); n > 0 {
		subsets = n
	}
	for i, g := range c.Miners {
		if g.Behaviour == "random" {
			continue
		}
		key := fmt.Sprintf("miners[%d]", i)
		c.batch("base.rows", c.Base.Rows, g.Context, g.Width, g.Layers, g.Heads)
		c.batch("evaluation.rows", c.Evaluation.Rows/subsets, g.Context, g.Width, g.Layers, g.Heads)
		if g.Behaviour == "honest" {
			c.batch(key+".rows", g.Rows, g.Context, g.Width, g.Layers, g.Heads)
		}
		for k, v := range c.Validators {
			if v.Behaviour == "honest" {
				c.batch(fmt.Sprintf("validators[%d].rows", k), v.Rows, v.Tokens, max(g.Width, v.RouterWidth), g.Layers, max(g.Heads, v.RouterHeads))
			}
		}
	}
}

// batch refuses a batch whose activations no machine this is meant for can hold: about 16 numbers a
// channel, layer and token, the attention of each head to every token, and the logits twice.
func (c *checker) batch(key string, rows, cols, width, layers, heads int) {
	tokens := uint64(rows) * uint64(cols)
	perToken := uint64(layers)*(16*uint64(width)+2*uint64(heads)*uint64(cols)) + 2*uint64(c.Corpus.Vocab)
	if bytes := 4 * tokens * perToken; bytes > maxBatchBytes { // far below 2^63
		c.fault(key, fmt.Sprintf("a batch of %d rows of %d tokens takes %.1f GiB", rows, cols, float64(bytes)/(1<<30)),
			fmt.Sprintf("at most %d", maxBatchBytes>>30), "lower rows, tokens, context, width or layers")
	}
}

// size refuses runs longer and networks larger than anybody can wait for.
func (c *checker) size() {
	if blocks := c.BlockCount(); blocks > maxRunBlocks {
		c.fault("time.hours", fmt.Sprintf("%g h of blocks every %g s are %d blocks", c.Time.Hours, c.Time.BlockS, blocks),
			fmt.Sprintf("at most %d", maxRunBlocks), "shorten time.hours or lengthen time.block_s")
	}
	n := 0
	for _, g := range c.Applications {
		n += g.Count
	}
	if n > maxNodes {
		c.fault("applications", fmt.Sprintf("%d in all", n), fmt.Sprintf("at most %d", maxNodes), "lower count")
	}
}

// located gives an error of the parameters its place.
func (c *checker) located(err error) error {
	var fault *Error
	if errors.As(err, &fault) {
		fault.Where = c.where(fault.Key)
		return fault
	}
	return &Error{Where: c.where("chain"), Key: "chain", Fault: err.Error()}
}

// MinerCount is the number of miners at the beginning.
func (sc *Scenario) MinerCount() int {
	n := 0
	for _, g := range sc.Miners {
		if g.JoinsH == 0 {
			n += g.Count
		}
	}
	return n
}

// NeuronCount is the number of neurons at the beginning: miners and validators.
func (sc *Scenario) NeuronCount() int {
	n := sc.MinerCount()
	for _, g := range sc.Validators {
		n += g.Count
	}
	return n
}

// genesisRao is the issuance at genesis: what the scenario says was minted before, and all stakes.
func (sc *Scenario) genesisRao() uint64 {
	issued := rao(sc.Chain.InitialIssuanceTAO) // at most 768 groups of little more than the supply: no overflow
	for _, g := range sc.Miners {
		issued += g.StakeTAO.sumRao(g.Count)
	}
	for _, g := range sc.Validators {
		issued += g.StakeTAO.sumRao(g.Count)
	}
	for _, g := range sc.Applications {
		issued += g.StakeTAO.sumRao(g.Count)
	}
	return issued
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
		return p, &Error{Key: "chain.era", Fault: fmt.Sprintf("no era %q", c.Era), Want: "one of " + strings.Join(chain.Eras(), ", "), Hint: meant(c.Era, chain.Eras())}
	}
	n := sc.NeuronCount()
	p = p.Scaled(n)
	// The era's seats are for thousands of neurons; here every validator of the scenario has one.
	p.MaxValidators = uint16(n - sc.MinerCount())
	c.override(&p)
	if err := sc.fit(&p); err != nil {
		return p, err
	}
	if err := p.Validate(); err != nil {
		return p, &Error{Key: "chain", Fault: err.Error(), Want: "parameters that a chain can run with"}
	}
	return p, nil
}

// override sets what the file sets, be it zero.
func (c *ChainSection) override(p *chain.Params) {
	p.Rule = consensus.Name(cmp.Or(c.Rule, string(p.Rule)))
	p.Emission = emission.Rule(cmp.Or(c.Emission, string(p.Emission)))
	p.PruneBy = chain.PruneBy(cmp.Or(c.PruneBy, string(p.PruneBy)))
	p.TempoBlocks, p.WeightsRateLimitBlocks = c.TempoBlocks, c.WeightsRateLimitBlocks
	set(&p.ImmunityBlocks, c.ImmunityBlocks, same)
	if set(&p.ActivityCutoffBlocks, c.ActivityCutoffBlocks, same); c.ActivityCutoffBlocks != nil {
		p.ActivityCutoffMilli = 0 // of eras that count it in tempos
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
	set(&p.CapRao, c.CapTAO, rao)
	set(&p.RewardRao, c.RewardTAO, rao)
	set(&p.HalvingBlocks, c.HalvingBlocks, same)
	set(&p.EmissionFlatRao, c.FlatTAO, rao)
	if c.BurnTAO != nil {
		p.BurnRao = rao(*c.BurnTAO)
		p.MinBurnRao, p.MaxBurnRao = min(p.MinBurnRao, p.BurnRao), max(p.MaxBurnRao, p.BurnRao)
	}
	set(&p.MaxUIDs, c.MaxUIDs, count16)
	set(&p.MinNonImmune, c.MinNonImmune, count16)
	set(&p.StakeThresholdRao, c.StakeThreshold, rao)
}

func set[T, V any](p *T, value *V, convert func(V) T) {
	if value != nil {
		*p = convert(*value)
	}
}

func same[T any](x T) T { return x }

func count16(n uint64) uint16 { return uint16(n) } // at most 65535 by the tags

// share16 is a share in 1/65535, to the nearest; a share that is not zero stays so.
func share16(x float64) uint16 {
	share := uint16(float64(x*65535) + 0.5)
	if x > 0 {
		return max(share, 1)
	}
	return share
}
