package kernel

import (
	"fmt"
	"strings"
	"testing"
)

func TestTheEnvironmentChoosesAnInstructionSet(t *testing.T) {
	for _, x := range []struct {
		name      string
		best      ISA
		want      ISA
		complaint string
	}{
		{"", AVX512, AVX512, ""},
		{"", Generic, Generic, ""},
		{"generic", AVX512, Generic, ""},
		{"avx2", AVX512, AVX2, ""},
		{"avx512", AVX512, AVX512, ""},
		{"avx512", AVX2, AVX2, "lacks these instructions; the best it has is avx2"},
		{"avx2", Generic, Generic, "the best it has is generic"},
		{"AVX2", AVX512, AVX512, "unknown instruction set; want avx512, avx2 or generic"},
		{"neon", Generic, Generic, "unknown instruction set"},
	} {
		got, err := choose(x.name, x.best)
		if got != x.want || (err == nil) != (x.complaint == "") ||
			err != nil && !strings.Contains(err.Error(), x.complaint) {
			t.Errorf("choose(%q, %v) = %v, %v; want %v, %q", x.name, x.best, got, err, x.want, x.complaint)
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
