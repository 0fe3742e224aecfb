package kernel

import "golang.org/x/sys/cpu"

// kBlock is how many rows of B a tile runs through before the next tile follows: 256 rows of 32
// columns are 32 KiB, which stay in the first-level cache while the rows of A pass by.
const kBlock = 256

func best() ISA {
	switch {
	case cpu.X86.HasAVX512F && cpu.X86.HasAVX2 && cpu.X86.HasFMA:
		return AVX512
	case cpu.X86.HasAVX2 && cpu.X86.HasFMA:
		return AVX2
	}
	return Generic
}

// width is a tile as wide as cols; where masked, only the first lanes of it count.
type width struct {
	cols   int
	masked bool
	run    func(blocks, k int, a *float32, aRow, aCol int, b *float32, bRow int,
		c *float32, cRow, lanes int, accumulate bool)
}

// band is tiles of one height, widest first; the last one is masked and takes what is left.
type band struct {
	rows   int
	widths []width
}

// The tiles of each instruction set, highest first; the last band is one row high.
var (
	bandsAVX512 = []band{
		{8, []width{{32, false, matmul8x32AVX512}, {16, true, matmul8x16AVX512}}},
		{4, []width{{32, false, matmul4x32AVX512}, {16, true, matmul4x16AVX512}}},
		{1, []width{{128, false, matmul1x128AVX512}, {32, false, matmul1x32AVX512},
			{16, true, matmul1x16AVX512}}},
	}
	bandsAVX2 = []band{
		{6, []width{{16, false, matmul6x16AVX2}, {8, true, matmul6x8AVX2}}},
		{2, []width{{16, false, matmul2x16AVX2}, {8, true, matmul2x8AVX2}}},
		{1, []width{{64, false, matmul1x64AVX2}, {16, false, matmul1x16AVX2}, {8, true, matmul1x8AVX2}}},
	}
)

// matmulTiles is MatMul in assembly, for sizes above zero that need has checked.
func matmulTiles(m, n, k int, a []float32, aRow, aCol int, b []float32, bRow int,
	c []float32, cRow int, accumulate bool) {
	bands := bandsAVX2
	if active == AVX512 {
		bands = bandsAVX512
	}
	for from := 0; from < k; from += kBlock {
		steps := min(kBlock, k-from)
		i := 0
		for _, band := range bands {
			blocks := (m - i) / band.rows
			if blocks == 0 {
				continue
			}
			j := 0
			for _, tile := range band.widths {
				for n-j >= tile.cols || tile.masked && j < n {
					lanes := min(tile.cols, n-j)
					tile.run(blocks, steps, &a[i*aRow+from*aCol], aRow, aCol, &b[from*bRow+j], bRow,
						&c[i*cRow+j], cRow, lanes, accumulate)
					j += lanes
				}
			}
			i += blocks * band.rows
		}
		accumulate = true
	}
}

// transposeTiles transposes the upper left part of a matrix that 8 x 8 blocks fill and returns its
// size.
func transposeTiles(rows, cols int, src []float32, srcRow int, dst []float32, dstRow int) (
	doneRows, doneCols int) {
	doneRows, doneCols = rows&^7, cols&^7
	if doneCols == 0 {
		return 0, 0
	}
	for i := 0; i < doneRows; i += 8 {
		transpose8AVX2(doneCols/8, &src[i*srcRow], srcRow, &dst[i], dstRow)
	}
	return doneRows, doneCols
}
