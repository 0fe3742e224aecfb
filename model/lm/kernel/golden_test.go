package kernel

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"taolab/model/golden"
	"taolab/model/num"
)

// The golden file holds one SHA-256 of the results per shape, equal for every instruction set and
// architecture.
func TestProductsHaveTheHashesOfTheGoldenFile(t *testing.T) {
	haveGoldenHashes(t, "testdata/matmul.golden", hashes)
}

// haveGoldenHashes compares plain Go with a golden file, and every other instruction set with plain Go.
func haveGoldenHashes(t *testing.T, path string, hashes func() string) {
	t.Helper()
	under := func(isa ISA) string {
		defer Force(isa)()
		return hashes()
	}
	want := under(Generic)
	golden.Compare(t, path, want)
	for _, isa := range Supported()[1:] {
		if diff := cmp.Diff(want, under(isa)); diff != "" {
			t.Errorf("%v: the results (+) are not those of plain Go (-):\n%s", isa, diff)
		}
	}
}

func hashes() string {
	var out strings.Builder
	for _, p := range []product{
		{m: 64, n: 192, k: 64},
		{m: 64, n: 64, k: 300, transposed: true, start: Keep},
		{m: 61, n: 77, k: 33, aGap: 1, bGap: 2, cGap: 3},
		{m: 1, n: 259, k: 40, start: Keep},
		{m: 7, n: 5, k: 1, transposed: true},
		{m: 33, n: 49, k: 21, start: Bias},
		{m: 13, n: 100, k: 270, start: KeepPlusBias, bGap: 1},
	} {
		s := num.NewStream(1, "golden "+p.String())
		next := func() float32 { return float32(math.Ldexp(s.Float64()-0.5, s.IntN(40)-20)) }
		a, b, c, bias := p.operands(next)
		p.run(a, b, c, bias)
		sum := sha256.New()
		_ = binary.Write(sum, binary.LittleEndian, c) // a hash never fails
		fmt.Fprintf(&out, "%v sha256:%x\n", p, sum.Sum(nil))
	}
	return out.String()
}
