package conformance

import (
	"fmt"

	"taolab/sim/chain"
	"taolab/sim/chain/registration"
)

// checkRegistration checks prices, pruning and the times of epochs.
func checkRegistration(c *comparison, root *object) {
	total := 0
	for _, part := range []struct {
		name  string
		check func(c *comparison, o *object)
	}{
		{"adjustment", adjustment},
		{"burn_price", burnPrice},
		{"pruning", pruning},
		{"epoch_due", epochDue},
	} {
		at, ok := root.maybe(part.name)
		if !ok {
			continue
		}
		for i, at := range c.elements(at, len(c.Nodes)) {
			c.begin(fmt.Sprintf("%s[%d]", part.name, i))
			o := c.object(at)
			if at, ok := o.maybe("name"); ok && c.err == nil {
				c.name += " " + c.text(at)
			}
			part.check(c, o)
			o.end()
			c.finish(at)
			total++
		}
	}
	c.count(root, "cases", total)
}

func adjustment(c *comparison, o *object) {
	in, out := c.object(o.need("in")), o.need("out")
	var v [6]uint64
	for i, name := range []string{
		"current", "registrations", "target", "adjustment_alpha_u64", "min", "max",
	} {
		v[i] = c.unsigned(in.need(name), 1<<64-1)
	}
	in.end()
	if v[4] > v[5] {
		c.fail(in.at, "min is above max")
	}
	if c.err == nil {
		same(c, out, field("out"), c.unsigned(out, 1<<64-1),
			registration.Adjust(v[0], v[1], v[2], v[3], v[4], v[5]))
	}
}

func burnPrice(c *comparison, o *object) {
	in, out := c.object(o.need("in")), o.need("out")
	price := c.unsigned(in.need("burn"), 1<<64-1)
	halfLife := c.unsigned(in.need("half_life"), 1<<32)
	increaseAt := in.need("increase_mult")
	percent, exact := c.scaled(increaseAt, 100)
	if !exact {
		c.fail(increaseAt, "want a factor in whole percent")
	}
	lo, hi := c.unsigned(in.need("min"), 1<<64-1), c.unsigned(in.need("max"), 1<<64-1)
	if lo > hi {
		c.fail(in.at, "min is above max")
	}
	factor := registration.DecayFactor(halfLife)
	if at, ok := o.maybe("factor_q32"); ok {
		same(c, at, field("factor_q32"), c.unsigned(at, 1<<32), factor)
	}
	var prices []uint64
	for _, at := range c.elements(in.need("actions"), len(c.Nodes)) {
		switch name := c.text(at); name {
		case "register":
			price = registration.Raise(price, percent, lo, hi)
		case "block":
			price = registration.Decayed(price, factor, lo, hi)
		default:
			c.fail(at, "unknown action, want register or block")
		}
		prices = append(prices, price)
	}
	in.end()
	c.numbers(out, func(i int) place { return ofIndex("out", i) }, prices,
		func(at int) uint64 { return c.unsigned(at, 1<<64-1) })
}

func pruning(c *comparison, o *object) {
	in := c.object(o.need("in"))
	block := c.unsigned(in.need("block"), maxAmount)
	immunity := c.unsigned(in.need("immunity_period"), maxAmount)
	least := int(c.unsigned(in.need("min_non_immune"), maxNeurons))
	var all []registration.Candidate
	neuronsAt := in.need("emission_and_registered_at")
	for _, at := range c.elements(neuronsAt, maxNeurons) {
		pair := c.elements(at, 2)
		if len(pair) != 2 {
			c.fail(at, "want a pair of an emission and a block")
			return
		}
		all = append(all, registration.Candidate{
			Score: c.unsigned(pair[0], 1<<64-1), RegisteredAt: c.unsigned(pair[1], block),
		})
	}
	owner := in.need("owner_immune_uids")
	for _, at := range c.elements(owner, maxNeurons) {
		if uid := c.unsigned(at, uint64(max(len(all), 1)-1)); c.err == nil && len(all) > 0 {
			all[uid].Exempt = true
		}
	}
	in.end()
	if c.err != nil {
		return
	}
	neuron := func(i int) registration.Candidate { return all[i] }
	if at, ok := o.maybe("out_2026"); ok {
		i, _, ok := registration.PruneByEmission(len(all), neuron, block, immunity, least)
		c.pruned(at, "out_2026", i, ok)
	}
	if at, ok := o.maybe("out_2025_by_score"); ok { // the vectors take the emission as the score
		i, ok := registration.PruneByScore(len(all), neuron, block, immunity)
		c.pruned(at, "out_2025_by_score", i, ok)
	}
}

// pruned compares who goes; null is nobody.
func (c *comparison) pruned(at int, name string, uid int, ok bool) {
	want, got := "nobody", "nobody"
	if !c.null(at) {
		want = fmt.Sprint(c.unsigned(at, maxNeurons))
	}
	if ok {
		got = fmt.Sprint(uid)
	}
	same(c, at, field(name), want, got)
}

func epochDue(c *comparison, o *object) {
	tempo, block := c.unsigned(o.need("tempo"), 1<<32), c.unsigned(o.need("block"), maxAmount)
	network := uint64(0)
	if at, ok := o.maybe("netuid"); ok {
		network = c.unsigned(at, 65535)
	}
	if at, ok := o.maybe("blocks_until_next_epoch_2023"); ok && c.err == nil {
		// The network's number only shifts the block.
		got := chain.BlocksToEpoch(chain.DueByHeight, tempo, 0, block+network)
		same(c, at, field("blocks_until_next_epoch_2023"), c.unsigned(at, 1<<64-1), got)
	}
	lastAt, ok := o.maybe("last_epoch_block")
	if !ok {
		return
	}
	got := chain.BlocksToEpoch(chain.DueSinceLast, tempo, c.unsigned(lastAt, block), block)
	if at, ok := o.maybe("blocks_until_next_auto_epoch_2026"); ok {
		same(c, at, field("blocks_until_next_auto_epoch_2026"), c.unsigned(at, 1<<64-1), got)
	}
	if at, ok := o.maybe("should_run_2026"); ok {
		same(c, at, field("should_run_2026"), c.bit(at), got == 0)
	}
}
