package scenarios

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"taolab/agents/attack"
	"taolab/agents/role"
	"taolab/agents/settings"
	"taolab/model/pile"
	"taolab/sim/chain"
)

// validate finds faults that involve several keys: counts, shapes and limits that do not fit each other.
func validate(sc *Scenario, where func(key string) string) []error {
	c := checker{Scenario: sc, where: where}
	if sc.Name != "" && !folderName.MatchString(sc.Name) {
		c.fault("name", fmt.Sprintf("%q", sc.Name), "letters, digits, dots, dashes and underscores, at most 64, beginning with a letter or digit",
			"it names the run's folder")
	}
	c.network()
	c.calendar()
	c.Corpus.Check(c.fault)
	c.appended()
	c.miners()
	c.validators()
	c.applications()
	c.holders()
	c.prices()
	c.faultEntries()
	c.expectations()
	c.sweep()
	c.tune()
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
	c.faults = append(c.faults, &settings.Error{Where: c.where(key), Key: key, Fault: fault, Want: want, Hint: hint})
}

func (c *checker) network() {
	n := len(c.Network.Regions)
	if n == 0 || n > 64 {
		c.fault("network.regions", fmt.Sprintf("%d regions", n), "1 to 64 names", "")
	}
	for i, region := range c.Network.Regions {
		if region == "" || slices.Contains(c.Network.Regions[:i], region) {
			c.fault("network.regions", fmt.Sprintf("%q is empty or appears twice", region), "each region a name of its own", "")
		}
	}
	if c.Network.Producer != "" && !slices.Contains(c.Network.Regions, c.Network.Producer) {
		c.fault("network.producer", fmt.Sprintf("no region %q", c.Network.Producer), "one of "+strings.Join(c.Network.Regions, ", "),
			settings.Meant(c.Network.Producer, c.Network.Regions))
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
				c.fault("network.latency_ms", fmt.Sprintf("%s to %s takes %g ms, the way back %g",
					c.Network.Regions[i], c.Network.Regions[j], row[j], c.Network.LatencyMs[j][i]),
					"a symmetric matrix", "")
			}
		}
	}
}

// appended checks that appended sources come within the run, and that some node reads text at all.
func (c *checker) appended() {
	for i, a := range c.Corpus.Append {
		key := fmt.Sprintf("corpus.append[%d]", i)
		if c.Economy() {
			c.fault(key, "set, but no node has a model", "a run with models", "leave it out")
		}
		if a.AtH > 0 && a.AtH >= c.Time.Hours {
			c.fault(key+".at_h", fmt.Sprintf("%g h, after the end of the run", a.AtH), fmt.Sprintf("less than %g", c.Time.Hours), "")
		}
	}
}

func (c *checker) miners() {
	if len(c.Miners) == 0 || c.MinerCount() == 0 {
		c.fault("miners", "none", "at least one [[miners]] table", "")
	}
	for i := range c.Miners {
		g, key := &c.Miners[i], fmt.Sprintf("miners[%d]", i)
		c.name(key, g.Name)
		g.Check(key, len(c.subsetNames()), c.fault)
		if g.JoinsH > 0 && g.JoinsH >= c.Time.Hours {
			c.fault(key+".joins_h", fmt.Sprintf("%g h, after the end of the run", g.JoinsH), fmt.Sprintf("less than %g", c.Time.Hours), "")
		}
		c.Corpus.CheckSubsets(key+".subsets", g.Subsets, c.fault)
		medium := attack.Text
		if c.Economy() {
			medium = attack.Stated
		}
		if only := g.Acts().Only; only != "" && only != medium {
			c.fault(key+".behaviour", fmt.Sprintf("%s acts on %s, and answers are %s here", g.Behaviour, only, medium), "a behaviour that has something to act on", "")
		}
	}
}

// name checks that groups have different names.
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
	for _, g := range c.groupSizes() {
		names = append(names, g.name)
	}
	return names
}

func (c *checker) validators() {
	if len(c.Validators) == 0 {
		c.fault("validators", "none", "at least one [[validators]] table", "")
	}
	miners := c.MinerCount()
	for i := range c.Validators {
		g, key := &c.Validators[i], fmt.Sprintf("validators[%d]", i)
		c.name(key, g.Name)
		c.Corpus.CheckSubsets(key+".subsets", g.Subsets, c.fault)
		g.Check(key, c.Corpus.Vocab, c.neurons(), c.fault)
		c.favour(key+".favour", g.Favour)
		if tempo := c.Chain.TempoBlocks; tempo > 0 && g.LeadBlocks >= tempo {
			c.fault(key+".lead_blocks", fmt.Sprintf("%d blocks before the end of epochs of %d", g.LeadBlocks, tempo),
				"less than chain.tempo_blocks", "")
		}
		if !g.Acts().Asks {
			continue
		}
		for j, m := range c.Miners {
			if g.Tokens > m.Context {
				c.fault(key+".tokens", fmt.Sprintf("rows of %d tokens do not fit the context of %d of miners[%d] (%s)", g.Tokens, m.Context, j, m.Name),
					"at most the smallest context", "")
			}
		}
		if g.Peers > miners {
			c.fault(key+".peers", fmt.Sprintf("%d peers of %d miners", g.Peers, miners), "at most the number of miners", "")
		}
	}
}

// favour checks the nodes that a lazy validator favours.
func (c *checker) favour(key string, names []string) {
	neurons := c.neuronNames()
	for i, name := range names {
		if !slices.Contains(neurons, name) {
			c.fault(key, fmt.Sprintf("no miner or validator %q", name), "names of nodes, as in "+neurons[0], settings.Meant(name, neurons))
		}
		if slices.Contains(names[:i], name) {
			c.fault(key, fmt.Sprintf("%q appears twice", name), "each name once", "")
		}
	}
}

// neuronNames lists the names of all miners and validators, including newcomers.
func (sc *Scenario) neuronNames() []string {
	var names []string
	for _, n := range sc.neurons() {
		names = append(names, n.Name)
	}
	return names
}

func (c *checker) applications() {
	for i := range c.Applications {
		g, key := &c.Applications[i], fmt.Sprintf("applications[%d]", i)
		c.name(key, g.Name)
		g.Check(key, c.Corpus.Vocab, c.fault)
		for j, m := range c.Miners {
			if g.Prompt > m.Context {
				c.fault(key+".prompt", fmt.Sprintf("%d tokens do not fit the context of %d of miners[%d] (%s)", g.Prompt, m.Context, j, m.Name),
					"at most the smallest context", "")
			}
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
	if blocks := c.BlockCount(); p.TempoBlocks > blocks && c.Chain.Metagraph == "" { // an imported ledger is within an epoch
		c.fault("chain.tempo_blocks", fmt.Sprintf("%d, longer than the run of %d blocks", p.TempoBlocks, blocks),
			"at least one epoch in the run", "lengthen time.hours")
	}
	if issued := c.genesisRao(&p.Hard); issued > p.CapRao {
		c.fault("chain", fmt.Sprintf("stakes, free money and initial issuance come to %.3f TAO", float64(issued)/chain.RaoPerTAO),
			fmt.Sprintf("at most %s", role.TAO(p.CapRao)), "lower stake_tao, free_tao or initial_issuance_tao")
	}
	if c.Chain.Owner != "" && !slices.Contains(c.groups(), c.Chain.Owner) {
		c.fault("chain.owner", fmt.Sprintf("no group %q", c.Chain.Owner), "one of "+strings.Join(c.groups(), ", "),
			settings.Meant(c.Chain.Owner, c.groups()))
	}
	c.council()
	if p.OwnerCut > 0 && c.Chain.Owner == "" {
		c.fault("chain.owner", "missing, but the owner gets a cut", "the name of a group", "or set owner_cut = 0")
	}
	targets := c.MinerCount()
	if int(p.MinAllowedWeights) > targets {
		c.fault("chain.min_allowed_weights", fmt.Sprintf("%d entries, but there are %d miners to weight",
			p.MinAllowedWeights, targets), fmt.Sprintf("at most %d", targets), "")
	}
	c.work(&p)
	c.Chain.Idle(&p, c.fault)
}

// council checks that the members are different nodes of the scenario.
func (c *checker) council() {
	var members []string
	for _, g := range c.groupSizes() {
		for i := range g.count {
			members = append(members, member(g.name, i))
		}
	}
	for i, name := range c.Chain.Council {
		key := fmt.Sprintf("chain.council[%d]", i)
		if !slices.Contains(members, name) {
			c.fault(key, fmt.Sprintf("no node %q", name), "a member of a group, as in validator-1", settings.Meant(name, members))
		}
		if slices.Contains(c.Chain.Council[:i], name) {
			c.fault(key, fmt.Sprintf("%q appears twice", name), "each node once", "")
		}
	}
}

// Bounds on a scenario's demands on the machine.
const (
	maxModelBytes = 16 << 30  // of all base models, and of weights and moments of all miners that train
	maxBatchBytes = 4 << 30   // of the activations of one batch; each worker may hold one
	maxRunBlocks  = 1<<32 - 1 // each may end an epoch, and tables count epochs in 32 bits
	maxNodes      = 16384     // applications and holders in all; neurons have their own limit
)

// memory refuses models that exceed the memory of the largest intended machine.
func (c *checker) memory() {
	total := uint64(0)
	for _, g := range c.Miners {
		if !g.Acts().Model {
			continue
		}
		width := uint64(g.Width)
		params := uint64(c.Corpus.Vocab+g.Context)*width + uint64(g.Layers)*(12*width*width+13*width) + 2*width
		total += 4 * params
		if g.Acts().Trains {
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
		if !g.Acts().Model {
			continue
		}
		key := fmt.Sprintf("miners[%d]", i)
		c.batch("base.rows", c.Base.Rows, g.Context, g.Width, g.Layers, g.Heads)
		c.batch("evaluation.rows", c.Evaluation.Rows/subsets, g.Context, g.Width, g.Layers, g.Heads)
		if g.Acts().Trains {
			c.batch(key+".rows", g.Rows, g.Context, g.Width, g.Layers, g.Heads)
		}
		for k, v := range c.Validators {
			if v.Acts().Asks {
				c.batch(fmt.Sprintf("validators[%d].rows", k), v.Rows, v.Tokens, max(g.Width, v.RouterWidth), g.Layers, max(g.Heads, v.RouterHeads))
			}
		}
	}
}

// batch refuses a batch whose activations exceed the memory of the largest intended machine: about 16
// numbers per channel, layer and token, the attention of each head to every token, and the logits twice.
func (c *checker) batch(key string, rows, cols, width, layers, heads int) {
	tokens := uint64(rows) * uint64(cols)
	perToken := uint64(layers)*(16*uint64(width)+2*uint64(heads)*uint64(cols)) + 2*uint64(c.Corpus.Vocab)
	if bytes := 4 * tokens * perToken; bytes > maxBatchBytes { // far below 2^63
		c.fault(key, fmt.Sprintf("a batch of %d rows of %d tokens takes %.1f GiB", rows, cols, float64(bytes)/(1<<30)),
			fmt.Sprintf("at most %d", maxBatchBytes>>30), "lower rows, tokens, context, width or layers")
	}
}

// size refuses runs that are too long and networks that are too large.
func (c *checker) size() {
	if blocks := c.BlockCount(); blocks > maxRunBlocks {
		c.fault("time.hours", fmt.Sprintf("%g h of blocks every %g s are %d blocks", c.Time.Hours, c.Time.BlockS, blocks),
			fmt.Sprintf("at most %d", maxRunBlocks), "shorten time.hours or lengthen time.block_s")
	}
	n := 0
	for _, g := range c.Applications {
		n += g.Count
	}
	for _, g := range c.Holders {
		n += g.Count
	}
	if n > maxNodes {
		c.fault("applications", fmt.Sprintf("%d and holders in all", n), fmt.Sprintf("at most %d", maxNodes), "lower count")
	}
}

// located gives an error of the parameters its place.
func (c *checker) located(err error) error {
	var fault *settings.Error
	if errors.As(err, &fault) {
		fault.Where = c.where(fault.Key)
		return fault
	}
	return &settings.Error{Where: c.where("chain"), Key: "chain", Fault: err.Error()}
}

// MinerCount is the number of miners' uids at the beginning.
func (sc *Scenario) MinerCount() int {
	n := 0
	for _, g := range sc.Miners {
		if g.JoinsH == 0 {
			n += g.Count * g.UIDs
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

// genesisRao is the issuance at genesis: the initial issuance of the scenario, all stakes and all free
// money.
func (sc *Scenario) genesisRao(hard *chain.Hard) uint64 {
	issued := role.Rao(sc.Chain.InitialIssuanceTAO) // at most 768 groups of little more than the supply: no overflow
	for _, g := range sc.Miners {
		issued += g.sumRao(g.StakeTAO, g.Count, hard)
	}
	for _, g := range sc.Validators {
		issued += g.sumRao(g.StakeTAO, g.Count, hard)
	}
	for _, g := range sc.Applications {
		issued += g.sumRao(g.StakeTAO, g.Count, hard)
	}
	for _, g := range sc.Holders {
		issued += new(Group).sumRao(g.MoneyTAO, g.Count, hard)
	}
	return issued
}

// BlockCount is the number of blocks in the run.
func (sc *Scenario) BlockCount() uint64 {
	return uint64(float64(sc.Time.Hours*3600)/sc.Time.BlockS + 0.5)
}

// Params returns the chain's parameters: the era's, scaled to the network, with the scenario's overrides.
func (sc *Scenario) Params() (chain.Params, error) {
	return sc.Chain.Params(sc.NeuronCount(), sc.MinerCount())
}
