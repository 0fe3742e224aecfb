package chain_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"taolab/sim/chain"
)

func key(seed byte) (ed25519.PrivateKey, chain.Key) {
	k := ed25519.NewKeyFromSeed(append(make([]byte, 31), seed))
	return k, chain.Key(k.Public().(ed25519.PublicKey))
}

// A chain with one validator: its first epoch gives it a permit, then it weighs a miner.
func ExampleState() {
	params, err := chain.Era("2026")
	if err != nil {
		panic(err)
	}
	params = params.Scaled(4)
	params.TempoBlocks = 10
	params.WeightsRateLimitBlocks = 0
	cold, coldkey := key(1)
	hot, validator := key(2)
	_, miner := key(3)
	s, err := chain.New(chain.Genesis{
		ChainID:  "example",
		Params:   params,
		Balances: []chain.Balance{{Coldkey: coldkey, FreeRao: 10 * chain.RaoPerTAO}},
		Neurons: []chain.GenesisNeuron{
			{Hotkey: validator, Coldkey: coldkey, StakeRao: 100 * chain.RaoPerTAO},
		},
	})
	if err != nil {
		panic(err)
	}
	apply := func(k ed25519.PrivateKey, m chain.Msg) error {
		signer := chain.Key(k.Public().(ed25519.PublicKey))
		return s.Apply(chain.Sign("example", k, s.Nonce(signer), s.Height()+5, m))
	}
	weights := chain.SetWeights{UIDs: []uint16{1}, Values: []uint32{1}}
	fmt.Println("register:", apply(cold, chain.Register{Hotkey: miner}))
	fmt.Println("weigh:", errors.Is(apply(hot, weights), chain.NoPermit))
	s.Advance(s.NextEvent() - s.Height())
	fmt.Println("weigh:", apply(hot, weights))
	for _, e := range s.Advance(10) {
		fmt.Printf("%+v\n", e)
	}
	v := s.View()
	fmt.Println("miner earned", v.StakeOf(miner), "validator", v.Neuron(0).EmissionRao)
	// Output:
	// register: <nil>
	// weigh: true
	// weigh: <nil>
	// {Block:20 Epoch:1 EmissionRao:10000000000 PaidRao:10000000000 OwnerRao:0 DustRao:0 UnallocatedRao:0}
	// miner earned 5000000000 validator 5000000000
}

// A transaction travels as bytes; what is decoded is exactly what was encoded.
func ExampleDecodeTx() {
	k, _ := key(1)
	_, to := key(2)
	b, err := chain.Sign("example", k, 0, 100, chain.Transfer{To: to, AmountRao: 5}).AppendBinary(nil)
	if err != nil {
		panic(err)
	}
	tx, err := chain.DecodeTx(b)
	fmt.Println(len(b), tx.Msg.(chain.Transfer).AmountRao, tx.Verify("example"), err)
	_, err = chain.DecodeTx(b[:len(b)-1])
	fmt.Println(err)
	// Output:
	// 154 5 true <nil>
	// transaction of 153 bytes ends too early
}

// Two nominators stake on a delegate that takes a tenth; the epoch pays them by stake.
func ExampleDelegate() {
	params, err := chain.Era("2026")
	if err != nil {
		panic(err)
	}
	params = params.Scaled(4)
	params.TempoBlocks = 100
	_, owner := key(1)
	_, hotkey := key(2)
	nina, ninas := key(3)
	_, olgas := key(4)
	s, err := chain.New(chain.Genesis{
		ChainID: "example", Params: params,
		Balances:  []chain.Balance{{Coldkey: ninas, FreeRao: 30 * chain.RaoPerTAO}},
		Neurons:   []chain.GenesisNeuron{{Hotkey: hotkey, Coldkey: owner, StakeRao: 60 * chain.RaoPerTAO}},
		Delegates: []chain.GenesisDelegate{{Hotkey: hotkey, Take: 6554}},
		Stakes:    []chain.GenesisStake{{Hotkey: hotkey, Coldkey: olgas, StakeRao: 10 * chain.RaoPerTAO}},
	})
	if err != nil {
		panic(err)
	}
	nominate := chain.AddStake{Hotkey: hotkey, AmountRao: 30 * chain.RaoPerTAO}
	fmt.Println("nominate:", s.Apply(chain.Sign("example", nina, 0, 10, nominate)))
	s.Advance(100)
	v := s.View()
	fmt.Println("hotkey", v.StakeOf(hotkey))
	fmt.Println("nina", v.NominationOf(hotkey, ninas), "olga", v.NominationOf(hotkey, olgas))
	fmt.Println("they got", v.NominatorsRao(0), "of", v.Neuron(0).EmissionRao)
	// Output:
	// nominate: <nil>
	// hotkey 200000000000
	// nina 56999771114 olga 18999923704
	// they got 35999694818 of 100000000000
}

// The governor changes a parameter; what is impossible is refused with what would be possible.
func ExampleSetParams() {
	params, err := chain.Era("2026")
	if err != nil {
		panic(err)
	}
	k, governor := key(1)
	s, err := chain.New(chain.Genesis{ChainID: "example", Params: params.Scaled(4), Governor: governor})
	if err != nil {
		panic(err)
	}
	for i, m := range []chain.SetParams{{"TempoBlocks", 100}, {"MaxWeight", 100}, {"Rule", 1}} {
		fmt.Println(m.Name, s.Apply(chain.Sign("example", k, uint64(i), 10, m)))
	}
	fmt.Println(s.View().Params().TempoBlocks)
	// Output:
	// TempoBlocks <nil>
	// MaxWeight value 100, at least 16384 is allowed
	// Rule no parameter of this name can be changed
	// 100
}
