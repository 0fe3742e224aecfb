package chain

import "crypto/sha256"

// The digest of a state is a tree of two levels. Its leaves are the neurons' records, their rows of
// weights, their rows of bonds, and the accounts in buckets by the first twelve bits of their key; a
// node hashes sixteen neighbouring leaves of one kind; the root hashes the nodes and the rest of the
// state. The leaf of an empty row or bucket is zero, as is a node without other leaves.
//
//	leaf = SHA-256(0, kind, index in 4 bytes, record)
//	node = SHA-256(1, kind, index in 4 bytes, leaves in order)
//	root = SHA-256(2, header, for each kind: count of its leaves in 4 bytes, nodes in order)
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

const nodeLeaves = 16

// leaves remembers the digests of one kind and which of them are out of date.
type leaves struct {
	digests []Digest
	stale   []bool
	nodes   []Digest
	changed bool
}

func (l *leaves) touch(i int) {
	l.stale[i] = true
	l.changed = true
}

func (l *leaves) grow(n int) {
	if more := n - len(l.stale); more > 0 {
		l.digests = append(l.digests, make([]Digest, more)...)
		for range more {
			l.stale = append(l.stale, true)
		}
		l.nodes = append(l.nodes, make([]Digest, (n+nodeLeaves-1)/nodeLeaves-len(l.nodes))...)
	}
	l.changed = true
}

// Digest is the hash of the whole state. Only what changed since the last call is hashed again.
func (s *State) Digest() Digest {
	c := &s.hashing
	for kind := range leafKinds {
		s.rehash(kind)
	}
	c.buf = append(c.buf[:0], rootDomain)
	s.header.layout(c)
	for kind := range leafKinds {
		l := &s.leaves[kind]
		c.count(len(l.digests), 0)
		for i := range l.nodes {
			c.buf = append(c.buf, l.nodes[i][:]...)
		}
	}
	return sha256.Sum256(c.buf)
}

// rehash brings the leaves and nodes of a kind up to date.
func (s *State) rehash(kind leafKind) {
	l := &s.leaves[kind]
	if !l.changed {
		return
	}
	for k := range l.nodes {
		first, end := k*nodeLeaves, min((k+1)*nodeLeaves, len(l.stale))
		stale := false
		for i := first; i < end; i++ {
			if l.stale[i] {
				l.digests[i] = s.leaf(kind, i)
				l.stale[i], stale = false, true
			}
		}
		if stale {
			l.nodes[k] = s.node(kind, k, l.digests[first:end])
		}
	}
	l.changed = false
}

func (s *State) leaf(kind leafKind, i int) Digest {
	c := &s.hashing
	c.begin(leafDomain, kind, i)
	from := len(c.buf)
	switch kind {
	case neuronLeaves:
		s.neurons.get(UID(i)).layout(c)
	case weightLeaves:
		if n := s.neurons.get(UID(i)); len(n.weights) > 0 {
			n.weightsLayout(c)
		}
	case bondLeaves:
		if n := s.neurons.get(UID(i)); len(n.bonds) > 0 {
			n.bondsLayout(c)
		}
	case accountLeaves:
		if b := s.accounts.buckets[i]; b != nil {
			for k := range b.list {
				b.list[k].layout(c)
			}
		}
	}
	if len(c.buf) == from {
		return Digest{}
	}
	return sha256.Sum256(c.buf)
}

func (s *State) node(kind leafKind, k int, leaves []Digest) Digest {
	c := &s.hashing
	c.begin(nodeDomain, kind, k)
	empty := true
	for i := range leaves {
		c.buf = append(c.buf, leaves[i][:]...)
		empty = empty && leaves[i] == Digest{}
	}
	if empty {
		return Digest{}
	}
	return sha256.Sum256(c.buf)
}

// begin starts what is hashed for a leaf or a node.
func (c *coder) begin(domain byte, kind leafKind, i int) {
	c.buf = append(c.buf[:0], domain, byte(kind))
	index := uint32(i)
	c.u32(&index)
}
