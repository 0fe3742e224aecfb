package chain

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
)

// A state travels in chunks; a reader that knows the state's digest verifies each by itself. A chunk is sixteen
// neurons with their rows, or a part of the trie of accounts. A manifest has what the digest hashes above
// them. The bytes of all chunks in order are those of the state between its header and its operators.

// Manifest is what the digest of a state hashes above its chunks.
type Manifest struct {
	header    []byte // with the version of the bytes of states before it
	neurons   uint64
	nodes     [rowKinds][]Digest
	accounts  uint64
	trie      []manifestNode // depth first
	operators []byte         // their list, empty where there are no seats
	parts     []triePart     // those of the trie, in order
}

// manifestNode is an inner node of the trie, or, without a bitmap, a part that is a chunk.
type manifestNode struct {
	bitmap uint16
	part   Digest
}

const (
	partAccounts  = 8192 // about, in a chunk
	maxChunkBytes = 1 << 26
)

// Manifest makes that of the state, whose block must have ended. Take it of a Fork, with the chunks, and
// the state may go on meanwhile.
func (s *State) Manifest() *Manifest {
	s.Seal()
	h := &hasher{}
	c := coder{buf: []byte{snapshotVersion}}
	s.header.layout(&c)
	m := &Manifest{header: c.buf, neurons: uint64(s.neurons.n), accounts: uint64(s.accounts.len())}
	for kind := range leafKind(rowKinds) {
		for i := range s.neurons.pages {
			nodes := h.page(s.neurons, i*pageNeurons, kind)
			m.nodes[kind] = append(m.nodes[kind], nodes[:pageNodesOf(s.neurons.n-i*pageNeurons)]...)
		}
	}
	s.parts(func(n *trieNode, part bool) {
		if part {
			m.trie = append(m.trie, manifestNode{part: h.trie(n)})
		} else {
			m.trie = append(m.trie, manifestNode{bitmap: n.bitmap})
		}
	})
	o := coder{}
	s.operatorsLayout(&o)
	m.operators, m.parts = o.buf, m.partPaths()
	return m
}

// parts visits the trie depth first down to its parts: at the depth at which they have about
// partAccounts, or where it ends before.
func (s *State) parts(visit func(n *trieNode, part bool)) {
	if s.accounts.len() == 0 {
		return
	}
	most := 0
	for n := s.accounts.len(); n > partAccounts; n /= 16 {
		most++
	}
	var walk func(n *trieNode, depth int)
	walk = func(n *trieNode, depth int) {
		part := depth == most || n.leaf()
		visit(n, part)
		if !part {
			for _, c := range n.children {
				walk(c, depth+1)
			}
		}
	}
	walk(s.accounts.root, 0)
}

// Chunk is that of a number, below m.Chunks, of the state that has the manifest.
func (s *State) Chunk(m *Manifest, number int) []byte {
	c := coder{}
	if number < len(m.parts) {
		n := s.accounts.root
		for _, step := range m.parts[number].steps {
			i, _ := n.place(int(step))
			n = n.children[i]
		}
		_ = n.each(func(a *account) error {
			a.layout(&c)
			return nil
		})
		return c.buf
	}
	first := (number - len(m.parts)) * nodeLeaves
	for uid := first; uid < min(first+nodeLeaves, s.neurons.n); uid++ {
		n := *s.neurons.get(UID(uid))
		n.rowsLayout(&c)
	}
	return c.buf
}

// rowsLayout codes a neuron with its rows.
func (n *neuron) rowsLayout(c *coder) {
	n.layout(c)
	n.weightsLayout(c)
	n.bondsLayout(c)
}

// Digest is that of the state, as far as the manifest is right.
func (m *Manifest) Digest() Digest {
	h := &hasher{}
	h.c.buf = append(append(h.c.buf[:0], headerDomain), m.header[1:]...)
	header := h.c.sum()
	top := coder{buf: []byte{rootDomain}}
	top.bytes(header[:])
	add := func() {
		kind := h.above.sum()
		top.bytes(kind[:])
	}
	for kind := range leafKind(rowKinds) {
		if m.neurons > 0 {
			h.above.beginKind(kind, int(m.neurons))
			for _, d := range m.nodes[kind] {
				h.above.bytes(d[:])
			}
			add()
		}
	}
	if m.accounts > 0 {
		trie, _ := m.trieDigest(h, 0)
		h.above.beginKind(accountLeaves, int(m.accounts))
		h.above.bytes(trie[:])
		add()
	}
	if all, err := m.readOperators(); err == nil && len(all) > 0 {
		h.operatorKind(all)
		add()
	}
	return top.sum()
}

// trieDigest hashes the subtree that begins at a place, and returns the place behind it.
func (m *Manifest) trieDigest(h *hasher, at int) (Digest, int) {
	n := m.trie[at]
	at++
	if n.bitmap == 0 {
		return n.part, at
	}
	node := trieNode{bitmap: n.bitmap}
	var children []Digest
	for range bits.OnesCount16(n.bitmap) {
		var child Digest
		child, at = m.trieDigest(h, at)
		children = append(children, child)
	}
	return h.trieNode(&node, children), at
}

// readOperators decodes the operators of a state that has the header.
func (m *Manifest) readOperators() ([]operator, error) {
	c := &coder{buf: m.header[1:], reading: true}
	var h header
	if h.layout(c); c.end() != nil {
		return nil, c.end()
	}
	c = &coder{buf: m.operators, reading: true}
	h.operatorsLayout(c)
	return h.operators, c.end()
}

// Chunks is their number: parts of the accounts, then groups of neurons.
func (m *Manifest) Chunks() int { return len(m.parts) + len(m.nodes[0]) }

// triePart is where a chunk of accounts stands in the trie.
type triePart struct {
	steps  []byte
	digest Digest
}

// partPaths walks the trie, once for a manifest.
func (m *Manifest) partPaths() (parts []triePart) {
	at := 0
	var walk func(steps []byte)
	walk = func(steps []byte) {
		n := m.trie[at]
		at++
		if n.bitmap == 0 {
			parts = append(parts, triePart{slices.Clone(steps), n.part})
			return
		}
		for step := range byte(16) {
			if n.bitmap>>step&1 == 1 {
				walk(append(steps, step))
			}
		}
	}
	if len(m.trie) > 0 {
		walk(nil)
	}
	return parts
}

// Verify returns an error if a chunk is wrong. It needs no other chunk.
func (m *Manifest) Verify(number int, chunk []byte) error {
	if all := len(m.parts) + len(m.nodes[0]); number < 0 || number >= all || len(chunk) > maxChunkBytes {
		return fmt.Errorf("chunk %d of %d bytes: want one of %d, at most %d bytes", number, len(chunk), all,
			maxChunkBytes)
	}
	check := func() error { return verifyAccounts(m.parts[number], chunk) }
	if number >= len(m.parts) {
		check = func() error { return m.verifyNeurons(number-len(m.parts), chunk) }
	}
	if err := check(); err != nil {
		return fmt.Errorf("chunk %d of %d bytes %w", number, len(chunk), err)
	}
	return nil
}

var errChunk = errors.New("is not that of the manifest")

// verifyAccounts reads the accounts of a part and hashes the subtree that they make.
func verifyAccounts(p triePart, chunk []byte) error {
	c, again := &coder{buf: chunk, reading: true}, coder{}
	var all []account
	var last path
	for len(c.buf) > 0 && c.err == nil {
		var a account
		a.layout(c)
		to := pathOf(a.key)
		if len(all) > 0 && bytes.Compare(last[:], to[:]) >= 0 {
			return fmt.Errorf("has account %d out of order", len(all))
		}
		for depth, step := range p.steps {
			if to.step(depth) != int(step) {
				return fmt.Errorf("has an account that belongs elsewhere: %d", len(all))
			}
		}
		last = to
		all = append(all, a)
		a.layout(&again)
	}
	if err := c.end(); err != nil {
		return err
	}
	if !bytes.Equal(again.buf, chunk) {
		return errCanonical
	}
	if new(hasher).trie(subtree(all, len(p.steps))) != p.digest {
		return errChunk
	}
	return nil
}

// subtree is the trie of accounts that ascend and agree in the steps above a depth.
func subtree(all []account, depth int) *trieNode {
	n := &trieNode{count: len(all)}
	if len(all) <= leafAccounts {
		n.accounts = all
		return n
	}
	for from := 0; from < len(all); {
		p := pathOf(all[from].key)
		step, to := p.step(depth), from+1
		for ; to < len(all); to++ {
			if q := pathOf(all[to].key); q.step(depth) != step {
				break
			}
		}
		n.bitmap |= 1 << step
		n.children = append(n.children, subtree(all[from:to], depth+1))
		from = to
	}
	return n
}

// verifyNeurons reads a group of neurons and hashes its records and rows.
func (m *Manifest) verifyNeurons(group int, chunk []byte) error {
	c, again, h := &coder{buf: chunk, reading: true}, coder{}, &hasher{}
	first := group * nodeLeaves
	var leaves [rowKinds][]Digest
	for uid := first; uid < min(first+nodeLeaves, int(m.neurons)); uid++ {
		var n neuron
		n.rowsLayout(c)
		if c.err != nil {
			return c.err
		}
		n.rowsLayout(&again)
		for kind := range leafKind(rowKinds) {
			leaves[kind] = append(leaves[kind], h.leaf(kind, UID(uid), &n))
		}
	}
	if err := c.end(); err != nil {
		return err
	}
	if !bytes.Equal(again.buf, chunk) {
		return errCanonical
	}
	for kind := range leafKind(rowKinds) {
		if h.node(kind, group, leaves[kind]) != m.nodes[kind][group] {
			return errChunk
		}
	}
	return nil
}

// State assembles the state from its chunks, each of which it asks for once, and checks whatever can be checked.
func (m *Manifest) State(chunk func(number int) ([]byte, error)) (*State, error) {
	parts := len(m.parts)
	b := slices.Clone(m.header)
	b = binary.LittleEndian.AppendUint32(b, uint32(m.accounts))
	for i := range m.Chunks() {
		if i == parts {
			b = binary.LittleEndian.AppendUint32(b, uint32(m.neurons))
		}
		chunk, err := chunk(i)
		if err != nil {
			return nil, err
		}
		if err := m.Verify(i, chunk); err != nil {
			return nil, err
		}
		b = append(b, chunk...)
	}
	if m.Chunks() == parts {
		b = binary.LittleEndian.AppendUint32(b, uint32(m.neurons))
	}
	s := new(State)
	if err := s.UnmarshalBinary(append(b, m.operators...)); err != nil {
		return nil, err
	}
	if have, want := s.Digest(), m.Digest(); have != want {
		return nil, fmt.Errorf("digest of the state is %s, of the manifest %s", have, want)
	}
	return s, nil
}

// AppendBinary appends the manifest.
func (m *Manifest) AppendBinary(b []byte) ([]byte, error) {
	c := coder{buf: b}
	m.layout(&c)
	return c.buf, nil
}

// DecodeManifest reads the bytes that AppendBinary wrote and refuses a manifest of any state but the one
// with this digest, so a lie is found out before any chunk is requested.
func DecodeManifest(b []byte, of Digest) (*Manifest, error) {
	c := &coder{buf: b, reading: true}
	m := &Manifest{}
	m.layout(c)
	err := c.end()
	if err == nil {
		err = m.check()
	}
	if err == nil {
		m.parts = m.partPaths()
	}
	if err == nil && m.Digest() != of {
		err = fmt.Errorf("has the digest %s, want %s", m.Digest(), of)
	}
	if err != nil {
		return nil, fmt.Errorf("manifest of %d bytes %w", len(b), err)
	}
	return m, nil
}

func (m *Manifest) layout(c *coder) {
	list(c, &m.header, 1, c.u8)
	c.u64(&m.neurons)
	for kind := range m.nodes {
		list(c, &m.nodes[kind], len(Digest{}), func(d *Digest) { c.bytes(d[:]) })
	}
	c.u64(&m.accounts)
	list(c, &m.trie, 2, func(n *manifestNode) {
		if c.u16(&n.bitmap); n.bitmap == 0 {
			c.bytes(n.part[:])
		}
	})
	list(c, &m.operators, 1, c.u8)
}

// check returns an error if the parts cannot be those of a manifest, whatever the digest.
func (m *Manifest) check() error {
	nodes := (m.neurons + nodeLeaves - 1) / nodeLeaves
	open := []int{1} // subtrees that are still to come, by depth
	for i, n := range m.trie {
		if len(open) == 0 || len(open) > trieDepth {
			return fmt.Errorf("has %d nodes of the trie too many or too deep", len(m.trie)-i)
		}
		open[len(open)-1]--
		if n.bitmap != 0 {
			open = append(open, bits.OnesCount16(n.bitmap))
		}
		for len(open) > 0 && open[len(open)-1] == 0 {
			open = open[:len(open)-1]
		}
	}
	switch {
	case len(m.header) < 1 || m.header[0] != snapshotVersion:
		return fmt.Errorf("has no header of version %d", snapshotVersion)
	case m.neurons > maxWeights || m.accounts > maxU32:
		return fmt.Errorf("has %d neurons and %d accounts", m.neurons, m.accounts)
	case (len(m.trie) == 0) != (m.accounts == 0) || len(open) > 0 && len(m.trie) > 0:
		return fmt.Errorf("has a trie of %d nodes for %d accounts", len(m.trie), m.accounts)
	}
	for kind := range m.nodes {
		if uint64(len(m.nodes[kind])) != nodes {
			return fmt.Errorf("has %d nodes of a kind for %d neurons", len(m.nodes[kind]), m.neurons)
		}
	}
	_, err := m.readOperators()
	return err
}
