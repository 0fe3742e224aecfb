package kernel_test

import (
	"fmt"

	"taolab/model/lm/kernel"
)

func ExampleMatMul() {
	a := []float32{1, 2, 3, 4, 5, 6} // 2 x 3
	b := []float32{1, 0, 0, 1, 1, 1} // 3 x 2
	c := make([]float32, 4)
	kernel.MatMul(&kernel.Product{C: kernel.View(c, 2, 2, 2), A: kernel.View(a, 2, 3, 3),
		B: kernel.View(b, 3, 2, 2)})
	fmt.Println(c)

	square := make([]float32, 9)
	kernel.MatMul(&kernel.Product{C: kernel.View(square, 3, 3, 3), A: kernel.View(a, 2, 3, 3), TransposeA: true,
		B: kernel.View(a, 2, 3, 3)}) // A transposed times A
	fmt.Println(square)
	// Output:
	// [4 5 10 11]
	// [17 22 27 22 29 36 27 36 45]
}

func ExampleTranspose() {
	dst := make([]float32, 6)
	kernel.Transpose(kernel.View(dst, 3, 2, 2), kernel.View([]float32{1, 2, 3, 4, 5, 6}, 2, 3, 3))
	fmt.Println(dst)
	// Output: [1 4 2 5 3 6]
}

// Force lets a test compare instruction sets on one machine.
func ExampleISA() {
	defer kernel.Force(kernel.Generic)()
	fmt.Println(kernel.Active(), kernel.Check())
	// Output: generic <nil>
}
