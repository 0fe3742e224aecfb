package conformance

import (
	"fmt"
	"strings"

	"taolab/sim/chain/emission"
)

// checkEmission checks the supply curve: a table of single blocks, and schedules, each the eras of
// a run whose block 0 starts from some issuance.
func checkEmission(c *comparison, root *object) {
	curve := emission.Curve{
		Rule: emission.ByIssuance, RewardRao: emission.FirstBlockRao, CapRao: emission.SupplyRao,
		HalvingBlocks: emission.EraBlocks,
	}
	if at, ok := root.maybe("total_supply"); ok {
		curve.CapRao = c.unsigned(at, 1<<62)
	}
	if at, ok := root.maybe("default_block_emission"); ok {
		curve.RewardRao = c.unsigned(at, 1<<62)
	}
	if err := curve.Validate(); err != nil {
		c.fail(root.at, "%v", err)
	}
	eras := 0
	if at, ok := root.maybe("table"); ok {
		eras += c.emissionTable(curve, at)
	}
	for _, name := range root.names {
		if start, ok := strings.CutPrefix(name, "schedule_"); ok && c.err == nil {
			eras += c.schedule(curve, root, name, start)
		}
	}
	if at, ok := root.maybe("bitcoin_style_by_height"); ok && c.err == nil {
		c.byHeight(curve, at)
	}
	c.count(root, "rows in the table and the schedules", eras)
}

func (c *comparison) emissionTable(curve emission.Curve, at int) int {
	rows := c.elements(at, len(c.Nodes))
	for i, row := range rows {
		c.begin(fmt.Sprintf("table[%d]", i))
		if pair := c.elements(row, 2); len(pair) == 2 {
			issuance := c.unsigned(pair[0], 1<<64-1)
			got, _ := curve.Next(1, issuance)
			same(c, pair[1], field("emission"), c.unsigned(pair[1], 1<<64-1), got)
		} else {
			c.fail(row, "want a pair of an issuance and an emission")
		}
		c.finish(row)
	}
	return len(rows)
}

// schedule checks a list of eras and what is stated of its end. All follows from its first row: where
// that has a fault, the others cannot be looked at.
func (c *comparison) schedule(curve emission.Curve, root *object, name, start string) int {
	endAt, hasEnd := root.maybe("final_issuance_" + start)
	lastAt, hasLast := root.maybe("first_block_with_zero_emission_" + start)
	rows := c.elements(root.need(name), 1<<10)
	var first, issuance uint64
	for i, row := range rows {
		c.begin(fmt.Sprintf("%s[%d]", name, i))
		o := c.object(row)
		blockAt, issuanceAt, raoAt := o.need("start_block"), o.need("start_issuance"), o.need("emission_rao")
		o.end()
		block, rao := c.unsigned(blockAt, maxAmount), c.unsigned(raoAt, 1<<64-1)
		if i == 0 {
			first, issuance = block, c.unsigned(issuanceAt, 1<<62)
		}
		if block < first {
			c.fail(blockAt, "before the first era, which starts at block %d", first)
		}
		if c.err != nil {
			if c.finish(row); i == 0 {
				return len(rows)
			}
			continue
		}
		before := issuance + curve.Sum(1, issuance, block-first)
		same(c, issuanceAt, field("start_issuance"), c.unsigned(issuanceAt, 1<<62), before)
		got, _ := curve.Next(1, before)
		same(c, raoAt, field("emission_rao"), rao, got)
		if i > 0 { // the block before pays something else
			earlier := issuance + curve.Sum(1, issuance, max(block, first+1)-first-1)
			paid, _ := curve.Next(1, earlier)
			same(c, blockAt, field("start_block is a change"), true, paid != got)
		}
		c.finish(row)
	}
	if hasEnd && c.err == nil {
		c.begin("final_issuance_" + start)
		same(c, endAt, field("issuance"), c.unsigned(endAt, 1<<62), issuance+curve.Sum(1, issuance, 1<<62))
		c.finish(endAt)
	}
	if hasLast && c.err == nil {
		c.begin("first_block_with_zero_emission_" + start)
		got, from := first, issuance
		for {
			rao, blocks := curve.Next(1, from)
			if rao == 0 {
				break
			}
			got += blocks
			from += rao * blocks
		}
		same(c, lastAt, field("block"), c.unsigned(lastAt, 1<<62), got)
		c.finish(lastAt)
	}
	return len(rows)
}

// byHeight checks the sums of a curve that halves by height.
func (c *comparison) byHeight(curve emission.Curve, at int) {
	curve.Rule = emission.ByHeight
	c.begin("bitcoin_style_by_height")
	o := c.object(at)
	totalAt, erasAt := o.need("total_rao"), o.need("eras_with_nonzero_emission")
	o.end()
	total := curve.Sum(1, 0, 1<<62)
	same(c, totalAt, field("total_rao"), c.unsigned(totalAt, 1<<62), total)
	eras := uint64(0)
	for height, sum := uint64(1), uint64(0); ; eras++ {
		rao, blocks := curve.Next(height, sum)
		if rao == 0 {
			break
		}
		height += blocks
		sum += rao * blocks
	}
	same(c, erasAt, field("eras_with_nonzero_emission"), c.unsigned(erasAt, 1<<32), eras)
	c.finish(at)
}
