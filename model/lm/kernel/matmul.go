package kernel

import (
	"fmt"
	"math/bits"
)

// A Start says what the sums of a product start from.
type Start uint8

// What C[i,j] starts from.
const (
	Zero         Start = iota // +0
	Keep                      // the C[i,j] found
	Bias                      // bias[j]
	KeepPlusBias              // the C[i,j] found plus bias[j], rounded once
)

// MatMul computes the m x n matrix C from A (m x k) and B (k x n):
//
//	C[i,j] = start + A[i,0]*B[0,j] + A[i,1]*B[1,j] + ... + A[i,k-1]*B[k-1,j]
//
// from left to right, each step one fused multiply-add that rounds once to float32 (num.FMA32), and
// start is the C[i,j] found if accumulate, else 0. Strides count elements: A[i,k] is a[i*aRow+k*aCol],
// so that (1, width) reads a matrix transposed; B[k,j] is b[k*bRow+j]; C[i,j] is c[i*cRow+j].
//
// Infinities and NaN go through every step as IEEE 754 has it, whatever the tile: nothing is skipped,
// a zero in A does not hide an infinity in B. Only the payload and the sign of a NaN may differ
// between instruction sets.
//
// It panics if a size or stride is negative, rows of C overlap, or a slice is too short for its
// matrix. C must not share memory with A or B. It allocates nothing.
func MatMul(m, n, k int, a []float32, aRow, aCol int, b []float32, bRow int,
	c []float32, cRow int, accumulate bool) {
	start := Zero
	if accumulate {
		start = Keep
	}
	MatMulFrom(start, nil, m, n, k, a, aRow, aCol, b, bRow, c, cRow)
}

// MatMulFrom is [MatMul] from any start. bias must have n elements where the start names it, and is
// not read otherwise; it must not share memory with C.
func MatMulFrom(start Start, bias []float32, m, n, k int, a []float32, aRow, aCol int, b []float32,
	bRow int, c []float32, cRow int) {
	if !holds(len(c), m, cRow, n, 1) || cRow < n {
		needRows("MatMul: c", len(c), m, cRow, n)
	}
	if start > KeepPlusBias {
		panic(fmt.Sprintf("kernel: MatMul: no start has the number %d", start))
	}
	if m == 0 || n == 0 {
		return
	}
	if start >= Bias {
		atLeast("MatMul: bias", len(bias), n)
	}
	if !holds(len(a), m, aRow, k, aCol) || !holds(len(b), k, bRow, n, 1) {
		need("MatMul: a", len(a), m, aRow, k, aCol)
		need("MatMul: b", len(b), k, bRow, n, 1)
	}
	if active == Generic || k == 0 {
		matmulGeneric(start, bias, m, n, k, a, aRow, aCol, b, bRow, c, cRow)
		return
	}
	matmulTiles(start, bias, m, n, k, a, aRow, aCol, b, bRow, c, cRow)
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

// holds is true where need does not panic, of all sizes that occur but zero.
func holds(length, rows, row, cols, col int) bool {
	return rows > 0 && cols > 0 && uint64(rows|row|cols|col) < 1<<31 &&
		uint64(rows-1)*uint64(row)+uint64(cols-1)*uint64(col) < uint64(length)
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
