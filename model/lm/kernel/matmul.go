package kernel

import (
	"fmt"
	"math/bits"
)

// MatMul computes the m x n matrix C from A (m x k) and B (k x n):
//
//	C[i,j] = start + A[i,0]*B[0,j] + A[i,1]*B[1,j] + ... + A[i,k-1]*B[k-1,j]
//
// from left to right, each step one fused multiply-add that rounds once to float32 (num.FMA32), and
// start is the C[i,j] found if accumulate, else 0. Strides count elements: A[i,k] is a[i*aRow+k*aCol],
// so that (1, width) reads a matrix transposed; B[k,j] is b[k*bRow+j]; C[i,j] is c[i*cRow+j].
//
// It panics if a size or stride is negative, rows of C overlap, or a slice is too short for its
// matrix. C must not share memory with A or B. It allocates nothing.
func MatMul(m, n, k int, a []float32, aRow, aCol int, b []float32, bRow int,
	c []float32, cRow int, accumulate bool) {
	need("MatMul: c", len(c), m, cRow, n, 1)
	if m > 1 && cRow < n {
		panic(fmt.Sprintf("kernel: MatMul: rows of c overlap: %d columns, stride %d", n, cRow))
	}
	if m == 0 || n == 0 {
		return
	}
	if k == 0 {
		for i := 0; i < m && !accumulate; i++ {
			clear(c[i*cRow : i*cRow+n])
		}
		return
	}
	need("MatMul: a", len(a), m, aRow, k, aCol)
	need("MatMul: b", len(b), k, bRow, n, 1)
	if active == Generic {
		matmulGeneric(m, n, k, a, aRow, aCol, b, bRow, c, cRow, accumulate)
		return
	}
	matmulTiles(m, n, k, a, aRow, aCol, b, bRow, c, cRow, accumulate)
}

// Transpose copies the rows x cols matrix src, whose element (i, j) is src[i*srcRow+j], into the
// cols x rows matrix dst: dst[j*dstRow+i]. It panics as [MatMul] does; dst must not share memory with
// src. It allocates nothing.
func Transpose(rows, cols int, src []float32, srcRow int, dst []float32, dstRow int) {
	need("Transpose: src", len(src), rows, srcRow, cols, 1)
	need("Transpose: dst", len(dst), cols, dstRow, rows, 1)
	if cols > 1 && dstRow < rows {
		panic(fmt.Sprintf("kernel: Transpose: rows of dst overlap: %d columns, stride %d", rows, dstRow))
	}
	doneRows, doneCols := 0, 0
	if active != Generic {
		doneRows, doneCols = transposeTiles(rows, cols, src, srcRow, dst, dstRow)
	}
	for i := range rows {
		from := 0
		if i < doneRows {
			from = doneCols
		}
		for j := from; j < cols; j++ {
			dst[j*dstRow+i] = src[i*srcRow+j]
		}
	}
}

// need panics unless a slice of a length holds a rows x cols matrix with these strides. The assembly
// relies on it.
func need(what string, length, rows, row, cols, col int) {
	if rows < 0 || cols < 0 || row < 0 || col < 0 {
		panic(fmt.Sprintf("kernel: %s: a negative size or stride: %d x %d, strides %d and %d",
			what, rows, cols, row, col))
	}
	if rows == 0 || cols == 0 {
		return
	}
	over1, down := bits.Mul64(uint64(rows-1), uint64(row))
	over2, right := bits.Mul64(uint64(cols-1), uint64(col))
	last, carry := bits.Add64(down, right, 0)
	if over1|over2|carry != 0 || last >= uint64(length) {
		panic(fmt.Sprintf("kernel: %s: %d elements are too few for %d x %d with strides %d and %d",
			what, length, rows, cols, row, col))
	}
}
