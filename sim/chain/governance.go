package chain

// setParams changes a parameter in the name of the governor.
func (s *State) setParams(signer Key, m SetParams) error {
	return refuse(NotYet, 0, 0)
}
