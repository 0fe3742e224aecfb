package kernel

import (
	"fmt"
	"os"
	"slices"
)

// ISA is a set of instructions that the kernels are written for. All give the same bits.
type ISA uint8

// The instruction sets, slowest first.
const (
	Generic ISA = iota // plain Go
	NEON               // Advanced SIMD of arm64
	AVX2               // AVX2 and FMA
	AVX512             // AVX-512F
)

// Environment is the variable that names the instruction set to use.
const Environment = "TAOLAB_ISA"

var names = [...]string{Generic: "generic", NEON: "neon", AVX2: "avx2", AVX512: "avx512"}

// String returns the name that [Environment] takes.
func (isa ISA) String() string {
	if int(isa) >= len(names) {
		return fmt.Sprintf("ISA(%d)", uint8(isa))
	}
	return names[isa]
}

// lanes returns how many float32 a vector holds.
func (isa ISA) lanes() int { return [...]int{Generic: 1, NEON: 4, AVX2: 8, AVX512: 16}[isa] }

// active is written at start and by Force only.
var active, environmentErr = choose(os.Getenv(Environment), Supported())

// choose returns the instruction set that goes by a name, and the best where the name is empty, unknown
// or not among those supported; the last two are errors.
func choose(name string, supported []ISA) (ISA, error) {
	best := supported[len(supported)-1]
	if name == "" {
		return best, nil
	}
	for isa := Generic; int(isa) < len(names); isa++ {
		switch {
		case name != names[isa]:
		case !slices.Contains(supported, isa):
			return best, fmt.Errorf("%s=%s: this processor lacks these instructions; the best it has is %v",
				Environment, name, best)
		default:
			return isa, nil
		}
	}
	return best, fmt.Errorf("%s=%s: unknown instruction set; want avx512, avx2, neon or generic, "+
		"or leave it unset", Environment, name)
}

// Active returns the instruction set in use.
func Active() ISA { return active }

// Check returns an error if the environment names an instruction set that is unknown or that the
// processor lacks; the best that it has is then in use.
func Check() error { return environmentErr }

// Supported returns the instruction sets that the processor has, slowest first.
func Supported() []ISA { return supported() }

// Force puts an instruction set to use until restore is called. It panics if the processor lacks it.
// It is for tests and benchmarks: no kernel may run meanwhile on another goroutine.
func Force(isa ISA) (restore func()) {
	mustSupport("Force", isa)
	before := active
	active = isa
	return func() { active = before }
}

func mustSupport(what string, isa ISA) {
	if !slices.Contains(Supported(), isa) {
		panic(fmt.Sprintf("kernel: %s(%v): this processor has %v", what, isa, Supported()))
	}
}
