package wallet_test

import (
	"fmt"

	"taolab/sim/live/wallet"
)

func ExamplePhrase() {
	phrase, err := wallet.ParsePhrase("abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about")
	if err != nil {
		panic(err)
	}
	fmt.Println(wallet.Address(wallet.Public(phrase.Coldkey())))
	fmt.Println(wallet.Address(wallet.Public(phrase.Hotkey(0))))
	// Output:
	// 5ExZHkeVV2LQGXJUtC3q6AvEiabQBS935knCBJ8qeJrMDopd
	// 5CnqBq31YUZxYe4omrArbVLPsrsUaaW7b5sXaQ6RrAyvmqXZ
}
