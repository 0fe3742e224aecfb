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
	limit := s.params.Hard.ServeBlocks
	if err := s.mayAgain(s.accounts.get(hotkey).last.serve, limit); err != nil {
		return err
	}
	if err := s.mayEnter(m.Axon); err != nil {
		return err
	}
	if err := s.takeAxon(uid, hotkey, m.Axon); err != nil {
		return err
	}
	if limit != 0 {
		s.hotkey(hotkey).last.serve = s.height + 1
	}
	n := s.neuron(uid)
	n.axon, n.ip, n.port = m.Axon, m.IP, m.Port
	return nil
}

// takeAxon makes a key stand for one neuron where keys agree to whom they belong: a neuron that serves with another's
// key would be paid for its answers, and calls would go astray. A hotkey's own key is its own, also if a neuron
// served with it before; any other belongs to the neuron that serves with it first.
func (s *State) takeAxon(uid UID, hotkey, axon Key) error {
	if !s.params.Hard.Consent {
		return nil
	}
	if axon != hotkey && s.accounts.get(axon).owner != (Key{}) {
		return refuse(AxonTaken, 0, 0)
	}
	for other := range UID(s.neurons.n) {
		if other == uid || s.neurons.get(other).axon != axon {
			continue
		}
		if axon != hotkey {
			return refuse(AxonTaken, 0, 0)
		}
		n := s.neuron(other)
		n.axon, n.ip, n.port = n.hotkey, [16]byte{}, 0
	}
	return nil
}

// serveConsensus publishes the key of a validator's consensus engine, which no other neuron has. Where
// the network has seats of its own the key belongs to the hotkey instead.
func (s *State) serveConsensus(hotkey Key, m ServeConsensus) error {
	if s.params.Hard.Consent && m.Key != (Key{}) {
		return refuse(ProofMissing, 0, 0)
	}
	return s.serve(hotkey, m.Key)
}

// serve gives a hotkey a consensus key, if it may have that key.
func (s *State) serve(hotkey, key Key) error {
	if key != (Key{}) {
		if err := s.mayEnter(key); err != nil {
			return err
		}
	}
	if s.params.Hard.Seats != 0 {
		return s.serveSeat(hotkey, key)
	}
	uid, ok := s.neurons.uidOf(hotkey)
	if !ok {
		return refuse(NotRegistered, 0, 0)
	}
	if key == (Key{}) {
		return refuse(ZeroKey, 0, 0)
	}
	for other := range s.neurons.n {
		if UID(other) != uid && s.neurons.get(UID(other)).consensusKey == key {
			return refuse(KeyTaken, uint64(other), 0)
		}
	}
	s.neuron(uid).consensusKey = key
	return nil
}

// resetBonds deletes the bonds in a neuron from every row, where work costs anything before the next
// epoch, which is the first to miss them.
func (s *State) resetBonds(hotkey Key, _ ResetBonds) error {
	uid, ok := s.neurons.uidOf(hotkey)
	if !ok {
		return refuse(NotRegistered, 0, 0)
	}
	if !s.params.BondsReset {
		return refuse(ResetNotAllowed, 0, 0)
	}
	limit := s.params.Hard.ResetBlocks
	if err := s.mayAgain(s.accounts.get(hotkey).last.reset, limit); err != nil {
		return err
	}
	if limit != 0 {
		s.hotkey(hotkey).last.reset = s.height + 1
	}
	if s.params.Hard.FeeRao == 0 {
		s.dropBondsIn(func(u UID) bool { return u == uid })
	} else if !slices.Contains(s.resets, uid) {
		s.resets = append(slices.Clip(s.resets), uid)
	}
	return nil
}

// resetColumns deletes before an epoch the bonds in the neurons that asked for it since the last one.
func (s *State) resetColumns() {
	if len(s.resets) > 0 {
		s.dropBondsIn(func(u UID) bool { return slices.Contains(s.resets, u) })
		s.resets = nil
	}
}

// dropBondsIn deletes the bonds in some neurons from every row.
func (s *State) dropBondsIn(reset func(UID) bool) {
	held := func(b BondEntry) bool { return reset(b.UID) }
	for holder := range UID(s.neurons.n) {
		if row := s.neurons.get(holder).bonds; slices.ContainsFunc(row, held) {
			s.setBonds(holder, slices.DeleteFunc(slices.Clone(row), held))
		}
	}
}
