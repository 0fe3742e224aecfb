package chain

import "crypto/sha256"

// The digest of a state is a tree of two levels. Its leaves are the neurons' records, their rows of
// weights, their rows of bonds, and the accounts by the first byte of their key; a node hashes
// the leaves of one kind; the root hashes the four nodes and the rest of the state.
//
//	leaf = SHA-256(0, kind, index in 4 bytes, record)
//	node = SHA-256(1, kind, count in 4 bytes, leaves in order)
//	root = SHA-256(2, header, nodes in the order of their kinds)
type leafKind uint8

const (
	neuronLeaves leafKind = iota
	weightLeaves
	bondLeaves
	accountLeaves
	leafKinds
)

const (
	leafDomain byte = iota
	nodeDomain
	rootDomain
)

// leaves remembers the digests of one kind and which of them are out of date.
type leaves struct {
	digests []Digest
	stale   []bool
	node    Digest
	changed bool
}

func (l *leaves) touch(i int) {
	l.stale[i] = true
	l.changed = true
}

func (l *leaves) grow(n int) {
	for len(l.stale) < n {
		l.digests = append(l.digests, Digest{})
		l.stale = append(l.stale, true)
	}
	l.changed = true
}

// update rehashes what is out of date; record appends the record of leaf i.
func (l *leaves) update(kind leafKind, buf []byte, record func(c *coder, i int)) []byte {
	if !l.changed {
		return buf
	}
	for i, stale := range l.stale {
		if stale {
			c := coder{buf: append(buf[:0], leafDomain, byte(kind))}
			index := uint32(i)
			c.u32(&index)
			record(&c, i)
			l.digests[i] = sha256.Sum256(c.buf)
			l.stale[i] = false
			buf = c.buf
		}
	}
	c := coder{buf: append(buf[:0], nodeDomain, byte(kind))}
	c.count(len(l.digests), 0)
	for i := range l.digests {
		c.bytes(l.digests[i][:])
	}
	l.node = sha256.Sum256(c.buf)
	l.changed = false
	return c.buf
}

// Digest is the hash of the whole state. Only what changed since the last call is hashed again.
func (s *State) Digest() Digest {
	buf := s.scratch
	for kind := range leafKinds {
		buf = s.leaves[kind].update(kind, buf, func(c *coder, i int) { s.leafRecord(c, kind, i) })
	}
	c := coder{buf: append(buf[:0], rootDomain)}
	s.header.layout(&c)
	for kind := range leafKinds {
		c.bytes(s.leaves[kind].node[:])
	}
	s.scratch = c.buf
	return sha256.Sum256(c.buf)
}

func (s *State) leafRecord(c *coder, kind leafKind, i int) {
	switch kind {
	case neuronLeaves:
		n := *s.neurons.get(UID(i))
		n.layout(c)
	case weightLeaves:
		n := neuron{weights: s.neurons.get(UID(i)).weights}
		n.weightsLayout(c)
	case bondLeaves:
		n := neuron{bonds: s.neurons.get(UID(i)).bonds}
		n.bondsLayout(c)
	case accountLeaves:
		if b := s.accounts.buckets[i]; b != nil {
			for _, a := range b.list {
				a.layout(c)
			}
		}
	}
}
