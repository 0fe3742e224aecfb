package kernel

import (
	"math"

	"taolab/model/num"
)

// tieBits are the bits of a float64 that are all zero where rounding it to float32 may be rounding a
// second time on a tie (see num.FMA32).
const tieBits = 1<<28 - 1

// matmulGeneric is MatMul in plain Go, for sizes above zero but k's. It runs along rows of B and C,
// four steps of k at a time so that an element stays in a register.
func matmulGeneric(p *Product) {
	m, n, k := p.sizes()
	aRow, aCol := p.strides()
	a, b, bRow := p.A.Data, p.B.Data, p.B.Stride
	for i := range m {
		row := p.C.Data[i*p.C.Stride:][:n]
		p.Start.set(row, p.Bias)
		l := 0
		for ; l+4 <= k; l += 4 {
			x := a[i*aRow+l*aCol:]
			fmaRows(row, [4]float64{float64(x[0]), float64(x[aCol]), float64(x[2*aCol]), float64(x[3*aCol])},
				b[l*bRow:][:n], b[(l+1)*bRow:][:n], b[(l+2)*bRow:][:n], b[(l+3)*bRow:][:n])
		}
		for ; l < k; l++ {
			fmaRow(row, float64(a[i*aRow+l*aCol]), b[l*bRow:][:n])
		}
	}
}

// set gives a row of C its start.
func (s Start) set(row, bias []float32) {
	switch s {
	case Zero:
		clear(row)
	case Bias:
		copy(row, bias)
	case KeepPlusBias:
		for j, x := range bias[:len(row)] {
			row[j] += x
		}
	}
}

// fmaRow adds x*y to sum, element by element, rounding once each: num.FMA32 with its rare branch
// called and the rest inlined by hand.
func fmaRow(sum []float32, x float64, y []float32) {
	sum = sum[:len(y)]
	for j, yj := range y {
		product, start := float64(x*float64(yj)), float64(sum[j])
		exact := product + start
		if math.Float64bits(exact)&tieBits == 0 {
			exact = num.Odd(product, start, exact)
		}
		sum[j] = float32(exact)
	}
}

// fmaRows is fmaRow four times, in order.
func fmaRows(sum []float32, x [4]float64, y0, y1, y2, y3 []float32) {
	x0, x1, x2, x3 := x[0], x[1], x[2], x[3]
	sum, y1, y2, y3 = sum[:len(y0)], y1[:len(y0)], y2[:len(y0)], y3[:len(y0)]
	for j, yj := range y0 {
		product, start := float64(x0*float64(yj)), float64(sum[j])
		exact := product + start
		if math.Float64bits(exact)&tieBits == 0 {
			exact = num.Odd(product, start, exact)
		}
		product, start = float64(x1*float64(y1[j])), float64(float32(exact))
		exact = product + start
		if math.Float64bits(exact)&tieBits == 0 {
			exact = num.Odd(product, start, exact)
		}
		product, start = float64(x2*float64(y2[j])), float64(float32(exact))
		exact = product + start
		if math.Float64bits(exact)&tieBits == 0 {
			exact = num.Odd(product, start, exact)
		}
		product, start = float64(x3*float64(y3[j])), float64(float32(exact))
		exact = product + start
		if math.Float64bits(exact)&tieBits == 0 {
			exact = num.Odd(product, start, exact)
		}
		sum[j] = float32(exact)
	}
}
