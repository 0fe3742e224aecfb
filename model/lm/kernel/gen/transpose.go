package main

import "fmt"

// transposeHead begins a function.
func transposeHead(e *emitter, name string) {
	fmt.Fprintf(e, "\n// func %s(blocks int, src *float32, srcRow int, dst *float32, dstRow int)\n", name)
	fmt.Fprintf(e, "TEXT ·%s(SB), NOSPLIT, $0-40\n", name)
}

// transpose writes the 8 x 8 transposition: pairs of rows interleaved by elements, pairs of those by
// two elements, halves exchanged. AX and BX walk through src and dst.
func transpose(e *emitter) {
	transposeHead(e, "transpose8AVX2")
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

// transposeWide writes the 16 x 8 transposition: two rows, four apart, share a register, whose quarters
// are transposed as above and then gathered. SI, AX, BX, CX and DI, R12 walk through src and dst.
func transposeWide(e *emitter) {
	transposeHead(e, "transpose16x8AVX512")
	for _, x := range []struct{ argument, register string }{
		{"blocks+0", "DX"}, {"src+8", "SI"}, {"srcRow+16", "R8"}, {"dst+24", "DI"}, {"dstRow+32", "R10"},
	} {
		e.op("MOVQ %s(FP), %s", x.argument, x.register)
	}
	e.op("SHLQ $2, R8")
	e.op("SHLQ $2, R10")
	e.op("LEAQ (R8)(R8*2), R9")
	e.op("LEAQ (R10)(R10*2), R11")
	e.op("LEAQ (SI)(R8*4), AX")
	e.op("LEAQ (AX)(R8*4), BX")
	e.op("LEAQ (BX)(R8*4), CX")

	e.label("block")
	e.op("LEAQ (DI)(R10*4), R12")
	for i := range 8 { // rows 0 to 3 with 4 to 7, then 8 to 11 with 12 to 15
		row := []string{"", "(R8*1)", "(R8*2)", "(R9*1)"}[i%4]
		first, second := "(SI)", "(AX)"
		if i >= 4 {
			first, second = "(BX)", "(CX)"
		}
		e.op("VMOVUPS %s%s, Y%d", first, row, i)
		e.op("VINSERTF64X4 $1, %s%s, Z%d, Z%d", second, row, i, i)
	}
	for i := 0; i < 8; i += 2 {
		e.op("VUNPCKLPS Z%d, Z%d, Z%d", i+1, i, 8+i)
		e.op("VUNPCKHPS Z%d, Z%d, Z%d", i+1, i, 9+i)
	}
	for i := 0; i < 8; i += 4 {
		for half := range 2 {
			e.op("VUNPCKLPD Z%d, Z%d, Z%d", 10+i+half, 8+i+half, i+2*half)
			e.op("VUNPCKHPD Z%d, Z%d, Z%d", 10+i+half, 8+i+half, i+2*half+1)
		}
	}
	for i, address := range []string{"(DI)", "(DI)(R10*1)", "(DI)(R10*2)", "(DI)(R11*1)",
		"(R12)", "(R12)(R10*1)", "(R12)(R10*2)", "(R12)(R11*1)"} {
		e.op("VSHUFF32X4 $0x%x, Z%d, Z%d, Z%d", 0x88+i/4*0x55, 4+i%4, i%4, 16+i)
		e.op("VMOVUPS Z%d, %s", 16+i, address)
	}
	for _, base := range []string{"SI", "AX", "BX", "CX"} {
		e.op("ADDQ $32, %s", base)
	}
	e.op("LEAQ (DI)(R10*8), DI")
	e.op("DECQ DX")
	e.op("JNZ block")
	e.op("VZEROUPPER")
	e.op("RET")
}
