package main

import (
	"fmt"
	"strings"
)

// x86 writes AVX-512 (wide: a vector holds 16 lanes, masks are registers) or AVX2 (8 lanes, masks lie
// in memory). AX and CX are scratch, Y15 takes masks.
type x86 struct {
	*emitter
	wide      bool
	constants *[]uint32 // those of all routines, in the order of constants<>
}

func (x x86) suffix() string {
	if x.wide {
		return "AVX512"
	}
	return "AVX2"
}

func (x x86) lanes() int {
	if x.wide {
		return 16
	}
	return 8
}

func (x x86) vectors() int {
	if x.wide {
		return 32
	}
	return 15
}

func (x x86) vector(i int) vec {
	if x.wide {
		return vec(fmt.Sprintf("Z%d", i))
	}
	return vec(fmt.Sprintf("Y%d", i))
}

func (x x86) manyRows() bool { return x.wide }

func (x x86) fewestPins(int) int { return 0 }

func (x x86) integers() []reg {
	return []reg{"SI", "DI", "BX", "DX", "R8", "R9", "R10", "R11", "R12", "R13", "R14"}
}

func (x x86) argument(to reg, name string, at int) { x.op("MOVQ %s+%d(FP), %s", name, at, to) }

func (x x86) argumentVector(to vec, name string, at int) {
	x.op("VBROADCASTSS %s+%d(FP), %s", name, at, to)
}

func (x x86) argumentScalar(name string, at int, temp vec) vec {
	x.op("VMOVSS %s+%d(FP), %s", name, at, low(temp))
	return temp
}

func (x x86) addArgument(to reg, name string, at int) { x.op("ADDQ %s+%d(FP), %s", name, at, to) }

func (x x86) countDown(name string, at, n int, label string) {
	x.op("SUBQ $%d, %s+%d(FP)", n, name, at)
	x.op("JNZ %s", label)
}

func (x x86) jumpIfFewer(name string, at, n int, label string) {
	x.op("CMPQ %s+%d(FP), $%d", name, at, n)
	x.op("JLT %s", label)
}

func (x x86) set(to reg, n int) {
	if n == 0 {
		x.op("XORL %s, %s", to, to)
		return
	}
	x.op("MOVQ $%d, %s", n, to)
}

func (x x86) copy(to, from reg)           { x.op("MOVQ %s, %s", from, to) }
func (x x86) addNumber(to reg, n int)     { x.op("ADDQ $%d, %s", n, to) }
func (x x86) jump(label string)           { x.op("JMP %s", label) }
func (x x86) finish()                     { x.op("VZEROUPPER"); x.op("RET") }
func (x x86) spread(to, from vec)         { x.op("VBROADCASTSS %s, %s", low(from), to) }
func (x x86) loadScalar(to vec, f reg)    { x.op("VMOVSS (%s), %s", f, low(to)) }
func (x x86) storeScalar(from vec, t reg) { x.op("VMOVSS %s, (%s)", low(from), t) }

func (x x86) addRegister(to, a reg) { x.op("ADDQ %s, %s", a, to) }

func (x x86) jumpIfLowBits(a reg, bits, n int, label string) {
	x.op("MOVQ %s, AX", a)
	x.op("ANDQ $%d, AX", bits)
	x.op("CMPQ AX, $%d", n)
	x.op("JGT %s", label)
}

func (x x86) jumpUnlessLess(a, b reg, label string) {
	x.op("CMPQ %s, %s", a, b)
	x.op("JGE %s", label)
}

func (x x86) jumpIfLess(a, b reg, label string) {
	x.op("CMPQ %s, %s", a, b)
	x.op("JLT %s", label)
}

func (x x86) jumpIfEqual(a, b reg, label string) {
	x.op("CMPQ %s, %s", a, b)
	x.op("JEQ %s", label)
}

func (x x86) jumpIfEmpty(s span, label string) {
	if x.wide {
		x.op("KORTESTW %s, %s", s.mask.bits, s.mask.bits)
	} else {
		x.op("TESTQ %s, %s", s.rest, s.rest)
	}
	x.op("JEQ %s", label)
}

func (x x86) jumpUnlessZero(a reg, label string) {
	x.op("TESTQ %s, %s", a, a)
	x.op("JNE %s", label)
}

func (x x86) spanIn(take func() reg, bits string) span {
	if x.wide {
		return span{take(), "CX", laneMask{bits: bits}}
	}
	s := span{whole: take(), rest: take()}
	s.mask.table = take()
	return s
}

func (x x86) span(s span) {
	x.op("MOVQ %s, %s", s.rest, s.whole)
	x.op("ANDQ $15, %s", s.rest)
	x.op("SUBQ %s, %s", s.rest, s.whole)
	x.op("SHLQ $2, %s", s.whole)
	x.lanesOf(s)
}

func (x x86) spanAbove(s span, last reg, masks []*laneMask) {
	x.op("MOVQ %s, %s", last, s.rest)
	x.op("ANDQ $15, %s", s.rest)
	x.op("MOVQ %s, %s", last, s.whole)
	x.op("SUBQ %s, %s", s.rest, s.whole)
	x.op("SHLQ $2, %s", s.whole)
	x.op("INCQ %s", s.rest)
	x.lanesOf(s)
	for _, m := range masks[1:] { // of the rows below, one lane longer each
		x.op("LEAL 1(AX)(AX*1), AX")
		x.op("KMOVW AX, %s", m.bits)
	}
}

// lanesOf makes the mask of a span's last chunk, and leaves its bits in AX.
func (x x86) lanesOf(s span) {
	if x.wide {
		x.op("MOVL $1, AX")
		x.op("SHLL CX, AX")
		x.op("DECL AX")
		x.op("KMOVW AX, %s", s.mask.bits)
		return
	}
	x.op("MOVQ %s, CX", s.rest)
	x.op("NEGQ CX")
	x.op("LEAQ lanes<>(SB), AX")
	x.op("LEAQ 64(AX)(CX*4), %s", s.mask.table)
}

func (x x86) constant(to vec, bits uint32) {
	x.op("VBROADCASTSS %s, %s", x.constantInMemory(bits), to)
}

func (x x86) constantInMemory(bits uint32) vec {
	for i, c := range *x.constants {
		if c == bits {
			return vec(fmt.Sprintf("constants<>+%d(SB)", 32*i))
		}
	}
	*x.constants = append(*x.constants, bits)
	return vec(fmt.Sprintf("constants<>+%d(SB)", 32*(len(*x.constants)-1)))
}

func (x x86) field(to vec, from reg, offset int) {
	x.op("VBROADCASTSS %d(%s), %s", offset, from, to)
}

func (x x86) zero(to vec) {
	if x.wide {
		x.op("VPXORD %s, %s, %s", to, to, to)
		return
	}
	x.op("VXORPS %s, %s, %s", to, to, to)
}

func (x x86) address(base reg, p part) string {
	return fmt.Sprintf("%d(%s)(%s*1)", p.offset, base, p.index)
}

// lanesMask is a part's mask in memory.
func (x x86) lanesMask(p part) string {
	return fmt.Sprintf("%d(%s)", p.number*4*x.lanes(), p.mask.table)
}

func (x x86) load(to vec, base reg, p part) {
	switch {
	case p.mask == nil:
		x.op("VMOVUPS %s, %s", x.address(base, p), to)
	case x.wide:
		x.op("VMOVUPS.Z %s, %s, %s", x.address(base, p), p.mask.bits, to)
	default:
		x.op("VMOVUPS %s, Y15; VMASKMOVPS %s, Y15, %s", x.lanesMask(p), x.address(base, p), to)
	}
}

func (x x86) store(from vec, base reg, p part) {
	switch {
	case p.mask == nil:
		x.op("VMOVUPS %s, %s", from, x.address(base, p))
	case x.wide:
		x.op("VMOVUPS %s, %s, %s", from, p.mask.bits, x.address(base, p))
	default:
		x.op("VMOVUPS %s, Y15; VMASKMOVPS %s, Y15, %s", x.lanesMask(p), from, x.address(base, p))
	}
}

func (x x86) operand(temp vec, base reg, p part) vec {
	if p.mask == nil {
		return vec(x.address(base, p))
	}
	x.load(temp, base, p)
	return temp
}

func (x x86) keep(v vec, p part) {
	switch {
	case p.mask == nil:
	case x.wide:
		x.op("VMOVAPS.Z %s, %s, %s", v, p.mask.bits, v)
	default:
		x.op("VANDPS %s, %s, %s", x.lanesMask(p), v, v)
	}
}

func (x x86) greater(most, v, temp vec, p part) {
	switch {
	case p.mask == nil:
		x.op("VMAXPS %s, %s, %s", v, most, most)
	case x.wide:
		x.op("VMAXPS %s, %s, %s, %s", v, most, p.mask.bits, most)
	default:
		x.op("VMOVUPS %s, Y15; VBLENDVPS Y15, %s, %s, %s", x.lanesMask(p), v, most, temp)
		x.op("VMAXPS %s, %s, %s", temp, most, most)
	}
}

var x86Names = map[operation]string{
	add: "VADD", subtract: "VSUB", multiply: "VMUL", divide: "VDIV", smaller: "VMIN", larger: "VMAX",
}

func (x x86) binary(op operation, to, a, b vec) {
	if strings.Contains(string(a), "(") {
		panic("gen: only the last source may lie in memory")
	}
	x.op("%sPS%s %s, %s, %s", x86Names[op], x.spreads(b), b, a, to)
}

// spreads is the suffix of an operation whose last source may be a constant in memory.
func (x x86) spreads(b vec) string {
	if x.wide && strings.HasPrefix(string(b), "constants") {
		return ".BCST"
	}
	return ""
}

func (x x86) exact(to, a, b vec) { x.op("VFNMADD231PS%s %s, %s, %s", x.spreads(b), b, a, to) }

func (x x86) root(to, a vec) { x.op("VSQRTPS %s, %s", a, to) }

func (x x86) scaleByPower(to, power, temp vec) {
	x.op("VPSLLD $23, %s, %s", power, temp)
	x.op("VPADDD %s, %s, %s", temp, to, to)
}

func (x x86) fold(op operation, acc []vec, temp vec) {
	name, a := x86Names[op], acc[0]
	if x.wide {
		x.op("VEXTRACTF64X4 $1, %s, %s", a, short(temp))
		x.op("%sPS %s, %s, %s", name, short(temp), short(a), short(a))
	} else {
		x.op("%sPS %s, %s, %s", name, acc[1], a, a)
	}
	x.op("VEXTRACTF128 $1, %s, %s", short(a), low(temp))
	x.op("%sPS %s, %s, %s", name, low(temp), low(a), low(a))
	x.op("VMOVHLPS %s, %s, %s", low(a), low(a), low(temp))
	x.op("%sPS %s, %s, %s", name, low(temp), low(a), low(a))
	x.op("VMOVSHDUP %s, %s", low(a), low(temp))
	x.op("%sSS %s, %s, %s", name, low(temp), low(a), low(a))
}

func (x x86) scalar(op operation, to, a, b vec) {
	x.op("%sSS %s, %s, %s", x86Names[op], low(b), low(a), low(to))
}

func (x x86) scalarRoot(to, a vec) { x.op("VSQRTSS %s, %s, %s", low(a), low(a), low(to)) }

// low is the lowest 128 bits of a register, short the lowest 256; both leave memory as it is.
func low(v vec) string   { return renamed(v, "X") }
func short(v vec) string { return renamed(v, "Y") }

func renamed(v vec, letter string) string {
	if strings.Contains(string(v), "(") {
		return string(v)
	}
	return letter + string(v[1:])
}

// table is the constants, eight of each.
func (x x86) table(e *emitter) {
	for i, c := range *x.constants {
		for lane := range 8 {
			fmt.Fprintf(e, "DATA constants<>+%d(SB)/4, $0x%08x\n", 32*i+4*lane, c)
		}
	}
	fmt.Fprintf(e, "GLOBL constants<>(SB), RODATA|NOPTR, $%d\n\n", 32*len(*x.constants))
}
