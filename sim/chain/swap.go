package chain

import "crypto/ed25519"

// SwapHotkey moves everything that a hotkey of the signing coldkey is and has to a new one, which
// consents by a signature of its own, see SignSwap.
type SwapHotkey struct {
	Old, New     Key
	Expiry       uint64 // the last height of a block in which the new hotkey's signature holds
	NewSignature [64]byte
}

func (SwapHotkey) kind() msgKind { return 18 }

func (m *SwapHotkey) layout(c *coder) {
	c.bytes(m.Old[:])
	c.bytes(m.New[:])
	c.u64(&m.Expiry)
	c.bytes(m.NewSignature[:])
}

// SignSwap is the message by which a coldkey gives a hotkey up for a new one that agrees, on the chain
// with this id.
func SignSwap(chainID string, fresh ed25519.PrivateKey, coldkey, old Key, expiry uint64) SwapHotkey {
	m := SwapHotkey{Old: old, Expiry: expiry}
	copy(m.New[:], fresh.Public().(ed25519.PublicKey))
	copy(m.NewSignature[:], ed25519.Sign(fresh, m.signed(chainID, coldkey)))
	return m
}

// signed returns what the new hotkey signs.
func (m SwapHotkey) signed(chainID string, coldkey Key) []byte {
	return consent("swap", chainID, m.Expiry, coldkey, m.Old, m.New)
}

// swapHotkey moves a hotkey's uid, stake, nominations, take and limits to a new hotkey. Its commitments
// are forgotten, since a commitment names its hotkey. A hotkey that serves in the consensus, or has to
// answer for it, withdraws first: stake on its way out of it names it.
func (s *State) swapHotkey(coldkey Key, m SwapHotkey) error {
	old, fresh := s.accounts.get(m.Old), s.accounts.get(m.New)
	h := &s.params.Hard
	_, serves := s.findOperator(m.Old)
	_, taken := s.findOperator(m.New)
	switch {
	case h.HotSwapBlocks == 0:
		return refuse(SwapsOff, 0, 0)
	case old.owner != coldkey:
		return refuse(NotOwner, 0, 0)
	case serves:
		return refuse(HotkeyServes, 0, 0)
	case taken || !fresh.blank():
		return refuse(HotkeyUsed, 0, 0)
	}
	if err := s.mayAgain(old.last.swap, h.HotSwapBlocks); err != nil {
		return err
	}
	if err := s.inForce(m.Expiry); err != nil {
		return err
	}
	deposit := h.ExistentialRao - min(h.ExistentialRao, fresh.freeRao)
	if err := s.free(coldkey, h.SwapRao+deposit); err != nil {
		return err
	}
	if !signs(m.New, m.signed(s.chainID, coldkey), m.NewSignature) {
		return refuse(NoConsent, 0, 0)
	}
	s.burn(coldkey, h.SwapRao)
	s.account(coldkey).freeRao -= deposit
	s.account(m.New).freeRao += deposit
	s.moveHotkey(m.Old, m.New)
	return nil
}

// moveHotkey gives a new hotkey all that an old one is and has besides its free money.
func (s *State) moveHotkey(old, fresh Key) {
	record := *s.hotkey(old)
	record.last.swap = s.height + 1
	s.account(old).hotkey = noHotkey
	*s.hotkey(fresh) = record
	if s.owner == old {
		s.owner = fresh
	}
	uid, ok := s.neurons.uidOf(old)
	if !ok {
		return
	}
	n := *s.neurons.get(uid)
	if n.hotkey = fresh; n.axon == old {
		n.axon = fresh
	}
	n.commits = nil
	s.replaceNeuron(uid, n)
}
