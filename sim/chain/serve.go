package chain

func (s *State) serveAxon(hotkey Key, m ServeAxon) error {
	uid, ok := s.neurons.uidOf(hotkey)
	if !ok {
		return refuse(NotRegistered, 0, 0)
	}
	if m.Axon == (Key{}) {
		return refuse(ZeroKey, 0, 0)
	}
	n := s.neuron(uid)
	n.axon, n.ip, n.port = m.Axon, m.IP, m.Port
	return nil
}

// serveConsensus publishes the key of a validator's consensus engine.
func (s *State) serveConsensus(hotkey Key, m ServeConsensus) error {
	return refuse(NotYet, 0, 0)
}

// resetBonds deletes the bonds in a neuron from every row.
func (s *State) resetBonds(hotkey Key, m ResetBonds) error {
	return refuse(NotYet, 0, 0)
}
