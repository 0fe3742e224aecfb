package chain

import (
	"bytes"
	"fmt"
)

const snapshotVersion = 4

// The bytes of a state are: version (one byte), header, accounts ascending by the SHA-256 of their
// keys, neurons by uid, each with its weights and bonds, and where there are seats the operators.

// AppendBinary appends the canonical bytes of the state.
func (s *State) AppendBinary(b []byte) ([]byte, error) {
	return appendState(b, &s.header, s.accounts, s.neurons), nil
}

func appendState(b []byte, h *header, accounts accounts, neurons *neurons) []byte {
	c := coder{buf: b}
	version := uint8(snapshotVersion)
	c.u8(&version)
	h.layout(&c)
	c.count(accounts.len(), 0)
	_ = accounts.each(func(a *account) error {
		a.layout(&c)
		return nil
	})
	c.count(neurons.n, 0)
	for uid := range neurons.n {
		n := *neurons.get(UID(uid))
		n.layout(&c)
		n.weightsLayout(&c)
		n.bondsLayout(&c)
	}
	h.operatorsLayout(&c)
	return c.buf
}

// AppendBinary appends the bytes of a state that holds what the view shows and zeros for the rest.
func (v View) AppendBinary(b []byte) ([]byte, error) {
	h := header{
		chainID: v.header.chainID, params: *v.params, height: v.height, epochs: v.header.epochs, lastEpoch: v.header.lastEpoch,
		issuanceOffset: v.totals.Issuance + v.totals.Recycled - v.totals.Minted, money: v.totals,
		burnPriceRao: v.burnRao, difficulty: v.header.difficulty,
		governor: v.header.governor, owner: v.header.owner, marks: v.header.marks, priceRao: v.header.priceRao,
		seating: seating{tombs: v.header.tombs}, operators: v.header.operators,
		governing: v.header.governing,
	}
	return appendState(b, &h, v.accounts, v.neurons), nil
}

// DecodeView returns the view that wrote these bytes.
func DecodeView(b []byte) (View, error) {
	s, err := decodeState(b)
	if err == nil {
		err = s.checkHeader() // the other invariants are of what a view does not show, too
	}
	if err != nil {
		return View{}, fmt.Errorf("view of %d bytes: %w", len(b), err)
	}
	return s.View(), nil
}

// UnmarshalBinary replaces the state by what AppendBinary wrote. Bytes that no chain can have
// written are refused, and the state is unchanged then.
func (s *State) UnmarshalBinary(b []byte) error {
	fresh, err := decodeState(b)
	if err == nil {
		err = fresh.check()
	}
	if err != nil {
		return fmt.Errorf("snapshot of %d bytes: %w", len(b), err)
	}
	again, err := fresh.AppendBinary(make([]byte, 0, len(b)))
	if err != nil {
		return err
	}
	if !bytes.Equal(again, b) {
		return fmt.Errorf("snapshot of %d bytes %w", len(b), errCanonical)
	}
	*s = *fresh
	return nil
}

func decodeState(b []byte) (*State, error) {
	c := &coder{buf: b, reading: true}
	var version uint8
	c.u8(&version)
	if c.err == nil && version != snapshotVersion {
		return nil, fmt.Errorf("version %d, want %d", version, snapshotVersion)
	}
	var h header
	h.layout(c)
	if c.err != nil {
		return nil, c.err
	}
	s, err := newState(h)
	if err != nil {
		return nil, err
	}
	var last path
	for i := range c.count(0, accountBytes) {
		var a account
		a.layout(c)
		p := pathOf(a.key)
		if i > 0 && bytes.Compare(last[:], p[:]) >= 0 {
			return nil, fmt.Errorf("account %d out of order", i)
		}
		last = p
		*s.accounts.change(a.key, &p, s.age) = a
	}
	n := c.count(0, neuronBytes)
	if n > int(h.params.MaxUIDs) {
		return nil, fmt.Errorf("%d neurons, MaxUIDs is %d", n, h.params.MaxUIDs)
	}
	for uid := range n {
		var m neuron
		m.layout(c)
		m.weightsLayout(c)
		m.bondsLayout(c)
		if _, taken := s.neurons.uidOf(m.hotkey); taken {
			return nil, fmt.Errorf("neuron %d: hotkey stands twice", uid)
		}
		s.appendNeuron(m)
	}
	s.operatorsLayout(c)
	return s, c.end()
}

// check verifies laws of every reachable state.
func (s *State) check() error {
	if err := s.checkHeader(); err != nil {
		return err
	}
	for _, list := range [][]Invariant{
		moneyInvariants, registryInvariants, rowInvariants, outcomeInvariants, seatInvariants, depositInvariants,
		councilInvariants,
	} {
		for _, in := range list {
			if err := in.state(s); err != nil {
				return &BrokenInvariant{in, err}
			}
		}
	}
	return nil
}

// checkHeader verifies what the invariants rely on.
func (s *State) checkHeader() error {
	const most = mostMinted
	switch {
	case len(s.chainID) < 1 || len(s.chainID) > maxChainID:
		return fmt.Errorf("chain id of %d bytes, want 1 to %d", len(s.chainID), maxChainID)
	case max(s.issuanceOffset, s.money.Minted, s.height) > most:
		return fmt.Errorf("money or height beyond %d", uint64(most))
	case len(s.marks) > int(s.params.WorkValidBlocks)+2:
		return fmt.Errorf("entropy of %d blocks, at most %d are kept", len(s.marks),
			s.params.WorkValidBlocks+2)
	case s.owner != Key{} && s.accounts.get(s.owner).owner == Key{}:
		return fmt.Errorf("owner %s is nobody's hotkey", s.owner)
	}
	for i, m := range s.marks {
		if m.height > s.height || i > 0 && s.marks[i-1].height >= m.height {
			return fmt.Errorf("entropy of block %d is out of order", m.height)
		}
	}
	for uid := range s.neurons.n {
		for _, m := range s.neurons.get(UID(uid)).commits {
			if m.epoch > s.epochs {
				return fmt.Errorf("neuron %d: commit in epoch %d, the present one is %d", uid, m.epoch, s.epochs)
			}
		}
	}
	return nil
}

// firstSeen marks a uid in s.seen and reports whether it was not marked yet.
func (s *State) firstSeen(uid UID) bool {
	word, bit := &s.seen[uid/64], uint64(1)<<(uid%64)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	return true
}
