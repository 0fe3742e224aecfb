package chain

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// An AccountProof shows a reader who knows the digest of a state which account a key has in it, or that
// it has none.
type AccountProof struct {
	Top   ProofTop
	Count uint64      // accounts of the state
	Nodes []ProofNode // from the root of the trie on
	Leaf  []byte      // the records of the leaf on the key's path; nil where the path ends before one
}

// A NeuronProof shows a reader who knows the digest of a state the record of a neuron in it.
type NeuronProof struct {
	Top    ProofTop
	Count  uint64   // neurons of the state
	UID    UID      // whose record it is
	Nodes  []Digest // of all neurons' records
	Leaves []Digest // of the node to which the record belongs
	Record []byte
}

// ProofTop is what the root of a digest hashes besides the kind of record that is proven.
type ProofTop struct {
	Header Digest
	Kinds  []Digest // the other kinds that have leaves, in order
	Place  int      // of the proven kind among them
}

// ProofNode is an inner node of the trie of accounts.
type ProofNode struct {
	Bitmap   uint16
	Children []Digest // in order, without the one on the path
}

// ProvenAccount is the account of a key as its leaf has it.
type ProvenAccount struct {
	Key         Key
	FreeRao     uint64
	Nonce       uint64
	Owner       Key // the coldkey of this hotkey; zero: it is nobody's
	StakeRao    uint64
	Delegate    bool
	Take        uint16
	Nominations Digest // of the list of nominations; zero: there are none
}

var errProof = errors.New("does not lead to this digest")

// ProveAccount proves which account a key has. Seal the state first: each proof hashes unsealed parts
// again.
func (s *State) ProveAccount(k Key) AccountProof {
	h := new(hasher)
	p := AccountProof{Top: s.top(h, accountLeaves), Count: uint64(s.accounts.len())}
	n, to := s.accounts.root, pathOf(k)
	for depth := 0; n != nil && n.count > 0; depth++ {
		if n.leaf() {
			h.trieLeaf(n)
			p.Leaf = slices.Clone(h.c.buf[2:])
			return p
		}
		node := ProofNode{Bitmap: n.bitmap}
		next := n.child(to.step(depth))
		for _, c := range n.children {
			if c != next {
				node.Children = append(node.Children, h.trie(c))
			}
		}
		p.Nodes = append(p.Nodes, node)
		n = next
	}
	return p
}

// ProveNeuron makes a proof of the record of a neuron, which must be one of the state.
func (s *State) ProveNeuron(uid UID) NeuronProof {
	h, t := new(hasher), s.neurons
	p := NeuronProof{Top: s.top(h, neuronLeaves), Count: uint64(t.n), UID: uid}
	for i := range t.pages {
		nodes := h.page(t, i*pageNeurons, neuronLeaves)
		p.Nodes = append(p.Nodes, nodes[:pageNodesOf(t.n-i*pageNeurons)]...)
	}
	first := int(uid) / nodeLeaves * nodeLeaves
	for i := first; i < min(first+nodeLeaves, t.n); i++ {
		p.Leaves = append(p.Leaves, h.leaf(neuronLeaves, UID(i), t.get(UID(i))))
	}
	c := coder{}
	n := *t.get(uid)
	n.layout(&c)
	p.Record = c.buf
	return p
}

// top returns what the root hashes besides a kind.
func (s *State) top(h *hasher, of leafKind) ProofTop {
	header, kinds := h.parts(s)
	top := ProofTop{Header: header}
	for _, k := range kinds {
		switch {
		case k.kind < of:
			top.Place++
			fallthrough
		case k.kind > of:
			top.Kinds = append(top.Kinds, k.digest)
		}
	}
	return top
}

// root is the digest of the state in which the proven kind has a digest; zero: it has no leaves.
func (t ProofTop) root(proven Digest) (Digest, error) {
	if len(t.Kinds) > int(operatorLeaves) || t.Place < 0 || t.Place > len(t.Kinds) {
		return Digest{}, fmt.Errorf("proof with %d kinds, the proven one at %d", len(t.Kinds), t.Place)
	}
	var c coder
	c.buf = append(c.buf, rootDomain)
	c.bytes(t.Header[:])
	kinds := slices.Clone(t.Kinds)
	if proven != (Digest{}) {
		kinds = slices.Insert(kinds, t.Place, proven)
	}
	for i := range kinds {
		c.bytes(kinds[i][:])
	}
	return c.sum(), nil
}

// Verify returns the account of a key in the state of a digest, or that there is none.
func (p AccountProof) Verify(root Digest, k Key) (a ProvenAccount, found bool, err error) {
	if len(p.Nodes) > trieDepth || len(p.Leaf) > 1<<12 {
		return a, false, fmt.Errorf("proof with %d nodes and %d bytes of records", len(p.Nodes), len(p.Leaf))
	}
	var c coder
	var below Digest
	if p.Leaf != nil {
		c.begin(leafDomain, accountLeaves)
		c.bytes(p.Leaf)
		below = c.sum()
	}
	to := pathOf(k)
	for depth := len(p.Nodes) - 1; depth >= 0; depth-- {
		node := p.Nodes[depth]
		n := trieNode{bitmap: node.Bitmap}
		i, there := n.place(to.step(depth))
		children := slices.Clone(node.Children)
		if there {
			if i > len(children) {
				return a, false, fmt.Errorf("proof with %d children in a node of bitmap %016b", len(children), node.Bitmap)
			}
			children = slices.Insert(children, i, below)
		}
		if last := depth == len(p.Nodes)-1; there == (last && p.Leaf == nil) {
			return a, false, fmt.Errorf("proof whose path ends neither with a leaf nor without a child")
		}
		c.begin(nodeDomain, accountLeaves)
		c.u16(&node.Bitmap)
		for i := range children {
			c.bytes(children[i][:])
		}
		below = c.sum()
	}
	var kind Digest
	if p.Count > 0 {
		c.beginKind(accountLeaves, int(p.Count))
		c.bytes(below[:])
		kind = c.sum()
	}
	switch got, err := p.Top.root(kind); {
	case err != nil:
		return a, false, err
	case got != root:
		return a, false, fmt.Errorf("proof %w", errProof)
	}
	return leafAccount(p.Leaf, k)
}

// leafAccount looks for the account of a key among the records of a leaf.
func leafAccount(records []byte, k Key) (ProvenAccount, bool, error) {
	c := coder{buf: records, reading: true}
	for len(c.buf) > 0 && c.err == nil {
		var a account
		a.hashed(&c)
		if c.err == nil && a.key == k {
			return ProvenAccount{
				Key: k, FreeRao: a.freeRao, Nonce: a.nonce, Owner: a.owner, StakeRao: a.stakeRao,
				Delegate: a.delegate, Take: a.take, Nominations: a.digest,
			}, true, nil
		}
	}
	return ProvenAccount{}, false, c.end()
}

// Verify returns the record of the neuron in the state of a digest.
func (p NeuronProof) Verify(root Digest) (SnapshotNeuron, error) {
	k, nodes := int(p.UID)/nodeLeaves, (p.Count+nodeLeaves-1)/nodeLeaves
	first := uint64(k * nodeLeaves)
	if p.Count > maxWeights || uint64(p.UID) >= p.Count || uint64(len(p.Nodes)) != nodes ||
		uint64(len(p.Leaves)) != min(nodeLeaves, p.Count-first) {
		return SnapshotNeuron{}, fmt.Errorf("proof of neuron %d of %d with %d nodes and %d leaves", p.UID,
			p.Count, len(p.Nodes), len(p.Leaves))
	}
	var n neuron
	c := coder{buf: p.Record, reading: true}
	n.layout(&c)
	if err := c.end(); err != nil {
		return SnapshotNeuron{}, fmt.Errorf("record of neuron %d %w", p.UID, err)
	}
	var h hasher
	leaves, all := slices.Clone(p.Leaves), slices.Clone(p.Nodes)
	leaves[uint64(p.UID)-first] = h.leaf(neuronLeaves, p.UID, &n)
	if !bytes.Equal(h.c.buf[2+4:], p.Record) {
		return SnapshotNeuron{}, fmt.Errorf("record of neuron %d %w", p.UID, errCanonical)
	}
	all[k] = h.node(neuronLeaves, k, leaves)
	h.above.beginKind(neuronLeaves, int(p.Count))
	for i := range all {
		h.above.bytes(all[i][:])
	}
	switch got, err := p.Top.root(h.above.sum()); {
	case err != nil:
		return SnapshotNeuron{}, err
	case got != root:
		return SnapshotNeuron{}, fmt.Errorf("proof %w", errProof)
	}
	return exportNeuron(&n), nil
}
