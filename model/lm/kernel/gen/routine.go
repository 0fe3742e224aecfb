package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// The elementwise kernels are written once, against a machine of 16 lanes, and come out as assembly
// for each instruction set. A chunk is 16 neighbouring elements; its parts are the vector registers
// that hold them: one, two or four.

const chunk = 16

// A reg is a general register, a vec a vector register, or on amd64 an operand in memory that may stand
// last among the sources of an operation.
type (
	reg string
	vec string
)

// A machine writes the instructions of one instruction set. Strides and offsets are in bytes.
type machine interface {
	suffix() string // ends the names of functions
	lanes() int     // float32 per vector register
	vector(i int) vec
	vectors() int              // vector registers that a routine may use
	fewestPins(unroll int) int // constants in registers without which unrolling does not pay
	integers() []reg           // general registers that a routine may use
	manyRows() bool            // enough of both for several rows at a time

	argument(to reg, name string, at int)
	argumentVector(to vec, name string, at int) // in every lane
	argumentScalar(name string, at int, temp vec) vec
	addArgument(to reg, name string, at int)
	countDown(name string, at, n int, label string)   // n less; to the label unless zero
	jumpIfFewer(name string, at, n int, label string) // than n

	set(to reg, n int)
	copy(to, from reg)
	addNumber(to reg, n int)
	addRegister(to, a reg)
	jump(label string)
	jumpIfLowBits(a reg, bits, n int, label string) // exceed n
	jumpUnlessLess(a, b reg, label string)
	jumpIfLess(a, b reg, label string)
	jumpIfEqual(a, b reg, label string)
	jumpIfEmpty(s span, label string) // has no lanes beyond its whole chunks
	jumpUnlessZero(a reg, label string)
	spanIn(take func() reg, bits string) span      // a span in registers to take, and a mask
	span(s span)                                   // of as many elements as s.rest holds, which becomes the rest
	spanAbove(s span, last reg, masks []*laneMask) // of last+1 elements, the last chunk never empty

	constant(to vec, bits uint32)
	constantInMemory(bits uint32) vec
	field(to vec, from reg, offset int) // in every lane
	zero(to vec)
	load(to vec, base reg, p part)
	store(from vec, base reg, p part)
	operand(temp vec, base reg, p part) vec // what an operation reads there once, perhaps loaded to temp
	keep(v vec, p part)                     // zeros the lanes beyond the part's mask
	greater(most, v vec, temp vec, p part)  // most = the greater of most and v, in the mask's lanes

	binary(op operation, to, a, b vec)
	exact(to, a, b vec) // to -= a*b where the product needs no rounding
	root(to, a vec)
	scaleByPower(to, power, temp vec) // to's exponents plus power's low nine bits

	fold(op operation, acc []vec, temp vec) // the lanes' tree; the result is lane 0 of acc[0]
	scalar(op operation, to, a, b vec)      // in lane 0
	scalarRoot(to, a vec)
	loadScalar(to vec, from reg)
	storeScalar(from vec, to reg)
	spread(to, from vec) // lane 0 to every lane
	finish()
}

type operation uint8

const (
	add operation = iota
	subtract
	multiply
	divide
	smaller // a where a < b, else b
	larger  // a where a > b, else b
)

// A span is a number of elements: whole chunks, in bytes, and the lanes of the last one, which where
// masks are registers are applied by the mask only.
type span struct {
	whole, rest reg
	mask        laneMask
}

// A laneMask tells the lanes that count: by a register of bits, or by the place in a table of lanes.
type laneMask struct {
	bits  string
	table reg
	rest  reg
}

// A part is a register's share of a chunk, which starts at an index and an offset to it, in bytes, of
// one of the rows that are worked on at a time.
type part struct {
	row, number int
	index       reg
	offset      int
	mask        *laneMask // nil: all lanes count
}

// parameters reads the parameters of a Go function: their offsets and the size of all.
func parameters(signature string) (list map[string]int, size int) {
	list = map[string]int{}
	fields := strings.Split(signature, ",")
	kind := ""
	for i := len(fields) - 1; i >= 0; i-- { // "a, b int": the type stands after the last
		name, k, ok := strings.Cut(strings.TrimSpace(fields[i]), " ")
		if ok {
			kind = k
		}
		fields[i] = name + " " + kind
	}
	for _, f := range fields {
		name, kind, _ := strings.Cut(f, " ")
		bytes := 8
		if kind == "float32" {
			bytes = 4
		}
		size = (size + bytes - 1) &^ (bytes - 1)
		list[name] = size
		size += bytes
	}
	return list, size
}

// A routine is one function in the making.
type routine struct {
	machine
	out       *emitter
	arguments map[string]int
	used      int // vector registers in use from the bottom
	most      int
	constants map[uint32]vec
	pinned    []uint32 // constants in registers, from the top
	integer   int
	labels    int
	masks     int
	unroll    int // chunks that a loop works on at a time; 0: not even the parts of one
	pins      int // constants in registers, after which the others come from memory
}

func (r *routine) label() string {
	r.labels++
	return fmt.Sprintf("l%d", r.labels)
}

func (r *routine) here(label string) { r.out.label(label) }

func (r *routine) int() reg {
	list := r.integers()
	if r.integer == len(list) {
		panic("gen: a routine needs more general registers than " + r.suffix() + " has")
	}
	r.integer++
	return list[r.integer-1]
}

func (r *routine) ints(n int) []reg {
	list := make([]reg, n)
	for i := range list {
		list[i] = r.int()
	}
	return list
}

// arg loads an argument into a register of its own.
func (r *routine) arg(name string) reg {
	to := r.int()
	r.argument(to, name, r.arguments[name])
	return to
}

func (r *routine) args(names ...string) []reg {
	list := make([]reg, len(names))
	for i, name := range names {
		list[i] = r.arg(name)
	}
	return list
}

// argVector loads a float32 argument into all lanes of a register.
func (r *routine) argVector(name string) vec {
	v := r.temp()
	r.argumentVector(v, name, r.arguments[name])
	return v
}

func (r *routine) argScalar(name string, temp vec) vec {
	return r.argumentScalar(name, r.arguments[name], temp)
}

// temp takes a vector register until the scope ends.
func (r *routine) temp() vec {
	r.used++
	r.most = max(r.most, r.used)
	return r.vector(r.used - 1)
}

func (r *routine) temps(n int) []vec {
	list := make([]vec, n)
	for i := range list {
		list[i] = r.temp()
	}
	return list
}

func (r *routine) scope(body func()) {
	used := r.used
	body()
	r.used = used
}

func (r *routine) parts() int { return chunk / r.lanes() }

// value is a constant as the last source of an operation; pin is one in a register.
func (r *routine) value(x float32) vec {
	bits := math.Float32bits(x)
	if _, ok := r.constants[bits]; !ok && len(r.pinned) >= r.pins {
		return r.constantInMemory(bits)
	}
	return r.pin(x)
}

func (r *routine) pin(x float32) vec {
	bits := math.Float32bits(x)
	v, ok := r.constants[bits]
	if !ok {
		v = r.vector(r.vectors() - 1 - len(r.pinned))
		r.constants[bits] = v
		r.pinned = append(r.pinned, bits)
	}
	return v
}

// spanOf makes a span of as many elements as an argument says.
func (r *routine) spanOf(argument string) span {
	s := r.newSpan()
	r.argument(s.rest, argument, r.arguments[argument])
	r.span(s)
	return s
}

func (r *routine) newSpan() span {
	r.masks++
	return r.spanIn(r.int, fmt.Sprintf("K%d", r.masks))
}

// each runs the body over every part of a span in one row or several, whose index registers it takes.
func (r *routine) each(s span, rows []reg, body func(p part)) {
	chunks, singles, rest, done := max(r.unroll/len(rows), 1), r.label(), r.label(), r.label()
	index := rows[0]
	r.begin(rows)
	if chunks > 1 {
		again := r.label()
		r.set(index, 4*chunk*chunks)
		r.jumpIfLess(s.whole, index, singles)
		for _, other := range rows[1:] {
			r.addNumber(other, 4*chunk*chunks)
		}
		r.out.op("PCALIGN $64")
		r.here(again)
		r.chunks(chunks, rows, -4*chunk*chunks, nil, body)
		r.forward(rows, 4*chunk*chunks)
		r.jumpUnlessLess(s.whole, index, again)
		for _, other := range rows[1:] {
			r.addNumber(other, -4*chunk*chunks)
		}
		r.here(singles)
		r.addNumber(index, -4*chunk*chunks)
	}
	r.jumpUnlessLess(index, s.whole, rest)
	r.loop(s, rows, body)
	r.here(rest)
	r.jumpIfEmpty(s, done)
	r.chunks(1, rows, 0, []*laneMask{&s.mask}, body)
	r.here(done)
}

// begin sets the indices to the starts of their rows.
func (r *routine) begin(rows []reg) {
	r.set(rows[0], 0)
	for k, other := range rows[1:] {
		r.copy(other, rows[k])
		r.advance(other, "stride")
	}
}

func (r *routine) forward(rows []reg, bytes int) {
	for _, index := range rows {
		r.addNumber(index, bytes)
	}
}

// loop runs the body over whole chunks, at least one.
func (r *routine) loop(s span, rows []reg, body func(p part)) {
	again := r.label()
	r.out.op("PCALIGN $64")
	r.here(again)
	r.chunks(1, rows, 0, nil, body)
	r.forward(rows, 4*chunk)
	r.jumpIfLess(rows[0], s.whole, again)
}

// chunks runs the body over every part of neighbouring chunks, in each row, whose last mask holds for
// the rows that have none of their own.
func (r *routine) chunks(n int, rows []reg, offset int, masks []*laneMask, body func(p part)) {
	each := n * r.parts()
	r.together(each*len(rows), func(i int) {
		p := part{row: i / each, number: i % r.parts(), index: rows[i/each], offset: offset + i%each*4*r.lanes()}
		if len(masks) > 0 {
			p.mask = masks[min(p.row, len(masks)-1)]
		}
		body(p)
	})
}

// together runs the body n times, with registers of its own each, and lets the instructions take turns:
// while one waits for its operands the others are done. The bodies must not differ in length.
func (r *routine) together(n int, body func(i int)) {
	start, used := r.out.Len(), r.used
	var lines [][]string
	for i := range n {
		from, most := r.out.Len(), r.most
		r.most = r.used
		body(i)
		r.used = r.most
		r.most = max(r.most, most)
		lines = append(lines, strings.SplitAfter(string(r.out.Bytes()[from:]), "\n"))
		if r.unroll == 0 {
			r.used = used
		}
	}
	r.used = used
	if r.unroll == 0 {
		return
	}
	r.out.Truncate(start)
	for i := range lines[0] {
		for _, l := range lines {
			r.out.WriteString(l[i])
		}
	}
}

// rowsAtATime is how many rows the kernels that reduce each row work on at a time, where registers
// suffice: short rows wait for one another's reductions otherwise.
func (r *routine) rowsAtATime(most int) int {
	if !r.manyRows() {
		return 1
	}
	return most
}

// rows runs the body for as many rows as an argument above zero says: some at a time, with an index
// register each, then one by one. After the body the pointers stand on the next row.
func (r *routine) rows(argument string, most int, pointers []reg, body func(rows []reg)) {
	r.rowsIf(argument, most, pointers, func(string) {}, body)
}

// rowsIf is rows with a condition, which jumps to a label where the next rows must go one by one.
func (r *routine) rowsIf(argument string, most int, pointers []reg, unless func(label string),
	body func(rows []reg)) {
	at := r.arguments[argument]
	indices := r.ints(most)
	again, single, done := r.label(), r.label(), r.label()
	run := func(n int) {
		r.scope(func() { body(indices[:n]) })
		for _, pointer := range pointers {
			for range n {
				r.advance(pointer, "stride")
			}
		}
		r.countDown(argument, at, n, again)
	}
	r.here(again)
	if most > 1 {
		r.jumpIfFewer(argument, at, most, single)
		unless(single)
		run(most)
		r.jump(done)
		r.here(single)
	}
	run(1)
	r.here(done)
}

// advance moves a pointer on by an argument that holds a number of bytes.
func (r *routine) advance(pointer reg, argument string) {
	r.addArgument(pointer, argument, r.arguments[argument])
}

func (r *routine) add(to, a, b vec) { r.binary(add, to, a, b) }
func (r *routine) sub(to, a, b vec) { r.binary(subtract, to, a, b) }
func (r *routine) mul(to, a, b vec) { r.binary(multiply, to, a, b) }
func (r *routine) div(to, a, b vec) { r.binary(divide, to, a, b) }

// read loads an element of every lane into a register of its own.
func (r *routine) read(base reg, p part) vec {
	v := r.temp()
	r.load(v, base, p)
	return v
}

// once is what lies at base as the last source of one operation.
func (r *routine) once(base reg, p part) vec {
	return r.operand(r.temp(), base, p)
}

// zeros are accumulators of the 16 lanes.
func (r *routine) zeros() []vec {
	list := r.temps(r.parts())
	for _, v := range list {
		r.zero(v)
	}
	return list
}

// sum folds accumulators into lane 0 of the first.
func (r *routine) sum(acc []vec) vec {
	r.scope(func() { r.fold(add, acc, r.temp()) })
	return acc[0]
}

// mostUnrolled bounds how many chunks a loop works on at a time.
const mostUnrolled = 6

// write emits a kernel, its loops unrolled as far as the registers suffice, then with as many constants
// in registers.
func write(e *emitter, m machine, out *emitter, k source) {
	arguments, size := parameters(k.signature)
	r := &routine{machine: m, out: out, arguments: arguments}
	fits := func() bool {
		for unroll := mostUnrolled; unroll >= 0; unroll-- {
			for pins := m.vectors(); pins >= m.fewestPins(unroll); pins-- {
				*r = routine{machine: m, out: out, arguments: arguments,
					constants: map[uint32]vec{}, unroll: unroll, pins: pins}
				out.Reset()
				k.body(r)
				r.finish()
				if r.most+len(r.pinned) <= m.vectors() {
					return true
				}
			}
		}
		return false
	}
	if !fits() {
		panic(fmt.Sprintf("gen: %s needs %d vectors and %d constants", k.name, r.most, len(r.pinned)))
	}
	body := slices.Clone(out.Bytes())
	out.Reset()
	for _, bits := range r.pinned {
		r.constant(r.constants[bits], bits)
	}
	fmt.Fprintf(e, "\n// func %s%s(%s)\nTEXT ·%s%s(SB), NOSPLIT, $0-%d\n",
		k.name, m.suffix(), k.signature, k.name, m.suffix(), size)
	e.Write(out.Bytes())
	e.Write(body)
}

// names are the parameters of a signature without their types.
func names(signature string) string {
	fields := strings.Split(signature, ",")
	for i, f := range fields {
		fields[i], _, _ = strings.Cut(strings.TrimSpace(f), " ")
	}
	return strings.Join(fields, ", ")
}
