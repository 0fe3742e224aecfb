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

// Matrix is a matrix within a slice: the element in row i and column j is Data[i*Stride+j].
type Matrix struct {
	Data               []float32
	Rows, Cols, Stride int
}

// View is the rows x cols matrix at the beginning of data, with rows stride elements apart.
func View(data []float32, rows, cols, stride int) Matrix { return Matrix{data, rows, cols, stride} }

// Product is what [MatMul] computes: C (m x n) of A (m x k) and B (k x n).
type Product struct {
	C, A, B    Matrix
	TransposeA bool // A is stored transposed, k x m
	Start      Start
	Bias       []float32 // n elements where Start names it; not read otherwise
}

// MatMul computes
//
//	C[i,j] = start + A[i,0]*B[0,j] + A[i,1]*B[1,j] + ... + A[i,k-1]*B[k-1,j]
//
// from left to right, each step one fused multiply-add that rounds once to float32 (num.FMA32).
//
// Infinities and NaN go through every step as IEEE 754 has it, whatever the tile: nothing is skipped,
// a zero in A does not hide an infinity in B. Only the payload and the sign of a NaN may differ
// between instruction sets.
//
// It panics if sizes do not fit each other, a size or stride is negative, rows of C overlap, or a slice
// is too short for its matrix. C must not share memory with A, B or Bias. It allocates nothing.
func MatMul(p *Product) {
	m, n, k := p.sizes()
	if !holds(len(p.C.Data), m, p.C.Stride, n, 1) || p.C.Stride < n {
		needRows("MatMul: c", len(p.C.Data), m, p.C.Stride, n)
	}
	if p.Start > KeepPlusBias {
		panic(fmt.Sprintf("kernel: MatMul: no start has the number %d", p.Start))
	}
	if m == 0 || n == 0 {
		return
	}
	if p.Start >= Bias {
		atLeast("MatMul: bias", len(p.Bias), n)
	}
	aRow, aCol := p.strides()
	if !holds(len(p.A.Data), m, aRow, k, aCol) || !holds(len(p.B.Data), k, p.B.Stride, n, 1) {
		need("MatMul: a", len(p.A.Data), m, aRow, k, aCol)
		need("MatMul: b", len(p.B.Data), k, p.B.Stride, n, 1)
	}
	if active == Generic || k == 0 {
		matmulGeneric(p)
		return
	}
	matmulTiles(p)
}

// sizes are those of the product; they must be those of its matrices.
func (p *Product) sizes() (m, n, k int) {
	m, n, k = p.C.Rows, p.C.Cols, p.B.Rows
	aRows, aCols := p.A.Rows, p.A.Cols
	if p.TransposeA {
		aRows, aCols = aCols, aRows
	}
	if aRows != m || aCols != k || p.B.Cols != n {
		panic(fmt.Sprintf("kernel: MatMul: A is %d x %d, B %d x %d and C %d x %d; they must be m x k, k x n and m x n",
			aRows, aCols, k, p.B.Cols, m, n))
	}
	return m, n, k
}

// strides are the distances of A's elements along m and along k.
func (p *Product) strides() (row, col int) {
	if p.TransposeA {
		return 1, p.A.Stride
	}
	return p.A.Stride, 1
}

// Transpose copies src into dst, which has as many rows as src has columns and the other way round. It
// panics as [MatMul] does; dst must not share memory with src. It allocates nothing.
func Transpose(dst, src Matrix) {
	rows, cols := src.Rows, src.Cols
	if dst.Rows != cols || dst.Cols != rows {
		panic(fmt.Sprintf("kernel: Transpose: dst is %d x %d, src %d x %d; want %[4]d x %[3]d",
			dst.Rows, dst.Cols, rows, cols))
	}
	need("Transpose: src", len(src.Data), rows, src.Stride, cols, 1)
	need("Transpose: dst", len(dst.Data), cols, dst.Stride, rows, 1)
	if cols > 1 && dst.Stride < rows {
		panic(fmt.Sprintf("kernel: Transpose: rows of dst overlap: %d columns, stride %d", rows, dst.Stride))
	}
	doneRows, doneCols := 0, 0
	if active != Generic {
		doneRows, doneCols = transposeTiles(dst, src)
	}
	for i := range rows {
		from := 0
		if i < doneRows {
			from = doneCols
		}
		for j := from; j < cols; j++ {
			dst.Data[j*dst.Stride+i] = src.Data[i*src.Stride+j]
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
