package main

import (
	"fmt"
	"math"
)

// lowest starts accumulators of a maximum for each row.
func (r *routine) lowest(rows int) [][]vec {
	bits := math.Float32bits(float32(math.Inf(-1)))
	list := r.accumulators(rows)
	for _, acc := range list {
		for _, v := range acc {
			r.constant(v, bits)
		}
	}
	return list
}

// zeroSums starts accumulators of a sum for each row.
func (r *routine) zeroSums(rows int) [][]vec {
	list := r.accumulators(rows)
	for _, acc := range list {
		for _, v := range acc {
			r.zero(v)
		}
	}
	return list
}

func (r *routine) accumulators(rows int) [][]vec {
	list := make([][]vec, rows)
	for k := range list {
		list[k] = r.temps(r.parts())
	}
	return list
}

// folds folds each row's accumulators and returns the registers whose lane 0 has the result.
func (r *routine) folds(op operation, acc [][]vec) []vec {
	r.together(len(acc), func(k int) { r.scope(func() { r.fold(op, acc[k], r.temp()) }) })
	list := make([]vec, len(acc))
	for k := range list {
		list[k] = acc[k][0]
	}
	return list
}

// inverses turn lane 0 of each register into its inverse in all lanes.
func (r *routine) inverses(list []vec) []vec {
	one := r.pin(1)
	r.together(len(list), func(k int) {
		r.scalar(divide, list[k], one, list[k])
		r.spread(list[k], list[k])
	})
	return list
}

func (r *routine) spreads(list []vec) []vec {
	for _, v := range list {
		r.spread(v, v)
	}
	return list
}

// tops finds the greatest element of each row, in all lanes of a register.
func (r *routine) tops(x reg, rows []reg, each func(body func(p part))) []vec {
	most := r.lowest(len(rows))
	each(func(p part) { r.greater(most[p.row][p.number], r.read(x, p), r.temp(), p) })
	return r.spreads(r.folds(larger, most))
}

// scaled multiplies each row by a factor of its own.
func (r *routine) scaled(x reg, rows []reg, s span, factors []vec) {
	r.each(s, rows, func(p part) {
		v := r.temp()
		r.mul(v, factors[p.row], r.once(x, p))
		r.store(v, x, p)
	})
}

func softmax(r *routine) {
	x, s := r.arg("x"), r.spanOf("cols")
	scale := r.argVector("scale")
	r.rows("rows", r.rowsAtATime(4), []reg{x}, func(rows []reg) {
		tops := r.tops(x, rows, func(body func(p part)) { r.each(s, rows, body) })
		acc := r.zeroSums(len(rows))
		r.each(s, rows, func(p part) {
			v := r.read(x, p)
			r.sub(v, v, tops[p.row])
			r.mul(v, v, scale)
			r.expBelow(v)
			r.keep(v, p)
			r.store(v, x, p)
			r.add(acc[p.row][p.number], acc[p.row][p.number], v)
		})
		r.scaled(x, rows, s, r.inverses(r.folds(add, acc)))
	})
}

func softmaxTerms(r *routine) {
	args, s := r.args("x", "sums", "tops"), r.spanOf("cols")
	x, sums, above := args[0], args[1], args[2]
	r.rows("rows", r.rowsAtATime(4), []reg{x}, func(rows []reg) {
		tops := r.tops(x, rows, func(body func(p part)) { r.each(s, rows, body) })
		acc := r.zeroSums(len(rows))
		r.each(s, rows, func(p part) {
			v := r.read(x, p)
			r.sub(v, v, tops[p.row])
			r.expBelow(v)
			r.keep(v, p)
			r.store(v, x, p)
			r.add(acc[p.row][p.number], acc[p.row][p.number], v)
		})
		target := r.temp()
		for _, top := range tops {
			r.loadScalar(target, above)
			r.scalar(subtract, top, top, target)
			r.storeScalar(top, above)
			r.addNumber(above, 4)
		}
		for _, sum := range r.folds(add, acc) {
			r.storeScalar(sum, sums)
			r.addNumber(sums, 4)
		}
	})
}

func scaleRows(r *routine) {
	args, s := r.args("x", "sums"), r.spanOf("cols")
	x, sums := args[0], args[1]
	n := r.argScalar("n", r.temp())
	r.rows("rows", 1, []reg{x}, func(rows []reg) {
		factor := r.temps(1)
		r.loadScalar(factor[0], sums)
		r.scalar(multiply, factor[0], factor[0], n)
		r.scaled(x, rows, s, r.inverses(factor))
		r.addNumber(sums, 4)
	})
}

// A triangle is a block of rows of which each has one valid element more than the one before.
type triangle struct {
	last  reg         // the last valid element of the first row at work
	valid span        // of that row, its last chunk never empty; the others at work end in the same one
	masks []*laneMask // of the valid elements in that chunk, row by row
	all   span        // of the whole row, valid or not
}

func (r *routine) triangle(rows int) triangle {
	t := triangle{last: r.arg("first"), valid: r.newSpan(), all: r.spanOf("end")}
	t.masks = []*laneMask{&t.valid.mask}
	for range rows - 1 {
		r.masks++
		t.masks = append(t.masks, &laneMask{bits: fmt.Sprintf("K%d", r.masks)})
	}
	return t
}

// next sets the spans up for the next rows.
func (t triangle) next(r *routine, rows []reg) { r.spanAbove(t.valid, t.last, t.masks[:len(rows)]) }

// read runs the body over every part with valid elements.
func (t triangle) read(r *routine, rows []reg, body func(p part)) {
	boundary := r.label()
	r.begin(rows)
	r.jumpUnlessLess(rows[0], t.valid.whole, boundary)
	r.loop(t.valid, rows, body)
	r.here(boundary)
	r.chunks(1, rows, 0, t.masks, body)
}

// write is read with a register to be written to x, zeros in the lanes that are not valid.
func (t triangle) write(r *routine, x reg, rows []reg, body func(p part) vec) {
	boundary, final, done := r.label(), r.label(), r.label()
	r.begin(rows)
	r.jumpUnlessLess(rows[0], t.valid.whole, boundary)
	r.loop(t.valid, rows, func(p part) { r.store(body(p), x, p) })
	r.here(boundary)
	bounded := func(mask *laneMask) {
		r.chunks(1, rows, 0, t.masks, func(p part) {
			v := body(p)
			r.keep(v, p)
			p.mask = mask
			r.store(v, x, p)
		})
	}
	r.jumpIfEqual(rows[0], t.all.whole, final)
	bounded(nil)
	r.jump(done)
	r.here(final)
	bounded(&t.all.mask)
	r.here(done)
}

// clear writes zeros to the chunks of x without valid elements.
func (t triangle) clear(r *routine, x reg, rows []reg) {
	again, rest, done := r.label(), r.label(), r.label()
	index := rows[0]
	r.jumpIfEqual(t.valid.whole, t.all.whole, done)
	r.begin(rows)
	for _, index := range rows {
		r.addRegister(index, t.valid.whole)
	}
	r.scope(func() {
		zero := r.temp()
		r.zero(zero)
		store := func(p part) { r.store(zero, x, p) }
		r.here(again)
		r.forward(rows, 4*chunk)
		r.jumpUnlessLess(index, t.all.whole, rest)
		r.chunks(1, rows, 0, nil, store)
		r.jump(again)
		r.here(rest)
		r.jumpIfEmpty(t.all, done)
		r.chunks(1, rows, 0, []*laneMask{&t.all.mask}, store)
	})
	r.here(done)
}

func causalSoftmax(r *routine) {
	most := r.rowsAtATime(4)
	x, t := r.arg("x"), r.triangle(most)
	scale := r.argVector("scale")
	// Rows at work together must end in the same chunk.
	unless := func(single string) { r.jumpIfLowBits(t.last, chunk-1, chunk-most, single) }
	r.rowsIf("rows", most, []reg{x}, unless, func(rows []reg) {
		t.next(r, rows)
		tops := r.tops(x, rows, func(body func(p part)) { t.read(r, rows, body) })
		acc := r.zeroSums(len(rows))
		t.write(r, x, rows, func(p part) vec {
			v := r.read(x, p)
			r.sub(v, v, tops[p.row])
			r.mul(v, v, scale)
			r.expBelow(v)
			r.keep(v, p) // before it is added
			r.add(acc[p.row][p.number], acc[p.row][p.number], v)
			return v
		})
		factors := r.inverses(r.folds(add, acc))
		t.write(r, x, rows, func(p part) vec {
			v := r.temp()
			r.mul(v, factors[p.row], r.once(x, p))
			return v
		})
		t.clear(r, x, rows)
		r.addNumber(t.last, len(rows))
	})
}

func causalSoftmaxBackward(r *routine) {
	args, t := r.args("p", "dp"), r.triangle(1)
	probs, dp := args[0], args[1]
	scale := r.argVector("scale")
	r.rows("rows", 1, nil, func(rows []reg) {
		t.next(r, rows)
		acc := r.zeroSums(1)
		t.read(r, rows, func(p part) { r.addProduct(acc[0], probs, dp, p) })
		mean := r.spreads(r.folds(add, acc))[0]
		t.write(r, dp, rows, func(p part) vec {
			v := r.read(dp, p)
			r.sub(v, v, mean)
			r.mul(v, v, r.once(probs, p))
			r.mul(v, v, scale)
			return v
		})
		t.clear(r, dp, rows)
		r.advance(probs, "pStride")
		r.advance(dp, "dpStride")
		r.addNumber(t.last, 1)
	})
}

// normEpsilon is what layer norm adds to a variance.
const normEpsilon = 1e-5

func layerNorm(r *routine) {
	args := r.args("x", "gain", "bias", "hat", "y", "scale")
	x, gain, bias, hat, y, scale := args[0], args[1], args[2], args[3], args[4], args[5]
	s := r.spanOf("cols")
	width := r.argScalar("width", r.temp())
	r.rows("rows", r.rowsAtATime(2), []reg{x, hat, y}, func(rows []reg) {
		acc := r.zeroSums(len(rows))
		r.each(s, rows, func(p part) {
			sum := acc[p.row][p.number]
			r.add(sum, sum, r.once(x, p))
		})
		means := r.folds(add, acc)
		r.together(len(rows), func(k int) {
			r.scalar(divide, means[k], means[k], width)
			r.spread(means[k], means[k])
		})
		acc = r.zeroSums(len(rows))
		r.each(s, rows, func(p part) {
			c, sum := r.read(x, p), acc[p.row][p.number]
			r.sub(c, c, means[p.row])
			r.mul(c, c, c)
			r.keep(c, p)
			r.add(sum, sum, c)
		})
		factors, epsilon := r.folds(add, acc), r.pin(normEpsilon)
		r.together(len(rows), func(k int) {
			r.scalar(divide, factors[k], factors[k], width)
			r.scalar(add, factors[k], factors[k], epsilon)
			r.scalarRoot(factors[k], factors[k])
		})
		for _, factor := range r.inverses(factors) {
			r.storeScalar(factor, scale)
			r.addNumber(scale, 4)
		}
		r.each(s, rows, func(p part) {
			h, along := r.read(x, p), p
			r.sub(h, h, means[p.row])
			r.mul(h, h, factors[p.row])
			r.store(h, hat, p)
			along.index = rows[0] // gain and bias have one row
			r.mul(h, h, r.once(gain, along))
			r.add(h, h, r.once(bias, along))
			r.store(h, y, p)
		})
	})
}

func layerNormBackward(r *routine) {
	args := r.args("dy", "gain", "hat", "dx", "dgain", "dbias", "scale")
	dy, gain, hat, dx, dgain, dbias, scale := args[0], args[1], args[2], args[3], args[4], args[5], args[6]
	s := r.spanOf("cols")
	width := r.argScalar("width", r.temp())
	r.rows("rows", 1, []reg{dy, hat, dx}, func(rows []reg) {
		acc := r.zeroSums(2)
		sums, products := acc[0], acc[1]
		r.each(s, rows, func(p part) {
			v, h, sum := r.read(dy, p), r.read(hat, p), r.temp()
			r.add(sum, v, r.once(dbias, p))
			r.store(sum, dbias, p)
			r.mul(sum, v, h)
			r.add(sum, sum, r.once(dgain, p))
			r.store(sum, dgain, p)
			r.mul(v, v, r.once(gain, p))
			r.add(sums[p.number], sums[p.number], v)
			r.mul(v, v, h)
			r.add(products[p.number], products[p.number], v)
		})
		means := r.folds(add, acc)
		r.together(2, func(k int) {
			r.scalar(divide, means[k], means[k], width)
			r.spread(means[k], means[k])
		})
		mean, along, factor := means[0], means[1], r.temp()
		r.loadScalar(factor, scale)
		r.spread(factor, factor)
		r.addNumber(scale, 4)
		r.each(s, rows, func(p part) {
			v, h := r.read(dy, p), r.read(hat, p)
			r.mul(v, v, r.once(gain, p))
			r.sub(v, v, mean)
			r.mul(h, h, along)
			r.sub(v, v, h)
			r.mul(v, v, factor)
			r.add(v, v, r.once(dx, p))
			r.store(v, dx, p)
		})
	})
}
