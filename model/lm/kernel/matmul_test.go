package kernel

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"taolab/model/num"
)

// product is a call of MatMul as data: sizes, how its operands lie in memory, whether C is kept.
type product struct {
	m, n, k          int
	transposed       bool // A is stored k x m
	aGap, bGap, cGap int  // unused elements at the end of each stored row
	accumulate       bool
}

func (p product) String() string {
	return fmt.Sprintf("%dx%dx%d transposed=%v gaps=%d,%d,%d accumulate=%v",
		p.m, p.k, p.n, p.transposed, p.aGap, p.bGap, p.cGap, p.accumulate)
}

func (p product) aStrides() (row, col int) {
	if p.transposed {
		return 1, p.m + p.aGap
	}
	return p.k + p.aGap, 1
}

// operands returns slices as long as they must be and no longer, from a source of elements.
func (p product) operands(next func() float32) (a, b, c []float32) {
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
	return take(p.m, aRow, p.k, aCol), take(p.k, p.n+p.bGap, p.n, 1), take(p.m, p.n+p.cGap, p.n, 1)
}

func (p product) run(a, b, c []float32) {
	aRow, aCol := p.aStrides()
	MatMul(p.m, p.n, p.k, a, aRow, aCol, b, p.n+p.bGap, c, p.n+p.cGap, p.accumulate)
}

// plain is the definition, element by element.
func (p product) plain(a, b, c []float32) {
	aRow, aCol := p.aStrides()
	for i := range p.m {
		for j := range p.n {
			at := i*(p.n+p.cGap) + j
			sum := c[at]
			if !p.accumulate {
				sum = 0
			}
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
	a, b, c := p.operands(next)
	want := append([]float32(nil), c...)
	p.plain(a, b, want)
	for _, isa := range Supported() {
		restore := Force(isa)
		got := append([]float32(nil), c...)
		p.run(a, b, got)
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
		aGap: s.IntN(4), bGap: s.IntN(4), cGap: s.IntN(4), accumulate: s.IntN(2) == 0,
	}
}

func TestEveryInstructionSetGivesTheBitsOfTheDefinition(t *testing.T) {
	s := num.NewStream(1, "sizes")
	next := func() float32 { return 2*s.Float32() - 1 }
	for range 250 {
		randomProduct(s, 70).check(t, next)
	}
	for n := range 70 { // every tail of columns, with rows that need every tile
		product{m: 15, n: n, k: 3, accumulate: n%2 == 0}.check(t, next)
	}
	for m := range 20 {
		product{m: m, n: 39, k: 5, transposed: m%2 == 0}.check(t, next)
	}
	for _, n := range []int{128, 131, 300} { // the widest tiles, one row high
		product{m: 1, n: n, k: 9}.check(t, next)
		product{m: 3, n: n, k: 9, accumulate: true}.check(t, next)
	}
}

func TestACutOfLongSumsChangesNoBits(t *testing.T) {
	s := num.NewStream(1, "long sums")
	for _, k := range []int{255, 256, 257, 512, 700} {
		product{m: 9, n: 37, k: k, transposed: k%2 == 0, accumulate: k == 512}.check(t,
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
			Transpose(rows, cols, src, cols+srcGap, dst, rows+dstGap)
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
	for want, call := range map[string]func(){ // order-free: each is called alone
		"MatMul: a: 5 elements": func() { MatMul(2, 2, 3, x(5), 3, 1, x(6), 2, x(4), 2, false) },
		"MatMul: b: 5 elements": func() { MatMul(2, 2, 3, x(6), 3, 1, x(5), 2, x(4), 2, false) },
		"MatMul: c: 3 elements": func() { MatMul(2, 2, 3, x(6), 3, 1, x(6), 2, x(3), 2, false) },
		"strides 3 and -1":      func() { MatMul(2, 2, 3, x(6), 3, -1, x(6), 2, x(4), 2, false) },
		"-2 x 2":                func() { MatMul(-2, 2, 3, x(6), 3, 1, x(6), 2, x(4), 2, false) },
		"c: rows overlap":       func() { MatMul(2, 2, 3, x(6), 3, 1, x(6), 2, x(4), 1, false) },
		"4611686018427387904":   func() { MatMul(5, 1, 1, x(1), 1<<62, 1, x(1), 1, x(5), 1, false) },
		"Transpose: src: 5":     func() { Transpose(2, 3, x(5), 3, x(6), 2) },
		"Transpose: dst: 5":     func() { Transpose(2, 3, x(6), 3, x(5), 2) },
		"rows of dst overlap":   func() { Transpose(2, 3, x(6), 3, x(6), 1) },
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
			MatMul(13, 45, 64, a, 64, 1, b, 64, c, 64, true)
			Transpose(64, 64, a, 64, b, 64)
		}); n != 0 {
			t.Errorf("%v: %v allocations", isa, n)
		}
		restore()
	}
}
