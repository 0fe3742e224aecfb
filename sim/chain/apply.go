package chain

import "cmp"

// Receipt says what came of a transaction that is part of a block.
type Receipt struct {
	Work    uint64 // in units, where work costs anything, as what follows
	FeeRao  uint64 // burned, the tip not included
	Refusal *Error // why it did nothing but pay; nil: it did what it asked for
}

// Deliver applies a transaction to the block after Height. An inadmissible one, for which it returns an
// *Error, belongs in no block and changes nothing. Where work costs nothing, no refused transaction
// changes anything; where it costs, an admissible one pays and uses up its nonce even if it is refused.
func (s *State) Deliver(tx Tx) (Receipt, error) {
	return s.DeliverIf(tx, func() bool { return tx.Verify(s.chainID) })
}

// DeliverIf is Deliver for a caller that judges signatures itself. It asks whether that of the transaction is
// good only where nothing else is wrong with it.
func (s *State) DeliverIf(tx Tx, signed func() bool) (Receipt, error) {
	c, err := s.admissible(tx)
	if err != nil {
		return Receipt{}, err
	}
	if !signed() {
		return Receipt{}, refuse(BadSignature, 0, 0)
	}
	return s.deliver(tx, c)
}

// deliver applies an admissible transaction.
func (s *State) deliver(tx Tx, c charge) (Receipt, error) {
	r := Receipt{Work: c.work, FeeRao: c.feeRao}
	if s.params.Hard.FeeRao == 0 {
		if err := s.collected(tx); err != nil {
			return Receipt{}, err
		}
	}
	s.account(tx.Signer).nonce = tx.Nonce + 1
	s.collectDue(tx.Signer)
	s.collect(tx, c)
	s.mixIn(tx)
	if s.params.Hard.FeeRao != 0 {
		if err := s.dispatch(tx.Signer, tx.Msg); err != nil {
			r.Refusal = err.(*Error)
		}
	}
	s.mustConserve()
	return r, nil
}

// collected first pays out what is due to the signer and then does what the transaction asks for; a
// refusal undoes both.
func (s *State) collected(tx Tx) error {
	signer, money, touched := s.accounts.get(tx.Signer), s.money, s.touched
	s.collectDue(tx.Signer)
	err := s.dispatch(tx.Signer, tx.Msg)
	if err != nil && s.money != money {
		*s.account(tx.Signer) = signer
		s.money, s.touched = money, touched
	}
	return err
}

// Apply is Deliver without the receipt: it returns any refusal as an *Error.
func (s *State) Apply(tx Tx) error { return refusal(s.Deliver(tx)) }

// ApplyVerified is Apply without the signature check, for a caller that has verified the signature
// or made the transaction itself. Signed and unsigned transactions lead to the same state.
func (s *State) ApplyVerified(tx Tx) error { return refusal(s.DeliverVerified(tx)) }

// DeliverVerified is Deliver for the same callers as ApplyVerified.
func (s *State) DeliverVerified(tx Tx) (Receipt, error) {
	c, err := s.admissible(tx)
	if err != nil {
		return Receipt{}, err
	}
	return s.deliver(tx, c)
}

func refusal(r Receipt, err error) error {
	if err == nil && r.Refusal != nil {
		return r.Refusal
	}
	return err
}

// dispatch does what a message asks for, or refuses and changes nothing.
func (s *State) dispatch(signer Key, msg Msg) error {
	return messages[msg.kind()].apply(s, signer, msg)
}

// admissible checks everything that all transactions have in common except the signature, and returns
// the charge for this one.
func (s *State) admissible(tx Tx) (charge, error) {
	if tx.Msg == nil {
		return charge{}, refuse(MissingMessage, 0, 0)
	}
	if s.params.Hard.SoundKeys && (tx.Signer.weak() || !tx.Signer.canonical()) {
		return charge{}, refuse(KeyUnsound, 0, 0)
	}
	if err := s.timely(tx); err != nil {
		return charge{}, err
	}
	return s.chargeFor(tx)
}

// free checks that a coldkey can spend an amount.
func (s *State) free(coldkey Key, rao uint64) error {
	a := s.accounts.get(coldkey)
	if have := a.freeRao + s.dueOf(&a); have < rao {
		return refuse(InsufficientFree, have, rao)
	}
	return nil
}

// mayOwn checks that a coldkey owns a hotkey or, where hotkeys need no claim, that nobody owns it yet.
func (s *State) mayOwn(coldkey, hotkey Key) error {
	if hotkey == (Key{}) {
		return refuse(ZeroKey, 0, 0)
	}
	owner := s.accounts.get(hotkey).owner
	if owner == coldkey {
		return nil
	}
	if s.params.Hard.Consent || owner != (Key{}) {
		return refuse(NotOwner, 0, 0)
	}
	return cmp.Or(s.knownOrSound(hotkey), s.knownOrSound(coldkey))
}
