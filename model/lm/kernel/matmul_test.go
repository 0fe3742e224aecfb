package kernel

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"taolab/model/num"
)

// product is a call of MatMul as data: sizes, how its operands lie in memory, the start.
type product struct {
	m, n, k          int
	transposed       bool // A is stored k x m
	aGap, bGap, cGap int  // unused elements at the end of each stored row
	start            Start
}

func (p product) String() string {
	bias := ""
	if p.start >= Bias {
		bias = " bias"
	}
	return fmt.Sprintf("%dx%dx%d transposed=%v gaps=%d,%d,%d accumulate=%v%s",
		p.m, p.k, p.n, p.transposed, p.aGap, p.bGap, p.cGap, p.start == Keep || p.start == KeepPlusBias, bias)
}

func (p product) aStrides() (row, col int) {
	if p.transposed {
		return 1, p.m + p.aGap
	}
	return p.k + p.aGap, 1
}

// operands returns slices as long as they must be and no longer, from a source of elements.
func (p product) operands(next func() float32) (a, b, c, bias []float32) {
	aRow, aCol := p.aStrides()
	take := func(rows, row, cols, col int) []float32 {
		if rows == 0 || cols == 0 {
			return nil
		}
		x := make([]float32, (rows-1)*row+(cols-1)*col+1)
		for i := range x {
			x[i] = next()
		}
		return x
	}
	a, b, c = take(p.m, aRow, p.k, aCol), take(p.k, p.n+p.bGap, p.n, 1), take(p.m, p.n+p.cGap, p.n, 1)
	if p.start >= Bias {
		bias = take(1, 0, p.n, 1)
	}
	return a, b, c, bias
}

func (p product) run(a, b, c, bias []float32) {
	left := View(a, p.m, p.k, p.k+p.aGap)
	if p.transposed {
		left = View(a, p.k, p.m, p.m+p.aGap)
	}
	MatMul(&Product{
		C: View(c, p.m, p.n, p.n+p.cGap), A: left, TransposeA: p.transposed, B: View(b, p.k, p.n, p.n+p.bGap),
		Start: p.start, Bias: bias,
	})
}

// plain is the definition, element by element.
func (p product) plain(a, b, c, bias []float32) {
	aRow, aCol := p.aStrides()
	for i := range p.m {
		for j := range p.n {
			at := i*(p.n+p.cGap) + j
			sum := [...]func() float32{
				Zero: func() float32 { return 0 }, Keep: func() float32 { return c[at] },
				Bias: func() float32 { return bias[j] }, KeepPlusBias: func() float32 { return c[at] + bias[j] },
			}[p.start]()
			for l := range p.k {
				sum = num.FMA32(a[i*aRow+l*aCol], b[l*(p.n+p.bGap)+j], sum)
			}
			c[at] = sum
		}
	}
}

// check compares every instruction set with the definition, gaps between rows of C included.
func (p product) check(t *testing.T, next func() float32) {
	t.Helper()
	a, b, c, bias := p.operands(next)
	want := slices.Clone(c)
	p.plain(a, b, want, bias)
	for _, isa := range Supported() {
		restore := Force(isa)
		got := slices.Clone(c)
		p.run(a, b, got, bias)
		restore()
		for i := range want {
			if math.Float32bits(got[i]) != math.Float32bits(want[i]) && (got[i] == got[i] || want[i] == want[i]) {
				t.Errorf("%v, %v: c[%d] = %x, want %x", isa, p, i, got[i], want[i])
				break
			}
		}
	}
}

func randomProduct(s *num.Stream, most int) product {
	return product{
		m: s.IntN(most + 1), n: s.IntN(most + 1), k: s.IntN(most + 1), transposed: s.IntN(2) == 0,
		aGap: s.IntN(4), bGap: s.IntN(4), cGap: s.IntN(4), start: Start(s.IntN(4)),
	}
}

func TestEveryInstructionSetGivesTheBitsOfTheDefinition(t *testing.T) {
	s := num.NewStream(1, "sizes")
	next := func() float32 { return 2*s.Float32() - 1 }
	for range 250 {
		randomProduct(s, 70).check(t, next)
	}
	for k := range 71 {
		product{m: 17, n: 35, k: k, transposed: k%2 == 0, start: Start(k % 4)}.check(t, next)
		product{m: 2, n: 70, k: k, transposed: k%2 == 0, start: Start(k % 4)}.check(t, next)
	}
	for _, n := range []int{127, 128, 131, 257, 300} { // the widest tiles have few rows
		for m := range 9 {
			product{m: m, n: n, k: 9, start: Start(m % 4)}.check(t, next)
		}
	}
}

func TestEveryTailOfRowsAndColumnsGivesTheBitsOfTheDefinition(t *testing.T) {
	s := num.NewStream(1, "tails")
	next := func() float32 { return 2*s.Float32() - 1 }
	for m := 1; m <= 70; m++ {
		for n := 1; n <= 70; n++ {
			product{m: m, n: n, k: 1 + (m+n)%3, transposed: m%2 == 0, aGap: n % 2, bGap: n % 3, cGap: m % 3,
				start: Start((m + n/2) % 4)}.check(t, next)
		}
	}
}

// Slices may start at any element of an allocation.
func TestUnalignedSlicesGiveTheBitsOfTheDefinition(t *testing.T) {
	s := num.NewStream(1, "unaligned")
	for shift := range 17 {
		p := product{m: 9, n: 53, k: 11, cGap: 1, bGap: 2, start: Start(shift % 4)}
		a, b, c, bias := p.operands(s.Float32)
		for _, isa := range Supported() {
			restore := Force(isa)
			want, got := slices.Clone(c), append(make([]float32, shift), c...)
			p.plain(a, b, want, bias)
			p.run(append(make([]float32, shift), a...)[shift:], append(make([]float32, shift), b...)[shift:],
				got[shift:], append(make([]float32, shift), bias...)[shift:])
			restore()
			if !slices.Equal(got[shift:], want) {
				t.Errorf("%v: shifted by %d elements: %v, want %v", isa, shift, got[shift:], want)
			}
		}
	}
}

// What MatMul's documentation says of numbers that are not finite.
func TestInfinitiesAndNaNAreNotSkipped(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, isa := range Supported() {
		restore := Force(isa)
		for _, x := range []struct {
			a, b [2]float32 // a row and a column
			want float32
		}{
			{[2]float32{0, 1}, [2]float32{inf, 1}, nan},
			{[2]float32{1, 1}, [2]float32{inf, -inf}, nan},
			{[2]float32{2, 1}, [2]float32{inf, -3e38}, inf},
			{[2]float32{3e38, 1}, [2]float32{2, -inf}, nan}, // the first sum overflows
			{[2]float32{2, 1}, [2]float32{3e38, -3e38}, inf},
			{[2]float32{0, 1}, [2]float32{nan, 1}, nan},
			{[2]float32{1e-30, 1}, [2]float32{1e-30, 0}, 0}, // below the smallest number
		} {
			for m := 1; m <= 17; m += 4 {
				a, b, c := make([]float32, 2*m), make([]float32, 2*37), make([]float32, m*37)
				a[2*m-2], a[2*m-1], b[36], b[37+36] = x.a[0], x.a[1], x.b[0], x.b[1] // the last row and column
				MatMul(&Product{C: View(c, m, 37, 37), A: View(a, m, 2, 2),
					B: View(b, 2, 37, 37)})
				got := c[len(c)-1]
				if got != x.want && (got == got || x.want == x.want) {
					t.Errorf("%v: %v times %v = %v, want %v", isa, x.a, x.b, got, x.want)
				}
			}
		}
		restore()
	}
}

func TestACutOfLongSumsChangesNoBits(t *testing.T) {
	s := num.NewStream(1, "long sums")
	for _, k := range []int{255, 256, 257, 512, 700} {
		product{m: 9, n: 37, k: k, transposed: k%2 == 0, start: Start(k % 4)}.check(t,
			func() float32 { return 2*s.Float32() - 1 })
	}
}

// Numbers whose sums meet ties, subnormal numbers, overflow, infinities and signed zeros.
func TestExtremeNumbersGiveTheBitsOfTheDefinition(t *testing.T) {
	s := num.NewStream(1, "extremes")
	for name, next := range map[string]func() float32{ // order-free: each is a product of its own
		"powers of two": func() float32 { return float32(math.Ldexp(float64(1-2*s.IntN(2)), s.IntN(60)-30)) },
		"next to ties": func() float32 { // 1 or half a last place of sums near it, give or take a bit
			x := math.Ldexp(1+float64(s.IntN(3)-1)*0x1p-23, -s.IntN(2)*(21+s.IntN(5)))
			return float32(math.Copysign(x, s.Float64()-0.3))
		},
		"subnormal": func() float32 { return float32(math.Ldexp(s.Float64()-0.5, -60-s.IntN(50))) },
		"any bits": func() float32 {
			return math.Float32frombits(s.Uint32())
		},
		"zeros": func() float32 { return float32(math.Copysign(0, s.Float64()-0.5)) },
	} {
		t.Run(name, func(t *testing.T) {
			for range 20 {
				p := randomProduct(s, 40)
				p.check(t, next)
			}
		})
	}
}

func FuzzEveryInstructionSetGivesTheBitsOfTheDefinition(f *testing.F) {
	f.Add(uint64(1), uint8(8), uint8(32), uint8(4))
	f.Add(uint64(2), uint8(7), uint8(17), uint8(1))
	f.Fuzz(func(t *testing.T, seed uint64, m, n, k uint8) {
		s := num.NewStream(seed, "fuzz")
		p := randomProduct(s, 0)
		p.m, p.n, p.k = int(m), int(n), int(k)
		p.check(t, func() float32 { return math.Float32frombits(s.Uint32()) })
	})
}

func TestTransposeMovesEveryElementAndNoOther(t *testing.T) {
	s := num.NewStream(1, "transpose")
	for range 150 {
		rows, cols, srcGap, dstGap := s.IntN(40), s.IntN(40), s.IntN(3), s.IntN(3)
		src := fill(s, rows*(cols+srcGap))
		before := fill(s, cols*(rows+dstGap))
		for _, isa := range Supported() {
			restore := Force(isa)
			dst := append([]float32(nil), before...)
			Transpose(View(dst, cols, rows, rows+dstGap), View(src, rows, cols, cols+srcGap))
			restore()
			for at, got := range dst {
				want := before[at]
				if j, i := at/(rows+dstGap), at%(rows+dstGap); i < rows {
					want = src[i*(cols+srcGap)+j]
				}
				if got != want {
					t.Fatalf("%v, %dx%d: dst[%d] = %v, want %v", isa, rows, cols, at, got, want)
				}
			}
		}
	}
}

func TestShortSlicesAndImpossibleSizesPanicBeforeAnythingIsTouched(t *testing.T) {
	x := func(n int) []float32 { return make([]float32, n) }
	for want, call := range map[string]func(){ // order-free: each is called by itself
		"MatMul: a: 5 elements": func() {
			MatMul(&Product{C: View(x(4), 2, 2, 2), A: View(x(5), 2, 3, 3),
				B: View(x(6), 3, 2, 2)})
		},
		"MatMul: b: 5 elements": func() {
			MatMul(&Product{C: View(x(4), 2, 2, 2), A: View(x(6), 2, 3, 3),
				B: View(x(5), 3, 2, 2)})
		},
		"MatMul: c: 3 elements": func() {
			MatMul(&Product{C: View(x(3), 2, 2, 2), A: View(x(6), 2, 3, 3),
				B: View(x(6), 3, 2, 2)})
		},
		"strides -3 and 1":                func() { MatMul(&Product{C: View(x(4), 2, 2, 2), A: View(x(6), 2, 3, -3), B: View(x(6), 3, 2, 2)}) },
		"A is 2 x 3, B 4 x 2 and C 2 x 2": func() { MatMul(&Product{C: View(x(4), 2, 2, 2), A: View(x(6), 2, 3, 3), B: View(x(8), 4, 2, 2)}) },
		"A is 3 x 2, B 3 x 2 and C 2 x 2": func() {
			MatMul(&Product{C: View(x(4), 2, 2, 2), A: View(x(6), 2, 3, 3), TransposeA: true, B: View(x(6), 3, 2, 2)})
		},
		"want 3 x 2": func() { Transpose(View(x(6), 2, 3, 3), View(x(6), 2, 3, 3)) },
		"MatMul: bias: 1 ": func() {
			MatMul(&Product{C: View(x(4), 2, 2, 2), A: View(x(6), 2, 3, 3),
				B: View(x(6), 3, 2, 2), Start: Bias, Bias: x(1)})
		},
		"no start has the number 4": func() {
			MatMul(&Product{C: View(x(4), 2, 2, 2), A: View(x(6), 2, 3, 3),
				B: View(x(6), 3, 2, 2), Start: 4, Bias: x(2)})
		},
		"-2 x 2": func() {
			MatMul(&Product{C: View(x(4), -2, 2, 2), A: View(x(6), -2, 3, 3),
				B: View(x(6), 3, 2, 2)})
		},
		"c: rows overlap": func() {
			MatMul(&Product{C: View(x(4), 2, 2, 1), A: View(x(6), 2, 3, 3),
				B: View(x(6), 3, 2, 2)})
		},
		"4611686018427387904": func() {
			MatMul(&Product{C: View(x(5), 5, 1, 1), A: View(x(1), 5, 1, 1<<62),
				B: View(x(1), 1, 1, 1)})
		},
		"Transpose: src: 5":   func() { Transpose(View(x(6), 3, 2, 2), View(x(5), 2, 3, 3)) },
		"Transpose: dst: 5":   func() { Transpose(View(x(5), 3, 2, 2), View(x(6), 2, 3, 3)) },
		"rows of dst overlap": func() { Transpose(View(x(6), 3, 2, 1), View(x(6), 2, 3, 3)) },
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
					t.Errorf("panic %q, want one with %q", got, want)
				}
			}()
			call()
		}()
	}
}

func TestAProductAllocatesNothing(t *testing.T) {
	s := num.NewStream(1, "")
	a, b, c := fill(s, 64*64), fill(s, 64*64), fill(s, 64*64)
	for _, isa := range Supported() {
		restore := Force(isa)
		if n := testing.AllocsPerRun(5, func() {
			MatMul(&Product{C: View(c, 13, 45, 64), A: View(a, 13, 64, 64),
				B: View(b, 64, 45, 64), Start: KeepPlusBias, Bias: a})
			Transpose(View(b, 64, 64, 64), View(a, 64, 64, 64))
		}); n != 0 {
			t.Errorf("%v: %v allocations", isa, n)
		}
		restore()
	}
}

func TestProductsOfAnyHeightHaveTiles(t *testing.T) {
	for _, isa := range Supported()[1:] {
		restore := Force(isa)
		widths, _ := tiles()
		for n := 1; n <= 130; n++ {
			for _, m := range []int{1, 1 << 30, math.MaxInt} {
				if fit(widths, m, n) == nil {
					t.Errorf("%v: no tile for %d rows of %d columns", isa, m, n)
				}
			}
		}
		restore()
	}
}
