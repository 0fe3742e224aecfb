package main

import "math"

// top finds the greatest element of a row, in all lanes of the register it returns.
func (r *routine) top(x, index reg, s span) vec {
	most := r.temps(r.parts())
	for _, v := range most {
		r.move(v, r.pin(float32(math.Inf(-1))))
	}
	r.each(s, index, func(p part) { r.greater(most[p.number], r.read(x, p), r.temp(), p) })
	r.scope(func() { r.fold(larger, most, r.temp()) })
	r.spread(most[0], most[0])
	return most[0]
}

// inverse turns lane 0 of v into its inverse in all lanes.
func (r *routine) inverse(v vec) vec {
	r.scalar(divide, v, r.pin(1), v)
	r.spread(v, v)
	return v
}

// scaled multiplies a row by a factor.
func (r *routine) scaled(x, index reg, s span, factor vec) {
	r.each(s, index, func(p part) {
		v := r.temp()
		r.mul(v, factor, r.once(x, p))
		r.store(v, x, p)
	})
}

func softmax(r *routine) {
	x, index, s := r.arg("x"), r.int(), r.spanOf("cols")
	scale := r.argVector("scale")
	r.rows("rows", func() {
		top := r.top(x, index, s)
		acc := r.zeros()
		r.each(s, index, func(p part) {
			v := r.read(x, p)
			r.sub(v, v, top)
			r.mul(v, v, scale)
			r.exp(v)
			r.keep(v, p)
			r.store(v, x, p)
			r.add(acc[p.number], acc[p.number], v)
		})
		r.scaled(x, index, s, r.inverse(r.sum(acc)))
		r.advance(x, "stride")
	})
}

func softmaxTerms(r *routine) {
	args, index, s := r.args("x", "sums", "tops"), r.int(), r.spanOf("cols")
	x, sums, tops := args[0], args[1], args[2]
	r.rows("rows", func() {
		top := r.top(x, index, s)
		acc := r.zeros()
		r.each(s, index, func(p part) {
			v := r.read(x, p)
			r.sub(v, v, top)
			r.exp(v)
			r.keep(v, p)
			r.store(v, x, p)
			r.add(acc[p.number], acc[p.number], v)
		})
		r.scope(func() {
			target := r.temp()
			r.loadScalar(target, tops)
			r.scalar(subtract, top, top, target)
		})
		r.storeScalar(top, tops)
		r.storeScalar(r.sum(acc), sums)
		r.addNumber(tops, 4)
		r.addNumber(sums, 4)
		r.advance(x, "stride")
	})
}

func scaleRows(r *routine) {
	args, index, s := r.args("x", "sums"), r.int(), r.spanOf("cols")
	x, sums := args[0], args[1]
	n := r.argScalar("n", r.temp())
	r.rows("rows", func() {
		factor := r.temp()
		r.loadScalar(factor, sums)
		r.scalar(multiply, factor, factor, n)
		r.scaled(x, index, s, r.inverse(factor))
		r.addNumber(sums, 4)
		r.advance(x, "stride")
	})
}

// A triangle is a block of rows of which each has one valid element more than the one before.
type triangle struct {
	last  reg  // the last valid element of the row
	valid span // of the row, its last chunk never empty
	all   span // of the whole row, valid or not
	index reg
}

func (r *routine) triangle() triangle {
	return triangle{r.arg("first"), r.newSpan(), r.spanOf("end"), r.int()}
}

// read runs the body over every part with valid elements.
func (t triangle) read(r *routine, body func(p part)) {
	boundary := r.label()
	r.set(t.index, 0)
	r.jumpUnlessLess(t.index, t.valid.whole, boundary)
	r.loop(t.valid, t.index, body)
	r.here(boundary)
	r.chunk(t.index, &t.valid.mask, body)
}

// write is read with a register to be written to x, zeros in the lanes that are not valid.
func (t triangle) write(r *routine, x reg, body func(p part) vec) {
	boundary, final, done := r.label(), r.label(), r.label()
	r.set(t.index, 0)
	r.jumpUnlessLess(t.index, t.valid.whole, boundary)
	r.loop(t.valid, t.index, func(p part) { r.store(body(p), x, p) })
	r.here(boundary)
	bounded := func(mask *laneMask) {
		r.chunk(t.index, &t.valid.mask, func(p part) {
			v := body(p)
			r.keep(v, p)
			p.mask = mask
			r.store(v, x, p)
		})
	}
	r.jumpIfEqual(t.index, t.all.whole, final)
	bounded(nil)
	r.jump(done)
	r.here(final)
	bounded(&t.all.mask)
	r.here(done)
}

// clear writes zeros to the chunks of x without valid elements.
func (t triangle) clear(r *routine, x reg) {
	rest, done := r.label(), r.label()
	r.copy(t.index, t.valid.whole)
	r.jumpIfEqual(t.index, t.all.whole, done)
	r.addNumber(t.index, 4*chunk)
	r.scope(func() {
		zero := r.temp()
		r.zero(zero)
		r.jumpUnlessLess(t.index, t.all.whole, rest)
		r.loop(t.all, t.index, func(p part) { r.store(zero, x, p) })
		r.here(rest)
		r.jumpIfZero(t.all.rest, done)
		r.chunk(t.index, &t.all.mask, func(p part) { r.store(zero, x, p) })
	})
	r.here(done)
}

func causalSoftmax(r *routine) {
	x, t := r.arg("x"), r.triangle()
	scale := r.argVector("scale")
	r.rows("rows", func() {
		r.spanAbove(t.valid, t.last)
		most := r.temps(r.parts())
		for _, v := range most {
			r.move(v, r.pin(float32(math.Inf(-1))))
		}
		t.read(r, func(p part) { r.greater(most[p.number], r.read(x, p), r.temp(), p) })
		r.scope(func() { r.fold(larger, most, r.temp()) })
		top := most[0]
		r.spread(top, top)
		acc := r.zeros()
		t.write(r, x, func(p part) vec {
			v := r.read(x, p)
			r.sub(v, v, top)
			r.mul(v, v, scale)
			r.exp(v)
			r.keep(v, p) // before it is added
			r.add(acc[p.number], acc[p.number], v)
			return v
		})
		factor := r.inverse(r.sum(acc))
		t.write(r, x, func(p part) vec {
			v := r.temp()
			r.mul(v, factor, r.once(x, p))
			return v
		})
		t.clear(r, x)
		r.advance(x, "stride")
		r.addNumber(t.last, 1)
	})
}

func causalSoftmaxBackward(r *routine) {
	args, t := r.args("p", "dp"), r.triangle()
	probs, dp := args[0], args[1]
	scale := r.argVector("scale")
	r.rows("rows", func() {
		r.spanAbove(t.valid, t.last)
		acc := r.zeros()
		t.read(r, func(p part) { r.addProduct(acc, probs, dp, p) })
		mean := r.sum(acc)
		r.spread(mean, mean)
		t.write(r, dp, func(p part) vec {
			v := r.read(dp, p)
			r.sub(v, v, mean)
			r.mul(v, v, r.once(probs, p))
			r.mul(v, v, scale)
			return v
		})
		t.clear(r, dp)
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
	index, s := r.int(), r.spanOf("cols")
	r.rows("rows", func() {
		acc := r.zeros()
		r.each(s, index, func(p part) { r.add(acc[p.number], acc[p.number], r.once(x, p)) })
		mean := r.sum(acc)
		width := r.argScalar("width", r.temp())
		r.scalar(divide, mean, mean, width)
		r.spread(mean, mean)
		acc = r.zeros()
		r.each(s, index, func(p part) {
			c := r.read(x, p)
			r.sub(c, c, mean)
			r.mul(c, c, c)
			r.keep(c, p)
			r.add(acc[p.number], acc[p.number], c)
		})
		factor := r.sum(acc)
		r.scalar(divide, factor, factor, width)
		r.scalar(add, factor, factor, r.pin(normEpsilon))
		r.scalarRoot(factor, factor)
		r.inverse(factor)
		r.storeScalar(factor, scale)
		r.each(s, index, func(p part) {
			h := r.read(x, p)
			r.sub(h, h, mean)
			r.mul(h, h, factor)
			r.store(h, hat, p)
			r.mul(h, h, r.once(gain, p))
			r.add(h, h, r.once(bias, p))
			r.store(h, y, p)
		})
		for _, pointer := range []reg{x, hat, y} {
			r.advance(pointer, "stride")
		}
		r.addNumber(scale, 4)
	})
}

func layerNormBackward(r *routine) {
	args := r.args("dy", "gain", "hat", "dx", "dgain", "dbias")
	dy, gain, hat, dx, dgain, dbias := args[0], args[1], args[2], args[3], args[4], args[5]
	index, s := r.int(), r.spanOf("cols")
	scale := r.arg("scale")
	r.rows("rows", func() {
		sums, products := r.zeros(), r.zeros()
		r.each(s, index, func(p part) {
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
		mean, along := r.sum(sums), r.sum(products)
		factor := r.argScalar("width", r.temp())
		r.scalar(divide, mean, mean, factor)
		r.scalar(divide, along, along, factor)
		r.loadScalar(factor, scale)
		for _, v := range []vec{mean, along, factor} {
			r.spread(v, v)
		}
		r.each(s, index, func(p part) {
			v, h := r.read(dy, p), r.read(hat, p)
			r.mul(v, v, r.once(gain, p))
			r.sub(v, v, mean)
			r.mul(h, h, along)
			r.sub(v, v, h)
			r.mul(v, v, factor)
			r.add(v, v, r.once(dx, p))
			r.store(v, dx, p)
		})
		for _, pointer := range []reg{dy, hat, dx} {
			r.advance(pointer, "stride")
		}
		r.addNumber(scale, 4)
	})
}
