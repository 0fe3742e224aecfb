package chain

// Quote is what a transaction would cost in the next block, besides its tip.
type Quote struct {
	Payer    Key    // zero: nobody would pay
	Work     uint64 // units
	PriceRao uint64 // of a unit
	FeeRao   uint64
}

// Quote prices a transaction, which need not be signed yet. Where transactions cost nothing it only says who
// would pay.
func (v View) Quote(tx Tx) Quote {
	s := v.pricing()
	payer, byHotkey := s.payer(tx)
	q := Quote{Payer: payer}
	if s.params.Hard.FeeRao != 0 {
		q.Work, q.PriceRao = s.WorkOf(tx), s.unitPrice(byHotkey)
		q.FeeRao = q.PriceRao * q.Work
	}
	return q
}

// pricing is what of a state decides about the price of work in the next block.
func (v View) pricing() *State {
	s := State{accounts: v.accounts, neurons: v.neurons}
	s.params, s.priceRao, s.operators = *v.params, v.header.priceRao, v.header.operators
	return &s
}

// HotkeySigns reports whether messages of a type are signed by a hotkey; others are by a coldkey.
func HotkeySigns(m Msg) bool { return messages[m.kind()].signer == hotkeySigns }
