package kernel

import (
	"syscall"
	"testing"
	"unsafe"

	"taolab/model/num"
)

// guarded returns n floats that end where an unreadable page begins, or begin where one ends.
func guarded(t *testing.T, n int, atEnd bool) []float32 {
	t.Helper()
	page := syscall.Getpagesize()
	inside := (4*n + page - 1) / page * page
	memory, err := syscall.Mmap(-1, 0, inside+2*page, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(memory); err != nil {
			t.Error(err)
		}
	})
	for _, guard := range [][]byte{memory[:page], memory[page+inside:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	from := page
	if atEnd {
		from = page + inside - 4*n
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&memory[from])), n)
}

// A kernel that read or wrote one element before or after its operands would die here.
func TestNoKernelTouchesMemoryOutsideItsOperands(t *testing.T) {
	const most = 40 * 70
	s := num.NewStream(1, "guard")
	for _, atEnd := range []bool{true, false} {
		room := [3][]float32{guarded(t, most, atEnd), guarded(t, most, atEnd), guarded(t, most, atEnd)}
		place := func(room, x []float32) []float32 {
			at := room[:len(x)]
			if atEnd {
				at = room[len(room)-len(x):]
			}
			copy(at, x)
			return at
		}
		for _, isa := range Supported() {
			restore := Force(isa)
			for n := 1; n <= 70; n++ {
				p := product{m: 1 + n%17, n: n, k: 1 + n%5, transposed: n%2 == 0, accumulate: n%3 == 0,
					aGap: n % 4, bGap: n % 3}
				a, b, c := p.operands(s.Float32)
				p.run(place(room[0], a), place(room[1], b), place(room[2], c))
				rows := 1 + n%40
				Transpose(rows, n, place(room[0], fill(s, rows*n)), n, place(room[1], fill(s, rows*n)), rows)
			}
			restore()
		}
	}
}
