package kernel

// ISA is a family of processor instructions that the kernels are written for.
type ISA uint8

// The instruction sets, worst first.
const (
	Generic ISA = iota // plain Go
	AVX2               // AVX2 and FMA
	AVX512             // AVX-512F
)

var active = Generic

// Active returns the instruction set in use.
func Active() ISA { return active }

// Check returns an error where the environment asks for what cannot be had.
func Check() error { return nil }

// Force selects an instruction set until restore is called.
func Force(isa ISA) (restore func()) {
	before := active
	active = isa
	return func() { active = before }
}

// String returns the name of the instruction set.
func (i ISA) String() string { return [...]string{"generic", "avx2", "avx512"}[i] }
