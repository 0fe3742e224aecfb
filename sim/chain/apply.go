package chain

// Apply applies a transaction to the block after Height. A rejected one, for which it returns an
// *Error, changes nothing.
func (s *State) Apply(tx Tx) error {
	if err := s.admissible(tx); err != nil {
		return err
	}
	if err := s.dispatch(tx.Signer, tx.Msg); err != nil {
		return err
	}
	s.account(tx.Signer).nonce = tx.Nonce + 1
	s.stir(tx)
	s.mustConserve()
	return nil
}

// dispatch does what a message asks for, or refuses and changes nothing.
func (s *State) dispatch(signer Key, msg Msg) error {
	switch m := msg.(type) {
	case Register:
		return s.register(signer, m)
	case RegisterWork:
		return s.registerWork(signer, m)
	case AddStake:
		return s.addStake(signer, m)
	case RemoveStake:
		return s.removeStake(signer, m)
	case Delegate:
		return s.delegate(signer, m)
	case Transfer:
		return s.transfer(signer, m)
	case Burn:
		return s.burnFree(signer, m)
	case Recycle:
		return s.recycleFree(signer, m)
	case SetWeights:
		return s.applyWeights(signer, m)
	case CommitWeights:
		return s.commitWeights(signer, m)
	case RevealWeights:
		return s.revealWeights(signer, m)
	case ServeAxon:
		return s.serveAxon(signer, m)
	case ServeConsensus:
		return s.serveConsensus(signer, m)
	case ResetBonds:
		return s.resetBonds(signer, m)
	case SetParams:
		return s.setParams(signer, m)
	}
	return refuse(MissingMessage, 0, 0)
}

// admissible checks what all transactions have in common.
func (s *State) admissible(tx Tx) error {
	if tx.Msg == nil {
		return refuse(MissingMessage, 0, 0)
	}
	if err := s.timely(tx); err != nil {
		return err
	}
	if !tx.Verify(s.chainID) {
		return refuse(BadSignature, 0, 0)
	}
	return nil
}

// free checks that a coldkey can spend an amount.
func (s *State) free(coldkey Key, rao uint64) error {
	if have := s.accounts.get(coldkey).freeRao; have < rao {
		return refuse(InsufficientFree, have, rao)
	}
	return nil
}

// mayOwn checks that a hotkey is a coldkey's or nobody's yet.
func (s *State) mayOwn(coldkey, hotkey Key) error {
	if hotkey == (Key{}) {
		return refuse(ZeroKey, 0, 0)
	}
	if owner := s.accounts.get(hotkey).owner; owner != coldkey && owner != (Key{}) {
		return refuse(NotOwner, 0, 0)
	}
	return nil
}
