package chain

import (
	"bytes"
	"fmt"
)

const snapshotVersion = 2

// The bytes of a state are: version (one byte), header, accounts sorted by key, neurons by uid,
// each with its weights and bonds.

// AppendBinary appends the canonical bytes of the state.
func (s *State) AppendBinary(b []byte) ([]byte, error) {
	c := coder{buf: b}
	version := uint8(snapshotVersion)
	c.u8(&version)
	s.header.layout(&c)
	n := 0
	for _, b := range s.accounts.buckets {
		if b != nil {
			n += len(b.list)
		}
	}
	c.count(n, 0)
	for _, b := range s.accounts.buckets {
		if b != nil {
			for _, a := range b.list {
				a.layout(&c)
			}
		}
	}
	c.count(s.neurons.n, 0)
	for uid := range s.neurons.n {
		n := *s.neurons.get(UID(uid))
		n.layout(&c)
		n.weightsLayout(&c)
		n.bondsLayout(&c)
	}
	return c.buf, nil
}

// UnmarshalBinary replaces the state by what AppendBinary wrote. Bytes that no chain can have
// written are refused, and the state is unchanged then.
func (s *State) UnmarshalBinary(b []byte) error {
	fresh, err := decodeState(b)
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
	var last Key
	for i := range c.count(0, accountBytes) {
		var a account
		a.layout(c)
		if i > 0 && bytes.Compare(last[:], a.key[:]) >= 0 {
			return nil, fmt.Errorf("account %d out of order", i)
		}
		last = a.key
		*s.account(a.key) = a
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
	if err := c.end(); err != nil {
		return nil, err
	}
	return s, s.check()
}

// check verifies what every reachable state fulfils.
func (s *State) check() error {
	var free, staked uint64
	const most = 1 << 62
	for _, b := range s.accounts.buckets {
		if b == nil {
			continue
		}
		for _, a := range b.list {
			if a.freeRao > most || a.stakeRao > most || free > most || staked > most {
				return fmt.Errorf("account %s holds more than the supply", a.key)
			}
			free += a.freeRao
			staked += a.stakeRao
		}
	}
	m := &s.money
	parts := []uint64{free, staked, m.Pending, m.Burned, m.Dust, m.Unallocated}
	var sum uint64
	for _, p := range parts {
		if p > most || sum > most {
			return fmt.Errorf("money beyond the supply")
		}
		sum += p
	}
	switch {
	case free != m.Free || staked != m.Staked || sum != m.Minted:
		return fmt.Errorf("money does not add up: minted %d rao, found %d", m.Minted, sum)
	case m.Recycled > m.Burned || s.issuanceOffset > most || s.height > most:
		return fmt.Errorf("counters are impossible")
	case s.burnPriceRao != s.params.clampBurn(s.burnPriceRao):
		return fmt.Errorf("price of registration is impossible")
	case s.lastEpoch > s.height || len(s.chainID) < 1 || len(s.chainID) > maxChainID:
		return fmt.Errorf("header is impossible")
	}
	return s.checkNeurons()
}

func (s *State) checkNeurons() error {
	for uid := range s.neurons.n {
		n := s.neurons.get(UID(uid))
		if (s.accounts.get(n.hotkey).owner == Key{}) {
			return fmt.Errorf("neuron %d: hotkey belongs to nobody", uid)
		}
		if max(n.registeredAt, n.lastUpdate) > s.height+1 {
			return fmt.Errorf("neuron %d: registered or updated in the future", uid)
		}
		clear(s.seen[:])
		for _, w := range n.weights {
			if int(w.UID) >= s.neurons.n || !s.firstSeen(w.UID) {
				return fmt.Errorf("neuron %d: impossible weight on %d", uid, w.UID)
			}
		}
		for i, b := range n.bonds {
			if int(b.UID) >= s.neurons.n || i > 0 && n.bonds[i-1].UID >= b.UID {
				return fmt.Errorf("neuron %d: impossible bond in %d", uid, b.UID)
			}
		}
	}
	return nil
}

// firstSeen marks a uid in s.seen and says whether it was not marked yet.
func (s *State) firstSeen(uid UID) bool {
	word, bit := &s.seen[uid/64], uint64(1)<<(uid%64)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	return true
}
