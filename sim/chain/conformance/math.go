package conformance

import (
	"fmt"

	"taolab/sim/chain/consensus"
	"taolab/sim/chain/fixed"
)

// maxList bounds the lists that a function takes.
const maxList = 1 << 16

// checkFixedMath checks functions of the chain's arithmetic one by one. Numbers are raw bits.
func checkFixedMath(c *comparison, root *object) {
	c.functions(c.object(root.need("vectors")))
	c.count(root, "vectors", c.result.Cases)
}

// functions checks an object of functions, each with a list of vectors.
func (c *comparison) functions(o *object) {
	for i, name := range o.names {
		var f func(v *vector)
		for _, known := range fixedFunctions {
			if known.name == name {
				f = known.check
			}
		}
		if f == nil {
			c.begin(name)
			c.fail(o.values[i]-1, "unknown function")
			c.finish(o.values[i])
			continue
		}
		for k, at := range c.elements(o.values[i], len(c.Nodes)) {
			c.begin(fmt.Sprintf("%s[%d]", name, k))
			v := &vector{comparison: c, all: c.object(at)}
			v.in, v.out = c.object(v.all.need("in")), v.all.need("out")
			if c.err == nil {
				f(v)
			}
			v.in.end()
			v.all.end()
			c.finish(at)
		}
	}
}

// vector is one call of a function.
type vector struct {
	*comparison
	all, in *object
	out     int
}

func (v *vector) bits(at int) fixed.I32F32 { return fixed.I32F32(v.signed(at, -1<<63, 1<<63-1)) }

// share reads one of the numbers that are compared by size: a share, or a few times one.
func (v *vector) share(at int) fixed.I32F32 { return fixed.I32F32(v.signed(at, 0, 1<<47-1)) }

func (v *vector) u16(at int) uint16 { return uint16(v.unsigned(at, 65535)) }

// number reads an argument.
func (v *vector) number(name string) fixed.I32F32 { return v.bits(v.in.need(name)) }

// list reads a list argument.
func (v *vector) list(name string) []fixed.I32F32 {
	return list(v.document, v.in.need(name), maxList, v.bits)
}

func (v *vector) shares(name string) []fixed.I32F32 {
	return list(v.document, v.in.need(name), maxList, v.share)
}

// gives compares the outcome of a function that gives one number.
func (v *vector) gives(got fixed.I32F32) { same(v.comparison, v.out, field("out"), v.bits(v.out), got) }

// giveAll compares the outcome of a function that gives a list.
func giveAll[T comparable](v *vector, got []T, read func(at int) T) {
	values := v.elements(v.out, maxList)
	v.result.Checks++
	if v.err == nil && len(values) != len(got) {
		v.differ(v.out, field("out"), fmt.Sprint(len(values), " values"), fmt.Sprint(len(got), " values"))
		return
	}
	for i, at := range values {
		same(v.comparison, at, ofIndex("out", i), read(at), got[i])
	}
}

var fixedFunctions = []struct {
	name  string
	check func(v *vector)
}{
	{"mul", func(v *vector) { v.gives(v.number("a").Mul(v.number("b"))) }},
	{"div", func(v *vector) { v.gives(v.number("a").SafeDiv(v.number("b"))) }},
	{"exp_safe", func(v *vector) { v.gives(fixed.Exp(v.number("x"))) }},
	{"ln", func(v *vector) { v.gives(fixed.Ln(v.number("x"))) }},
	{"sigmoid_safe", func(v *vector) {
		v.gives(fixed.Sigmoid(v.number("x"), v.number("rho"), v.number("kappa")))
	}},
	{"alpha_sigmoid", func(v *vector) {
		v.gives(consensus.PairAlpha(v.number("consensus"), v.number("weight"), v.number("bond"),
			v.number("alpha_low"), v.number("alpha_high"), v.number("steepness")))
	}},
	{"kappa", func(v *vector) { v.gives(fixed.FromU16(v.u16(v.in.need("kappa_u16")))) }},
	{"u16_proportion_to_fixed", func(v *vector) { v.gives(fixed.FromU16(v.u16(v.in.need("x")))) }},
	{"fixed_proportion_to_u16", func(v *vector) {
		same(v.comparison, v.out, field("out"), v.u16(v.out), v.number("x").U16())
	}},
	{"normalize", func(v *vector) {
		got := v.list("v")
		fixed.Normalize(got)
		giveAll(v, got, v.bits)
	}},
	{"vec_max_upscale_to_u16", func(v *vector) {
		in := v.list("v")
		got := make([]uint16, len(in))
		fixed.Upscale(got, in)
		giveAll(v, got, v.u16)
	}},
	{"vec_u16_max_upscale_to_u16", func(v *vector) {
		got := list(v.document, v.in.need("v"), maxList, v.u16)
		fixed.UpscaleU16(got)
		giveAll(v, got, v.u16)
	}},
	{"check_vec_max_limited", func(v *vector) {
		in := list(v.document, v.in.need("v"), maxList, v.u16)
		limit := v.u16(v.in.need("max_limit"))
		same(v.comparison, v.out, field("out"), v.bit(v.out), fixed.WithinLimit(in, limit))
	}},
	{"is_topk", func(v *vector) { v.topK(true) }},
	{"is_topk_nonzero", func(v *vector) { v.topK(false) }},
	{"weighted_median", weightedMedian},
	{"weighted_median_col", weightedMedianColumns},
	{"quantile", func(v *vector) {
		data := v.list("data")
		at := v.in.need("q")
		q, _ := v.scaled(at, 1<<32)
		if v.err == nil && (q > 1<<32 || len(data) == 0) {
			v.fail(at, "want a quantile from 0 to 1 of at least one number")
		}
		if v.err == nil {
			v.gives(consensus.Quantile(data, fixed.I32F32(q)))
		}
	}},
	{"logistic_params", func(v *vector) {
		a, b := consensus.LogisticParams(v.number("alpha_high"), v.number("alpha_low"),
			v.number("consensus_high"), v.number("consensus_low"))
		giveAll(v, []fixed.I32F32{a, b}, v.bits)
	}},
	{"compute_alpha_values", func(v *vector) {
		got := v.list("consensus")
		a, b := v.number("a"), v.number("b")
		for i, c := range got {
			got[i] = consensus.LogisticAlpha(c, a, b)
		}
		giveAll(v, got, v.bits)
	}},
}

func (v *vector) topK(zeros bool) {
	in := v.shares("v")
	k := int(v.unsigned(v.in.need("k"), 1<<32))
	giveAll(v, consensus.TopK(in, k, zeros), v.bit)
}

func weightedMedian(v *vector) {
	stake, score := v.shares("stake"), v.shares("score")
	minority, lo, hiAt := v.number("minority"), v.number("partition_lo"), v.in.need("partition_hi")
	if len(stake) != len(score) {
		v.fail(v.in.at, "%d stakes for %d scores", len(stake), len(score))
	}
	// The upper edge follows from the rest; a rule that works on the whole list does not need it.
	if hi := v.bits(hiAt); v.err == nil && hi != lo+fixed.Sum(stake) {
		v.fail(hiAt, "%d, but partition_lo and the stakes add up to %d", hi, lo+fixed.Sum(stake))
	}
	if v.err == nil {
		v.gives(consensus.Median(stake, score, lo, minority))
	}
}

func weightedMedianColumns(v *vector) {
	stake, majority := v.shares("stake"), v.number("majority")
	columns := len(v.elements(v.out, maxNeurons))
	rows := list(v.document, v.in.need("score"), maxNeurons, func(at int) []fixed.I32F32 {
		row := list(v.document, at, maxNeurons, v.share)
		if len(row) != columns {
			v.fail(at, "%d scores, but %d medians are expected", len(row), columns)
		}
		return row
	})
	if len(rows) != len(stake) {
		v.fail(v.in.at, "%d stakes for %d rows of scores", len(stake), len(rows))
	}
	if v.err == nil {
		giveAll(v, consensus.ColumnMedians(stake, rows, columns, majority), v.bits)
	}
}
