package host_test

import (
	"crypto/ed25519"
	"fmt"

	"taolab/sim/chain"
	"taolab/sim/host"
)

// A node pays another: the transaction waits at the block producer, a block takes it, and the node
// is told when it sees the block.
func ExampleLedger() {
	params, _ := chain.Era("2026")
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	payer := chain.Key(key.Public().(ed25519.PublicKey))
	ledger, err := host.NewLedger(host.LedgerConfig{
		Genesis: chain.Genesis{ChainID: "example", Params: params, Balances: []chain.Balance{{Coldkey: payer, FreeRao: 1000}}},
		Hotkeys: make([]chain.Key, 1), // one node
		Signed:  true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	account := ledger.Open(key)
	bytes, _ := ledger.Submit(0, 1, account, 64, chain.Transfer{To: chain.Key{7}, AmountRao: 30})
	ledger.Receive(0, 1, bytes, 5*host.Second)
	ended, _ := ledger.End(12 * host.Second)
	fmt.Println("block", ended.Height, ended.Receipts[0].Fate)
	fmt.Printf("%T %v\n", ledger.Tell(0, 1), ledger.View(1).FreeOf(payer))
	// Output:
	// block 1 included
	// host.Included 970
}
