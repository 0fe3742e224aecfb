package conformance

import (
	"fmt"
	"slices"

	"taolab/sim/chain/consensus"
)

// defaults2022 are the parameters of the chain in March 2022.
var defaults2022 = caseParams{Params: consensus.Params{
	BondsMovingAveragePPM: 900_000, ActivityCutoffBlocks: 5000,
	Rho: 10, KappaInverse: 2, SelfOwnershipInverse: 2,
}}

// wideWeight is the largest stored weight: the sum of a row.
const wideWeight = 1<<32 - 1

var nakamotoResults = []result{
	{"rank", func(o *consensus.Output) []uint64 { return o.Wide.Rank }},
	{"trust", func(o *consensus.Output) []uint64 { return o.Wide.Trust }},
	{"consensus", func(o *consensus.Output) []uint64 { return o.Wide.Consensus }},
	{"incentive", func(o *consensus.Output) []uint64 { return o.Wide.Incentive }},
	{"dividends", func(o *consensus.Output) []uint64 { return o.Wide.Dividends }},
	{"emission", func(o *consensus.Output) []uint64 { return o.EmissionRao }},
	{"active", func(o *consensus.Output) []uint64 { return fromBits(o.Active) }},
}

func newNakamoto(c *comparison) *network {
	return &network{
		comparison: c, params: defaults2022, weights: wideWeight, bonds: 1<<64 - 1,
		stored: storedNormalized,
	}
}

func checkNakamotoSteps(c *comparison, root *object) {
	scenarios := c.elements(root.need("scenarios"), len(c.Nodes))
	c.count(root, "scenarios", len(scenarios))
	ws := &consensus.Workspace{}
	for i, at := range scenarios {
		c.begin(fmt.Sprintf("scenarios[%d]", i))
		o := c.object(at)
		c.caseName(o)
		n := newNakamoto(c)
		n.params.read(c.object(o.need("params")))
		if state := c.object(o.need("initial")); c.err == nil {
			n.load(state, state.need("block"))
			n.loadWeights(state.need("weights_u32"))
			n.loadBonds(state.need("bonds_u64"))
			n.issuance = n.amount(state.need("issuance"))
			state.end()
		}
		steps := 0
		step := operation{"step", func(n *network, o *object) {
			c.epoch = steps
			steps++
			emission := n.unsigned(o.need("emission"), maxAmount)
			expect := o.need("expect")
			n.step(o.at, ws, emission, expect)
			c.epoch = -1
		}}
		for k, op := range c.elements(o.need("ops"), len(c.Nodes)) {
			c.op = k
			if c.err == nil {
				n.apply(op, nakamotoOnly, step)
			}
		}
		o.end()
		c.finish(at)
	}
}

// step runs a step, pays it and compares what the file expects; expect may be none.
func (n *network) step(at int, ws *consensus.Workspace, emission uint64, expect int) {
	out := n.run(at, consensus.Nakamoto, ws, emission)
	if n.err != nil {
		return
	}
	n.result.Epochs++
	clear(n.pruned)
	var total uint64
	for i, rao := range out.EmissionRao {
		total += rao
		n.in.StakesRao[i] += rao // both below 2^63
		n.in.Bonds[i] = slices.Clone(out.Bonds[i])
	}
	n.checkStakes(at)
	if n.issuance += total; n.issuance > maxAmount {
		n.fail(at, "the issuance passes %d rao", uint64(maxAmount))
	}
	if expect == none || n.err != nil {
		return
	}
	o := n.object(expect)
	n.expect(o, nakamotoResults, out)
	if at, ok := o.maybe("stake"); ok {
		n.numbers(at, func(i int) place { return ofUID("stake", i) }, n.in.StakesRao, n.amount)
	}
	stakes := uint64(0)
	for _, s := range n.in.StakesRao {
		stakes += s
	}
	for _, sum := range []struct {
		name string
		got  uint64
	}{{"total_emission", total}, {"issuance", n.issuance}, {"total_stake", stakes}} {
		if at, ok := o.maybe(sum.name); ok {
			same(n.comparison, at, field(sum.name), n.unsigned(at, 1<<64-1), sum.got)
		}
	}
	o.end()
}

// checkNakamotoGraph checks equal steps on one recorded network.
func checkNakamotoGraph(c *comparison, root *object) {
	c.begin("graph")
	c.caseName(root)
	n := newNakamoto(c)
	n.params.read(c.object(root.need("params")))
	n.loadGraph(root)
	steps := c.object(root.need("steps"))
	emission := c.unsigned(steps.need("emission_each"), maxAmount)
	between := c.unsigned(steps.need("blocks_between"), 1<<32)
	count := int(c.unsigned(steps.need("count"), 1<<20))
	steps.end()
	expected := c.elements(root.need("expected"), count)
	c.count(root, "expected steps", len(expected))
	ws := &consensus.Workspace{}
	next := 0
	for k, at := range expected {
		o := c.object(at)
		stepAt, expect := o.need("step"), o.need("expect")
		o.end()
		step := int(c.unsigned(stepAt, uint64(max(count, 1)-1)))
		if step < next {
			c.fail(stepAt, "step %d comes after step %d: want ascending steps", step, next-1)
		}
		c.op = k
		for ; next <= step && c.err == nil; next++ {
			c.epoch = next
			shown := none
			if next == step {
				shown = expect
			}
			n.step(at, ws, emission, shown)
			n.in.Block += between
		}
	}
	c.finish(root.at)
}

// loadMillionths reads rows that the chain has yet to scale; who has none weighs itself.
func (n *network) loadMillionths(at int) {
	for uid := range n.in.Weights {
		n.in.Weights[uid] = weightEntries([]consensus.UID{consensus.UID(uid)}, []uint64{wideWeight})
	}
	n.rows(at, func(uid, row int) {
		uids, values := n.row(row, 1<<31)
		n.in.Weights[uid] = weightEntries(uids, storedNormalized(values))
	})
}

// loadGraph reads the network.
func (n *network) loadGraph(root *object) {
	state := n.object(root.need("initial"))
	if n.err != nil {
		return
	}
	blockAt, ok := state.maybe("block")
	if !ok {
		blockAt = root.need("block")
	}
	n.load(state, blockAt)
	if at, ok := root.maybe("n"); ok && n.unsigned(at, maxNeurons) != uint64(n.size()) {
		n.fail(at, "%s, but there are %d stakes", n.Found(at), n.size())
	}
	if at, ok := state.maybe("weights_u32"); ok {
		n.loadWeights(at)
	} else {
		n.loadMillionths(state.need("weights_ppm_rows"))
	}
	if at, ok := state.maybe("bonds_u64"); ok {
		n.loadBonds(at)
	}
	n.issuance = n.amount(state.need("issuance"))
	state.end()
}
