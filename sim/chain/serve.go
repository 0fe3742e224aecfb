package chain

import "slices"

// serveAxon publishes where and under which key a neuron serves.
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

// serveConsensus publishes the key of a validator's consensus engine, which no other neuron has.
func (s *State) serveConsensus(hotkey Key, m ServeConsensus) error {
	uid, ok := s.neurons.uidOf(hotkey)
	if !ok {
		return refuse(NotRegistered, 0, 0)
	}
	if m.Key == (Key{}) {
		return refuse(ZeroKey, 0, 0)
	}
	for other := range s.neurons.n {
		if UID(other) != uid && s.neurons.get(UID(other)).consensusKey == m.Key {
			return refuse(KeyTaken, uint64(other), 0)
		}
	}
	s.neuron(uid).consensusKey = m.Key
	return nil
}

// resetBonds deletes the bonds in a neuron from every row.
func (s *State) resetBonds(hotkey Key, _ ResetBonds) error {
	uid, ok := s.neurons.uidOf(hotkey)
	if !ok {
		return refuse(NotRegistered, 0, 0)
	}
	if !s.params.BondsReset {
		return refuse(ResetNotAllowed, 0, 0)
	}
	for holder := range s.neurons.n {
		row := s.neurons.get(UID(holder)).bonds
		// A row is not always in the order of uids.
		if k := slices.IndexFunc(row, func(b BondEntry) bool { return b.UID == uid }); k >= 0 {
			s.setBonds(UID(holder), slices.Delete(slices.Clone(row), k, k+1))
		}
	}
	return nil
}
