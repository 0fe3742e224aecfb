package kernel

// The reductions: 16 partial sums, then a fixed tree.

// Sum adds up x: 16 partial sums start from +0, lane l taking x[l], x[l+16], x[l+32] and so on; then
// lane l takes lane l+8, l+4, l+2 and l+1, each for the l below. Of nothing it is +0.
func Sum(x []float32) float32 {
	if active == Generic || len(x) == 0 {
		return sumGeneric(x)
	}
	var result float32
	sumVector(len(x), &x[0], &result)
	return result
}

// Dot adds up the products x[i]*y[i], each rounded, as [Sum] does. It panics if y is shorter than x.
func Dot(x, y []float32) float32 {
	atLeast("Dot: y", len(y), len(x))
	if active == Generic || len(x) == 0 {
		return dotGeneric(x, y)
	}
	var result float32
	dotVector(len(x), &x[0], &y[0], &result)
	return result
}

// SumSquares is Dot(x, x).
func SumSquares(x []float32) float32 { return Dot(x, x) }

// Add adds y to x, element by element. It panics if y is shorter than x.
func Add(x, y []float32) {
	atLeast("Add: y", len(y), len(x))
	if active != Generic && len(x) > 0 {
		addVector(len(x), &x[0], &y[0])
		return
	}
	y = y[:len(x)]
	for i, v := range y {
		x[i] += v
	}
}

// AddRow adds row to the first elements of each of the rows of x, which begin stride elements apart.
// It panics as [MatMul] does.
func AddRow(rows int, x []float32, stride int, row []float32) {
	cols := len(row)
	needRows("AddRow: x", len(x), rows, stride, cols)
	if rows == 0 || cols == 0 {
		return
	}
	if active != Generic {
		addRowVector(rows, cols, &x[0], 4*stride, &row[0])
		return
	}
	for i := range rows {
		y := x[i*stride:][:cols]
		for j, v := range row {
			y[j] += v
		}
	}
}

// ColumnSums writes to sums, whose length is the number of columns, the sums of the columns of x: rows
// rows that begin stride elements apart. A sum starts from +0 and takes the rows from first to last.
// It panics as [MatMul] does.
func ColumnSums(rows int, x []float32, stride int, sums []float32) {
	cols := len(sums)
	need("ColumnSums: x", len(x), rows, stride, cols, 1)
	if rows == 0 || active == Generic {
		clear(sums)
		for i := range rows {
			for j, v := range x[i*stride:][:cols] {
				sums[j] += v
			}
		}
		return
	}
	if cols > 0 {
		columnSumsVector(rows, cols, &x[0], 4*stride, &sums[0])
	}
}

// Eight lanes fit into the registers of every target, so each function below walks its operands
// twice.

func sumGeneric(x []float32) float32 {
	a0, a1, a2, a3, a4, a5, a6, a7 := sum8(x)
	if len(x) <= 8 {
		return fold8(a0, a1, a2, a3, a4, a5, a6, a7)
	}
	b0, b1, b2, b3, b4, b5, b6, b7 := sum8(x[8:])
	return fold8(a0+b0, a1+b1, a2+b2, a3+b3, a4+b4, a5+b5, a6+b6, a7+b7)
}

func dotGeneric(x, y []float32) float32 {
	y = y[:len(x)]
	a0, a1, a2, a3, a4, a5, a6, a7 := dot8(x, y)
	if len(x) <= 8 {
		return fold8(a0, a1, a2, a3, a4, a5, a6, a7)
	}
	b0, b1, b2, b3, b4, b5, b6, b7 := dot8(x[8:], y[8:])
	return fold8(a0+b0, a1+b1, a2+b2, a3+b3, a4+b4, a5+b5, a6+b6, a7+b7)
}

// fold8 is the lower part of the tree: lane l takes lane l+4, then l+2, then l+1.
func fold8(a0, a1, a2, a3, a4, a5, a6, a7 float32) float32 {
	return ((a0 + a4) + (a2 + a6)) + ((a1 + a5) + (a3 + a7))
}

// sum8 adds up eight neighbouring lanes of every sixteen, from lane 0 of x.
func sum8(x []float32) (s0, s1, s2, s3, s4, s5, s6, s7 float32) {
	for len(x) >= 8 {
		c := (*[8]float32)(x)
		s0 += c[0]
		s1 += c[1]
		s2 += c[2]
		s3 += c[3]
		s4 += c[4]
		s5 += c[5]
		s6 += c[6]
		s7 += c[7]
		if len(x) < 16 {
			return
		}
		x = x[16:]
	}
	switch len(x) {
	case 7:
		s6 += x[6]
		fallthrough
	case 6:
		s5 += x[5]
		fallthrough
	case 5:
		s4 += x[4]
		fallthrough
	case 4:
		s3 += x[3]
		fallthrough
	case 3:
		s2 += x[2]
		fallthrough
	case 2:
		s1 += x[1]
		fallthrough
	case 1:
		s0 += x[0]
	}
	return
}

// dot8 adds up the products of eight neighbouring lanes of every sixteen; len(y) = len(x).
func dot8(x, y []float32) (s0, s1, s2, s3, s4, s5, s6, s7 float32) {
	y = y[:len(x)]
	for len(x) >= 8 && len(y) >= 8 {
		c, e := (*[8]float32)(x), (*[8]float32)(y)
		s0 += float32(c[0] * e[0])
		s1 += float32(c[1] * e[1])
		s2 += float32(c[2] * e[2])
		s3 += float32(c[3] * e[3])
		s4 += float32(c[4] * e[4])
		s5 += float32(c[5] * e[5])
		s6 += float32(c[6] * e[6])
		s7 += float32(c[7] * e[7])
		if len(x) < 16 || len(y) < 16 {
			return
		}
		x, y = x[16:], y[16:]
	}
	switch len(x) {
	case 7:
		s6 += float32(x[6] * y[6])
		fallthrough
	case 6:
		s5 += float32(x[5] * y[5])
		fallthrough
	case 5:
		s4 += float32(x[4] * y[4])
		fallthrough
	case 4:
		s3 += float32(x[3] * y[3])
		fallthrough
	case 3:
		s2 += float32(x[2] * y[2])
		fallthrough
	case 2:
		s1 += float32(x[1] * y[1])
		fallthrough
	case 1:
		s0 += float32(x[0] * y[0])
	}
	return
}
