package num_test

import (
	"fmt"
	"math"

	"taolab/model/num"
)

// Every agent and purpose has a stream of its own, so adding one moves nobody else's numbers.
func ExampleStream() {
	master := num.NewStream(42, "run")
	miner := master.Sub("miner/7").Sub("batches")
	fmt.Println(miner.IntN(1000), miner.IntN(1000), miner.IntN(1000))

	saved, _ := miner.AppendBinary(nil)
	next := miner.IntN(1000)
	var resumed num.Stream
	if err := resumed.UnmarshalBinary(saved); err != nil {
		fmt.Println(err)
	}
	fmt.Println(len(saved), resumed.IntN(1000) == next)
	// Output:
	// 69 121 947
	// 64 true
}

func ExampleStream_Pick() {
	s := num.NewStream(1, "subsets")
	counts := make([]int, 3)
	for range 6000 {
		counts[s.Pick([]float64{1, 3, 6})]++ // weights 1, 2 and 3
	}
	fmt.Println(counts)
	// Output:
	// [1023 2051 2926]
}

// A fused multiply-add rounds once. Going through float64 rounds twice, which shows where the first
// rounding lands on a tie of the second.
func ExampleFMA32() {
	a, b, c := float32(0x1.000002p0), float32(0x1.fffffcp-25), float32(0x1.000002p0)
	fmt.Printf("%x\n", num.FMA32(a, b, c))
	fmt.Printf("%x\n", float32(math.FMA(float64(a), float64(b), float64(c))))
	// Output:
	// 0x1.000002p+00
	// 0x1.000004p+00
}

func ExampleExp32() {
	fmt.Println(num.Exp32(0), num.Exp32(1), num.Exp32(-1000) == num.Exp32(-87))
	// Output: 1 2.7182817 true
}

func ExamplePow() {
	fmt.Println(num.Pow(2, 10), num.Pow(10, -2), num.Pow(2, 0.5))
	// Output: 1024 0.01 1.4142135623730951
}
