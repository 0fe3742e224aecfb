package chain

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// neuron is a slot of the network. Rows are never changed in place once they are here.
type neuron struct {
	hotkey, axon Key
	path         path // of the hotkey's account; not kept
	ip           [16]byte
	port         uint16
	consensusKey Key // zero: none
	registeredAt uint64
	lastUpdate   uint64
	emissionRao  uint64
	consensus    uint16
	incentive    uint16
	dividends    uint16
	trust        uint16 // of the validator
	stakeWeight  uint16
	rank         uint16
	minerTrust   uint16
	pruningScore uint16
	active       bool
	permit       bool
	pruned       bool       // nakamoto: replaced since the last epoch, its bond column goes
	wide         wideScores // nakamoto
	commits      []commit   // oldest first
	weights      []WeightEntry
	bonds        []BondEntry
}

// wideScores are the scores of nakamoto in 1/(2^64-1).
type wideScores struct{ rank, trust, consensus, incentive, dividends uint64 }

// commit is a hidden vector of weights that waits for its reveal.
type commit struct {
	digest Digest
	block  uint64
	epoch  uint64
}

const (
	commitBytes = 32 + 2*8
	neuronBytes = 3*32 + 16 + 2 + 3*8 + 8*2 + 3 + 5*8 + 4
)

// layout is the record without its rows.
func (n *neuron) layout(c *coder) {
	c.bytes(n.hotkey[:])
	c.bytes(n.axon[:])
	c.bytes(n.ip[:])
	c.u16(&n.port)
	c.bytes(n.consensusKey[:])
	c.u64(&n.registeredAt)
	c.u64(&n.lastUpdate)
	c.u64(&n.emissionRao)
	c.u16(&n.consensus)
	c.u16(&n.incentive)
	c.u16(&n.dividends)
	c.u16(&n.trust)
	c.u16(&n.stakeWeight)
	c.u16(&n.rank)
	c.u16(&n.minerTrust)
	c.u16(&n.pruningScore)
	c.flag(&n.active)
	c.flag(&n.permit)
	c.flag(&n.pruned)
	c.u64(&n.wide.rank)
	c.u64(&n.wide.trust)
	c.u64(&n.wide.consensus)
	c.u64(&n.wide.incentive)
	c.u64(&n.wide.dividends)
	list(c, &n.commits, commitBytes, func(m *commit) {
		c.bytes(m.digest[:])
		c.u64(&m.block)
		c.u64(&m.epoch)
	})
}

func (n *neuron) weightsLayout(c *coder) {
	if !c.reading { // rows are long: no call per entry
		c.count(len(n.weights), 0)
		buf := slices.Grow(c.buf, 6*len(n.weights))
		for _, w := range n.weights {
			buf = binary.LittleEndian.AppendUint16(buf, uint16(w.UID))
			buf = binary.LittleEndian.AppendUint32(buf, w.Weight)
		}
		c.buf = buf
		return
	}
	list(c, &n.weights, 6, func(w *WeightEntry) {
		c.u16((*uint16)(&w.UID))
		c.u32(&w.Weight)
	})
}

func (n *neuron) bondsLayout(c *coder) {
	if !c.reading {
		c.count(len(n.bonds), 0)
		buf := slices.Grow(c.buf, 10*len(n.bonds))
		for _, b := range n.bonds {
			buf = binary.LittleEndian.AppendUint16(buf, uint16(b.UID))
			buf = binary.LittleEndian.AppendUint64(buf, b.Bond)
		}
		c.buf = buf
		return
	}
	list(c, &n.bonds, 10, func(b *BondEntry) {
		c.u16((*uint16)(&b.UID))
		c.u64(&b.Bond)
	})
}

// neurons is the table of neurons by uid, in pages, with an index by hotkey. As with accounts, parts of
// another age than the state's are shared with views.
type neurons struct {
	age      uint64
	n        int
	pages    []*page
	index    []slot // sorted by hotkey
	indexAge uint64
	sums     [rowKinds]Digest // of the kinds
	summed   [rowKinds]bool   // that are up to date
}

const pageNeurons = 32

type page struct {
	age   uint64
	at    [pageNeurons]neuron
	sums  *pageSums        // nil: never sealed
	stale [rowKinds]uint32 // a bit for each leaf that changed since
}

type slot struct {
	hotkey Key
	uid    UID
}

func (t *neurons) get(uid UID) *neuron { return &t.pages[uid/pageNeurons].at[uid%pageNeurons] }

func (t *neurons) find(hotkey Key) (place int, ok bool) {
	return slices.BinarySearchFunc(t.index, hotkey, func(s slot, k Key) int {
		return bytes.Compare(s.hotkey[:], k[:])
	})
}

func (t *neurons) uidOf(hotkey Key) (UID, bool) {
	i, ok := t.find(hotkey)
	if !ok {
		return 0, false
	}
	return t.index[i].uid, true
}

// ownNeurons returns the table for a change.
func (s *State) ownNeurons() *neurons {
	if s.neurons.age != s.age {
		t := *s.neurons
		t.age = s.age
		t.pages = slices.Clone(t.pages)
		s.neurons = &t
	}
	return s.neurons
}

// ownPage returns a page for a change.
func (s *State) ownPage(i int) *page {
	t := s.ownNeurons()
	if p := t.pages[i]; p.age != s.age {
		fresh := *p
		fresh.age = s.age
		t.pages[i] = &fresh
	}
	return t.pages[i]
}

// insertSlot adds to the index.
func (s *State) insertSlot(added slot) {
	t := s.ownNeurons()
	if t.indexAge != s.age {
		t.index, t.indexAge = slices.Clone(t.index), s.age
	}
	i, _ := t.find(added.hotkey)
	t.index = slices.Insert(t.index, i, added)
}

// changed returns the neuron in a slot for a change of the part that is a leaf of a kind.
func (s *State) changed(uid UID, kind leafKind) *neuron {
	p := s.ownPage(int(uid / pageNeurons))
	p.stale[kind] |= 1 << (uid % pageNeurons)
	s.neurons.summed[kind] = false
	return &p.at[uid%pageNeurons]
}

// neuron returns the neuron in a slot for a change of its record; rows are replaced by setWeights
// and setBonds.
func (s *State) neuron(uid UID) *neuron { return s.changed(uid, neuronLeaves) }

func (s *State) setWeights(uid UID, row []WeightEntry) { s.changed(uid, weightLeaves).weights = row }

func (s *State) setBonds(uid UID, row []BondEntry) { s.changed(uid, bondLeaves).bonds = row }

// setNeuron puts n, with its rows, into a slot.
func (s *State) setNeuron(uid UID, n neuron) {
	n.path = pathOf(n.hotkey)
	s.changed(uid, weightLeaves)
	s.changed(uid, bondLeaves)
	*s.neuron(uid) = n
	s.insertSlot(slot{n.hotkey, uid})
}

// appendNeuron makes one more slot.
func (s *State) appendNeuron(n neuron) UID {
	t := s.ownNeurons()
	uid := UID(t.n)
	if t.n%pageNeurons == 0 {
		t.pages = append(t.pages, &page{age: s.age})
	}
	t.n++
	s.setNeuron(uid, n)
	return uid
}

// replaceNeuron puts n into a taken slot. Weights and bonds of others stay.
func (s *State) replaceNeuron(uid UID, n neuron) {
	t := s.ownNeurons()
	i, _ := t.find(t.get(uid).hotkey)
	t.index = slices.Concat(t.index[:i], t.index[i+1:])
	t.indexAge = s.age
	s.setNeuron(uid, n)
}
