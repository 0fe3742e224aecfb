package registration_test

import (
	"fmt"

	"taolab/sim/chain/registration"
)

// Work is found by trying nonces, about a thousand of them for this difficulty.
func ExampleSeal_Solve() {
	block, hotkey := [32]byte{1}, [32]byte{2}
	seal := registration.KeccakHotkey
	nonce, work, ok := seal.Solve(block, hotkey, 1000, 0, 100_000)
	fmt.Println(ok, nonce, work == seal.Work(nonce, block, hotkey))
	fmt.Println("good for another hotkey:", work == seal.Work(nonce, block, [32]byte{3}))
	// Output:
	// true 331 true
	// good for another hotkey: false
}

// Nine registrations where three were wanted: the price doubles, or as little more as alpha keeps.
func ExampleAdjust() {
	const none, half = 0, 1 << 63
	fmt.Println(registration.Adjust(1_000_000_000, 9, 3, none, 1, 100_000_000_000))
	fmt.Println(registration.Adjust(1_000_000_000, 9, 3, half, 1, 100_000_000_000))
	// Output:
	// 2000000000
	// 1500000000
}

// A price by demand: up 26 % with a registration, down to half in 360 blocks.
func ExampleDecayed() {
	price := registration.Raise(100_000_000, 126, 500_000, 100_000_000_000)
	fmt.Println(price)
	factor := registration.DecayFactor(360)
	for range 360 {
		price = registration.Decayed(price, factor, 500_000, 100_000_000_000)
	}
	fmt.Println(price)
	// Output:
	// 126000000
	// 62999871
}

// The newest is immune; of the others the one with less emission goes.
func ExamplePruneByScore() {
	neurons := []registration.Candidate{
		{Score: 900, RegisteredAt: 10}, {Score: 200, RegisteredAt: 20}, {Score: 0, RegisteredAt: 4990},
	}
	uid, ok := registration.PruneByScore(len(neurons),
		func(i int) registration.Candidate { return neurons[i] }, 5000, 4096)
	fmt.Println(uid, ok)
	// Output: 1 true
}
