package conformance_test

import (
	"fmt"

	"taolab/sim/chain/conformance"
)

// A file of vectors is met, or its first difference has a place.
func ExampleCheck() {
	const file = `{"format": "emission/1", "count": 2, "table": [[0, 1000000000], [10500000000000000, %d]]}`
	for _, rao := range []int{500_000_000, 499_999_999} {
		r, err := conformance.Check(fmt.Appendf(nil, file, rao))
		fmt.Println(r.Passed, "of", r.Cases, r.First, err)
	}
	r, err := conformance.Check([]byte(`{"format": "emission/1", "count": 2, "table": [[0, 1000000000], [1, -1]]}`))
	fmt.Println(r.Passed, "of", r.Cases, err)
	fmt.Println(r.Faults[0].String())
	_, err = conformance.Check([]byte(`{"format": "emission/1", "count": 2, "table": [[0, 1000000000]]}`))
	fmt.Println(err)
	// Output:
	// 2 of 2 <nil> <nil>
	// 1 of 2 table[1]: emission: want 499999999, got 500000000 (line 1, column 85) <nil>
	// 1 of 2 <nil>
	// table[1]: line 1, column 69: table[1][1]: found -1, want a whole number from 0 to 18446744073709551615
	// line 1, column 35: count: 2, but the file has 1 rows in the table and the schedules
}

// A transition: a genesis and a block in, receipts and a digest out.
func ExampleBlock() {
	sample := conformance.SampleTransition()
	state, err := conformance.ReadGenesis(sample[0].Text)
	if err != nil {
		panic(err)
	}
	block, err := conformance.ReadBlock(sample[1].Text)
	if err != nil {
		panic(err)
	}
	done, err := block.Apply(state)
	if err != nil {
		panic(err)
	}
	for _, r := range done.Receipts {
		fmt.Println(r.OK, r.Code, r.Have, r.Want)
	}
	again, err := conformance.ReadState(done.AppendJSON(nil, state))
	fmt.Println(again.Digest() == done.Digest, err)
	// Output:
	// true  0 0
	// true  0 0
	// false InsufficientFree 7900000000 9000000000
	// false NoPermit 0 0
	// true <nil>
}
