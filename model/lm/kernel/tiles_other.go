//go:build !amd64

package kernel

func best() ISA { return Generic }

func matmulTiles(m, n, k int, a []float32, aRow, aCol int, b []float32, bRow int,
	c []float32, cRow int, accumulate bool) {
	matmulGeneric(m, n, k, a, aRow, aCol, b, bRow, c, cRow, accumulate)
}

func transposeTiles(int, int, []float32, int, []float32, int) (doneRows, doneCols int) {
	return 0, 0
}
