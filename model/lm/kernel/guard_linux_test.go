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

// atGuards calls test with a function that copies numbers next to an unreadable page: their end, or in
// a second call of test their start. At most n numbers fit; memory number i is reused.
func atGuards(t *testing.T, most int, test func(place func(i int, x []float32) []float32)) {
	for _, atEnd := range []bool{true, false} {
		var rooms [4][]float32
		for i := range rooms {
			rooms[i] = guarded(t, most, atEnd)
		}
		test(func(i int, x []float32) []float32 {
			at := rooms[i][:len(x)]
			if atEnd {
				at = rooms[i][most-len(x):]
			}
			copy(at, x)
			return at
		})
	}
}

// A kernel that read or wrote one element before or after its operands would die here.
func TestNoKernelTouchesMemoryOutsideItsOperands(t *testing.T) {
	s := num.NewStream(1, "guard")
	atGuards(t, 40*70, func(place func(i int, x []float32) []float32) {
		for _, isa := range Supported() {
			restore := Force(isa)
			for n := 1; n <= 70; n++ {
				product{m: 1 + n%17, n: n, k: 1 + n%5, transposed: n%2 == 0, start: Start(n % 4),
					aGap: n % 4, bGap: n % 3}.runAt(place, s)
				rows := 1 + n%40
				Transpose(View(place(1, fill(s, rows*n)), n, rows, rows), View(place(0, fill(s, rows*n)), rows, n, n))
			}
			restore()
		}
	})
}

func (p product) runAt(place func(i int, x []float32) []float32, s *num.Stream) {
	a, b, c, bias := p.operands(s.Float32)
	p.run(place(0, a), place(1, b), place(2, c), place(3, bias))
}

// Products of a tile's size, of any number of lanes in its last vector, go through that tile.
func TestNoTileTouchesMemoryOutsideItsOperands(t *testing.T) {
	s := num.NewStream(1, "guard")
	atGuards(t, 40*140, func(place func(i int, x []float32) []float32) {
		for _, isa := range Supported()[1:] {
			restore := Force(isa)
			widths, lanes := tiles()
			for _, w := range widths {
				fewest := w.cols
				if w.masked >= 0 {
					fewest = w.cols - lanes + 1
				}
				for n := fewest; n <= w.cols; n++ {
					for m := 1; m <= w.most; m++ {
						if fit(widths, m, n) == nil || fit(widths, m, n).cols != w.cols {
							t.Fatalf("%v: %d x %d does not go through the tiles of %d columns", isa, m, n, w.cols)
						}
						for start := Zero; start <= KeepPlusBias; start++ {
							product{m: m, n: n, k: 1 + (m+n)%6, transposed: m%2 == 0, start: start}.runAt(place, s)
						}
					}
				}
			}
			restore()
		}
	})
}
