package kernel

import (
	"testing"

	"taolab/model/num"
)

// A kernel that read or wrote one element before or after its operands would die here.
func TestNoElementwiseKernelTouchesMemoryOutsideItsOperands(t *testing.T) {
	const most = 9 * (70 + 9)
	s := num.NewStream(1, "guard")
	for _, atEnd := range []bool{true, false} {
		var rooms [8][]float32
		for i := range rooms {
			rooms[i] = guarded(t, most, atEnd)
		}
		for _, isa := range Supported() {
			restore := Force(isa)
			for cols := 1; cols <= 70; cols++ {
				for _, k := range elementwise {
					taken := 0
					take := func(n int) []float32 {
						room := rooms[taken]
						taken++
						if atEnd {
							return room[most-n:]
						}
						return room[:n:n]
					}
					k.run(1+cols%9, cols, cols%10, &operands{next: s.Float32, take: take})
				}
			}
			restore()
		}
	}
}
