package chain

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// seal seals the state now and then, after which its digest must be that of its bytes.
func (p *play) seal() {
	if p.IntN(3) > 0 {
		return
	}
	sealed := p.s.Seal()
	again := new(State)
	if err := again.UnmarshalBinary(encodeOrPanic(p.s)); err != nil {
		p.objects(err)
	}
	if sealed != again.Digest() || p.s.Digest() != sealed {
		p.objects(fmt.Errorf("sealed digest %s, of the bytes %s, not sealed %s", sealed, again.Digest(),
			p.s.Digest()))
	}
	if p.IntN(2) == 0 {
		p.look()
	}
}

// fork goes on with a fork now and then, or with the state that was forked, while the other one is
// played with and must leave no trace.
func (p *play) fork() {
	if p.IntN(3) > 0 {
		return
	}
	other := p.s.Fork()
	if p.IntN(2) == 0 {
		p.s, other = other, p.s
	}
	if p.IntN(2) == 0 {
		p.s.Seal()
	}
	before := encodeOrPanic(p.s)
	for _, a := range actors {
		h := other.hotkey(a.key)
		h.take++
		h.setNominations(append(h.nominations, nomination{}))
		other.accounts.remove(actors[p.IntN(len(actors))].key, other.age)
	}
	for uid := range UID(other.neurons.n) {
		other.neuron(uid).port++
		other.setBonds(uid, nil)
	}
	for i := range other.ownOperators() {
		other.operators[i].power++
	}
	other.events = append(other.events, Registered{}, Replaced{})
	other.Seal()
	if !bytes.Equal(before, encodeOrPanic(p.s)) {
		p.objects(fmt.Errorf("a fork changed what it was forked from at height %d", p.s.Height()))
	}
}

// changes compares what has changed since a view with the two states written out.
func (p *play) changes() {
	if len(p.views) == 0 || p.IntN(4) == 0 {
		v := p.s.View()
		p.views = []held{{v, shown(v)}}
		p.then = p.s.Export()
		p.stored = p.store(nil, View{})
		return
	}
	now, then := p.s.Export(), p.then
	var want Changes
	old := map[Key]SnapshotAccount{}
	for _, a := range then.Accounts {
		old[a.Key] = a
	}
	for _, a := range now.Accounts {
		if b, ok := old[a.Key]; !ok || !reflect.DeepEqual(a, b) {
			want.Accounts = append(want.Accounts, a.Key)
		}
		delete(old, a.Key)
	}
	for k := range old {
		want.Removed = append(want.Removed, k)
	}
	for i, n := range now.Neurons {
		var m SnapshotNeuron
		if i < len(then.Neurons) {
			m = then.Neurons[i]
		}
		if !slices.Equal(n.Weights, m.Weights) {
			want.Weights = append(want.Weights, UID(i))
		}
		if !slices.Equal(n.Bonds, m.Bonds) {
			want.Bonds = append(want.Bonds, UID(i))
		}
		n.Weights, n.Bonds, m.Weights, m.Bonds = nil, nil, nil, nil
		if i >= len(then.Neurons) || !reflect.DeepEqual(n, m) {
			want.Neurons = append(want.Neurons, UID(i))
		}
	}
	slices.SortFunc(want.Accounts, byPath)
	slices.SortFunc(want.Removed, byPath)
	if got := p.s.Changes(p.views[0].view); !reflect.DeepEqual(got, want) {
		p.objects(fmt.Errorf("changes %+v, want %+v", got, want))
	}
	p.store(p.stored, p.views[0].view)
}

// store writes what changed since a view into a copy of its records, which then are the bytes of the state.
func (p *play) store(since map[string][]byte, view View) map[string][]byte {
	records := map[string][]byte{}
	maps.Copy(records, since)
	p.s.Records(view, func(key, value []byte) { records[string(key)] = bytes.Clone(value) },
		func(key []byte) { delete(records, string(key)) })
	var all []byte
	for _, key := range slices.Sorted(maps.Keys(records)) {
		all = append(all, records[key]...)
	}
	if !bytes.Equal(all, encodeOrPanic(p.s)) {
		p.objects(fmt.Errorf("the stored records are not the state at height %d", p.s.Height()))
	}
	return records
}

func byPath(a, b Key) int {
	p, q := pathOf(a), pathOf(b)
	return bytes.Compare(p[:], q[:])
}
