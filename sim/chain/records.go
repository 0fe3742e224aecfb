package chain

import "encoding/binary"

// A store keeps a state as records. Their values, ascending by key, are the bytes of the state, so that one
// who reads them all has what UnmarshalBinary takes.
//
//	0            version, header, count of accounts
//	1 path       an account
//	2            count of neurons
//	2 uid 0      a neuron; uid in two bytes, the higher first
//	2 uid 1      its weights
//	2 uid 2      its bonds
//	3            the operators
const (
	headerRecord byte = iota
	accountRecord
	neuronRecord
	operatorRecord
)

// Records calls put for each record in which the state differs from a view of it, or of one that it was
// forked from, and remove for each that is gone. Of the zero View all records differ. Neither may keep
// what it gets.
func (s *State) Records(since View, put func(key, value []byte), remove func(key []byte)) {
	if since.IsZero() {
		since.neurons = &neurons{}
	}
	write := func(c *coder, key ...byte) { put(key, c.buf) }
	c := s.Changes(since)
	head := coder{buf: []byte{snapshotVersion}}
	s.header.layout(&head)
	head.count(s.accounts.len(), 0)
	write(&head, headerRecord)
	for _, k := range c.Accounts {
		record, a := coder{}, s.accounts.get(k)
		a.layout(&record)
		write(&record, accountKey(k)...)
	}
	for _, k := range c.Removed {
		remove(accountKey(k))
	}
	if s.neurons.n != since.neurons.n || since.height == 0 {
		record := coder{}
		record.count(s.neurons.n, 0)
		write(&record, neuronRecord)
	}
	s.neuronRecords(c, UID(since.neurons.n), write)
	operators := coder{}
	s.operatorsLayout(&operators)
	write(&operators, operatorRecord)
}

// neuronRecords writes what changed of the neurons, and those without rows that are new.
func (s *State) neuronRecords(c Changes, known UID, write func(c *coder, key ...byte)) {
	row := func(uid UID, part byte, layout func(*neuron, *coder)) {
		record, n := coder{}, *s.neurons.get(uid)
		layout(&n, &record)
		key := binary.BigEndian.AppendUint16([]byte{neuronRecord}, uint16(uid))
		write(&record, append(key, part)...)
	}
	for _, uid := range c.Neurons {
		row(uid, 0, (*neuron).layout)
		if n := s.neurons.get(uid); uid >= known && len(n.weights) == 0 {
			row(uid, 1, (*neuron).weightsLayout)
		}
		if n := s.neurons.get(uid); uid >= known && len(n.bonds) == 0 {
			row(uid, 2, (*neuron).bondsLayout)
		}
	}
	for _, uid := range c.Weights {
		row(uid, 1, (*neuron).weightsLayout)
	}
	for _, uid := range c.Bonds {
		row(uid, 2, (*neuron).bondsLayout)
	}
}

func accountKey(k Key) []byte {
	p := pathOf(k)
	return append([]byte{accountRecord}, p[:]...)
}
