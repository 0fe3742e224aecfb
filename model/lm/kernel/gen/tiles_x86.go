package main

import "fmt"

// x86Tiles writes the tiles of AVX-512 (wide: 32 registers, masks are registers, operands that are
// broadcast from memory) and AVX2. General registers:
//
//	DX              the panel
//	SI, DI          the block's first element of A and of C
//	R8, R9          row stride of A, 3 times that
//	AX, BX, R12, R14  A at this k, rows 0, 4, 8, 12
//	R10, R11        column stride of A, row stride of B
//	R13, CX         B at this k, steps left; outside of the steps, scratch
//
// Vectors: the accumulators from 0 on, row by row; the rest takes elements of A and rows of B.
type x86Tiles struct {
	*emitter
	tileSet
	tile
	wide bool
}

func (x x86Tiles) reg(n int) string {
	if x.wide {
		return fmt.Sprintf("Z%d", n)
	}
	return fmt.Sprintf("Y%d", n)
}

func (x x86Tiles) accumulator(row, v int) string { return x.reg(row*x.vectors + v) }

// spares is how many registers are neither accumulators nor the mask, spare the nth of them.
func (x x86Tiles) spares() int {
	switch used := x.rows * x.vectors; {
	case x.wide:
		return 32 - used
	case x.masked: // Y15
		return 15 - used
	default:
		return 16 - used
	}
}

func (x x86Tiles) spare(n int) string {
	if n >= x.spares() {
		panic(fmt.Sprintf("gen: %s: too few registers", x.function(x.tile)))
	}
	return x.reg(x.rows*x.vectors + n)
}

// partial reports whether only the first lanes of vector v count.
func (x x86Tiles) partial(v int) bool { return x.masked && v == x.vectors-1 }

// local is the place of a variable of the function.
func (x x86Tiles) local(name string) string {
	return map[string]string{"start": "start-8(SP)", "blocks": "blocks-16(SP)"}[name]
}

func (x x86Tiles) at(base string, v int) string { return fmt.Sprintf("%d(%s)", v*x.lanes*4, base) }

// writeX86 writes a set's tiles and their table.
func writeX86(e *emitter, set tileSet) {
	for _, t := range set.tiles() {
		x86Tiles{e, set, t, set.lanes == 16}.write()
	}
	set.table(e)
	e.op("MOVQ number+8(FP), AX")
	e.op("LEAQ tiles%s<>(SB), BX", set.isa)
	e.op("MOVQ (BX)(AX*8), AX")
	e.op("JMP AX")
}

func (x x86Tiles) write() {
	fmt.Fprintf(x, "\nTEXT %s(SB), NOSPLIT, $16-16\n", x.function(x.tile))
	x.op("MOVQ p+0(FP), DX")
	for _, field := range []string{"start", "blocks"} { // a panel must not point past its matrices
		x.op("MOVQ panel_%s(DX), AX", field)
		x.op("MOVQ AX, %s", x.local(field))
	}
	if x.masked {
		x.mask()
	}
	for _, field := range []struct{ name, register string }{
		{"a", "SI"}, {"c", "DI"}, {"aRow", "R8"}, {"aCol", "R10"}, {"bRow", "R11"},
	} {
		x.op("MOVQ panel_%s(DX), %s", field.name, field.register)
	}
	x.op("LEAQ (R8)(R8*2), R9")
	x.label("block")
	x.start()
	bases := []string{"AX", "BX", "R12", "R14"}[:(x.rows+3)/4]
	x.op("MOVQ SI, AX")
	for i, base := range bases[1:] {
		x.op("LEAQ (%s)(R8*4), %s", bases[i], base)
	}
	x.op("MOVQ panel_b(DX), R13")
	x.op("MOVQ panel_k(DX), CX")
	x.steps(bases)
	x.finish()
}

// steps runs over k, some steps at a time: that keeps the loop's end within the branch predictor's view.
func (x x86Tiles) steps(bases []string) {
	const unrolled = 4
	one := func() {
		x.step(bases)
		for _, base := range bases {
			x.op("ADDQ R10, %s", base)
		}
		x.op("ADDQ R11, R13")
	}
	x.op("SUBQ $%d, CX", unrolled)
	x.op("JLT few")
	x.op("PCALIGN $64")
	x.label("steps")
	for range unrolled {
		one()
	}
	x.op("SUBQ $%d, CX", unrolled)
	x.op("JGE steps")
	x.label("few")
	x.op("ADDQ $%d, CX", unrolled)
	x.op("JEQ done")
	x.label("step")
	one()
	x.op("DECQ CX")
	x.op("JNZ step")
	x.label("done")
}

// start loads what the block starts from.
func (x x86Tiles) start() {
	x.op("MOVQ %s, BX", x.local("start"))
	x.op("TESTQ BX, BX")
	x.op("JEQ zero")
	x.op("MOVQ panel_startRow(DX), CX")
	for row := range x.rows {
		for v := range x.vectors {
			x.load(x.at("BX", v), v, x.accumulator(row, v))
		}
		x.op("ADDQ CX, BX")
	}
	x.op("MOVQ BX, %s", x.local("start"))
	if x.vectors*x.lanes >= 16 {
		x.prefetch()
	}
	x.op("MOVQ panel_plus(DX), BX")
	x.op("TESTQ BX, BX")
	x.op("JEQ begin")
	for v := range x.vectors {
		x.load(x.at("BX", v), v, x.spare(0))
		for row := range x.rows {
			x.op("VADDPS %s, %s, %s", x.spare(0), x.accumulator(row, v), x.accumulator(row, v))
		}
	}
	x.op("JMP begin")
	x.label("zero")
	for i := range x.rows * x.vectors {
		if x.wide {
			x.op("VPXORD Z%d, Z%d, Z%d", i, i, i)
		} else {
			x.op("VXORPS X%d, X%d, X%d", i, i, i)
		}
	}
	x.label("begin")
}

// prefetch fetches what the next block starts from, which may lie far away, from BX on, unless it is the
// same row again.
func (x x86Tiles) prefetch() {
	x.op("TESTQ CX, CX")
	x.op("JEQ same")
	for row := range x.rows {
		for at := 0; at < x.vectors*x.lanes*4; at += 64 {
			x.op("PREFETCHT0 %d(BX)", at)
		}
		if row < x.rows-1 {
			x.op("ADDQ CX, BX")
		}
	}
	x.label("same")
}

// step adds the products of one k.
func (x x86Tiles) step(bases []string) {
	a := func(row int) string {
		return "(" + bases[row/4] + ")" + []string{"", "(R8*1)", "(R8*2)", "(R9*1)"}[row%4]
	}
	multiplyAdd := func(b, factor string, row, v int) {
		x.op("VFMADD231PS %s, %s, %s", b, factor, x.accumulator(row, v))
	}
	switch {
	case x.rows <= 4 && x.vectors >= 4 || x.rows == 1: // rows of A stay, vectors of B pass
		for row := range x.rows {
			x.op("VBROADCASTSS %s, %s", a(row), x.spare(row))
		}
		for v := range x.vectors {
			b := x.at("R13", v)
			if x.rows > 1 || x.partial(v) {
				b = x.spare(x.rows)
				x.load(x.at("R13", v), v, b)
			}
			for row := range x.rows {
				multiplyAdd(b, x.spare(row), row, v)
			}
		}
	case x.wide && x.vectors == 1: // the multiply-add itself broadcasts
		x.load("(R13)", 0, x.spare(0))
		for row := range x.rows {
			x.op("VFMADD231PS.BCST %s, %s, %s", a(row), x.spare(0), x.accumulator(row, 0))
		}
	default: // vectors of B stay, rows of A pass
		for v := range x.vectors {
			x.load(x.at("R13", v), v, x.spare(v))
		}
		for row := range x.rows {
			factor := x.spare(x.vectors + row%min(2, x.spares()-x.vectors))
			x.op("VBROADCASTSS %s, %s", a(row), factor)
			for v := range x.vectors {
				multiplyAdd(x.spare(v), factor, row, v)
			}
		}
	}
}

func (x x86Tiles) finish() {
	x.op("MOVQ panel_cRow(DX), CX")
	for row := range x.rows {
		for v := range x.vectors {
			x.store(x.accumulator(row, v), v, x.at("DI", v))
		}
		x.op("ADDQ CX, DI")
		if row%4 == 3 || row == x.rows-1 {
			x.op("LEAQ (SI)(%s), SI", []string{"R8*1", "R8*2", "R9*1", "R8*4"}[row%4])
		}
	}
	x.op("DECQ %s", x.local("blocks"))
	x.op("JNZ block")
	x.op("VZEROUPPER")
	x.op("RET")
}

// mask fills K1 or Y15 with as many ones as lanes count.
func (x x86Tiles) mask() {
	x.op("MOVQ panel_lanes(DX), CX")
	if x.wide {
		x.op("MOVL $1, AX")
		x.op("SHLL CX, AX")
		x.op("DECL AX")
		x.op("KMOVW AX, K1")
		return
	}
	x.op("NEGQ CX")
	x.op("LEAQ ·laneMaskAVX2(SB), AX")
	x.op("VMOVDQU 32(AX)(CX*4), Y15")
}

func (x x86Tiles) load(address string, v int, register string) {
	switch {
	case !x.partial(v):
		x.op("VMOVUPS %s, %s", address, register)
	case x.wide:
		x.op("VMOVUPS.Z %s, K1, %s", address, register)
	default:
		x.op("VMASKMOVPS %s, Y15, %s", address, register)
	}
}

func (x x86Tiles) store(register string, v int, address string) {
	switch {
	case !x.partial(v):
		x.op("VMOVUPS %s, %s", register, address)
	case x.wide:
		x.op("VMOVUPS %s, K1, %s", register, address)
	default:
		x.op("VMASKMOVPS %s, Y15, %s", register, address)
	}
}
