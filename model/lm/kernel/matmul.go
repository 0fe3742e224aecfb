package kernel

import "taolab/model/num"

// MatMul computes C[i,j] = start + sum over k, ascending, of A[i,k]*B[k,j], one single-rounded fused
// multiply-add per step, where start is C[i,j] if accumulate and 0 otherwise.
func MatMul(m, n, k int, a []float32, aRow, aCol int, b []float32, bRow int,
	c []float32, cRow int, accumulate bool) {
	for i := range m {
		for j := range n {
			var sum float32
			if accumulate {
				sum = c[i*cRow+j]
			}
			for l := range k {
				sum = num.FMA32(a[i*aRow+l*aCol], b[l*bRow+j], sum)
			}
			c[i*cRow+j] = sum
		}
	}
}

// Transpose copies the rows x cols matrix src into dst with rows and columns exchanged.
func Transpose(rows, cols int, src []float32, srcRow int, dst []float32, dstRow int) {
	for i := range rows {
		for j := range cols {
			dst[j*dstRow+i] = src[i*srcRow+j]
		}
	}
}
