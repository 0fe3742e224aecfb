package main

// transpose writes the 8 x 8 transposition: pairs of rows interleaved by elements, pairs of those by
// two elements, halves exchanged. AX and BX walk through src and dst.
func transpose(e *emitter) {
	e.WriteString("\n// func transpose8AVX2(blocks int, src *float32, srcRow int, dst *float32, dstRow int)\n" +
		"TEXT ·transpose8AVX2(SB), NOSPLIT, $0-40\n")
	for _, x := range []struct{ argument, register string }{
		{"blocks+0", "DX"}, {"src+8", "SI"}, {"srcRow+16", "R8"}, {"dst+24", "DI"}, {"dstRow+32", "R10"},
	} {
		e.op("MOVQ %s(FP), %s", x.argument, x.register)
	}
	e.op("SHLQ $2, R8")
	e.op("SHLQ $2, R10")
	e.op("LEAQ (R8)(R8*2), R9")
	e.op("LEAQ (R10)(R10*2), R11")

	e.label("block")
	e.op("LEAQ (SI)(R8*4), AX")
	e.op("LEAQ (DI)(R10*4), BX")
	for i, address := range []string{"(SI)", "(SI)(R8*1)", "(SI)(R8*2)", "(SI)(R9*1)",
		"(AX)", "(AX)(R8*1)", "(AX)(R8*2)", "(AX)(R9*1)"} {
		e.op("VMOVUPS %s, Y%d", address, i)
	}
	for i := 0; i < 8; i += 2 {
		e.op("VUNPCKLPS Y%d, Y%d, Y%d", i+1, i, 8+i)
		e.op("VUNPCKHPS Y%d, Y%d, Y%d", i+1, i, 9+i)
	}
	for i := 0; i < 8; i += 4 {
		for half := range 2 {
			e.op("VUNPCKLPD Y%d, Y%d, Y%d", 10+i+half, 8+i+half, i+2*half)
			e.op("VUNPCKHPD Y%d, Y%d, Y%d", 10+i+half, 8+i+half, i+2*half+1)
		}
	}
	for i, address := range []string{"(DI)", "(DI)(R10*1)", "(DI)(R10*2)", "(DI)(R11*1)",
		"(BX)", "(BX)(R10*1)", "(BX)(R10*2)", "(BX)(R11*1)"} {
		e.op("VPERM2F128 $0x%x, Y%d, Y%d, Y8", 0x20+i/4*0x11, 4+i%4, i%4)
		e.op("VMOVUPS Y8, %s", address)
	}
	e.op("ADDQ $32, SI")
	e.op("LEAQ (DI)(R10*8), DI")
	e.op("DECQ DX")
	e.op("JNZ block")
	e.op("VZEROUPPER")
	e.op("RET")
}
