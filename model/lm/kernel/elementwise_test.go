package kernel

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"

	"taolab/model/num"
)

// operands supplies the slices that a kernel reads and writes: numbers from next, in memory from
// take.
type operands struct {
	next func() float32
	take func(n int) []float32
	all  [][]float32
}

// of returns n numbers; what a kernel leaves in them counts.
func (o *operands) of(n int) []float32 {
	x := o.scratch(n)
	o.all = append(o.all, x)
	return x
}

// scratch returns n numbers that nobody looks at afterwards.
func (o *operands) scratch(n int) []float32 {
	x := o.take(n)
	for i := range x {
		x[i] = o.next()
	}
	return x
}

// unit returns n numbers in [0, 1].
func (o *operands) unit(n int) []float32 {
	x := o.of(n)
	for i, v := range x {
		if x[i] = float32(math.Abs(float64(v))); !(x[i] <= 1) {
			x[i] = 1
		}
	}
	return x
}

// results puts a number among the results.
func (o *operands) results(x ...float32) { o.all = append(o.all, x) }

func some(vocab, n int) []uint16 {
	t := make([]uint16, n)
	for i := range t {
		t[i] = uint16(i * 7 % vocab)
	}
	return t
}

// elementwise are all kernels but the matrix products, as calls on rows of cols elements with gap
// unused ones between.
var elementwise = []struct {
	name string
	run  func(rows, cols, gap int, o *operands)
}{
	{"Exp", func(rows, cols, gap int, o *operands) { Exp(o.of(cols), 0.25, 1.5) }},
	{"Sigmoid", func(rows, cols, gap int, o *operands) { Sigmoid(o.of(cols)) }},
	{"SigmoidFrom", func(rows, cols, gap int, o *operands) { SigmoidFrom(o.of(cols), o.unit(cols), 0.1, 0.8) }},
	{"GELU", func(rows, cols, gap int, o *operands) { GELU(o.of(cols), o.of(cols), o.of(cols)) }},
	{"GELU in place", func(rows, cols, gap int, o *operands) {
		y := o.of(cols)
		GELU(o.of(cols), y, y)
	}},
	{"GELUBackward", func(rows, cols, gap int, o *operands) {
		GELUBackward(o.of(cols), o.unit(cols), o.of(cols), o.of(cols))
	}},
	{"Add", func(rows, cols, gap int, o *operands) { Add(o.of(cols), o.of(cols)) }},
	{"AddRow", func(rows, cols, gap int, o *operands) {
		AddRow(rows, o.of(length(rows, cols, gap)), cols+gap, o.of(cols))
	}},
	{"Sum", func(rows, cols, gap int, o *operands) { o.results(Sum(o.of(cols))) }},
	{"Dot", func(rows, cols, gap int, o *operands) { o.results(Dot(o.of(cols), o.of(cols))) }},
	{"SumSquares", func(rows, cols, gap int, o *operands) { o.results(SumSquares(o.of(cols))) }},
	{"ColumnSums", func(rows, cols, gap int, o *operands) {
		ColumnSums(rows, o.of(length(rows, cols, gap)), cols+gap, o.of(cols))
	}},
	{"Softmax", func(rows, cols, gap int, o *operands) {
		Softmax(rows, cols, o.of(length(rows, cols, gap)), cols+gap, 0.3)
	}},
	{"CausalSoftmax", func(rows, cols, gap int, o *operands) {
		rows, first := triangle(rows, cols, gap)
		CausalSoftmax(rows, first, cols, o.of(length(rows, cols, gap)), cols+gap, 0.3)
	}},
	{"CausalSoftmaxBackward", func(rows, cols, gap int, o *operands) {
		rows, first := triangle(rows, cols, gap)
		p, dp := o.of(length(rows, cols, gap)), o.of(length(rows, cols, 0))
		CausalSoftmaxBackward(rows, first, cols, p, cols+gap, dp, cols, 0.3)
	}},
	{"CrossEntropy", func(rows, cols, gap int, o *operands) {
		CrossEntropy(rows, cols, o.of(rows*cols), some(cols, rows), o.of(rows), o.of(rows))
	}},
	{"CrossEntropyBackward", func(rows, cols, gap int, o *operands) {
		CrossEntropyBackward(rows, cols, o.unit(rows*cols), o.unit(rows), some(cols, rows), 24)
	}},
	{"LayerNorm", func(rows, cols, gap int, o *operands) {
		n := rows * cols
		LayerNorm(rows, cols, o.of(n), o.of(cols), o.of(cols), o.of(n), o.of(n), o.of(rows))
	}},
	{"LayerNorm in place", func(rows, cols, gap int, o *operands) {
		y := o.of(rows * cols)
		LayerNorm(rows, cols, o.of(rows*cols), o.of(cols), o.of(cols), y, y, o.of(rows))
	}},
	{"LayerNormBackward", func(rows, cols, gap int, o *operands) {
		n := rows * cols
		LayerNormBackward(rows, cols, o.scratch(n), o.of(cols), o.of(n), o.of(rows), o.of(n), o.of(cols), o.of(cols))
	}},
	{"AdamWStep", func(rows, cols, gap int, o *operands) {
		k := AdamWStep{0.7, 0.9, 0.999, 0.1, 0.001, 1e-3, 1.25, 1e-8, 0.99, 0.75}
		k.Apply(o.of(cols), o.of(cols), o.of(cols), o.unit(cols))
	}},
	{"MomentumStep", func(rows, cols, gap int, o *operands) {
		k := MomentumStep{0.7, 0.9, 0.1, 0.75}
		k.Apply(o.of(cols), o.of(cols), o.of(cols))
	}},
}

// length is how many elements a matrix with gaps between its rows has, none after the last.
func length(rows, cols, gap int) int { return (rows-1)*(cols+gap) + cols }

// triangle returns how many rows, from which first on, fit into cols columns, of which the last few
// may stay beyond every row.
func triangle(rows, cols, gap int) (fitting, first int) {
	fitting = min(rows, cols)
	return fitting, max(0, cols-fitting-gap*8)
}

func plain(n int) []float32 { return make([]float32, n) }

// unaligned returns n floats whose address is not a multiple of a vector's.
func unaligned(n int) []float32 { return make([]float32, n+5)[3:][:n:n] }

func sameBits(x, y float32) bool {
	return math.Float32bits(x) == math.Float32bits(y) || x != x && y != y
}

// compare compares every instruction set with the plain Go of each kernel.
func compare(t *testing.T, rows, cols, gap int, source func() func() float32, take func(int) []float32) {
	t.Helper()
	for _, k := range elementwise {
		var want [][]float32
		for _, isa := range Supported() {
			restore := Force(isa)
			o := &operands{next: source(), take: take}
			k.run(rows, cols, gap, o)
			restore()
			if isa == Generic {
				want = o.all
				continue
			}
			for i, x := range o.all {
				for j, v := range x {
					if !sameBits(v, want[i][j]) {
						t.Fatalf("%v, %s of %d x %d, gap %d: operand %d[%d] = %x, want %x",
							isa, k.name, rows, cols, gap, i, j, v, want[i][j])
					}
				}
			}
		}
	}
}

// sources make streams of numbers that start again with each call.
var sources = []struct {
	name   string
	number func(s *num.Stream) float32
}{
	{"small", func(s *num.Stream) float32 { return float32(2*s.Float32()) - 1 }},
	{"logits", func(s *num.Stream) float32 { return float32(40*s.Float32()) - 20 }},
	{"powers of two", func(s *num.Stream) float32 {
		return float32(math.Ldexp(float64(1-2*s.IntN(2)), s.IntN(250)-130))
	}},
	{"zeros", func(s *num.Stream) float32 { return float32(math.Copysign(0, s.Float64()-0.5)) }},
	{"infinities", func(s *num.Stream) float32 {
		switch s.IntN(30) {
		case 0:
			return float32(math.Inf(1))
		case 1, 2, 3:
			return float32(math.Inf(-1))
		}
		return float32(2*s.Float32()) - 1
	}},
	{"any bits of a number", func(s *num.Stream) float32 {
		for {
			if x := math.Float32frombits(s.Uint32()); x == x {
				return x
			}
		}
	}},
}

func TestElementwiseKernelsGiveTheBitsOfPlainGo(t *testing.T) {
	for _, source := range sources {
		t.Run(source.name, func(t *testing.T) {
			for cols := 1; cols <= 70; cols++ {
				compare(t, 1+cols%5, cols, cols%4, func() func() float32 {
					s := num.NewStream(uint64(cols), source.name)
					return func() float32 { return source.number(s) }
				}, unaligned)
			}
			for _, size := range [][3]int{{16, 16, 48}, {16, 64, 0}, {40, 40, 1}, {17, 130, 3}, {3, 257, 0}, {2, 1000, 5}} {
				compare(t, size[0], size[1], size[2], func() func() float32 {
					s := num.NewStream(1, source.name)
					return func() float32 { return source.number(s) }
				}, plain)
			}
		})
	}
}

// A triangle may be any part of a row: from nothing left of it to nothing right of it.
func TestCausalRowsMayStartAndEndAnywhere(t *testing.T) {
	s := num.NewStream(1, "triangles")
	for range 400 {
		rows, first, beyond, gap := 1+s.IntN(20), s.IntN(50), s.IntN(40), s.IntN(3)
		end := first + rows + beyond
		p, dp := fill(s, rows*(end+gap)), fill(s, rows*(end+gap))
		var want [2][]float32
		for _, isa := range Supported() {
			restore := Force(isa)
			got := [2][]float32{append([]float32(nil), p...), append([]float32(nil), dp...)}
			CausalSoftmax(rows, first, end, got[0], end+gap, 0.5)
			CausalSoftmaxBackward(rows, first, end, got[0], end+gap, got[1], end+gap, 0.5)
			restore()
			if isa == Generic {
				want = got
			}
			for i := range got {
				for j := range got[i] {
					if !sameBits(got[i][j], want[i][j]) {
						t.Fatalf("%v, rows %d, first %d, end %d: slice %d[%d] is %x, want %x",
							isa, rows, first, end, i, j, got[i][j], want[i][j])
					}
				}
			}
		}
	}
}

// Every kernel's exponential is num.Exp32: all exponents, both signs, and what is clamped.
func TestExpHasTheBitsOfExp32(t *testing.T) {
	s := num.NewStream(1, "exp")
	x := make([]float32, 1<<16)
	for i := range x {
		x[i] = math.Float32frombits(uint32(i)<<16 | s.Uint32()>>16)
		if i%2 == 0 {
			x[i] = 200*s.Float32() - 100
		}
		if x[i] != x[i] {
			x[i] = 88
		}
	}
	for _, isa := range Supported() {
		restore := Force(isa)
		y := append([]float32(nil), x...)
		Exp(y, 0, 1)
		restore()
		for i, v := range x {
			if math.Float32bits(y[i]) != math.Float32bits(num.Exp32(v)) {
				t.Fatalf("%v: exp(%x) = %x, want %x", isa, v, y[i], num.Exp32(v))
			}
		}
	}
}

func TestReductionsFollowTheLanesAndTheTree(t *testing.T) {
	s := num.NewStream(9, "lanes")
	for n := range 70 {
		x, y := fill(s, n), fill(s, n)
		var sums, dots [16]float32
		for i := range x {
			sums[i%16] += x[i]
			dots[i%16] += float32(x[i] * y[i])
		}
		for half := 8; half > 0; half /= 2 {
			for l := range half {
				sums[l] += sums[l+half]
				dots[l] += dots[l+half]
			}
		}
		for _, isa := range Supported() {
			restore := Force(isa)
			if got := Sum(x); got != sums[0] {
				t.Errorf("%v: sum of %d: %v, expected %v", isa, n, got, sums[0])
			}
			if got := Dot(x, y); got != dots[0] {
				t.Errorf("%v: dot product of %d: %v, expected %v", isa, n, got, dots[0])
			}
			restore()
		}
	}
}

// The golden file holds one SHA-256 per kernel over many sizes, equal for every instruction set and
// architecture.
func TestElementwiseKernelsHaveTheHashesOfTheGoldenFile(t *testing.T) {
	haveGoldenHashes(t, "testdata/elementwise.golden", elementwiseHashes)
}

func elementwiseHashes() string {
	var out strings.Builder
	for _, k := range elementwise {
		sum := sha256.New()
		for _, source := range sources[:3] {
			for _, size := range [][3]int{{16, 64, 0}, {4, 61, 3}, {7, 16, 1}, {3, 5, 0}, {1, 1, 0}, {2, 300, 8}} {
				s := num.NewStream(1, fmt.Sprint(k.name, source.name, size))
				o := &operands{next: func() float32 { return source.number(s) }, take: plain}
				k.run(size[0], size[1], size[2], o)
				for _, x := range o.all {
					for i, v := range x {
						if v != v { // whose payload differs between architectures
							x[i] = float32(math.NaN())
						}
					}
					_ = binary.Write(sum, binary.LittleEndian, x) // a hash never fails
				}
			}
		}
		fmt.Fprintf(&out, "%s sha256:%x\n", k.name, sum.Sum(nil))
	}
	return out.String()
}

func FuzzElementwiseKernelsGiveTheBitsOfPlainGo(f *testing.F) {
	f.Add(uint64(1), uint8(3), uint8(17), uint8(1))
	f.Add(uint64(2), uint8(16), uint8(64), uint8(0))
	f.Fuzz(func(t *testing.T, seed uint64, rows, cols, gap uint8) {
		from := sources[seed%uint64(len(sources))]
		compare(t, 1+int(rows)%40, 1+int(cols), int(gap)%8, func() func() float32 {
			s := num.NewStream(seed, "fuzz")
			return func() float32 { return from.number(s) }
		}, unaligned)
	})
}

func TestElementwiseKernelsPanicOnShortSlicesBeforeAnythingIsTouched(t *testing.T) {
	x := func(n int) []float32 { return make([]float32, n) }
	u := make([]uint16, 2)
	for want, call := range map[string]func(){ // order-free: each is called by itself
		"GELU: gate: 3 elements":               func() { GELU(x(4), x(3), x(4)) },
		"GELU: y: 3 elements":                  func() { GELU(x(4), x(4), x(3)) },
		"GELUBackward: dy: 3 elements":         func() { GELUBackward(x(4), x(4), x(4), x(3)) },
		"Dot: y: 3 elements":                   func() { Dot(x(4), x(3)) },
		"Add: y: 3 elements":                   func() { Add(x(4), x(3)) },
		"AddRow: x: 7 elements":                func() { AddRow(2, x(7), 4, x(4)) },
		"AddRow: x: rows overlap":              func() { AddRow(2, x(8), 3, x(4)) },
		"ColumnSums: x: 7 elements":            func() { ColumnSums(2, x(7), 4, x(4)) },
		"Softmax: x: 7 elements":               func() { Softmax(2, 4, x(7), 4, 1) },
		"Softmax: x: rows overlap":             func() { Softmax(2, 4, x(8), 3, 1) },
		"Softmax: scale -1":                    func() { Softmax(2, 4, x(8), 4, -1) },
		"CausalSoftmax: 3 rows from 2":         func() { CausalSoftmax(3, 2, 4, x(12), 4, 1) },
		"CausalSoftmax: 1 rows from -1":        func() { CausalSoftmax(1, -1, 4, x(12), 4, 1) },
		"CausalSoftmaxBackward: p: 7 elements": func() { CausalSoftmaxBackward(2, 2, 4, x(7), 4, x(8), 4, 1) },
		"CrossEntropy: logits: 7 elements":     func() { CrossEntropy(2, 4, x(7), u, x(2), x(2)) },
		"CrossEntropy: losses: 1 elements":     func() { CrossEntropy(2, 4, x(8), u, x(1), x(2)) },
		"index out of range [4] with length 4": func() { CrossEntropy(1, 4, x(8), []uint16{4}, x(1), x(1)) },
		"CrossEntropyBackward: sums: 1":        func() { CrossEntropyBackward(2, 4, x(8), x(1), u, 2) },
		"LayerNorm: bias: 3 elements":          func() { LayerNorm(2, 4, x(8), x(4), x(3), x(8), x(8), x(2)) },
		"LayerNormBackward: dgain: 3": func() {
			LayerNormBackward(2, 4, x(8), x(4), x(8), x(2), x(8), x(3), x(4))
		},
		"AdamWStep: v: 3 elements":    func() { new(AdamWStep).Apply(x(4), x(4), x(4), x(3)) },
		"SigmoidFrom: prior: 3":       func() { SigmoidFrom(x(4), x(3), 0, 1) },
		"MomentumStep: u: 3 elements": func() { new(MomentumStep).Apply(x(4), x(4), x(3)) },
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

func TestNothingIsDoneToNothing(t *testing.T) {
	for _, isa := range Supported() {
		restore := Force(isa)
		Exp(nil, 0, 1)
		Sigmoid(nil)
		SigmoidFrom(nil, nil, 0, 1)
		GELU(nil, nil, nil)
		GELUBackward(nil, nil, nil, nil)
		Add(nil, nil)
		AddRow(0, nil, 4, make([]float32, 4))
		Softmax(0, 4, nil, 4, 1)
		Softmax(4, 0, nil, 0, 1)
		CausalSoftmax(0, 0, 0, nil, 0, 1)
		CausalSoftmaxBackward(0, 0, 0, nil, 0, nil, 0, 1)
		CrossEntropy(0, 4, nil, nil, nil, nil)
		CrossEntropyBackward(0, 4, nil, nil, nil, 1)
		LayerNorm(0, 4, nil, make([]float32, 4), make([]float32, 4), nil, nil, nil)
		new(AdamWStep).Apply(nil, nil, nil, nil)
		new(MomentumStep).Apply(nil, nil, nil)
		sums, dgain, dbias := []float32{1, 2}, []float32{1, 2}, []float32{1, 2}
		ColumnSums(0, nil, 2, sums)
		LayerNormBackward(0, 2, nil, make([]float32, 2), nil, nil, nil, dgain, dbias)
		for _, x := range [][]float32{sums, dgain, dbias, {Sum(nil), Dot(nil, nil)}} {
			if x[0] != 0 || x[1] != 0 {
				t.Errorf("%v: sums over no rows are %v", isa, x)
			}
		}
		restore()
	}
}

func TestElementwiseKernelsAllocateNothing(t *testing.T) {
	s := num.NewStream(1, "")
	x, y, z, u, g := fill(s, 640), fill(s, 640), fill(s, 640), fill(s, 640), fill(s, 64)
	h, scale, sums := fill(s, 64), fill(s, 10), fill(s, 10)
	targets := some(64, 10)
	k, m := AdamWStep{Limit: 1}, MomentumStep{Limit: 1}
	for _, isa := range Supported() {
		restore := Force(isa)
		if n := testing.AllocsPerRun(5, func() {
			Exp(x, 0, 1)
			SigmoidFrom(x, y, 0, 1)
			GELU(x, y, z)
			GELUBackward(x, y, z, u)
			AddRow(10, x, 64, g)
			ColumnSums(10, x, 64, g)
			Softmax(10, 64, x, 64, 1)
			CausalSoftmax(10, 3, 64, x, 64, 1)
			CausalSoftmaxBackward(10, 3, 64, x, 64, y, 64, 1)
			CrossEntropy(10, 64, x, targets, scale, sums)
			CrossEntropyBackward(10, 64, x, sums, targets, 10)
			LayerNorm(10, 64, x, g, g, y, z, scale)
			LayerNormBackward(10, 64, x, g, y, scale, z, g, h)
			k.Apply(x, y, z, u)
			m.Apply(x, y, z)
			g[0] = Sum(x) + Dot(x, y) + SumSquares(x)
		}); n != 0 {
			t.Errorf("%v: %v allocations", isa, n)
		}
		restore()
	}
}
