package kernel_test

import (
	"fmt"

	"taolab/model/lm/kernel"
)

// The second position sees itself and the first; the third element of its row is not its to see.
func ExampleCausalSoftmax() {
	scores := []float32{
		5, 7, 7,
		1, 1, 7,
		0, 0, 0,
	}
	kernel.CausalSoftmax(3, 0, 3, scores, 3, 1)
	for i := 0; i < 9; i += 3 {
		fmt.Printf("%.2f\n", scores[i:i+3])
	}
	// Output:
	// [1.00 0.00 0.00]
	// [0.50 0.50 0.00]
	// [0.33 0.33 0.33]
}

func ExampleLayerNorm() {
	x, y, scale := []float32{1, 2, 3, 4}, make([]float32, 4), make([]float32, 1)
	gain, bias := []float32{1, 1, 1, 1}, make([]float32, 4)
	kernel.LayerNorm(1, 4, x, gain, bias, y, y, scale)
	fmt.Printf("%.3f %.3f\n", y, scale)
	// Output: [-1.342 -0.447 0.447 1.342] [0.894]
}

// Odds of 1 to 3 that are told to triple, and odds that lie beyond the limit.
func ExampleSigmoidFrom() {
	x, prior := []float32{1.0986123, 0}, []float32{0.25, 0.999}
	kernel.SigmoidFrom(x, prior, 0.01, 0.99)
	fmt.Printf("%.2f %.2f\n", x, prior)
	// Output: [0.50 0.99] [0.25 0.99]
}

// Two losses, of a good guess and of none, and the gradient of their mean.
func ExampleCrossEntropy() {
	logits := []float32{4, 0, 0, 0}
	targets, losses, sums := []uint16{0, 1}, make([]float32, 2), make([]float32, 2)
	kernel.CrossEntropy(2, 2, logits, targets, losses, sums)
	kernel.CrossEntropyBackward(2, 2, logits, sums, targets, 2)
	fmt.Printf("%.3f\n%.3f\n", losses, logits)
	// Output:
	// [0.018 0.693]
	// [-0.009 0.009 0.250 -0.250]
}

// The first step of AdamW, whose moments start from zero, takes every weight one rate down its gradient.
func ExampleAdamWStep() {
	weights, gradient := []float32{1, 1, 1}, []float32{2, -0.001, 0}
	m, v := make([]float32, 3), make([]float32, 3)
	step := kernel.AdamWStep{Clip: 1, Beta1: 0.9, Beta2: 0.75, Rest1: 0.1, Rest2: 0.25,
		Rate: 0.01 / 0.1, Root: 2, Epsilon: 1e-8, Keep: 1, Limit: 4096}
	step.Apply(weights, gradient, m, v)
	fmt.Printf("%.3f\n", weights)
	// Output: [0.990 1.010 1.000]
}

// 16 partial sums keep most of what one running sum loses to a large number.
func ExampleSum() {
	x := make([]float32, 64)
	x[0] = 1 << 24
	running := x[0]
	for i := range x[1:] {
		x[i+1] = 1
		running += x[i+1]
	}
	fmt.Println(int(running), int(kernel.Sum(x)))
	// Output: 16777216 16777276
}
