package chain

func (s *State) addStake(coldkey Key, m AddStake) error {
	if m.AmountRao == 0 {
		return refuse(ZeroAmount, 0, 0)
	}
	if err := s.mayOwn(coldkey, m.Hotkey); err != nil {
		return err
	}
	if err := s.free(coldkey, m.AmountRao); err != nil {
		return err
	}
	s.account(coldkey).freeRao -= m.AmountRao
	a := s.account(m.Hotkey)
	a.owner = coldkey
	a.stakeRao += m.AmountRao
	s.money.Free -= m.AmountRao
	s.money.Staked += m.AmountRao
	return nil
}

func (s *State) removeStake(coldkey Key, m RemoveStake) error {
	if m.AmountRao == 0 {
		return refuse(ZeroAmount, 0, 0)
	}
	a := s.accounts.get(m.Hotkey)
	if a.owner != coldkey {
		return refuse(NotOwner, 0, 0)
	}
	if a.stakeRao < m.AmountRao {
		return refuse(InsufficientStake, a.stakeRao, m.AmountRao)
	}
	s.account(m.Hotkey).stakeRao -= m.AmountRao
	s.account(coldkey).freeRao += m.AmountRao
	s.money.Staked -= m.AmountRao
	s.money.Free += m.AmountRao
	return nil
}

// delegate opens a hotkey to nominators or changes its take.
func (s *State) delegate(coldkey Key, m Delegate) error {
	return refuse(NotYet, 0, 0)
}
