package kernel

import (
	"fmt"
	"strings"
	"testing"
)

func TestTheEnvironmentChoosesAnInstructionSet(t *testing.T) {
	x86, arm := []ISA{Generic, AVX2, AVX512}, []ISA{Generic, NEON}
	for _, x := range []struct {
		name      string
		supported []ISA
		want      ISA
		complaint string
	}{
		{"", x86, AVX512, ""},
		{"", arm, NEON, ""},
		{"", []ISA{Generic}, Generic, ""},
		{"generic", x86, Generic, ""},
		{"generic", arm, Generic, ""},
		{"avx2", x86, AVX2, ""},
		{"avx512", x86, AVX512, ""},
		{"neon", arm, NEON, ""},
		{"avx512", x86[:2], AVX2, "lacks these instructions; the best it has is avx2"},
		{"avx2", arm, NEON, "the best it has is neon"},
		{"neon", x86, AVX512, "the best it has is avx512"},
		{"AVX2", x86, AVX512, "unknown instruction set; want avx512, avx2, neon or generic"},
	} {
		got, err := choose(x.name, x.supported)
		if got != x.want || (err == nil) != (x.complaint == "") ||
			err != nil && !strings.Contains(err.Error(), x.complaint) {
			t.Errorf("choose(%q, %v) = %v, %v; want %v, %q", x.name, x.supported, got, err, x.want, x.complaint)
		}
	}
}

func TestForceHoldsUntilRestored(t *testing.T) {
	before := Active()
	for _, isa := range Supported() {
		restore := Force(isa)
		if Active() != isa {
			t.Errorf("Force(%v) left %v in use", isa, Active())
		}
		restore()
	}
	if Active() != before {
		t.Errorf("%v in use after restoring, want %v", Active(), before)
	}
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, "Force(ISA(7))") {
			t.Errorf("an instruction set that does not exist: panic %q", got)
		}
	}()
	Force(ISA(7))
}
