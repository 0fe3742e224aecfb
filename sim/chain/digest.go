package chain

import "crypto/sha256"

// The digest of a state is a tree. Its leaves are the neurons' records, their rows of weights, their
// rows of bonds, and the accounts in a trie; a node hashes sixteen neighbouring leaves of a row kind, or
// the children of an inner node of the trie; each kind hashes its nodes, and the root the kinds and the
// rest of the state. Operators are leaves that their kind hashes without nodes between. The leaf of an empty row is zero, as is a node without other leaves and a trie
// without accounts. A kind without leaves is left out.
//
//	leaf          = SHA-256(0, kind, index in 4 bytes, record)
//	node          = SHA-256(1, kind, index in 4 bytes, leaves in order)
//	leaf of trie  = SHA-256(0, 3, records ascending by path)
//	node of trie  = SHA-256(1, 3, bitmap in 2 bytes, children in order)
//	kind          = SHA-256(3, kind, count of its leaves or accounts in 8 bytes, nodes in order or trie)
//	root          = SHA-256(2, SHA-256(4, header), kinds in order)
//	nominations   = SHA-256(5, list), which stand so in an account's record; zero if there are none
type leafKind uint8

const (
	neuronLeaves leafKind = iota
	weightLeaves
	bondLeaves
	accountLeaves
	operatorLeaves
)

// rowKinds are those whose leaves belong to a neuron.
const rowKinds = 3

const (
	leafDomain byte = iota
	nodeDomain
	rootDomain
	kindDomain
	headerDomain
	listDomain
)

const (
	nodeLeaves = 16
	pageNodes  = pageNeurons / nodeLeaves
)

// pageSums are the digests of a page of neurons, those of another age than the state's shared with
// views.
type pageSums struct {
	age    uint64
	leaves [rowKinds][pageNeurons]Digest
	nodes  [rowKinds][pageNodes]Digest
}

// Digest is the hash of the whole state. It writes nothing, and hashes what changed since the last Seal.
func (s *State) Digest() Digest { return new(hasher).root(s) }

// Seal is Digest, and stores the digests of the parts, so that the next one hashes only what changes
// until then. Views that are held stay as they are.
func (s *State) Seal() Digest {
	h := &s.hashing
	if root := s.accounts.root; root != nil {
		s.accounts.root = h.seal(root, s.age)
	}
	for i, p := range s.neurons.pages {
		if p.sums == nil || p.stale != [rowKinds]uint32{} {
			s.ownPage(i).seal(h, s.neurons.n, i*pageNeurons, s.age)
		}
	}
	for kind := range leafKind(rowKinds) {
		if !s.neurons.summed[kind] {
			t := s.ownNeurons()
			t.sums[kind], t.summed[kind] = h.rows(t, kind), true
		}
	}
	return h.root(s)
}

// pageNodesOf is the number of nodes of a page with so many neurons left.
func pageNodesOf(neurons int) int { return min((neurons+nodeLeaves-1)/nodeLeaves, pageNodes) }

// hasher hashes records. Its buffers serve one after the other: c for leaves and nodes, above for what
// is made of them.
type hasher struct{ c, above coder }

func (c *coder) begin(domain byte, kind leafKind) { c.buf = append(c.buf[:0], domain, byte(kind)) }

func (c *coder) sum() Digest { return sha256.Sum256(c.buf) }

func (h *hasher) root(s *State) Digest {
	header, kinds := h.parts(s)
	h.above.buf = append(h.above.buf[:0], rootDomain)
	h.above.bytes(header[:])
	for i := range kinds {
		h.above.bytes(kinds[i].digest[:])
	}
	return h.above.sum()
}

type kindDigest struct {
	kind   leafKind
	digest Digest
}

// parts returns the digests that the root hashes.
func (h *hasher) parts(s *State) (header Digest, kinds []kindDigest) {
	h.c.buf = append(h.c.buf[:0], headerDomain)
	s.header.layout(&h.c)
	header = h.c.sum()
	for kind := range leafKind(rowKinds) {
		switch t := s.neurons; {
		case t.n == 0:
		case t.summed[kind]:
			kinds = append(kinds, kindDigest{kind, t.sums[kind]})
		default:
			kinds = append(kinds, kindDigest{kind, h.rows(t, kind)})
		}
	}
	if n := s.accounts.len(); n > 0 {
		trie := h.trie(s.accounts.root)
		h.above.beginKind(accountLeaves, n)
		h.above.bytes(trie[:])
		kinds = append(kinds, kindDigest{accountLeaves, h.above.sum()})
	}
	if len(s.operators) > 0 {
		h.operatorKind(s.operators)
		kinds = append(kinds, kindDigest{operatorLeaves, h.above.sum()})
	}
	return header, kinds
}

// beginKind starts the record of a kind with so many leaves or accounts.
func (c *coder) beginKind(kind leafKind, count int) {
	c.begin(kindDomain, kind)
	n := uint64(count)
	c.u64(&n)
}

// rows hashes a kind of which each neuron has a leaf.
func (h *hasher) rows(t *neurons, kind leafKind) Digest {
	h.above.beginKind(kind, t.n)
	for i := range t.pages {
		nodes := h.page(t, i*pageNeurons, kind)
		for k := range pageNodesOf(t.n - i*pageNeurons) {
			h.above.bytes(nodes[k][:])
		}
	}
	return h.above.sum()
}

// leaf hashes a record or a row of a neuron.
func (h *hasher) leaf(kind leafKind, uid UID, n *neuron) Digest {
	if kind == weightLeaves && len(n.weights) == 0 || kind == bondLeaves && len(n.bonds) == 0 {
		return Digest{}
	}
	c := &h.c
	c.begin(leafDomain, kind)
	index := uint32(uid)
	c.u32(&index)
	switch kind {
	case neuronLeaves:
		n.layout(c)
	case weightLeaves:
		n.weightsLayout(c)
	case bondLeaves:
		n.bondsLayout(c)
	}
	return c.sum()
}

// operatorKind begins the record of their kind, of which nothing is missing.
func (h *hasher) operatorKind(all []operator) {
	h.above.beginKind(operatorLeaves, len(all))
	for i := range all {
		digest := h.operator(i, &all[i])
		h.above.bytes(digest[:])
	}
}

// operator hashes the record of an operator, of which there are few.
func (h *hasher) operator(i int, o *operator) Digest {
	c := &h.c
	c.begin(leafDomain, operatorLeaves)
	index := uint32(i)
	c.u32(&index)
	o.layout(c)
	return c.sum()
}

// node hashes sixteen leaves or what is left of them.
func (h *hasher) node(kind leafKind, index int, leaves []Digest) Digest {
	c := &h.c
	c.begin(nodeDomain, kind)
	at := uint32(index)
	c.u32(&at)
	empty := true
	for i := range leaves {
		c.bytes(leaves[i][:])
		empty = empty && leaves[i] == Digest{}
	}
	if empty {
		return Digest{}
	}
	return c.sum()
}

// fill brings the digests of one kind up to date, of a page whose first neuron is given.
func (p *page) fill(h *hasher, kind leafKind, n, first int, sums *pageSums) {
	stale := p.stale[kind]
	if p.sums == nil {
		stale = 1<<pageNeurons - 1
	}
	here := min(pageNeurons, n-first)
	for i := range here {
		if stale>>i&1 == 1 {
			sums.leaves[kind][i] = h.leaf(kind, UID(first+i), &p.at[i])
		}
	}
	for k := range pageNodesOf(here) {
		from, to := k*nodeLeaves, min((k+1)*nodeLeaves, here)
		if stale>>from&(1<<nodeLeaves-1) != 0 {
			sums.nodes[kind][k] = h.node(kind, first/nodeLeaves+k, sums.leaves[kind][from:to])
		}
	}
}

// page returns the nodes of one kind of a page without storing them.
func (h *hasher) page(t *neurons, first int, kind leafKind) [pageNodes]Digest {
	p := t.pages[first/pageNeurons]
	if p.sums != nil && p.stale[kind] == 0 {
		return p.sums.nodes[kind]
	}
	var sums pageSums
	if p.sums != nil {
		sums = *p.sums
	}
	p.fill(h, kind, t.n, first, &sums)
	return sums.nodes[kind]
}

// seal stores the digests of a page that may be changed.
func (p *page) seal(h *hasher, n, first int, age uint64) {
	sums := p.sums
	switch {
	case sums == nil:
		sums = &pageSums{age: age}
	case sums.age != age:
		fresh := *sums
		fresh.age = age
		sums = &fresh
	}
	for kind := range leafKind(rowKinds) {
		p.fill(h, kind, n, first, sums)
	}
	p.sums, p.stale = sums, [rowKinds]uint32{}
}

// trie hashes a subtree, zero if there is none.
func (h *hasher) trie(n *trieNode) Digest {
	if n == nil || n.count == 0 {
		return Digest{}
	}
	if n.sealed {
		return n.digest
	}
	if n.leaf() {
		return h.trieLeaf(n)
	}
	var children [16]Digest
	for i, c := range n.children {
		children[i] = h.trie(c)
	}
	return h.trieNode(n, children[:len(n.children)])
}

func (h *hasher) trieLeaf(n *trieNode) Digest {
	c := &h.c
	c.begin(leafDomain, accountLeaves)
	for i := range n.accounts {
		n.accounts[i].hashed(c)
	}
	return c.sum()
}

func (h *hasher) trieNode(n *trieNode, children []Digest) Digest {
	c := &h.c
	c.begin(nodeDomain, accountLeaves)
	c.u16(&n.bitmap)
	for i := range children {
		c.bytes(children[i][:])
	}
	return c.sum()
}

// seal stores the digests of a subtree in nodes of an age, and returns it.
func (h *hasher) seal(n *trieNode, age uint64) *trieNode {
	if n.sealed {
		return n
	}
	n = n.own(age)
	if n.leaf() {
		for i := range n.accounts {
			n.accounts[i].sealNominations(age)
		}
		n.digest = h.trieLeaf(n)
	} else {
		var children [16]Digest
		for i, c := range n.children {
			n.children[i] = h.seal(c, age)
			children[i] = n.children[i].digest
		}
		n.digest = h.trieNode(n, children[:len(n.children)])
	}
	n.sealed = true
	return n
}

// sealNominations stores the digest of an account's nominations.
func (a *account) sealNominations(age uint64) {
	if a.listed || len(a.nominations) == 0 {
		return
	}
	if a.hotkey.age != age {
		h := *a.hotkey
		h.age = age
		a.hotkey = &h
	}
	a.digest, a.listed = a.nominationsDigest(), true
}
