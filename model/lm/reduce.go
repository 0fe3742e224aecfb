package lm

// The reductions of the arithmetic: 16 partial sums, then a fixed tree. Eight lanes fit into the
// registers of every target, so each function below walks its operands twice.

// sum16 adds up x [n].
func sum16(x []float32) float32 {
	a0, a1, a2, a3, a4, a5, a6, a7 := sum8(x)
	if len(x) <= 8 {
		return fold8(a0, a1, a2, a3, a4, a5, a6, a7)
	}
	b0, b1, b2, b3, b4, b5, b6, b7 := sum8(x[8:])
	return fold8(a0+b0, a1+b1, a2+b2, a3+b3, a4+b4, a5+b5, a6+b6, a7+b7)
}

// dot16 adds up the products of x [n] and y [n].
func dot16(x, y []float32) float32 {
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
