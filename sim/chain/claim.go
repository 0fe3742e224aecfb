package chain

import "crypto/ed25519"

// Claim gives a hotkey without an owner to the signing coldkey. The hotkey consents by a signature of
// its own, see SignClaim.
type Claim struct {
	Hotkey       Key
	Expiry       uint64 // the last height of a block in which the hotkey's signature holds
	HotSignature [64]byte
}

func (Claim) kind() msgKind { return 16 }

func (m *Claim) layout(c *coder) {
	c.bytes(m.Hotkey[:])
	c.u64(&m.Expiry)
	c.bytes(m.HotSignature[:])
}

// SignClaim makes a coldkey's claim on a hotkey with the hotkey's consent, for the chain with this id.
func SignClaim(chainID string, hot ed25519.PrivateKey, coldkey Key, expiry uint64) Claim {
	m := Claim{Expiry: expiry}
	copy(m.Hotkey[:], hot.Public().(ed25519.PublicKey))
	copy(m.HotSignature[:], ed25519.Sign(hot, m.signed(chainID, coldkey)))
	return m
}

// signed returns what the hotkey signs.
func (m Claim) signed(chainID string, coldkey Key) []byte {
	return consent("claim", chainID, m.Expiry, coldkey, m.Hotkey)
}

// consent is the text that a key signs to agree to a message. Purpose, chain and keys in it keep it from
// serving for any other.
func consent(purpose, chainID string, expiry uint64, keys ...Key) []byte {
	c := coder{buf: []byte("taolab " + purpose + "\x00")}
	text(&c, &chainID)
	for _, k := range keys {
		c.bytes(k[:])
	}
	c.u64(&expiry)
	return c.buf
}

// claim gives a consenting hotkey to a coldkey, together with the deposit that its account needs.
func (s *State) claim(coldkey Key, m Claim) error {
	if !s.params.Hard.Consent {
		return refuse(ConsentOff, 0, 0)
	}
	if err := s.inForce(m.Expiry); err != nil {
		return err
	}
	a := s.accounts.get(m.Hotkey)
	if a.owner != (Key{}) {
		return refuse(HotkeyOwned, 0, 0)
	}
	deposit := s.params.Hard.ExistentialRao
	deposit -= min(deposit, a.freeRao)
	if err := s.free(coldkey, deposit); err != nil {
		return err
	}
	if !signs(m.Hotkey, m.signed(s.chainID, coldkey), m.HotSignature) {
		return refuse(NoConsent, 0, 0)
	}
	s.account(coldkey).freeRao -= deposit
	s.account(m.Hotkey).freeRao += deposit
	s.own(coldkey, m.Hotkey)
	return nil
}

// inForce checks the expiry of a signature within a message, as that of a transaction.
func (s *State) inForce(expiry uint64) error {
	block, most := s.height+1, s.params.Hard.MaxExpiryBlocks
	switch {
	case block > expiry:
		return refuse(ConsentExpired, block, expiry)
	case most != 0 && expiry-block > most:
		return refuse(ExpiryTooFar, expiry, block+most)
	}
	return nil
}

// signs reports whether a key made a signature within a message. It is false for keys of small order,
// for which anybody could sign, and for keys in a non-canonical form.
func signs(k Key, signed []byte, signature [64]byte) bool {
	return k.canonical() && !k.weak() && ed25519.Verify(k[:], signed, signature[:])
}

// own makes a coldkey the owner of a hotkey.
func (s *State) own(coldkey, hotkey Key) {
	if h := s.hotkey(hotkey); h.owner != coldkey {
		h.owner = coldkey
		s.refer(coldkey)
	}
}

// ProveConsensus publishes the ed25519 key of the signing hotkey's consensus engine. The key consents by
// a signature of its own, see SignConsensus, so that nobody can take another's.
type ProveConsensus struct {
	Key    Key
	Expiry uint64 // the last height of a block in which the proof holds
	Proof  [64]byte
}

func (ProveConsensus) kind() msgKind { return 17 }

func (m *ProveConsensus) layout(c *coder) {
	c.bytes(m.Key[:])
	c.u64(&m.Expiry)
	c.bytes(m.Proof[:])
}

// SignConsensus is the message by which a hotkey publishes a consensus key that agrees, on the chain with
// this id.
func SignConsensus(chainID string, consensus ed25519.PrivateKey, hotkey Key, expiry uint64) ProveConsensus {
	m := ProveConsensus{Expiry: expiry}
	copy(m.Key[:], consensus.Public().(ed25519.PublicKey))
	copy(m.Proof[:], ed25519.Sign(consensus, m.signed(chainID, hotkey)))
	return m
}

// signed returns what the consensus key signs. The bytes that an engine signs begin with a length, so that
// neither can be taken for the other.
func (m ProveConsensus) signed(chainID string, hotkey Key) []byte {
	return consent("consensus key", chainID, m.Expiry, hotkey, m.Key)
}

// proveConsensus is serveConsensus with the key's consent.
func (s *State) proveConsensus(hotkey Key, m ProveConsensus) error {
	if !s.params.Hard.Consent {
		return refuse(ConsentOff, 0, 0)
	}
	if err := s.inForce(m.Expiry); err != nil {
		return err
	}
	p := pathOf(m.Key)
	if s.accounts.find(&m.Key, &p) != nil {
		return refuse(KeyOfAccount, 0, 0)
	}
	if !signs(m.Key, m.signed(s.chainID, hotkey), m.Proof) {
		return refuse(NoConsent, 0, 0)
	}
	return s.serve(hotkey, m.Key)
}
