package chain

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
	s.account(coldkey).freeRao -= m.AmountRao
	s.account(m.To).freeRao += m.AmountRao
	return nil
}

// burnFree destroys free money; the issuance stays.
func (s *State) burnFree(coldkey Key, m Burn) error {
	return refuse(NotYet, 0, 0)
}

// recycleFree takes free money out of the issuance, so that it is minted again.
func (s *State) recycleFree(coldkey Key, m Recycle) error {
	return refuse(NotYet, 0, 0)
}
