package chain

// registerWork gives the signing hotkey a slot for a proof of work.
func (s *State) registerWork(hotkey Key, m RegisterWork) error {
	return refuse(NotYet, 0, 0)
}
