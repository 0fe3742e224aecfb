package kernel

func supported() []ISA { return []ISA{Generic, NEON} }

// tiles returns the widths of tiles, narrowest first, and the lanes of a vector.
func tiles() (widths []width, lanes int) { return widthsNEON[:], 4 }

func matmulTile(p *panel, number int) { matmulTileNEON(p, number) }

// transposeTiles transposes the upper left part of a matrix that 4 x 4 blocks fill and returns its
// size.
func transposeTiles(dst, src Matrix) (doneRows, doneCols int) {
	doneRows, doneCols = src.Rows&^3, src.Cols&^3
	if doneCols == 0 {
		return 0, 0
	}
	for i := 0; i < doneRows; i += 4 {
		transpose4NEON(doneCols/4, &src.Data[i*src.Stride], src.Stride, &dst.Data[i], dst.Stride)
	}
	return doneRows, doneCols
}

func peak(isa ISA, rounds int, x, y float32) {
	if isa == NEON {
		peakNEON(rounds, x, y)
		return
	}
	peakGeneric(rounds, x, y)
}
