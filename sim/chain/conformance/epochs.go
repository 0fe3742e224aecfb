package conformance

import (
	"fmt"
	"strconv"

	"taolab/sim/chain/consensus"
)

// yumaCases are the cases of a format of the Yuma chains.
type yumaCases struct {
	defaults caseParams
	rule     func(p caseParams) consensus.Name
	results  []result // that an expect may name
}

// defaults2026 are the parameters that a case takes where it names none: those of the chain in
// June 2026.
var defaults2026 = caseParams{
	Params: consensus.Params{
		TempoBlocks: 360, Kappa: 32767, BondsPenalty: 65535, BondsMovingAveragePPM: 900_000,
		ActivityCutoffBlocks: 5000, MaxValidators: 128,
		AlphaLow: 45875, AlphaHigh: 58982, AlphaSteepness: 1000,
	},
	commitReveal: true,
}

// defaults2025 are those of the chain in January 2025, which had neither penalty nor commits.
var defaults2025 = func() caseParams {
	p := defaults2026
	p.commitReveal = false
	return p
}()

var yuma2026 = yumaCases{
	defaults: defaults2026,
	rule: func(p caseParams) consensus.Name {
		if p.yuma3 {
			return consensus.Yuma3
		}
		return consensus.Yuma2
	},
	results: epochResults,
}

var yuma2025 = yumaCases{
	defaults: defaults2025,
	rule:     func(caseParams) consensus.Name { return consensus.Yuma2Liquid },
	results: append([]result{
		{"rank", func(o *consensus.Output) []uint64 { return widened(o.Rank) }},
		{"trust", func(o *consensus.Output) []uint64 { return widened(o.Trust) }},
		{"pruning_score", func(o *consensus.Output) []uint64 { return widened(o.PruningScore) }},
	}, epochResults...),
}

// result is a part of an epoch's outcome, a number per uid.
type result struct {
	name string
	of   func(*consensus.Output) []uint64
}

var epochResults = []result{
	{"server_emission", func(o *consensus.Output) []uint64 { return o.ServerEmissionRao }},
	{"validator_emission", func(o *consensus.Output) []uint64 { return o.ValidatorEmissionRao }},
	{"emission", func(o *consensus.Output) []uint64 { return o.EmissionRao }},
	{"consensus", func(o *consensus.Output) []uint64 { return widened(o.Consensus) }},
	{"incentive", func(o *consensus.Output) []uint64 { return widened(o.Incentive) }},
	{"dividends", func(o *consensus.Output) []uint64 { return widened(o.Dividends) }},
	{"validator_trust", func(o *consensus.Output) []uint64 { return widened(o.ValidatorTrust) }},
	{"stake_weight", func(o *consensus.Output) []uint64 { return widened(o.StakeWeight) }},
	{"active", func(o *consensus.Output) []uint64 { return fromBits(o.Active) }},
	{"validator_permit", func(o *consensus.Output) []uint64 { return fromBits(o.Permits) }},
}

func widened(v []uint16) []uint64 {
	out := make([]uint64, len(v))
	for i, x := range v {
		out[i] = uint64(x)
	}
	return out
}

func fromBits(v []bool) []uint64 {
	out := make([]uint64, len(v))
	for i, b := range v {
		out[i] = fromBit(b)
	}
	return out
}

func checkEpochScenarios(c *comparison, root *object) { yuma2026.check(c, root) }

func checkEpochScenarios2025(c *comparison, root *object) {
	if at, ok := root.maybe("math"); ok {
		c.functions(c.object(at))
	}
	functions, passed := c.result.Cases, c.result.Passed
	c.result.Cases, c.result.Passed = 0, 0
	yuma2025.check(c, root)
	c.result.Cases += functions
	c.result.Passed += passed
}

func (y yumaCases) check(c *comparison, root *object) {
	scenarios := c.elements(root.need("scenarios"), len(c.Nodes))
	c.count(root, "scenarios", len(scenarios))
	ws := &consensus.Workspace{}
	for i, at := range scenarios {
		y.scenario(c, ws, i, at, none)
	}
}

// checkMetagraph checks runs that start from one recorded network.
func checkMetagraph(c *comparison, root *object) {
	root.notes("netuid", "block")
	initial := root.need("common_initial")
	ws := &consensus.Workspace{}
	for i, at := range c.elements(root.need("runs"), len(c.Nodes)) {
		yuma2026.scenario(c, ws, i, at, initial)
	}
	if at, ok := root.maybe("n"); ok {
		stakes := c.object(initial).need("stakes")
		if n := len(c.elements(stakes, maxNeurons)); c.err == nil && c.unsigned(at, maxNeurons) != uint64(n) {
			c.fail(at, "%s, but there are %d stakes", c.Found(at), n)
		}
	}
	c.count(root, "epochs", c.result.Epochs)
}

// caseName reads the name of a case that has one.
func (c *comparison) caseName(o *object) {
	if at, ok := o.maybe("name"); ok && c.err == nil {
		if name := c.text(at); c.err == nil {
			c.name = name
		}
	}
}

// scenario runs one case. shared is an initial state for cases that have none of their own.
func (y yumaCases) scenario(c *comparison, ws *consensus.Workspace, i, at, shared int) {
	c.begin(fmt.Sprintf("scenarios[%d]", i))
	o := c.object(at)
	c.caseName(o)
	n := &network{
		comparison: c, params: y.defaults, weights: 65535, bonds: 65535, stored: storedUpscaled,
	}
	n.params.read(c.object(o.need("params")))
	initial := o.need("initial")
	if shared != none && initial != none && c.Kind(initial) == '"' {
		initial = shared
	}
	if state := c.object(initial); c.err == nil {
		n.load(state, state.need("block"))
		n.in.RegisteredAt = n.perUID(state.need("registered_at"), n.block)
		n.loadPermits(state.need("validator_permit"))
		n.loadWeights(state.need("weights"))
		n.loadBonds(state.need("bonds"))
		state.end()
	}
	epochs := 0
	epoch := operation{"epoch", func(n *network, o *object) {
		c.epoch = epochs
		epochs++
		y.epoch(n, o, ws)
		c.epoch = -1
	}}
	for k, op := range c.elements(o.need("ops"), len(c.Nodes)) {
		c.op = k
		if c.err == nil {
			n.apply(op, yumaOnly, epoch)
		}
	}
	o.end()
	c.finish(at)
}

// epoch runs an epoch, compares all that the file expects of it and keeps what the chain keeps.
func (y yumaCases) epoch(n *network, o *object, ws *consensus.Workspace) {
	emission := n.unsigned(o.need("emission"), 1<<64-1)
	expect := n.object(o.need("expect"))
	out := n.run(o.at, y.rule(n.params), ws, emission)
	if n.err != nil {
		return
	}
	n.result.Epochs++
	n.expect(expect, y.results, out)
	expect.end()
	copy(n.in.Permits, out.Permits)
	for i, row := range out.Bonds {
		n.in.Bonds[i] = append([]consensus.BondEntry(nil), row...)
	}
}

// expect compares the parts of an outcome that the file names.
func (n *network) expect(expect *object, results []result, out *consensus.Output) {
	if len(expect.names) == 0 {
		n.fail(expect.at, "nothing is expected")
	}
	for _, r := range results {
		if at, ok := expect.maybe(r.name); ok {
			n.numbers(at, func(i int) place { return ofUID(r.name, i) }, r.of(out), func(at int) uint64 {
				if n.Kind(at) != '0' {
					return fromBit(n.flag(at))
				}
				return n.unsigned(at, 1<<64-1)
			})
		}
	}
	if at, ok := expect.maybe("bonds"); ok {
		n.expectBonds(at, out.Bonds)
	}
	if at, ok := expect.maybe("bonds_summary"); ok {
		n.expectSummary(n.object(at), out.Bonds)
	}
}

// expectBonds compares all rows; one that the file does not have is empty.
func (n *network) expectBonds(at int, got [][]consensus.BondEntry) {
	named := make([]bool, n.size())
	n.rows(at, func(uid, row int) {
		named[uid] = true
		n.expectRow("bonds", uid, row, n.bondRow(row), got[uid])
	})
	for uid, row := range got {
		if n.err == nil && !named[uid] {
			n.expectRow("bonds", uid, at, nil, row)
		}
	}
}

func (n *network) expectRow(name string, uid, at int, want, got []consensus.BondEntry) {
	for k := range max(len(want), len(got)) {
		entry := func(row []consensus.BondEntry) string {
			if k >= len(row) {
				return "no entry"
			}
			return fmt.Sprintf("[%d, %d]", row[k].UID, row[k].Bond)
		}
		same(n.comparison, at, inRow(name, uid, k), entry(want), entry(got))
	}
}

// expectSummary compares the number of bonds, their sum and the beginning of uid 0's row.
func (n *network) expectSummary(o *object, got [][]consensus.BondEntry) {
	var entries, sum uint64
	for _, row := range got {
		entries += uint64(len(row))
		for _, b := range row {
			sum += b.Bond
		}
	}
	at := o.need("entries")
	same(n.comparison, at, field("bonds_summary.entries"), n.unsigned(at, 1<<64-1), entries)
	at = o.need("sum")
	same(n.comparison, at, field("bonds_summary.sum"), n.unsigned(at, 1<<64-1), sum)
	at = o.need("row0")
	o.end()
	if n.err != nil || len(got) == 0 {
		return
	}
	if n.null(at) {
		same(n.comparison, at, ofUID("bonds_summary.row0", 0), "0 entries",
			strconv.Itoa(len(got[0]))+" entries")
		return
	}
	want := n.bondRow(at)
	n.expectRow("bonds_summary.row0", 0, at, want, got[0][:min(len(want), len(got[0]))])
}
