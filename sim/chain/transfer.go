package chain

// transfer moves free money to another coldkey.
func (s *State) transfer(coldkey Key, m Transfer) error {
	if m.AmountRao == 0 {
		return refuse(ZeroAmount, 0, 0)
	}
	if m.To == (Key{}) {
		return refuse(ZeroKey, 0, 0)
	}
	if err := s.free(coldkey, m.AmountRao); err != nil {
		return err
	}
	if err := s.mayFound(m.To, m.AmountRao); err != nil {
		return err
	}
	s.account(coldkey).freeRao -= m.AmountRao
	s.account(m.To).freeRao += m.AmountRao
	return nil
}

// burnFree destroys free money. It stays issued, so it is not minted again.
func (s *State) burnFree(coldkey Key, m Burn) error {
	if m.AmountRao == 0 {
		return refuse(ZeroAmount, 0, 0)
	}
	if err := s.free(coldkey, m.AmountRao); err != nil {
		return err
	}
	s.account(coldkey).freeRao -= m.AmountRao
	s.money.Free -= m.AmountRao
	s.money.Burned += m.AmountRao
	return nil
}

// recycleFree takes free money out of the issuance, so that it is minted again.
func (s *State) recycleFree(coldkey Key, m Recycle) error {
	if err := s.burnFree(coldkey, Burn(m)); err != nil {
		return err
	}
	s.money.Recycled += m.AmountRao
	return nil
}
