package kernel

import "golang.org/x/sys/cpu"

func supported() []ISA {
	switch {
	case cpu.X86.HasAVX512F && cpu.X86.HasAVX2 && cpu.X86.HasFMA:
		return []ISA{Generic, AVX2, AVX512}
	case cpu.X86.HasAVX2 && cpu.X86.HasFMA:
		return []ISA{Generic, AVX2}
	}
	return []ISA{Generic}
}

// tiles returns the widths of tiles in use, narrowest first, and the lanes of a vector.
func tiles() (widths []width, lanes int) {
	if active == AVX512 {
		return widthsAVX512[:], 16
	}
	return widthsAVX2[:], 8
}

func matmulTile(p *panel, number int) {
	if active == AVX512 {
		matmulTileAVX512(p, number)
		return
	}
	matmulTileAVX2(p, number)
}

// transposeTiles transposes the upper left part of a matrix that 8 x 8 blocks fill and returns its
// size.
func transposeTiles(dst, src Matrix) (doneRows, doneCols int) {
	doneRows, doneCols = src.Rows&^7, src.Cols&^7
	if doneCols == 0 {
		return 0, 0
	}
	i := 0
	for ; i+16 <= doneRows && active == AVX512; i += 16 {
		transpose16x8AVX512(doneCols/8, &src.Data[i*src.Stride], src.Stride, &dst.Data[i], dst.Stride)
	}
	for ; i < doneRows; i += 8 {
		transpose8AVX2(doneCols/8, &src.Data[i*src.Stride], src.Stride, &dst.Data[i], dst.Stride)
	}
	return doneRows, doneCols
}

func peak(isa ISA, rounds int, x, y float32) {
	switch isa {
	case AVX512:
		peakAVX512(rounds, x, y)
	case AVX2:
		peakAVX2(rounds, x, y)
	default:
		peakGeneric(rounds, x, y)
	}
}
