package main

import "fmt"

// peakSteps is how many multiply-adds a round of a peak loop does: a multiple of the chains of
// every instruction set.
const peakSteps = 96

// peakX86 writes multiply-adds in registers only, in several chains.
func peakX86(e *emitter, set tileSet, letter string, chains int) {
	fmt.Fprintf(e, "\n// func peak%s(rounds int, x, y float32)\n", set.isa)
	fmt.Fprintf(e, "TEXT ·peak%s(SB), NOSPLIT, $0-16\n", set.isa)
	e.op("MOVQ rounds+0(FP), CX")
	e.op("VBROADCASTSS x+8(FP), %s%d", letter, chains)
	e.op("VBROADCASTSS y+12(FP), %s%d", letter, chains+1)
	for i := range chains {
		e.op("VXORPS X%d, X%d, X%d", i, i, i)
	}
	e.op("PCALIGN $64")
	e.label("round")
	for i := range peakSteps {
		e.op("VFMADD231PS %s%d, %s%d, %s%d", letter, chains, letter, chains+1, letter, i%chains)
	}
	e.op("DECQ CX")
	e.op("JNZ round")
	e.op("VZEROUPPER")
	e.op("RET")
}
