package main

import (
	"fmt"
	"strings"
)

// neon writes Advanced SIMD of arm64: four registers hold a chunk. R24 and R25 are scratch, V31 takes
// masks, V30 constants for which no register is left. Go's assembler lacks the vector forms of
// arithmetic on floats; they are written as words.
type neon struct {
	*emitter
	labels *int
}

func (n neon) suffix() string   { return "NEON" }
func (n neon) lanes() int       { return 4 }
func (n neon) vector(i int) vec { return vec(fmt.Sprintf("V%d", i)) }
func (n neon) vectors() int     { return 30 }
func (n neon) manyRows() bool   { return false }

func (n neon) fewestPins(unroll int) int {
	if unroll > 0 { // others would be made at every use
		return n.vectors()
	}
	return 0
}

func (n neon) integers() (list []reg) {
	for i := range 16 {
		list = append(list, reg(fmt.Sprintf("R%d", i)))
	}
	return append(list, "R19", "R20", "R21", "R22", "R23")
}

func (n neon) argument(to reg, name string, at int) { n.op("MOVD %s+%d(FP), %s", name, at, to) }

func (n neon) argumentVector(to vec, name string, at int) {
	n.op("MOVWU %s+%d(FP), R25; VDUP R25, %s.S4", name, at, to)
}

func (n neon) argumentScalar(name string, at int, temp vec) vec {
	n.op("FMOVS %s+%d(FP), %s", name, at, scalar(temp))
	return temp
}

func (n neon) addArgument(to reg, name string, at int) {
	n.op("MOVD %s+%d(FP), R25; ADD R25, %s", name, at, to)
}

func (n neon) countDown(name string, at, by int, label string) {
	n.op("MOVD %s+%d(FP), R25", name, at)
	n.op("SUBS $%d, R25", by)
	n.op("MOVD R25, %s+%d(FP)", name, at)
	n.op("BNE %s", label)
}

func (n neon) jumpIfFewer(name string, at, than int, label string) {
	n.op("MOVD %s+%d(FP), R25", name, at)
	n.op("CMP $%d, R25", than)
	n.op("BLT %s", label)
}

func (n neon) set(to reg, number int)            { n.op("MOVD $%d, %s", number, to) }
func (n neon) copy(to, from reg)                 { n.op("MOVD %s, %s", from, to) }
func (n neon) addRegister(to, a reg)             { n.op("ADD %s, %s", a, to) }
func (n neon) jump(label string)                 { n.op("JMP %s", label) }
func (n neon) jumpUnlessZero(a reg, l string)    { n.op("CBNZ %s, %s", a, l) }
func (n neon) jumpUnlessLess(a, b reg, l string) { n.op("CMP %s, %s; BGE %s", b, a, l) }
func (n neon) jumpIfLess(a, b reg, l string)     { n.op("CMP %s, %s; BLT %s", b, a, l) }
func (n neon) jumpIfEqual(a, b reg, l string)    { n.op("CMP %s, %s; BEQ %s", b, a, l) }
func (n neon) finish()                           { n.op("RET") }

func (n neon) addNumber(to reg, number int) {
	if number < 0 {
		n.op("SUB $%d, %s", -number, to)
		return
	}
	n.op("ADD $%d, %s", number, to)
}

func (n neon) jumpIfLowBits(a reg, bits, than int, label string) {
	n.op("AND $%d, %s, R25", bits, a)
	n.op("CMP $%d, R25; BGT %s", than, label)
}

func (n neon) jumpIfEmpty(s span, label string) { n.op("CBZ %s, %s", s.rest, label) }

func (n neon) spanIn(take func() reg, _ string) span {
	s := span{whole: take(), rest: take()}
	s.mask = laneMask{table: take(), rest: s.rest}
	return s
}

func (n neon) span(s span) { n.spanFrom(s, s.rest) }

func (n neon) spanAbove(s span, last reg, _ []*laneMask) {
	n.spanFrom(s, last)
	n.op("ADD $1, %s", s.rest)
	n.op("SUB $4, %s", s.mask.table)
}

func (n neon) spanFrom(s span, count reg) {
	n.op("AND $-16, %s, %s", count, s.whole)
	n.op("AND $15, %s, %s", count, s.rest)
	n.op("LSL $2, %s", s.whole)
	n.op("MOVD $lanes<>+64(SB), %s", s.mask.table)
	n.op("SUB %s<<2, %s", s.rest, s.mask.table)
}

func (n neon) constant(to vec, bits uint32) { n.op("MOVD $0x%08x, R25; VDUP R25, %s.S4", bits, to) }

// constantInMemory is a constant that an operation makes for itself.
func (n neon) constantInMemory(bits uint32) vec { return vec(fmt.Sprintf("$0x%08x", bits)) }

func (n neon) field(to vec, from reg, offset int) {
	n.op("MOVWU %d(%s), R25; VDUP R25, %s.S4", offset, from, to)
}

func (n neon) zero(to vec) { n.op("VEOR %s.B16, %s.B16, %s.B16", to, to, to) }

// at puts the address of a part into R25, for the rest of the line.
func (n neon) at(base reg, p part) string {
	switch {
	case p.offset < 0:
		return fmt.Sprintf("ADD %s, %s, R25; SUB $%d, R25", base, p.index, -p.offset)
	case p.offset > 0:
		return fmt.Sprintf("ADD %s, %s, R25; ADD $%d, R25", base, p.index, p.offset)
	}
	return fmt.Sprintf("ADD %s, %s, R25", base, p.index)
}

func (n neon) load(to vec, base reg, p part) {
	address := n.at(base, p)
	if p.mask == nil {
		n.op("%s; FMOVQ (R25), F%s", address, to[1:])
		return
	}
	n.zero(to)
	n.some(address, p, fmt.Sprintf("FMOVQ (R25), F%s", to[1:]), func(lane int) string {
		return fmt.Sprintf("VLD1.P 4(R25), %s.S[%d]", to, lane)
	})
}

func (n neon) store(from vec, base reg, p part) {
	address := n.at(base, p)
	if p.mask == nil {
		n.op("%s; FMOVQ F%s, (R25)", address, from[1:])
		return
	}
	n.some(address, p, fmt.Sprintf("FMOVQ F%s, (R25)", from[1:]), func(lane int) string {
		return fmt.Sprintf("VST1.P %s.S[%d], 4(R25)", from, lane)
	})
}

// some moves as many lanes of a part as its mask has: all four at once, or one after the other. It is
// one line, for scratch registers must not be shared with what takes turns with it.
func (n neon) some(address string, p part, all string, one func(lane int) string) {
	*n.labels += 2
	single, done := fmt.Sprintf("m%d", *n.labels-1), fmt.Sprintf("m%d", *n.labels)
	lines := []string{address,
		fmt.Sprintf("SUBS $%d, %s, R24", 4*p.number, p.mask.rest), "BLE " + done,
		"CMP $4, R24", "BLT " + single, all, "JMP " + done, single + ":"}
	for lane := range 3 {
		lines = append(lines, one(lane))
		if lane < 2 {
			lines = append(lines, "SUBS $1, R24", "BEQ "+done)
		}
	}
	n.op("%s", strings.Join(append(lines, done+":"), "; "))
}

func (n neon) operand(temp vec, base reg, p part) vec {
	n.load(temp, base, p)
	return temp
}

// lanesMask puts a part's mask into V31, for the rest of the line.
func (n neon) lanesMask(p part) string {
	return fmt.Sprintf("FMOVQ %d(%s), F31", 16*p.number, p.mask.table)
}

func (n neon) keep(v vec, p part) {
	if p.mask != nil {
		n.op("%s; VAND V31.B16, %s.B16, %s.B16", n.lanesMask(p), v, v)
	}
}

func (n neon) greater(most, v, temp vec, p part) {
	if p.mask != nil {
		n.op("%s; VORR V31.B16, V31.B16, %s.B16; VBSL %s.B16, %s.B16, %s.B16",
			n.lanesMask(p), temp, most, v, temp)
		v = temp
	}
	n.binary(larger, most, most, v)
}

// Words of the vector forms on four float32, without their registers.
var neonWords = map[operation]uint32{
	add: 0x4e20d400, subtract: 0x4ea0d400, multiply: 0x6e20dc00, divide: 0x6e20fc00,
	smaller: 0x4ea0f400, larger: 0x4e20f400,
}

const neonRoot = 0x6ea1f800

// word encodes an operation on vectors: to = a op b.
func word(code uint32, to, a, b vec) string {
	number := func(v vec) (n uint32) {
		if _, err := fmt.Sscanf(string(v), "V%d", &n); err != nil {
			panic(err)
		}
		return n
	}
	code |= number(a)<<5 | number(to)
	if b != "" {
		code |= number(b) << 16
	}
	return fmt.Sprintf("WORD $0x%08x", code)
}

// made is what must precede an operation on b, and the register that holds b then.
func (n neon) made(b vec) (string, vec) {
	if bits, ok := strings.CutPrefix(string(b), "$"); ok {
		return fmt.Sprintf("MOVD $%s, R25; VDUP R25, V30.S4; ", bits), "V30"
	}
	return "", b
}

func (n neon) binary(op operation, to, a, b vec) {
	before, b := n.made(b)
	n.op("%s%s // %s = %s %s %s", before, word(neonWords[op], to, a, b), to, a, neonSigns[op], b)
}

var neonSigns = map[operation]string{
	add: "+", subtract: "-", multiply: "*", divide: "/", smaller: "min", larger: "max",
}

func (n neon) exact(to, a, b vec) {
	before, b := n.made(b)
	n.op("%sVFMLS %s.S4, %s.S4, %s.S4", before, b, a, to)
}

func (n neon) root(to, a vec) { n.op("%s // %s = root of %s", word(neonRoot, to, a, ""), to, a) }

func (n neon) scaleByPower(to, power, temp vec) {
	n.op("VSHL $23, %s.S4, %s.S4", power, temp)
	n.op("VADD %s.S4, %s.S4, %s.S4", temp, to, to)
}

func (n neon) fold(op operation, acc []vec, temp vec) {
	a := acc[0]
	n.binary(op, a, a, acc[2])
	n.binary(op, acc[1], acc[1], acc[3])
	n.binary(op, a, a, acc[1])
	n.op("VEXT $8, %s.B16, %s.B16, %s.B16", a, a, temp)
	n.binary(op, a, a, temp)
	n.op("VDUP %s.S[1], %s.S4", a, temp)
	n.scalar(op, a, a, temp)
}

var neonScalars = map[operation]string{
	add: "FADDS", subtract: "FSUBS", multiply: "FMULS", divide: "FDIVS", smaller: "FMINS", larger: "FMAXS",
}

func (n neon) scalar(op operation, to, a, b vec) {
	n.op("%s %s, %s, %s", neonScalars[op], scalar(b), scalar(a), scalar(to))
}

func (n neon) scalarRoot(to, a vec)         { n.op("FSQRTS %s, %s", scalar(a), scalar(to)) }
func (n neon) loadScalar(to vec, from reg)  { n.op("FMOVS (%s), %s", from, scalar(to)) }
func (n neon) storeScalar(from vec, to reg) { n.op("FMOVS %s, (%s)", scalar(from), to) }
func (n neon) spread(to, from vec)          { n.op("VDUP %s.S[0], %s.S4", from, to) }

// scalar is the register whose lane 0 stands for the whole.
func scalar(v vec) string { return "F" + string(v[1:]) }
