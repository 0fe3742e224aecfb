package num

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"testing"

	"taolab/model/golden"
)

// The golden file is compared on every architecture and compiler setting: it is what "the same bits
// everywhere" means.
func TestBitsAreThoseOfTheGoldenFile(t *testing.T) {
	var out bytes.Buffer
	functions(&out)
	samplers(&out)
	const path = "testdata/bits.golden"
	if golden.Updating() {
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, lines := bytes.Split(out.Bytes(), []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range min(len(got), len(lines)) {
		if !bytes.Equal(got[i], lines[i]) {
			t.Errorf("%s:%d:\n got %s\nwant %s", path, i+1, got[i], lines[i])
		}
	}
	if len(got) != len(lines) {
		t.Errorf("%s has %d lines, this run made %d", path, len(lines), len(got))
	}
}

// functions writes a few values and the SHA-256 of many results, as little-endian words, each.
func functions(out *bytes.Buffer) {
	wide := func(s *Stream) float64 { return float64(1500*s.Float64()) - 750 }
	tiny := func(s *Stream) float64 { return math.Ldexp(s.Float64()-0.5, -s.IntN(60)) }
	positive := func(s *Stream) float64 { return math.Ldexp(s.Float64(), s.IntN(2000)-1000) }
	unary := func(name string, draw func(*Stream) float64, f func(float64) float64) {
		row(out, name, func(s *Stream) float64 { return f(draw(s)) })
	}
	unary("exp", wide, Exp)
	unary("exp tiny", tiny, Exp)
	unary("log", positive, Log)
	unary("log near 1", func(s *Stream) float64 { return 1 + tiny(s) }, Log)
	unary("tanh", func(s *Stream) float64 { return wide(s) / 30 }, Tanh)
	unary("tanh tiny", tiny, Tanh)
	unary("exp32", func(s *Stream) float64 { return wide(s) / 8 },
		func(x float64) float64 { return float64(Exp32(float32(x))) })
	unary("log32", func(s *Stream) float64 { return math.Ldexp(s.Float64(), s.IntN(200)-100) },
		func(x float64) float64 { return float64(Log32(float32(x))) })
	unary("tanh32", tiny, func(x float64) float64 { return float64(Tanh32(float32(x))) })
	row(out, "pow", func(s *Stream) float64 { return Pow(positive(s), tiny(s)) })
	row(out, "pow32", func(s *Stream) float64 {
		return float64(Pow32(s.Float32(), float32(wide(s)/100)))
	})
	row(out, "fma32", func(s *Stream) float64 {
		word := func() float32 { return math.Float32frombits(s.Uint32() & 0xbfffffff) }
		return float64(FMA32(word(), word(), word()))
	})
}

func samplers(out *bytes.Buffer) {
	row(out, "uint64", func(s *Stream) float64 { return math.Float64frombits(s.Uint64() >> 2) })
	row(out, "uint32", func(s *Stream) float64 { return float64(s.Uint32()) })
	row(out, "sub", func(s *Stream) float64 { return s.Sub(fmt.Sprint(s.Uint32())).Float64() })
	row(out, "float64", (*Stream).Float64)
	row(out, "float32", func(s *Stream) float64 { return float64(s.Float32()) })
	row(out, "intn", func(s *Stream) float64 { return float64(s.IntN(3 << 60)) })
	row(out, "normal", (*Stream).Normal)
	row(out, "exponential", (*Stream).Exponential)
	row(out, "lognormal", func(s *Stream) float64 { return s.LogNormal(-1, 2) })
	row(out, "perm", func(s *Stream) float64 { return float64(s.Perm(50)[7]) })
	row(out, "pick", func(s *Stream) float64 { return float64(s.Pick([]float64{1, 1, 3, 7.5})) })
}

func row(out *bytes.Buffer, name string, f func(*Stream) float64) {
	const shown, hashed = 4, 4000
	s, sum := NewStream(7, "golden "+name), sha256.New()
	fmt.Fprintf(out, "%-12s", name)
	for i := range hashed {
		x := f(s)
		if i < shown {
			fmt.Fprintf(out, " %x", x)
		}
		_ = binary.Write(sum, binary.LittleEndian, x) // a hash never fails
	}
	fmt.Fprintf(out, " sha256:%x\n", sum.Sum(nil))
}
