package main

import "fmt"

// neonTiles writes the tiles of NEON. General registers:
//
//	R0              the panel
//	R1, R2          the block's first element of A and of C
//	R3, R4, R5, R6  row and column stride of A, row strides of B and of C
//	R7, R8          B at this k, steps left
//	R9, R10, R11    what the block starts from, its row stride, blocks left
//	R12             scratch
//	from R13 on     A at this k, row by row
//
// Vectors: the accumulators from V0 on, row by row; then a row of B; then elements of A in turn. A tile
// without vectors is a single column.
type neonTiles struct {
	*emitter
	tileSet
	tile
}

var neonRows = []string{"R13", "R14", "R15", "R16", "R17", "R19", "R20", "R21"}

func (x neonTiles) accumulator(row, v int) int { return row*x.columns() + v }

// columns is vectors, or one scalar.
func (x neonTiles) columns() int { return max(1, x.vectors) }

// spare is register n of those that are not accumulators.
func (x neonTiles) spare(n int) int {
	if n += x.rows * x.columns(); n < 32 {
		return n
	}
	panic(fmt.Sprintf("gen: %s: too few registers", x.function(x.tile)))
}

// writeNEON writes a set's tiles and their table.
func writeNEON(e *emitter, set tileSet) {
	for _, t := range set.tiles() {
		neonTiles{e, set, t}.write()
	}
	set.table(e)
	e.op("MOVD number+8(FP), R1")
	e.op("MOVD $tiles%s<>(SB), R2", set.isa)
	e.op("MOVD (R2)(R1<<3), R1")
	e.op("JMP (R1)")
}

func (x neonTiles) write() {
	fmt.Fprintf(x, "\nTEXT %s(SB), NOSPLIT, $0-16\n", x.function(x.tile))
	x.op("MOVD p+0(FP), R0")
	for i, field := range []string{"a", "c", "aRow", "aCol", "bRow", "cRow"} {
		x.op("MOVD panel_%s(R0), R%d", field, i+1)
	}
	for i, field := range []string{"start", "startRow", "blocks"} {
		x.op("MOVD panel_%s(R0), R%d", field, i+9)
	}
	x.label("block")
	x.start()
	x.op("MOVD R1, R13")
	for row := 1; row < x.rows; row++ {
		x.op("ADD R3, %s, %s", neonRows[row-1], neonRows[row])
	}
	x.op("ADD R3, %s, R1", neonRows[x.rows-1])
	x.op("MOVD panel_b(R0), R7")
	x.op("MOVD panel_k(R0), R8")
	x.op("PCALIGN $16")
	x.label("step")
	x.step()
	for row := range x.rows {
		x.op("ADD R4, %s", neonRows[row])
	}
	x.op("ADD R5, R7")
	x.op("SUBS $1, R8")
	x.op("BNE step")
	for row := range x.rows {
		x.move(x.accumulator(row, 0), "R2", true)
		x.op("ADD R6, R2")
	}
	x.op("SUBS $1, R11")
	x.op("BNE block")
	x.op("RET")
}

// start loads what the block starts from.
func (x neonTiles) start() {
	x.op("CBZ R9, zero")
	for row := range x.rows {
		x.move(x.accumulator(row, 0), "R9", false)
		x.op("ADD R10, R9")
	}
	x.op("MOVD panel_plus(R0), R12")
	x.op("CBZ R12, begin")
	for v := range x.columns() {
		b := x.spare(0)
		if x.vectors == 0 {
			x.op("FMOVS (R12), F%d", b)
		} else {
			x.op("FMOVQ %d(R12), F%d", 16*v, b)
		}
		for row := range x.rows {
			if x.vectors == 0 {
				x.op("FADDS F%d, F%d, F%d", b, row, row)
				continue
			}
			x.add(x.accumulator(row, v), b)
		}
	}
	x.op("JMP begin")
	x.label("zero")
	for i := range x.rows * x.columns() {
		x.op("VEOR V%d.B16, V%d.B16, V%d.B16", i, i, i)
	}
	x.label("begin")
}

// step adds the products of one k.
func (x neonTiles) step() {
	few := x.vectors > 4 // vectors of B pass, rows of A stay
	if few {
		for row := range x.rows {
			x.op("FMOVS (%s), F%d", neonRows[row], x.spare(row))
		}
		for v := range x.vectors {
			b := x.spare(x.rows + v%4)
			x.op("FMOVQ %d(R7), F%d", 16*v, b)
			for row := range x.rows {
				x.multiplyAdd(x.accumulator(row, v), b, x.spare(row))
			}
		}
		return
	}
	x.move(x.spare(0), "R7", false)
	for row := range x.rows {
		a := x.spare(x.columns() + row%4)
		x.op("FMOVS (%s), F%d", neonRows[row], a)
		for v := range x.vectors {
			x.multiplyAdd(x.accumulator(row, v), x.spare(v), a)
		}
		if x.vectors == 0 {
			x.op("FMADDS F%d, F%d, F%d, F%d", a, row, x.spare(0), row)
		}
	}
}

// move loads or stores a row of registers.
func (x neonTiles) move(first int, base string, store bool) {
	both := func(op, registers string, offset int) {
		if store {
			x.op("%s %s, %d(%s)", op, registers, offset, base)
		} else {
			x.op("%s %d(%s), %s", op, offset, base, registers)
		}
	}
	if x.vectors == 0 {
		both("FMOVS", fmt.Sprintf("F%d", first), 0)
		return
	}
	v := 0
	for ; v+2 <= x.vectors; v += 2 {
		op := "FLDPQ"
		if store {
			op = "FSTPQ"
		}
		both(op, fmt.Sprintf("(F%d, F%d)", first+v, first+v+1), 16*v)
	}
	if v < x.vectors {
		both("FMOVQ", fmt.Sprintf("F%d", first+v), 16*v)
	}
}

// multiplyAdd adds a vector times lane 0 of another, an instruction that Go's assembler lacks.
func (x neonTiles) multiplyAdd(sum, vector, lane int) {
	x.op("WORD $0x%08x // FMLA V%d.4S, V%d.4S, V%d.S[0]",
		0x4f801000|lane<<16|vector<<5|sum, sum, vector, lane)
}

// add adds vectors, an instruction that Go's assembler lacks.
func (x neonTiles) add(sum, vector int) {
	x.op("WORD $0x%08x // FADD V%d.4S, V%d.4S, V%d.4S", 0x4e20d400|vector<<16|sum<<5|sum, sum, sum, vector)
}

// transposeNEON writes the 4 x 4 transposition.
func transposeNEON(e *emitter) {
	transposeHead(e, "transpose4NEON")
	for i, argument := range []string{"blocks+0", "src+8", "srcRow+16", "dst+24", "dstRow+32"} {
		e.op("MOVD %s(FP), R%d", argument, i)
	}
	e.op("LSL $2, R2")
	e.op("LSL $2, R4")
	e.label("block")
	e.op("MOVD R1, R5")
	for i := range 4 {
		e.op("FMOVQ (R5), F%d", i)
		e.op("ADD R2, R5")
	}
	for i := 0; i < 4; i += 2 {
		e.op("VTRN1 V%d.S4, V%d.S4, V%d.S4", i+1, i, 4+i)
		e.op("VTRN2 V%d.S4, V%d.S4, V%d.S4", i+1, i, 5+i)
	}
	for i := range 4 {
		e.op("VTRN%d V%d.D2, V%d.D2, V%d.D2", 1+i/2, 6+i%2, 4+i%2, i)
	}
	for i := range 4 {
		e.op("FMOVQ F%d, (R3)", i)
		e.op("ADD R4, R3")
	}
	e.op("ADD $16, R1")
	e.op("SUBS $1, R0")
	e.op("BNE block")
	e.op("RET")
}

// peakNEON is peakX86 for NEON.
func peakNEON(e *emitter) {
	const chains = 24
	e.WriteString("\n// func peakNEON(rounds int, x, y float32)\nTEXT ·peakNEON(SB), NOSPLIT, $0-16\n")
	e.op("MOVD rounds+0(FP), R0")
	e.op("FMOVS x+8(FP), F%d", chains)
	e.op("FMOVS y+12(FP), F%d", chains+1)
	e.op("VDUP V%d.S[0], V%d.S4", chains, chains)
	e.op("VDUP V%d.S[0], V%d.S4", chains+1, chains+1)
	for i := range chains {
		e.op("VEOR V%d.B16, V%d.B16, V%d.B16", i, i, i)
	}
	e.label("round")
	for i := range peakSteps {
		e.op("VFMLA V%d.S4, V%d.S4, V%d.S4", chains+1, chains, i%chains)
	}
	e.op("SUBS $1, R0")
	e.op("BNE round")
	e.op("RET")
}
